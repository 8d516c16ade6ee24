//! Whether the library asks containerd for the image's content, which it does while a container is made: four questions
//! one after the other, which only an image whose layer is the module has an answer to.
//!
//! The library can not be told not to ask. So the address that it is given is a socket of the shim's own in the bundle.
//! It connects there, and when the container's root file system is mounted it is known whether the program is in it:
//! then the shim answers that there is no such container, and the library goes on with the file, as it does when
//! containerd says so. Otherwise what it says is passed on to containerd, and back.
//!
//! To close the connection instead would answer too, but not always: a request that the library's client makes at the
//! moment at which it learns of the end is sometimes never given up (tonic 0.12.3 with hyper 1.12, once in some 10,000 on
//! a busy machine), and the container is never made.
//!
//! Upstream would have to let a shim say so, or to ask for the content only if the program is not a file.

use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use http::{HeaderValue, Response};
use tokio::net;

/// The socket, in the bundle: the server's working directory.
pub const SOCKET: &str = "content.sock";

/// The variable that holds containerd's own address for the server.
pub const ADDRESS: &str = "CONTAINERD_SHIM_ADDRESS";

static LISTENER: Mutex<Option<UnixListener>> = Mutex::new(None);
static NOT_ASKED: AtomicBool = AtomicBool::new(false);

/// gRPC's status `NOT_FOUND` (its `doc/statuscodes.md`).
const NOT_FOUND: u16 = 5;

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

/// Answers in containerd's place: whatever the library asks for is not there. To be called from a task of its runtime.
///
/// # Errors
/// The socket can not be used. The library then waits for somebody to answer: `pass_on` has to.
pub fn leave_out() -> Result<()> {
    let mut listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(listening) = listener.as_ref() else { return Ok(()) };
    let answering = listening.try_clone().context("cannot use the socket in the bundle")?;
    answering.set_nonblocking(true).context("cannot use the socket in the bundle")?;
    let answering = net::UnixListener::from_std(answering).context("cannot use the socket in the bundle")?;
    *listener = None;
    NOT_ASKED.store(true, Ordering::Relaxed);
    tokio::spawn(async move {
        while let Ok((asking, _)) = answering.accept().await {
            tokio::spawn(async move {
                if let Err(error) = deny(asking).await {
                    log::warn!("the library's question for the image's content was not answered: {error}");
                }
            });
        }
    });
    Ok(())
}

/// Answers every request of a connection: without a message, and with a status (gRPC's `doc/PROTOCOL-HTTP2.md`,
/// "Trailers-Only").
async fn deny(asking: net::UnixStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(asking).await?;
    while let Some(asked) = connection.accept().await {
        let (_, mut respond) = asked?;
        let mut answer = Response::new(());
        let headers = answer.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", NOT_FOUND.into());
        respond.send_response(answer, true)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::deny;
    use http::Request;
    use tokio::net::UnixStream;

    #[test]
    fn every_question_of_a_connection_is_answered_with_not_found() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (asking, answering) = UnixStream::pair().expect("a pair");
            let answers = tokio::spawn(deny(answering));
            let (mut sender, connection) = h2::client::handshake(asking).await.expect("a handshake");
            let connection = tokio::spawn(connection);
            for _ in 0..2 {
                sender = sender.ready().await.expect("ready");
                let question = Request::post("http://localhost/containerd.services.containers.v1.Containers/Get");
                let (answer, _) = sender.send_request(question.body(()).expect("a request"), true).expect("sent");
                let answer = answer.await.expect("an answer");
                assert_eq!(answer.headers()["grpc-status"], "5");
                assert_eq!(answer.headers()["content-type"], "application/grpc");
                assert!(answer.body().is_end_stream());
            }
            drop(sender);
            connection.await.expect("no panic").expect("the client ends well");
            answers.await.expect("no panic").expect("so does the shim");
        });
    }
}
