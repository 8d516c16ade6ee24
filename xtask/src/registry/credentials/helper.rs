//! Credential helpers: the programs `docker-credential-NAME` that Docker's configuration can name, asked with a time
//! limit, because one that waits for somebody at a keyboard waits for ever.
//!
//! Protocol: <https://github.com/docker/docker-credential-helpers>. What a helper writes to stdout is its answer and is
//! never shown.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use serde_json::Value;

use super::{Credentials, identity_token};
use crate::cmd::{Cmd, stderr_end};
use crate::secret::Secret;

/// How long a helper may take: it may have to ask a server, but not a person.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// The keys of Docker's configuration that name helpers.
const KEYS: [&str; 2] = ["credHelpers", "credsStore"];

/// What helpers print, with a failure, when they have nothing for a registry; Docker goes on without.
const NOTHING: &str = "credentials not found";

/// The name that helpers give to an identity token.
const TOKEN: &str = "<token>";

/// The helpers that a configuration names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Named {
    cred_helpers: Option<HashMap<String, String>>,
    creds_store: Option<String>,
}

impl Named {
    /// The helper of this registry alone.
    pub(super) fn of(&self, key: &str) -> Option<&str> {
        let name = self.cred_helpers.as_ref()?.get(key)?;
        (!name.is_empty()).then_some(name.as_str())
    }

    /// The helper of every registry without a helper or an entry of its own.
    pub(super) fn of_others(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }
}

/// The configuration without its helpers, so that nobody else starts one.
pub(super) fn without(config: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(config).map_err(|_| anyhow!("it is no configuration of Docker"))?;
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !KEYS.contains(&key.as_str()));
    }
    Ok(serde_json::to_vec(&value)?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper for the account of a registry.
///
/// # Errors
/// When it is not there, does not answer within `limit`, fails, or answers something else.
pub(super) fn ask(name: &str, key: &str, limit: Duration) -> anyhow::Result<Credentials> {
    ask_program(&format!("docker-credential-{name}"), key, limit)
}

fn ask_program(program: &str, key: &str, limit: Duration) -> anyhow::Result<Credentials> {
    let output = Cmd::new(program)
        .arg("get")
        .stdin(key)
        .limit(limit)
        .output()
        .with_context(|| format!("the credential helper `{program}` gave no answer"))?;
    let answer = String::from_utf8_lossy(&output.stdout);
    if output.code != Some(0) {
        if answer.contains(NOTHING) {
            return Ok(Credentials::Anonymous);
        }
        let status = output.code.map_or("by a signal".to_owned(), |code| format!("with status {code}"));
        bail!("the credential helper `{program}` ended {status}{}", stderr_end(&output.stderr));
    }
    // The parser's own error could quote the secret.
    let answer: Answer = serde_json::from_str(&answer)
        .map_err(|_| anyhow!("the credential helper `{program}` answered something else than a name and a secret"))?;
    if answer.username == TOKEN {
        return Err(identity_token());
    }
    Ok(Credentials::Password { user: answer.username, password: Secret::new(answer.secret) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::registry::credentials::found;

    fn asked(script: &str, limit: Duration) -> anyhow::Result<Credentials> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("docker-credential-test");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        ask_program(&program.to_string_lossy(), "reg:5000", limit)
    }

    #[test]
    fn a_helper_is_told_the_registry_and_its_answer_is_the_account() {
        let script = "read -r key; [ \"$1 $key\" = 'get reg:5000' ] && echo '{\"Username\":\"me\",\"Secret\":\"s3\"}'";
        let expected = Credentials::Password { user: "me".to_owned(), password: Secret::new("s3") };
        assert_eq!(asked(script, LIMIT).unwrap(), expected);
        assert_eq!(asked("echo 'credentials not found here'; exit 1", LIMIT).unwrap(), Credentials::Anonymous);
    }

    #[test]
    fn a_helper_that_never_answers_is_given_up_at_its_limit() {
        let error = format!("{:#}", asked("exec sleep 600", Duration::from_millis(50)).unwrap_err());
        assert!(error.contains("docker-credential-test") && error.contains("still running"), "{error}");
    }

    #[test]
    fn what_a_helper_answers_is_never_shown_and_its_complaint_is() {
        for script in [
            "echo hunter2; echo locked >&2; exit 3",
            "echo '{\"Username\":\"me\",\"Secret\":\"hunter2\"'; echo locked >&2",
            "echo '{\"Username\":\"<token>\",\"Secret\":\"hunter2\"}'",
        ] {
            let error = format!("{:#}", asked(script, LIMIT).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("helper `") || error.contains("identity token"), "{error}");
            assert_eq!(error.contains("locked"), script.contains("exit 3"), "{error}");
        }
    }

    #[test]
    fn the_registrys_own_helper_comes_first_then_its_entry_then_the_helper_of_the_others() {
        let config = |own: &str, entry: &str| {
            format!(r#"{{"credHelpers":{{{own}}},"auths":{{{entry}}},"credsStore":"no-such-store"}}"#)
        };
        let (own, entry) = (r#""a":"no-such-own""#, r#""a":{"auth":"bWU6c2VjcmV0"}"#);
        let error = |config: String| format!("{:#}", found(config.as_bytes(), "a", LIMIT).unwrap_err());
        assert!(error(config(own, entry)).contains("docker-credential-no-such-own"));
        assert!(error(config("", "")).contains("docker-credential-no-such-store"));
        assert!(matches!(
            found(config("", entry).as_bytes(), "a", LIMIT).unwrap(),
            Credentials::Password { user, .. } if user == "me"
        ));
    }
}
