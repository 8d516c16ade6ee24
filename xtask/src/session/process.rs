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
use crate::cmd::Cmd;
use crate::secret::Secret;
use crate::stop::Stop;

/// The hidden subcommand that runs a session inside.
pub const INSIDE: &str = "inside";
/// The hidden subcommand that removes what a measuring process left that was killed.
pub const REMOVE: &str = "remove-leftovers";
/// The hidden subcommand that tries the shim inside.
pub const SHIM_SUITE: &str = "shim-suite";

/// How this user may become root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privileges {
    /// It is root.
    Root,
    /// `sudo` asks for no password.
    Sudo,
    /// Neither, and why that matters.
    Denied(String),
}

/// Makes namespaces that end with the process that is started in them, and its mounts with them.
const UNSHARE: [&str; 7] = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];

impl Privileges {
    /// What this user may do where containers need such namespaces. Namespaces are tried, because being root is not
    /// enough (a container's root has no CAP_SYS_ADMIN), and `sudo` is asked without a prompt.
    pub fn find(namespaces: Namespaces) -> Self {
        let privileges = Self::to_root();
        let Some(mut argv) = privileges.prefix().filter(|_| namespaces == Namespaces::Private) else {
            return privileges;
        };
        argv.extend(UNSHARE.map(str::to_owned));
        match Cmd::new(&argv[0]).args(&argv[1..]).arg("true").output() {
            Ok(output) if output.code == Some(0) => privileges,
            Ok(output) => Self::Denied(format!(
                "containers need namespaces of their own, and `unshare` can not make them here ({}): run outside of a \
                 container, or in one with CAP_SYS_ADMIN (`--privileged`)",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
            Err(error) => Self::Denied(format!(
                "containers need namespaces of their own, and there is no `unshare` ({error:#}): install util-linux"
            )),
        }
    }

    fn to_root() -> Self {
        if rustix::process::geteuid().is_root() {
            return Self::Root;
        }
        match Cmd::new("sudo").args(["-n", "true"]).output() {
            Ok(output) if output.code == Some(0) => Self::Sudo,
            Ok(_) => Self::Denied(
                "containers need root, and `sudo` asks for a password: run `sudo -v` first, or run as root".to_owned(),
            ),
            Err(_) => Self::Denied("containers need root, and there is no `sudo`: run as root".to_owned()),
        }
    }

    /// What comes before a command that is to run as root; `None` when it can not.
    fn prefix(&self) -> Option<Vec<String>> {
        match self {
            Self::Root => Some(Vec::new()),
            Self::Sudo => Some(["sudo", "-n", "--"].map(str::to_owned).to_vec()),
            Self::Denied(_) => None,
        }
    }
}

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

/// Whether the measuring process gets namespaces of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// For a containerd that we start.
    Private,
    /// For a containerd that is there already.
    Shared,
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
