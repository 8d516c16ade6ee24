//! A mirror: its address, and the account that an address can hold (`http://user:password@host/debian`), apart.
//!
//! The address goes into files, errors and manifests; the account only into a file for apt that others can not read
//! and that is gone when apt has ended.

use anyhow::{Context as _, ensure};

use crate::secret::Secret;

/// An archive to fetch packages from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    address: String,
    account: Option<(String, Secret)>,
}

impl Mirror {
    /// Takes an address apart.
    ///
    /// # Errors
    /// When it is none. What it says does not repeat the address, which may hold a password.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        ensure!(
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control()),
            "the mirror that was given is no address: expected `http://HOST/PATH`, without blanks"
        );
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), text),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (account, host) = match authority.rsplit_once('@') {
            Some((account, host)) => (Some(account), host),
            None => (None, authority),
        };
        ensure!(
            !path.contains('@') && (account.is_none() || !scheme.is_empty()),
            "the mirror that was given has an `@` where none can be: expected `http://USER:PASSWORD@HOST/PATH`, with \
             `/` and `@` in the password written as `%2F` and `%40`"
        );
        let account = account.map(|account| {
            let (user, password) = account.split_once(':').unwrap_or((account, ""));
            anyhow::Ok((decoded(user)?, Secret::new(decoded(password)?)))
        });
        Ok(Self { address: format!("{scheme}{host}{path}"), account: account.transpose()? })
    }

    /// The address, without account.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The account as apt reads it (`apt_auth.conf(5)`); `None` without.
    ///
    /// # Errors
    /// When that file can not hold it.
    pub fn netrc(&self) -> anyhow::Result<Option<Secret>> {
        let Some((user, password)) = &self.account else { return Ok(None) };
        let fits = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        ensure!(
            fits(user) && fits(password.expose()),
            "the account of the mirror `{}` has no name, no password, or a blank in one, which apt can not take",
            self.address
        );
        let line = format!("machine {} login {user} password {}\n", self.address, password.expose());
        Ok(Some(Secret::new(line)))
    }
}

/// Percent-decoding (RFC 3986, 2.1).
fn decoded(text: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let digits = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(digits.context("the account of the mirror has a `%` without two hexadecimal digits")?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok().context("the account of the mirror is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (text, address, netrc) in [
            ("http://m/debian/", "http://m/debian/", None),
            ("mirror+file:/etc/apt/mirrors/debian.list", "mirror+file:/etc/apt/mirrors/debian.list", None),
            (
                "https://u:p%2f%40%C3%A4@m:8/debian",
                "https://m:8/debian",
                Some("machine https://m:8/debian login u password p/@ä\n"),
            ),
            ("http://u:p@ss@m", "http://m", Some("machine http://m login u password p@ss\n")),
        ] {
            let mirror = Mirror::parse(text).unwrap();
            assert_eq!(mirror.address(), address);
            assert_eq!(mirror.netrc().unwrap(), netrc.map(Secret::new));
            assert!(!format!("{mirror:?}").contains("p/@") && !format!("{mirror:?}").contains("p@ss"));
        }
    }

    #[test]
    fn what_is_none_is_refused_and_not_shown() {
        for text in ["", "http://u:hun ter@m/", "u:hunter@m/debian", "http://u:a/hunter@m/", "http://u:%zzhunter@m/"] {
            let error = format!("{:#}", Mirror::parse(text).unwrap_err());
            assert!(!error.contains("hunter") && error.contains("mirror"), "{error}");
        }
        for text in ["http://u:hunter%20@m/", "http://:hunter@m/", "http://u@m/"] {
            let error = format!("{:#}", Mirror::parse(text).unwrap().netrc().unwrap_err());
            assert!(!error.contains("hunter") && error.contains("`http://m/`"), "{error}");
        }
    }
}
