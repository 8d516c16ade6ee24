//! Manifests and indexes as a registry has them now: looked for, and read back with a limit on their size.
//!
//! `oci-client` would read a document to its end, which a broken or hostile registry need not have. Its tokens are used
//! here too. Not here: retries (`connection`).

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::{Context as _, anyhow};
use oci_client::Reference;
use oci_client::errors::OciDistributionError;
use reqwest::{Client, Method, RequestBuilder, Response, header};

use super::USER_AGENT;
use crate::registry::credentials::Credentials;
use crate::registry::destination::{Destination, Location};
use crate::registry::push::RegistryAccess;
use oci::digest::Digest;

/// The longest document that is read: what registries have to accept (OCI distribution-spec, "Pushing Manifests").
const LONGEST_BYTES: usize = 4 << 20;
/// How much of a refusal is read.
const REFUSAL_BYTES: usize = 4 << 10;

/// The media types that a manifest may be answered with: those that are pushed.
const ACCEPTED: [&str; 2] = [oci::manifest::MEDIA_TYPE, oci::index::MEDIA_TYPE];

const DIGEST_HEADER: &str = "Docker-Content-Digest";

pub(super) struct Documents {
    client: Client,
    destination: Destination,
    credentials: Credentials,
    /// By repository; `None` where the registry wants none.
    tokens: Mutex<BTreeMap<String, Option<String>>>,
}

impl Documents {
    pub(super) fn new(destination: &Destination, access: &RegistryAccess) -> anyhow::Result<Self> {
        let patience = access.patience;
        let mut client =
            Client::builder().user_agent(USER_AGENT).connect_timeout(patience.connect).read_timeout(patience.silence);
        if destination.place() == Location::Loopback {
            client = client.no_proxy();
        }
        let client = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client.build()))
            .map_err(|_| anyhow!("the HTTP client does not start: are the CA certificates of this machine whole?"))?
            .context("can not set up the HTTP client")?;
        let (destination, credentials) = (destination.clone(), access.credentials.clone());
        Ok(Self { client, destination, credentials, tokens: Mutex::default() })
    }

    /// Whether a token has to be asked for first.
    pub(super) fn needs_log_in(&self, image: &Reference) -> bool {
        let known = self.tokens.lock().is_ok_and(|tokens| tokens.contains_key(image.repository()));
        !known && self.credentials.needs_token(self.destination.place())
    }

    /// The token of a repository.
    pub(super) fn remember(&self, image: &Reference, token: Option<String>) {
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.insert(image.repository().to_owned(), token);
        }
    }

    /// The digest that the tag stands for: as the registry says, or of what it sends.
    pub(super) async fn digest(&self, image: &Reference) -> Result<String, OciDistributionError> {
        let response = self.request(Method::HEAD, image).send().await?;
        let stated = response.headers().get(DIGEST_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        accepted(response).await?;
        match stated {
            Some(digest) => Ok(digest),
            None => Ok(Digest::of(&self.pull(image).await?).to_string()),
        }
    }

    /// The bytes that the tag stands for.
    pub(super) async fn pull(&self, image: &Reference) -> Result<Vec<u8>, OciDistributionError> {
        let mut response = accepted(self.request(Method::GET, image).send().await?).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > LONGEST_BYTES {
                return Err(OciDistributionError::SpecViolationError(format!(
                    "a document of more than {LONGEST_BYTES} bytes"
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn request(&self, method: Method, image: &Reference) -> RequestBuilder {
        let (repository, tag) = (image.repository(), image.tag().unwrap_or("latest"));
        let url = format!("{}{repository}/manifests/{tag}", self.destination.url());
        let request = self.client.request(method, url).header(header::ACCEPT, ACCEPTED.join(", "));
        let token = self.tokens.lock().ok().and_then(|tokens| tokens.get(repository).cloned()).flatten();
        match (token, &self.credentials) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Credentials::Password { user, password }) => request.basic_auth(user, Some(password.expose())),
            (None, Credentials::Anonymous) => request,
        }
    }
}

/// An answer with what was asked for; everything else is an error, with the beginning of what the registry said.
async fn accepted(mut response: Response) -> Result<Response, OciDistributionError> {
    let code = response.status();
    if code.is_success() {
        return Ok(response);
    }
    let url = response.url().to_string();
    let mut message = Vec::new();
    while message.len() < REFUSAL_BYTES
        && let Some(chunk) = response.chunk().await?
    {
        message.extend_from_slice(&chunk[..chunk.len().min(REFUSAL_BYTES - message.len())]);
    }
    Err(OciDistributionError::ServerError {
        code: code.as_u16(),
        url,
        message: String::from_utf8_lossy(&message).into_owned(),
    })
}
