//! What containerd executes the shim for: with `start`, which makes the server of one container and says where it
//! listens, and with `delete`, whose answer is here and whose work is in `lifetime`.
//!
//! Not left to the library, because both are waited for: its `start` executes the server from a file that containers may
//! change, so that the server had to execute itself again (`sealed`), and both of its actions fork a process that nobody
//! uses.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

use crate::{content, kernel, sealed};

/// Where shims listen, as everybody's do.
const SOCKETS: &str = "/run/containerd/s";

/// The descriptor by which the library's server finds its socket.
const SERVER_SOCKET: i32 = 3;

/// The file of a bundle that says where its shim listens.
const ADDRESS: &str = "address";
const NEXT_ADDRESS: &str = "address.next";

/// What `delete` says of a container whose server is gone: nobody saw its end.
const UNSEEN_END: u8 = 137;

/// The value of one of the arguments that containerd gives.
pub fn value<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(at + 1).map(String::as_str)
}

/// Executes the server of this bundle's container, and tells containerd where it listens. The server need not be ready:
/// whoever connects waits in the socket.
///
/// # Errors
/// An argument is missing, or the socket or the server can not be made.
pub fn start(arguments: &[String]) -> Result<()> {
    let path = socket();
    std::fs::create_dir_all(SOCKETS).with_context(|| format!("cannot make `{SOCKETS}`"))?;
    let listener = UnixListener::bind(&path).with_context(|| format!("cannot listen on `{}`", path.display()))?;
    serve(arguments, &listener, &path).inspect_err(|_| {
        // Nobody will ever listen there.
        std::fs::remove_file(&path).ok();
    })
}

fn serve(arguments: &[String], listener: &UnixListener, path: &Path) -> Result<()> {
    // First of all, because the number may be anybody's that is opened later.
    kernel::hand_on(listener.as_fd(), SERVER_SOCKET).context("cannot hand the socket on")?;
    let given = |flag| value(arguments, flag).with_context(|| format!("`{flag}` is missing: containerd names it"));
    let mut handed: Vec<String> =
        ["-namespace", given("-namespace")?, "-id", given("-id")?, "-address", content::SOCKET]
            .map(str::to_owned)
            .into();
    handed.extend(arguments.iter().find(|argument| *argument == "-debug").cloned());
    let (mut server, _program) = sealed::command(&handed)?;
    server.env(content::ADDRESS, given("-address")?);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    server.spawn().context("cannot execute the server")?;
    let address = format!("unix://{}", path.display());
    std::fs::write(NEXT_ADDRESS, &address).context("cannot write `address` in the bundle")?;
    std::fs::rename(NEXT_ADDRESS, ADDRESS).context("cannot write `address` in the bundle")?;
    answer(address.as_bytes())
}

/// A name that no other shim has. Whoever looks for it reads it from the bundle.
fn socket() -> PathBuf {
    let part = || RandomState::new().build_hasher().finish();
    Path::new(SOCKETS).join(format!("{:016x}{:016x}{:016x}{:016x}", part(), part(), part(), part()))
}

/// Says what `delete` has to: how the container ended, as far as anybody knows.
///
/// # Errors
/// Nobody reads it.
pub fn say_deleted() -> Result<()> {
    let now = clock_gettime(ClockId::Realtime);
    answer(&deleted(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs()))
}

fn answer(bytes: &[u8]) -> Result<()> {
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().context("cannot use stdout")?;
    File::from(stdout).write_all(bytes).context("cannot answer containerd")
}

/// containerd's `DeleteResponse` (its `api/runtime/task/v2/shim.proto`): an exit status as field 2, and as field 3 the
/// moment of the end, of seconds and nanoseconds.
fn deleted(seconds: u64, nanoseconds: u64) -> Vec<u8> {
    let moment = [&[0x08][..], &number(seconds), &[0x10], &number(nanoseconds)].concat();
    [&[0x10][..], &number(UNSEEN_END.into()), &[0x1a], &number(moment.len() as u64), &moment].concat()
}

/// A number as protobuf writes it: seven bits a byte, the lowest first, the eighth says that another byte follows.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::{deleted, number, socket, value};

    #[test]
    fn numbers_have_as_many_bytes_as_they_need() {
        assert_eq!((number(0), number(127), number(128)), (vec![0], vec![0x7f], vec![0x80, 0x01]));
        assert_eq!(number(u64::MAX).len(), 10);
    }

    #[test]
    fn a_deletion_says_the_status_and_the_moment() {
        assert_eq!(deleted(1, 300), [0x10, 0x89, 0x01, 0x1a, 0x05, 0x08, 0x01, 0x10, 0xac, 0x02]);
    }

    #[test]
    fn every_socket_is_another_one_and_its_path_fits_into_an_address() {
        let (one, other) = (socket(), socket());
        assert_ne!(one, other);
        assert!(one.as_os_str().len() < 108);
    }

    #[test]
    fn a_flag_is_followed_by_its_value() {
        let arguments = ["-namespace", "default", "-id"].map(str::to_owned);
        assert_eq!(value(&arguments, "-namespace"), Some("default"));
        assert_eq!((value(&arguments, "-id"), value(&arguments, "-address")), (None, None));
    }
}
