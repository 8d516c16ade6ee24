//! Who pushes: nobody in particular, or the account that `docker login` left in Docker's configuration.
//!
//! Not here: tokens, which `oci-client` fetches and keeps.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use serde_json::json;

use super::destination::{Destination, Location};
use crate::secret::Secret;

mod helper;

/// The names of Docker's own registry, and the key under which `docker login` keeps its account.
const DOCKER_HUB: [&str; 2] = ["docker.io", "index.docker.io"];
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// How a registry is to know us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    Anonymous,
    /// By name and password.
    Password {
        /// The account.
        user: String,
        /// Its password or token.
        password: Secret,
    },
}

impl Credentials {
    /// What Docker's configuration (`$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`) knows about the
    /// destination's registry; anonymous when there is none, or nothing about it.
    ///
    /// # Errors
    /// When the file is there but can not be read or understood, a credential helper fails, or the account is an
    /// identity token.
    pub fn from_docker(destination: &Destination) -> anyhow::Result<Self> {
        match docker_config(std::env::var_os("DOCKER_CONFIG"), std::env::var_os("HOME")) {
            Some(path) => Self::from_file(&path, destination),
            None => Ok(Self::Anonymous),
        }
    }

    /// The account as the only one of a configuration of Docker's, which is what others pull with; `None` for nobody in
    /// particular.
    pub fn docker_config(&self, destination: &Destination) -> Option<Secret> {
        let Self::Password { user, password } = self else { return None };
        let auth = STANDARD.encode(format!("{user}:{}", password.expose()));
        let account = json!({ "username": user, "password": password.expose(), "auth": auth });
        Some(Secret::new(json!({ "auths": { key(destination.registry()): account } }).to_string()))
    }

    fn from_file(path: &Path, destination: &Destination) -> anyhow::Result<Self> {
        let registry = destination.registry();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Anonymous),
            Err(error) => return Err(error).with_context(|| format!("can not read `{}`", path.display())),
        };
        found(&bytes, key(registry), helper::LIMIT).with_context(|| {
            format!(
                "can not take the credentials of `{registry}` from `{}`: \
                 repair the file, run `docker login {registry}` again, or set DOCKER_CONFIG to an empty folder",
                path.display()
            )
        })
    }

    /// Whether the registry has to be asked for a token before the first request. A loopback registry without
    /// account is not: that would double the number of its requests (`oci-client` asks again each time).
    pub(super) fn needs_token(&self, place: Location) -> bool {
        !matches!((self, place), (Self::Anonymous, Location::Loopback))
    }
}

/// What a configuration says about a registry, in Docker's own order: the registry's helper, its entry, the helper of
/// everything else.
/// What a registry's account is called in the configuration.
fn key(registry: &str) -> &str {
    if DOCKER_HUB.contains(&registry) { DOCKER_HUB_KEY } else { registry }
}

fn found(config: &[u8], key: &str, limit: Duration) -> anyhow::Result<Credentials> {
    let named: helper::Named =
        serde_json::from_slice(config).map_err(|_| anyhow!("it is no configuration of Docker"))?;
    if let Some(name) = named.of(key) {
        return helper::ask(name, key, limit);
    }
    match get_credential_from_reader(helper::without(config)?.as_slice(), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Credentials::Password { user, password: Secret::new(password) })
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(identity_token()),
        Err(CredentialRetrievalError::NoCredentialConfigured) => match named.of_others() {
            Some(name) => helper::ask(name, key, limit),
            None => Ok(Credentials::Anonymous),
        },
        Err(error) => Err(error.into()),
    }
}

fn identity_token() -> anyhow::Error {
    anyhow!("it has an identity token, which can not be used here: log in with a name and a password or access token")
}

fn docker_config(docker_config: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let folder = docker_config.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = folder.or_else(|| home.map(|home| Path::new(&home).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::PlainHttp;

    fn found(config: &str, registry: &str) -> anyhow::Result<Credentials> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        Credentials::from_file(&path, &Destination::parse(registry, PlainHttp::Loopback).unwrap())
    }

    fn password() -> Credentials {
        Credentials::Password { user: "me".to_owned(), password: Secret::new("secret") }
    }

    #[test]
    fn an_account_is_found_by_host_and_port() {
        // `bWU6c2VjcmV0` is `me:secret`.
        let config = r#"{"auths":{"localhost:5000":{"auth":"bWU6c2VjcmV0"}}}"#;
        assert_eq!(found(config, "localhost:5000/x").unwrap(), password());
        assert_eq!(found(config, "localhost:5001/x").unwrap(), Credentials::Anonymous);
    }

    #[test]
    fn the_account_of_docker_hub_has_a_key_of_its_own() {
        let config = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0"}}}"#;
        assert_eq!(found(config, "docker.io/me").unwrap(), password());
    }

    #[test]
    fn what_others_pull_with_is_the_same_account() {
        for registry in ["localhost:5000/x", "docker.io/me"] {
            let destination = Destination::parse(registry, PlainHttp::Loopback).unwrap();
            let config = password().docker_config(&destination).unwrap();
            assert_eq!(found(config.expose(), registry).unwrap(), password());
            assert_eq!(Credentials::Anonymous.docker_config(&destination), None);
        }
    }

    #[test]
    fn no_configuration_is_anonymous() {
        let destination = Destination::parse("localhost:5000", PlainHttp::Loopback).unwrap();
        let credentials = Credentials::from_file(Path::new("/nonexistent/config.json"), &destination).unwrap();
        assert_eq!(credentials, Credentials::Anonymous);
        assert_eq!(found("{}", "localhost:5000").unwrap(), Credentials::Anonymous);
    }

    #[test]
    fn a_broken_configuration_is_an_error_that_names_file_and_registry() {
        let token = r#"{"auths":{"localhost:5000":{"identitytoken":"t"}}}"#;
        for config in ["{", r#"{"auths":{"localhost:5000":{"auth":"!"}}}"#, token] {
            let error = format!("{:#}", found(config, "localhost:5000").unwrap_err());
            assert!(error.contains("config.json") && error.contains("`docker login localhost:5000`"), "{error}");
        }
    }

    #[test]
    fn the_variable_comes_before_the_home_folder() {
        let path = |config: &str, home| docker_config(Some(config.into()), home);
        assert_eq!(path("/c", Some("/h".into())), Some("/c/config.json".into()));
        assert_eq!(path("", Some("/h".into())), Some("/h/.docker/config.json".into()));
        assert_eq!(path("", None), None);
    }

    #[test]
    fn a_password_is_never_shown() {
        assert!(!format!("{:?}", password()).contains("secret"));
    }
}
