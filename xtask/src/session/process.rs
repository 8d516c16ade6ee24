//! Where containers run: a private containerd in mount and PID namespaces of its own, entered by starting
//! this program once more below `unshare`.
//!
//! The process inside is PID 1 of its namespace: when it ends, for whatever reason, the kernel ends
//! containerd, every shim and every container with it, and the mounts go with the last of them. Its stdin is
//! the lifeline: when this process ends, SIGKILL included, the one inside notices and cleans up.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

use super::password;
use super::privileges::{Namespaces, Privileges, UNSHARE};
use crate::secret::Secret;
use crate::stop::Stop;

/// The hidden subcommand that runs a session inside.
pub const INSIDE: &str = "inside";
/// The hidden subcommand that removes what a measuring process left that was killed.
pub const REMOVE: &str = "remove-leftovers";

/// Runs a hidden subcommand of this program with a file as its argument, as root in namespaces of its own, and
/// waits for it. `stop` is passed on, and so is the registry's password.
///
/// # Errors
/// When it can not be started, or ends with anything but 0.
pub fn run_inside(
    privileges: &Privileges,
    subcommand: &str,
    (request, password): (&Path, Option<&Secret>),
    namespaces: Namespaces,
    stop: &Stop,
) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("can not find this program's own file")?;
    if let Privileges::Denied(reason) = privileges {
        bail!("{reason}");
    }
    let mut argv = privileges.prefix().unwrap_or_default();
    if namespaces == Namespaces::Private {
        argv.extend(UNSHARE.map(str::to_owned));
    }
    argv.extend([path(&program), subcommand.to_owned(), path(request)]);
    let (reader, lifeline) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context("can not make a pipe")?;
    let mut child = spawn(&argv, reader.into())?;
    let mut lifeline = File::from(lifeline);
    let sent = password::send(&mut lifeline, password);
    let status = wait(&mut child, lifeline, stop)?;
    // One that ended well without reading did not need it.
    if !status.success() {
        sent?;
    }
    anyhow::ensure!(status.success(), "the measuring process ended with {status}; what it said stands above");
    Ok(())
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// In a process group of its own: Ctrl-C in the terminal reaches this process, which passes it on through
/// the lifeline, once.
#[expect(clippy::disallowed_methods, reason = "`session` starts the measuring process")]
fn spawn(argv: &[String], stdin: Stdio) -> anyhow::Result<Child> {
    Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(stdin)
        .process_group(0)
        .spawn()
        .with_context(|| format!("can not start `{}`", argv[0]))
}

fn wait(child: &mut Child, lifeline: File, stop: &Stop) -> anyhow::Result<ExitStatus> {
    let wish = stop.another()?;
    // The thread owns the lifeline and leaves with the process: closing it early would end the run.
    std::thread::spawn(move || {
        use std::io::Write as _;
        let mut lifeline = lifeline;
        let asked = wish.wait().and_then(|()| Ok(lifeline.write_all(b"s")?));
        if let Err(error) = asked {
            crate::console::note(format_args!("can not ask the measuring process to stop: {error:#}"));
        }
        loop {
            std::thread::park();
        }
    });
    child.wait().context("can not wait for the measuring process")
}
