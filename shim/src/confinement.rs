//! What is done in the container's own process, before it runs what it was made for.
//!
//! A native program is executed, and the kernel then clears what it should not inherit: capabilities of another user
//! than root, descriptors, memory. A module is called in the process as it is, so the same is done here, and it has to
//! hold even against a module that is native code: what an engine's compiler made is.

use std::os::fd::{AsFd as _, BorrowedFd, RawFd};

use anyhow::{Context as _, Result};
use rustix::fs::{FileType, Mode, OFlags, fcntl_setfl, fstat, openat};
use rustix::net::sockopt::socket_type;
use rustix::net::{SocketAddrUnix, SocketType, getsockname};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, capability_is_in_ambient_set, set_capabilities};

use crate::kernel::Stream;
use crate::specification::Program;
use crate::{kernel, preparation};

/// The first descriptor that is no standard stream.
const FIRST: RawFd = 3;

/// The library's own descriptors are looked for below this number; a shim has about thirty.
const LIMIT: RawFd = 256;

/// The name that the library binds the socket to on which a container waits for its start.
const START_SOCKET: &[u8] = b"notify.sock";

/// Confines this process, while it has one thread: capabilities belong to threads, and the library makes more.
///
/// # Errors
/// A module must not run: capabilities or descriptors are still there.
pub fn confine(program: Program) -> Result<()> {
    if let Some(processes) = preparation::held().and_then(|held| held.processes.as_ref())
        && let Err(error) = let_stdin_end(processes.as_fd())
    {
        log::warn!("stdin will not end: {error:#}");
    }
    if let Err(error) = preparation::enter_systemd_cgroup() {
        log::warn!("{error:#}");
    }
    if program == Program::Native {
        return Ok(());
    }
    clear_capabilities().context("cannot clear the capabilities")?;
    // The journal is among them.
    log::set_max_level(log::LevelFilter::Off);
    kernel::close_descriptors(FIRST, LIMIT, is_the_librarys).context("cannot close inherited descriptors")
}

/// Opens the FIFO behind stdin again, for reading only. `processes` is a `/proc` that knows this process.
///
/// The library opens it for reading and writing, so the container would be its own writer, and a program that
/// reads to the end of stdin would wait for ever. Where stdin is no FIFO there is nothing to do.
///
/// # Errors
/// The container's user may not open the FIFO. Stdin is then as before.
fn let_stdin_end(processes: BorrowedFd<'_>) -> Result<()> {
    let kind = FileType::from_raw_mode(fstat(std::io::stdin()).context("cannot inspect stdin")?.st_mode);
    if kind != FileType::Fifo {
        return Ok(());
    }
    // Not blocking, because a reader waits in `open` for a writer that may never come.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(processes, "self/fd/0", flags, Mode::empty()).context("cannot open stdin again")?;
    fcntl_setfl(&opened, OFlags::empty()).context("cannot make stdin wait")?;
    kernel::replace(Stream::Stdin, opened.as_fd()).context("cannot replace stdin")
}

/// Closes what the library needed to make and start the container. What is left then belongs to its threads in this
/// process and leads nowhere.
///
/// # Errors
/// As for [`confine`].
pub fn close_start() -> Result<()> {
    kernel::close_descriptors(FIRST, LIMIT, |descriptor| !is_the_librarys(descriptor))
        .context("cannot close the descriptors of the start")
}

/// Does what `execve` does for a user that is not root (capabilities(7), "Transformation of capabilities during
/// execve()"): what is ambient stays.
fn clear_capabilities() -> rustix::io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let present = capabilities(None)?;
    let mut ambient = CapabilitySet::empty();
    for capability in present.permitted.iter() {
        if capability_is_in_ambient_set(capability)? {
            ambient |= capability;
        }
    }
    set_capabilities(None, CapabilitySets { effective: ambient, permitted: ambient, ..present })
}

/// The library's channel to the process that made this one, and the socket that the container is started by.
fn is_the_librarys(descriptor: BorrowedFd<'_>) -> bool {
    match socket_type(descriptor) {
        Ok(SocketType::SEQPACKET) => true,
        Ok(SocketType::STREAM) => {
            let address = getsockname(descriptor).ok().and_then(|address| SocketAddrUnix::try_from(address).ok());
            address.is_some_and(|address| address.path_bytes() == Some(START_SOCKET))
        }
        _ => false,
    }
}
