//! Becomes another program, with arguments put in front of its own. containerd's runc shim takes the path of an OCI
//! runtime and no arguments for it, and some runtimes need some.
//!
//! Which program and which arguments stands beside its own file, in `<file>.argv`, with a NUL after each. Built for the
//! same static target as the workload, it costs a container a tenth of a millisecond where a shell script costs one: it
//! is inside the timed region.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// As a shell has it, where the program can not be started.
const NOT_STARTED: u8 = 127;

fn main() -> ExitCode {
    let Err(reason) = run();
    drop(writeln!(std::io::stderr(), "error: {reason}"));
    ExitCode::from(NOT_STARTED)
}

#[expect(clippy::disallowed_methods, reason = "it becomes the program")]
fn run() -> Result<std::convert::Infallible, String> {
    let own = std::env::current_exe().map_err(|error| format!("can not find this program's own file: {error}"))?;
    let mut list = own.into_os_string();
    list.push(".argv");
    let shown = list.to_string_lossy().into_owned();
    let words = std::fs::read(list).map_err(|error| format!("can not read `{shown}`: {error}"))?;
    let mut words = words
        .split_inclusive(|byte| *byte == 0)
        .map(|word| OsStr::from_bytes(word.strip_suffix(b"\0").unwrap_or(word)));
    let program = words.next().ok_or_else(|| format!("`{shown}` names no program"))?;
    let error = Command::new(program).args(words).args(std::env::args_os().skip(1)).exec();
    Err(format!("can not start `{}`: {error}", program.to_string_lossy()))
}
