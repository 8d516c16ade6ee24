//! The server runs from a file that no container can write to, with an environment that holds nothing of containerd's.
//!
//! A container reaches the file that its process was forked from (an entrypoint `#!/proc/self/exe` executes it, and
//! `/proc/self/exe` opens it), and as root it could open it for writing as soon as nobody executes it any more
//! (CVE-2019-5736 of runc). So the server is executed through a mount that is read-only and belongs to no mount
//! namespace, or where that can not be made, from a sealed copy in memory: by `launch`, and by itself when somebody else
//! executed it.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use rustix::fs::{SealFlags, fcntl_add_seals};

use crate::{engine, kernel};

/// Says that this process is the second one.
const SEALED: &str = "CONTAINERD_SHIM_SEALED";

/// What the library and this shim read, besides what the engine reads. Everything else that containerd was started with
/// may be a secret.
const KEPT: [&str; 2] = ["TTRPC_ADDRESS", "RUST_LOG"];

/// Returns when this process runs from such a file; else executes this program again.
///
/// # Errors
/// As for [`command`].
pub fn ensure(arguments: &[String]) -> Result<()> {
    if std::env::var_os(SEALED).is_some() {
        settle();
        return Ok(());
    }
    let (mut command, _program) = command(arguments)?;
    Err(command.exec()).context("cannot execute the sealed copy of the shim")
}

/// This program from such a file, with these arguments; the file has to stay open until the program is executed.
///
/// # Errors
/// Neither a mount nor a copy can be made: the container is then refused, as by runc.
#[expect(clippy::disallowed_methods, reason = "the shim has no `cmd` module, and this is what it is started for")]
pub fn command(arguments: &[String]) -> Result<(Command, OwnedFd)> {
    let program = kernel::read_only_mount(c"/proc/self/exe").map_err(anyhow::Error::from).or_else(|_| copy())?;
    let engine = engine::this();
    let kept = KEPT.iter().chain(engine.variables).filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let name =
        std::env::args_os().next().unwrap_or_else(|| OsString::from(format!("containerd-shim-{}-v1", engine.name)));
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.arg0(name).args(arguments).env_clear().envs(kept).env(SEALED, "1");
    Ok((command, program))
}

/// A copy in memory that nobody can change, grow or shrink any more.
fn copy() -> Result<OwnedFd> {
    let mut program = File::open("/proc/self/exe").context("cannot open the shim's own file")?;
    let mut copy = kernel::memory_file(c"containerd-shim", &[]).context("cannot make a file in memory")?;
    std::io::copy(&mut program, &mut copy).context("cannot copy the shim's own file")?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&copy, seals).context("cannot seal the copy of the shim")?;
    Ok(copy.into())
}

/// What is different from the process that containerd started, besides: its name in lists of processes is that of the
/// file again, and the kernel ends it one step before containerd when memory runs out, as runc's shim, which its
/// containers inherit.
fn settle() {
    if let Err(error) = rustix::thread::set_name(c"containerd-shim") {
        log::warn!("cannot name this process: {error}");
    }
    let file = "/proc/self/oom_score_adj";
    let score = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<i32>().ok());
    if let Some(score) = score
        && let Err(error) = std::fs::write(file, (score + 1).min(1000).to_string())
    {
        log::warn!("cannot write `{file}`: {error}");
    }
}
