//! The embedded registry: `ferro-oci-server` on a loopback port of its own, in memory, on one thread.
//!
//! It is there so that containerd can pull over the real protocol without anything being installed. Not here:
//! authentication, TLS, storage on disk.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::destination::Destination;

/// A running registry. It ends, with all its connections, when this value is dropped.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    address: SocketAddr,
    /// Dropping it is the signal to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedRegistry {
    /// Starts an empty registry on any free port of 127.0.0.1. It answers as soon as this returns.
    ///
    /// # Errors
    /// When there is no free port, or no thread to be had.
    pub fn start() -> anyhow::Result<Self> {
        Self::serve(application()?)
    }

    fn serve(application: axum::Router) -> anyhow::Result<Self> {
        let (listener, address) = listen().context("can not listen on a port of 127.0.0.1")?;
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = move || {
            runtime.block_on(async move {
                // The listener takes connections already; only its registration with the runtime is left.
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => drop(tokio::spawn(async move { axum::serve(listener, application).await })),
                    Err(error) => crate::console::note(format_args!("the embedded registry can not serve: {error}")),
                }
                // An error says that the sender was dropped, which is the signal.
                stopped.await.unwrap_or_default();
            });
            // Dropping the runtime cuts every connection: nobody who pulls can keep the process from ending.
        };
        let thread = std::thread::Builder::new()
            .name("embedded-registry".to_owned())
            .spawn(serving)
            .context("can not start the embedded registry's thread")?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[cfg(test)]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A destination in it.
    pub fn destination(&self, prefix: &str) -> Destination {
        Destination::loopback(self.address, prefix)
    }
}

impl Drop for EmbeddedRegistry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            crate::console::note(format_args!("the embedded registry ended with a panic, see above"));
        }
    }
}

fn application() -> anyhow::Result<axum::Router> {
    // Without a storage folder the configuration stands for a store in memory.
    let store = ferro_oci_server::Config::from_raw(None, None)
        .blob_store()
        .map_err(|error| anyhow!("can not make the embedded registry's store: {error}"))?;
    Ok(ferro_oci_server::build_app(store))
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn listen() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A runtime that works on the thread that blocks on it.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("can not start an async runtime")
}

/// Registries that misbehave, for tests.
#[cfg(test)]
pub(super) mod faulty {
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::IntoResponse as _;

    use super::*;

    /// A registry that answers the first `failures` requests with a status, and then properly.
    pub(in crate::registry) fn failing_first(failures: usize, status: u16) -> EmbeddedRegistry {
        let requests = Arc::new(AtomicUsize::new(0));
        let fail = from_fn(move |request: Request, next: Next| {
            let number = requests.fetch_add(1, Ordering::SeqCst);
            async move {
                if number < failures {
                    StatusCode::from_u16(status).unwrap().into_response()
                } else {
                    next.run(request).await
                }
            }
        });
        EmbeddedRegistry::serve(application().unwrap().layer(fail)).unwrap()
    }

    /// A registry that dies when it gets request number `last` (from 0), without an answer to it.
    pub(in crate::registry) fn dying_after(last: usize) -> EmbeddedRegistry {
        let requests = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(Mutex::new(None));
        let trigger = Arc::clone(&stop);
        let die = from_fn(move |request: Request, next: Next| {
            let number = requests.fetch_add(1, Ordering::SeqCst);
            let trigger = Arc::clone(&trigger);
            async move {
                if number >= last {
                    drop(trigger.lock().unwrap().take());
                    std::future::pending::<()>().await;
                }
                next.run(request).await
            }
        });
        let mut registry = EmbeddedRegistry::serve(application().unwrap().layer(die)).unwrap();
        *stop.lock().unwrap() = registry.stop.take();
        registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[expect(clippy::disallowed_methods, reason = "a test of the door")]
    fn connect(address: SocketAddr) -> std::io::Result<std::net::TcpStream> {
        std::net::TcpStream::connect(address)
    }

    #[test]
    fn it_answers_at_once_on_loopback_only_and_is_gone_after_the_drop() {
        let registry = EmbeddedRegistry::start().unwrap();
        let address = registry.address();
        assert!(address.ip().is_loopback());
        let mut stream = connect(address).unwrap();
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let idle = connect(address).unwrap();
        drop(registry);
        assert!(connect(address).is_err());
        drop(idle);
    }

    #[test]
    fn two_have_two_ports() {
        let registries = [EmbeddedRegistry::start().unwrap(), EmbeddedRegistry::start().unwrap()];
        assert_ne!(registries[0].address(), registries[1].address());
    }
}
