//! The connection to one registry: `oci-client` with retries, time limits, and errors that say what to do.
//!
//! Traps of `oci-client` 0.18 that are dealt with here: it panics where there are no CA certificates, even for
//! plain HTTP; it retries nothing; its typed pushes serialise documents again; it takes proxies from the
//! environment even for loopback; it reads documents without limit, so `documents` reads them. Known weaknesses: its
//! refusals and tokens are still read without limit; it hides `Retry-After`, so a 429 waits as long as any failure.
//! Not here: what is pushed, and in which order.

use std::future::Future;
use std::sync::Mutex;

use anyhow::{Context as _, anyhow, bail, ensure};
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};

use super::credentials::Credentials;
use super::destination::{Destination, Location, Scheme};
use super::patience::Patience;
use super::push::RegistryAccess;

mod documents;

use documents::Documents;
use oci::digest::Digest;

/// How we are called in a registry's log.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Whether a registry has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Absent,
}

/// A registry, and what is known of reaching it.
pub struct Connection {
    client: Client,
    destination: Destination,
    auth: RegistryAuth,
    documents: Documents,
    patience: Patience,
    /// The last error that was retried, for the message when the time is up.
    trouble: Mutex<Option<String>>,
}

impl Connection {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// When this machine has no CA certificates.
    pub fn new(destination: &Destination, access: &RegistryAccess) -> anyhow::Result<Self> {
        let auth = match &access.credentials {
            Credentials::Anonymous => RegistryAuth::Anonymous,
            Credentials::Password { user, password } => RegistryAuth::Basic(user.clone(), password.expose().to_owned()),
        };
        Ok(Self {
            client: client(destination, access.patience)?,
            destination: destination.clone(),
            auth,
            documents: Documents::new(destination, access)?,
            patience: access.patience,
            trouble: Mutex::new(None),
        })
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The last error that was retried.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().ok().and_then(|trouble| trouble.clone())
    }

    /// The name of an image, as the client wants it: never parsed from a joined text.
    pub fn reference(&self, program: &str, tag: &str) -> Reference {
        let registry = self.destination.registry().to_owned();
        Reference::with_tag(registry, self.destination.repository(program), tag.to_owned())
    }

    /// Gets a token to push to a repository, where the registry wants one.
    pub(super) async fn log_in(&self, image: &Reference) -> anyhow::Result<()> {
        let asking = || self.client.auth(image, &self.auth, RegistryOperation::Push);
        let token = self.retry("log in", asking).await?;
        self.documents.remember(image, token);
        Ok(())
    }

    /// As [`Connection::log_in`], unless that was done or need not be.
    async fn ensure_logged_in(&self, image: &Reference) -> anyhow::Result<()> {
        if self.documents.needs_log_in(image) { self.log_in(image).await } else { Ok(()) }
    }

    pub(super) async fn blob(&self, image: &Reference, digest: Digest) -> anyhow::Result<Presence> {
        let digest = digest.to_string();
        let there = self.retry("look for a blob", || self.client.blob_exists(image, &digest)).await?;
        Ok(if there { Presence::Present } else { Presence::Absent })
    }

    pub(super) async fn push_blob(&self, image: &Reference, digest: Digest, bytes: &[u8]) -> anyhow::Result<()> {
        let digest = digest.to_string();
        self.retry("push a blob", || self.client.push_blob(image, bytes.to_vec(), &digest)).await.map(|_| ())
    }

    /// A blob, whole.
    pub async fn pull_blob(&self, image: &Reference, digest: Digest) -> anyhow::Result<Vec<u8>> {
        let digest = digest.to_string();
        self.retry("pull a blob", || async {
            let mut bytes = Vec::new();
            self.client.pull_blob(image, digest.as_str(), &mut bytes).await?;
            Ok(bytes)
        })
        .await
    }

    /// Whether the tag stands for this digest. Another digest is `Absent`: the tag will be moved.
    pub(super) async fn document(&self, image: &Reference, digest: Digest) -> anyhow::Result<Presence> {
        self.ensure_logged_in(image).await?;
        let look = || async {
            match self.documents.digest(image).await {
                Err(error) if status(&error) == Some(404) => Ok(None),
                answer => answer.map(Some),
            }
        };
        let found = self.retry("look for a manifest", look).await?;
        Ok(if found == Some(digest.to_string()) { Presence::Present } else { Presence::Absent })
    }

    /// Stores a manifest or an index, byte for byte.
    pub(super) async fn push_document(&self, image: &Reference, media_type: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let push = || async {
            let content_type = media_type
                .parse()
                .map_err(|_| OciDistributionError::UnsupportedMediaTypeError(media_type.to_owned()))?;
            self.client.push_manifest_raw(image, bytes.to_vec(), content_type).await
        };
        self.retry("push a manifest", push).await.map(|_| ())
    }

    /// The bytes that the tag stands for now.
    pub async fn pull_document(&self, image: &Reference) -> anyhow::Result<Vec<u8>> {
        self.ensure_logged_in(image).await?;
        self.retry("pull a manifest", || self.documents.pull(image)).await
    }

    /// Tries until it works, the error is one that another attempt can not change, or patience is out.
    async fn retry<T, F>(&self, what: &str, operation: impl Fn() -> F) -> anyhow::Result<T>
    where
        F: Future<Output = Result<T, OciDistributionError>>,
    {
        let mut attempt = 1;
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let transient = is_transient(&error);
            let advice = self.advice(&error);
            let error = anyhow::Error::new(error);
            if !transient || attempt >= self.patience.attempts {
                let tries = if attempt == 1 { String::new() } else { format!(" in {attempt} attempts") };
                return Err(error.context(format!("can not {what}{tries}: {advice}")));
            }
            if let Ok(mut trouble) = self.trouble.lock() {
                *trouble = Some(format!("can not {what}: {error:#}"));
            }
            tokio::time::sleep(self.patience.pause(attempt)).await;
            attempt += 1;
        }
    }

    fn advice(&self, error: &OciDistributionError) -> String {
        let registry = self.destination.registry();
        match status(error) {
            Some(401 | 403) => format!("run `docker login {registry}` with an account that may push there"),
            Some(404) => "check the path: the registry does not know it".to_owned(),
            Some(429) => "the registry asks to slow down: try again later".to_owned(),
            Some(500..) => "the registry failed: its own log says why".to_owned(),
            Some(_) => "the registry refused".to_owned(),
            None if matches!(error, OciDistributionError::SpecViolationError(_)) => {
                "that is no registry, or a broken one: name another".to_owned()
            }
            None if self.destination.scheme() == Scheme::Https => {
                format!("is a registry at {}? If it speaks plain HTTP, ask for that", self.destination.url())
            }
            None => format!("is a registry at {}? Start it, or name another", self.destination.url()),
        }
    }
}

/// Both clients panic or fail without.
fn ensure_certificates() -> anyhow::Result<()> {
    let certificates = rustls_native_certs::load_native_certs();
    if certificates.certs.is_empty() {
        let reasons: Vec<_> = certificates.errors.iter().map(ToString::to_string).collect();
        bail!(
            "this machine has no CA certificates, without which the registry client does not start, even for plain \
             HTTP: install the package `ca-certificates`, or set SSL_CERT_FILE to a PEM file ({})",
            if reasons.is_empty() { "none were found".to_owned() } else { reasons.join("; ") }
        );
    }
    Ok(())
}

/// Chooses what TLS computes with, for this process. Clients that are made without panic. Whoever chose before is heeded.
pub fn ensure_cryptography() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn client(destination: &Destination, patience: Patience) -> anyhow::Result<Client> {
    ensure_cryptography();
    ensure_certificates()?;
    let mut config = ClientConfig {
        protocol: match destination.scheme() {
            Scheme::Http => ClientProtocol::Http,
            Scheme::Https => ClientProtocol::Https,
        },
        connect_timeout: Some(patience.connect),
        read_timeout: Some(patience.silence),
        user_agent: USER_AGENT,
        ..ClientConfig::default()
    };
    if destination.place() == Location::Loopback {
        // Naming a proxy is the only way to switch off those of the environment; `no_proxy` keeps it unused
        // (its `*` is for names only, so the addresses are listed).
        config.http_proxy = Some(destination.url());
        config.no_proxy = Some("127.0.0.0/8,::1,localhost,*".to_owned());
    }
    // Certificates that can be read but not parsed still make the constructor panic.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Client::try_from(config)))
        .map_err(|_| anyhow!("the registry client does not start: are the CA certificates of this machine whole?"))?
        .context("can not set up the registry client")
}

/// The HTTP status behind an error, as far as the client tells; `None` when there was no answer.
fn status(error: &OciDistributionError) -> Option<u16> {
    match error {
        OciDistributionError::ServerError { code, .. } => Some(*code),
        OciDistributionError::RequestError(error) => error.status().map(|status| status.as_u16()),
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => Some(401),
        // The client drops the status of an error with an envelope, which it reads for 4xx only.
        OciDistributionError::RegistryError { envelope, .. } => {
            Some(envelope.errors.iter().map(|error| code_status(&error.code)).next().unwrap_or(400))
        }
        _ => None,
    }
}

/// OCI distribution-spec, "Error Codes".
fn code_status(code: &OciErrorCode) -> u16 {
    match code {
        OciErrorCode::BlobUnknown
        | OciErrorCode::ManifestBlobUnknown
        | OciErrorCode::ManifestUnknown
        | OciErrorCode::NameUnknown
        | OciErrorCode::NotFound => 404,
        OciErrorCode::Unauthorized => 401,
        OciErrorCode::Denied => 403,
        OciErrorCode::Toomanyrequests => 429,
        _ => 400,
    }
}

/// Whether the same request can succeed a moment later: no answer, a damaged one, 429 and 5xx.
fn is_transient(error: &OciDistributionError) -> bool {
    match (error, status(error)) {
        (_, Some(status)) => status == 429 || status >= 500,
        (OciDistributionError::RequestError(error), None) => !error.is_builder(),
        (OciDistributionError::IoError(_) | OciDistributionError::DigestError(_), None) => true,
        _ => false,
    }
}

/// Compares what a registry gave back.
pub fn expect_same(what: &str, expected: &[u8], found: &[u8]) -> anyhow::Result<()> {
    ensure!(
        expected == found,
        "the registry holds other bytes for {what} than were pushed: {} ({} bytes) instead of {} ({} bytes); \
         is somebody else pushing there?",
        Digest::of(found),
        found.len(),
        Digest::of(expected),
        expected.len()
    );
    Ok(())
}
