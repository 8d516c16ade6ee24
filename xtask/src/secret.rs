//! What must not be shown: passwords and tokens, in a type without display or serialisation, and text without the
//! passwords that addresses can hold.
//!
//! Not here: how a secret reaches another process (`session::password`, `containerd::prompt`).

use std::fmt;

use anyhow::{Context as _, ensure};

use oci::digest::Digest;

/// What stands in a text instead of an account.
const HIDDEN: &str = "***";

/// A password or token. It has no `Display` and no `Serialize`, and its `Debug` shows nothing of it: it can not get
/// into a file, an error or an argument vector without [`Secret::expose`], which is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that somebody gave us.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A secret that nobody can guess, of 256 random bits.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn random() -> anyhow::Result<Self> {
        let mut bytes = [0_u8; 32];
        let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
            .context("the kernel gives no random bytes")?;
        ensure!(filled == bytes.len(), "the kernel gave {filled} random bytes instead of {}", bytes.len());
        Ok(Self(Digest::of(&bytes).hex()))
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Words of a command line with `***` for what variables hold (`--env NAME=VALUE`), up to the arguments of the program that
/// is measured.
pub fn without_values(words: &[String]) -> Vec<String> {
    let hidden = |text: &str| match text.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => text.to_owned(),
    };
    let own = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let is_value = |index: usize| index > 0 && words[index - 1] == "--env";
    let word = |(index, word): (usize, &String)| match word.strip_prefix("--env=") {
        _ if index >= own => word.clone(),
        Some(text) => format!("--env={}", hidden(text)),
        None if is_value(index) => hidden(word),
        None => word.clone(),
    };
    words.iter().enumerate().map(word).collect()
}

/// The text with `***` for the account in every address of the form `scheme://account@host`.
pub fn without_accounts(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let authority = &after[..after.find(ends_authority).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(at) => {
                shown.push_str(HIDDEN);
                &after[at..]
            }
            None => after,
        };
    }
    shown + rest
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_variables_hold_is_hidden_but_no_argument_of_the_program() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let shown = without_values(&words("bench --env A=x=y --env=B=z --env HOME -- --env C=d"));
        assert_eq!(shown, words("bench --env A=*** --env=B=*** --env HOME -- --env C=d"));
    }

    /// `A` can not be inferred, so that this does not compile, if the type has the trait.
    macro_rules! assert_lacks {
        ($type:ty: $trait:path) => {{
            trait Ambiguous<A> {
                const NONE: () = ();
            }
            struct Has;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $trait> Ambiguous<Has> for T {}
            let () = <$type as Ambiguous<_>>::NONE;
        }};
    }

    #[test]
    fn a_secret_can_not_be_displayed_or_serialised_and_its_debug_says_nothing() {
        assert_lacks!(Secret: std::fmt::Display);
        assert_lacks!(Secret: serde::Serialize);
        assert_lacks!(Secret: Into<String>);
        assert_eq!(format!("{:?} {:#?}", Secret::new("hunter2"), Secret::new("hunter2")), "*** ***");
    }

    #[test]
    fn random_secrets_differ_and_are_long() {
        let secrets = [Secret::random().unwrap(), Secret::random().unwrap()];
        assert_ne!(secrets[0], secrets[1]);
        assert_eq!(secrets[0].expose().len(), 64);
    }

    #[test]
    fn accounts_in_addresses_are_hidden_and_nothing_else_is() {
        for (text, shown) in [
            ("http://u:hunter2@host/debian", "http://***@host/debian"),
            ("--mirror=https://u:p@ss@host:8/x and http://token@h", "--mirror=https://***@host:8/x and http://***@h"),
            ("'http://u:p@h/' \"ftp://u@h\"", "'http://***@h/' \"ftp://***@h\""),
            ("http://host/x@sha256:00", "http://host/x@sha256:00"),
            ("http://host, me@example.org", "http://host, me@example.org"),
            ("a://b://c:d@e", "a://b://***@e"),
            ("://@", "://***@"),
            ("no address", "no address"),
        ] {
            assert_eq!(without_accounts(text), shown);
        }
    }
}
