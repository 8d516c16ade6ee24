//! Whether the library asks containerd for the image's content, which it does while a container is made: four questions
//! one after the other, which only an image whose layer is the module has an answer to.
//!
//! The library can not be told not to ask. So the address that it is given is a socket of the shim's own in the bundle.
//! It connects there, and when the container's root file system is mounted it is known whether the program is in it:
//! then nobody answers, and the library goes on with the file, as it does when containerd does not answer. Otherwise
//! what it says is passed on to containerd, and back.
//!
//! Upstream would have to let a shim say so, or to ask for the content only if the program is not a file.

use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

/// The socket, in the bundle: the server's working directory.
pub const SOCKET: &str = "content.sock";

/// The variable that holds containerd's own address for the server.
pub const ADDRESS: &str = "CONTAINERD_SHIM_ADDRESS";

static LISTENER: Mutex<Option<UnixListener>> = Mutex::new(None);
static NOT_ASKED: AtomicBool = AtomicBool::new(false);

/// Listens, so that the library can connect, if it was given the address.
///
/// # Errors
/// The bundle can not be written to.
pub fn listen() -> Result<()> {
    if std::env::var_os(ADDRESS).is_some() {
        let listener = UnixListener::bind(SOCKET).context("cannot listen in the bundle")?;
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
    Ok(())
}

/// Answers nothing: the library's question fails at once.
pub fn leave_out() {
    if LISTENER.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
        NOT_ASKED.store(true, Ordering::Relaxed);
        // Whoever would connect again finds nobody either way.
        std::fs::remove_file(SOCKET).ok();
    }
}

/// Whether the library was kept from asking: it warns of that.
pub fn is_left_out() -> bool {
    NOT_ASKED.load(Ordering::Relaxed)
}

/// Passes on what the library asks.
pub fn pass_on() {
    let Some(listener) = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    std::thread::spawn(move || {
        for asking in listener.incoming().flatten() {
            if let Err(error) = connect(asking) {
                log::error!("containerd can not be asked for the image's content: {error:#}");
            }
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "containerd's own socket, for the library")]
fn connect(asking: UnixStream) -> Result<()> {
    let address = std::env::var_os(ADDRESS).with_context(|| format!("`{ADDRESS}` is not set"))?;
    let answering =
        UnixStream::connect(&address).with_context(|| format!("cannot connect to `{}`", address.display()))?;
    let ways = [(asking.try_clone()?, answering.try_clone()?), (answering, asking)];
    for (mut from, mut to) in ways {
        std::thread::spawn(move || {
            // However it ends, the other side is told.
            std::io::copy(&mut from, &mut to).ok();
            to.shutdown(Shutdown::Write).ok();
        });
    }
    Ok(())
}
