//! The embedded registry: `ferro-oci-server` on a loopback port of its own, in memory, on one thread.
//!
//! It is there so that containerd can pull over the real protocol without anything being installed. Every user of the
//! machine can reach its port, so each request has to bring a password that only this process made and knows: nobody
//! else can push, replace or read images. Not here: TLS, storage on disk.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::credentials::Credentials;
use super::destination::Destination;
use crate::secret::Secret;
use oci::digest::Digest;

/// The account's name.
const USER: &str = "bench";

/// A running registry. It ends, with all its connections, when this value is dropped.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    address: SocketAddr,
    credentials: Credentials,
    /// Dropping it is the signal to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedRegistry {
    /// Starts an empty registry on any free port of 127.0.0.1, for one account that is made here. It answers as soon as
    /// this returns.
    ///
    /// # Errors
    /// When there is no free port, no loopback interface, or no thread to be had.
    pub fn start() -> anyhow::Result<Self> {
        let password = Secret::random()?;
        let application = for_one_account(application()?, (USER, &password));
        Self::serve(application, Credentials::Password { user: USER.to_owned(), password })
    }

    /// Serves an application, which knows these credentials.
    pub fn serve(application: axum::Router, credentials: Credentials) -> anyhow::Result<Self> {
        Self::serve_on(application, credentials, (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Starts an empty registry for everybody, on an address of a network in which nobody is whom we did not start.
    ///
    /// # Errors
    /// When that address is not this machine's, or taken.
    pub fn on_network(address: SocketAddr, credentials: Credentials) -> anyhow::Result<Self> {
        let application = application()?;
        let application = match &credentials {
            Credentials::Anonymous => application,
            Credentials::Password { user, password } => for_one_account(application, (user, password)),
        };
        Self::serve_on(application, credentials, address)
    }

    fn serve_on(application: axum::Router, credentials: Credentials, address: SocketAddr) -> anyhow::Result<Self> {
        let (listener, address) = listen(address).with_context(|| format!("can not listen on {address}"))?;
        reach(address)?;
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
        Ok(Self { address, credentials, stop: Some(stop), thread: Some(thread) })
    }

    /// What ends it when it is dropped: for whoever wants that before this value is.
    pub fn take_stop(&mut self) -> Option<oneshot::Sender<()>> {
        self.stop.take()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account that it serves.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
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
            crate::console::note("the embedded registry ended with a panic, see above");
        }
    }
}

/// A registry for everybody, in memory.
pub fn application() -> anyhow::Result<axum::Router> {
    // Without a storage folder the configuration stands for a store in memory.
    let store = ferro_oci_server::Config::from_raw(None, None)
        .blob_store()
        .map_err(|error| anyhow!("can not make the embedded registry's store: {error}"))?;
    Ok(ferro_oci_server::build_app(store))
}

/// Refuses every request without this account (RFC 7617, Basic).
pub fn for_one_account(application: axum::Router, (user, password): (&str, &Secret)) -> axum::Router {
    let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())));
    // Compared by their hashes: the time that takes tells nothing about the password.
    let expected = Digest::of(expected.as_bytes());
    application.layer(from_fn(move |request: Request, next: Next| async move {
        if authorization(request.headers()) == Some(expected) {
            next.run(request).await
        } else {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"deploy-bench\"")]).into_response()
        }
    }))
}

fn authorization(headers: &HeaderMap) -> Option<Digest> {
    headers.get(header::AUTHORIZATION).map(|value| Digest::of(value.as_bytes()))
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// In a network namespace of its own whose `lo` is down one can listen, and nobody can come.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn reach(address: SocketAddr) -> anyhow::Result<()> {
    TcpStream::connect(address).map(drop).with_context(|| {
        "this program's own registry listens on 127.0.0.1 and can not be reached there: is the loopback interface of \
         this network namespace down? `ip link set lo up` switches it on; `--registry` names a registry elsewhere"
    })
}

/// A runtime that works on the thread that blocks on it.
pub fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("can not start an async runtime")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[expect(clippy::disallowed_methods, reason = "a test of the door")]
    fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
        TcpStream::connect(address)
    }

    fn ask(address: SocketAddr, line: &str, authorization: &str) -> String {
        let mut stream = connect(address).unwrap();
        let request =
            format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn it_answers_at_once_on_loopback_only_and_is_gone_after_the_drop() {
        let registry = EmbeddedRegistry::start().unwrap();
        let address = registry.address();
        assert!(address.ip().is_loopback());
        let Credentials::Password { user, password } = registry.credentials().clone() else { panic!("no account") };
        let answer = ask(address, "GET /v2/", &basic(&user, password.expose()));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let idle = connect(address).unwrap();
        drop(registry);
        assert!(connect(address).is_err());
        drop(idle);
    }

    #[test]
    fn nobody_without_the_password_can_push_replace_or_read() {
        let registry = EmbeddedRegistry::start().unwrap();
        let others = EmbeddedRegistry::start().unwrap();
        let Credentials::Password { password, .. } = others.credentials().clone() else { panic!("no account") };
        for authorization in ["", "Authorization: Basic \r\n", &basic(USER, ""), &basic(USER, password.expose())] {
            for line in ["GET /v2/", "POST /v2/x/blobs/uploads/", "PUT /v2/x/manifests/native", "GET /metrics"] {
                let answer = ask(registry.address(), line, authorization);
                assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("Basic realm"), "{line}: {answer}");
            }
        }
    }

    #[test]
    fn two_have_two_ports_and_two_passwords() {
        let registries = [EmbeddedRegistry::start().unwrap(), EmbeddedRegistry::start().unwrap()];
        assert_ne!(registries[0].address(), registries[1].address());
        assert_ne!(registries[0].credentials(), registries[1].credentials());
    }
}
