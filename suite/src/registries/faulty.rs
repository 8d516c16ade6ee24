//! Registries that misbehave or are particular, for unit tests and the suite. Each is the embedded registry, open to
//! everybody, behind one fault.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body::Frame;

use xtask::registry::embedded::{application, for_one_account};
use xtask::registry::{Credentials, EmbeddedRegistry};
use xtask::secret::Secret;

/// What containerd gets instead of what it asked for. Everybody else gets the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToContainerd {
    /// No answer, ever.
    Silence,
    /// Layers and configs without end.
    EndlessBlobs,
    /// Another tag's image, when it asks by tag.
    MovedTags,
    /// Another tag's image, whatever it asks by.
    OtherImages,
    /// A refusal.
    Refusal,
}

/// A registry that has this for containerd, and wants this account where there is one.
///
/// # Errors
/// As [`EmbeddedRegistry::start`].
pub fn to_containerd(fault: ToContainerd, account: Option<(&str, &Secret)>) -> anyhow::Result<EmbeddedRegistry> {
    let application = misled(application()?, fault);
    let Some((user, password)) = account else {
        return EmbeddedRegistry::serve(application, Credentials::Anonymous);
    };
    let credentials = Credentials::Password { user: user.to_owned(), password: password.clone() };
    EmbeddedRegistry::serve(for_one_account(application, (user, password)), credentials)
}

fn misled(application: axum::Router, fault: ToContainerd) -> axum::Router {
    // Around the whole of it: a layer of its own would see a request when it was routed already, by its old path.
    axum::Router::new().fallback_service(application).layer(from_fn(
        move |mut request: Request, next: Next| async move {
            if !is_containerd(request.headers()) {
                return next.run(request).await;
            }
            let path = request.uri().path().to_owned();
            match fault {
                ToContainerd::Silence => std::future::pending::<Response>().await,
                ToContainerd::Refusal => StatusCode::FORBIDDEN.into_response(),
                ToContainerd::EndlessBlobs if path.contains("/blobs/") => endless(),
                ToContainerd::MovedTags | ToContainerd::OtherImages => {
                    let by_digest = path.contains("/manifests/sha256:");
                    if let Some((repository, _)) = path.rsplit_once("/manifests/")
                        && (fault == ToContainerd::OtherImages || !by_digest)
                    {
                        let other = format!("{repository}/manifests/wasm");
                        *request.uri_mut() = other.parse().unwrap_or_default();
                    }
                    next.run(request).await
                }
                ToContainerd::EndlessBlobs => next.run(request).await,
            }
        },
    ))
}

/// A registry whose documents have no end, and no digest in their headers.
///
/// # Errors
/// As [`EmbeddedRegistry::start`].
pub fn endless_documents() -> anyhow::Result<EmbeddedRegistry> {
    let application = application()?.layer(from_fn(|request: Request, next: Next| async move {
        let is_document = request.uri().path().contains("/manifests/");
        let read = request.method() == Method::GET || request.method() == Method::HEAD;
        if is_document && read { endless() } else { next.run(request).await }
    }));
    EmbeddedRegistry::serve(application, Credentials::Anonymous)
}

/// A registry for one account, by Basic authentication.
///
/// # Errors
/// As [`EmbeddedRegistry::start`].
pub fn with_password(user: &str, password: &Secret) -> anyhow::Result<EmbeddedRegistry> {
    let credentials = Credentials::Password { user: user.to_owned(), password: password.clone() };
    EmbeddedRegistry::serve(for_one_account(application()?, (user, password)), credentials)
}

/// A registry for one account, which has to exchange its password for a token first, as in the public registries.
///
/// # Errors
/// As [`EmbeddedRegistry::start`].
pub fn with_tokens(user: &str, password: &Secret) -> anyhow::Result<EmbeddedRegistry> {
    let token = Secret::random()?;
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())));
    let form = format!("password={}", password.expose());
    let application = application()?.layer(from_fn(move |request: Request, next: Next| {
        let (token, basic, form) = (token.clone(), basic.clone(), form.clone());
        async move {
            let headers = request.headers();
            if request.uri().path() == "/token" {
                let by_header = sent(headers) == basic;
                let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap_or_default();
                let by_form = String::from_utf8_lossy(&body).split('&').any(|field| field == form);
                return issue(by_header || by_form, &token);
            }
            if sent(headers) == format!("Bearer {}", token.expose()) {
                return next.run(request).await;
            }
            challenge(headers, request.uri())
        }
    }));
    let credentials = Credentials::Password { user: user.to_owned(), password: password.clone() };
    EmbeddedRegistry::serve(application, credentials)
}

fn sent(headers: &HeaderMap) -> &str {
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whoever is not known gets a token too: one that opens nothing.
fn issue(known: bool, token: &Secret) -> Response {
    let token = if known { token.expose() } else { "anonymous" };
    let body = format!("{{\"token\":\"{token}\",\"access_token\":\"{token}\",\"expires_in\":300}}");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn challenge(headers: &HeaderMap, uri: &Uri) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let repository = uri.path().trim_start_matches("/v2/");
    let repository = ["/blobs/", "/manifests/"].iter().find_map(|part| repository.split_once(part));
    let scope = repository.map(|(name, _)| format!(",scope=\"repository:{name}:pull\"")).unwrap_or_default();
    let asked = format!("Bearer realm=\"http://{host}/token\",service=\"{host}\"{scope}");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, asked)]).into_response()
}

fn is_containerd(headers: &HeaderMap) -> bool {
    headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .is_some_and(|text| text.contains("containerd"))
}

fn endless() -> Response {
    Body::new(Endless).into_response()
}

/// Zeros, as fast as somebody reads them.
struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS)))))
    }
}

/// Registries that fail at a request of a given number.
#[cfg(test)]
pub(super) mod counted {
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn serve(application: axum::Router) -> EmbeddedRegistry {
        EmbeddedRegistry::serve(application, Credentials::Anonymous).unwrap()
    }

    /// A registry that answers the first `failures` requests with a status, and then properly.
    pub(in crate::registries) fn failing_first(failures: usize, status: u16) -> EmbeddedRegistry {
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
        serve(application().unwrap().layer(fail))
    }

    /// A registry that dies when it gets request number `last` (from 0), without an answer to it.
    pub(in crate::registries) fn dying_after(last: usize) -> EmbeddedRegistry {
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
        let mut registry = serve(application().unwrap().layer(die));
        *stop.lock().unwrap() = registry.take_stop();
        registry
    }
}
