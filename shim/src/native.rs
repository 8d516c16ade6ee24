//! Native programs: executed in the container's process, with the container's environment and nothing else.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Executes a program, and returns only when that failed. Its signals are the kernel's defaults, `SIGPIPE` included.
#[expect(clippy::disallowed_methods, reason = "no new process: the container's own goes on as its program")]
pub fn execute(arguments: &[String], environment: &[String]) -> std::io::Error {
    let Some((program, rest)) = arguments.split_first() else {
        return std::io::ErrorKind::NotFound.into();
    };
    let variables = environment.iter().filter_map(|entry| entry.split_once('=')).filter(|(name, _)| !name.is_empty());
    Command::new(program).args(rest).env_clear().envs(variables).exec()
}
