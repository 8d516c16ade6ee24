//! Where images are pushed to: `HOST[:PORT][/PREFIX]`, and whether in the clear.
//!
//! Not here: credentials, and the connection itself.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, ensure};

use oci::digest::Digest;

/// When plain HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// To loopback hosts only: `localhost`, 127.0.0.0/8, `[::1]`.
    Loopback,
    /// To this destination, wherever it is: credentials and images go over the network in the clear.
    Requested,
}

/// The two protocols of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Whether a host is this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Loopback,
    Network,
}

/// A registry, and the part of it that images go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `host` or `host:port`.
    registry: String,
    /// Without slashes at either end; may be empty.
    prefix: String,
    scheme: Scheme,
    place: Location,
}

impl Destination {
    /// Parses `HOST[:PORT][/PREFIX]`. The host is the first part, as in image references, so it needs a dot or a
    /// port, or to be `localhost`; what follows is a path of repository names. Tags are not part of it.
    ///
    /// # Errors
    /// When a part is missing or not of that form, with what it should look like.
    pub fn parse(text: &str, plain_http: PlainHttp) -> anyhow::Result<Self> {
        // First, and without a word of it: what stands before the `@` may be a password.
        ensure!(
            !holds_account(text),
            "the registry that was given has an `@`, as `USER:PASSWORD@HOST`: a password on the command line is seen by \
             every user. Give `HOST[:PORT][/PREFIX]`, and the account to `docker login HOST`"
        );
        Self::parts(text, plain_http).with_context(|| {
            format!("`{text}` is no place in a registry: expected `HOST[:PORT][/PREFIX]`, as `localhost:5000/bench`")
        })
    }

    fn parts(text: &str, plain_http: PlainHttp) -> anyhow::Result<Self> {
        ensure!(!text.contains("://"), "leave the protocol away: loopback hosts get plain HTTP, others HTTPS");
        let (registry, prefix) = text.split_once('/').unwrap_or((text, ""));
        let host = host_of(registry)?;
        let place = place(host);
        if !prefix.is_empty() {
            ensure!(
                !prefix.contains([':', '@']),
                "leave tag and digest away: every image gets the name of its definition for a tag"
            );
            ensure!(
                prefix.split('/').all(is_component),
                "`{prefix}` is no path of repository names (lower-case letters and digits, single `.`, `_`, `-` between)"
            );
        }
        let scheme = if plain_http == PlainHttp::Requested || place == Location::Loopback {
            Scheme::Http
        } else {
            Scheme::Https
        };
        Ok(Self { registry: registry.to_owned(), prefix: prefix.to_owned(), scheme, place })
    }

    /// A registry of this process.
    pub(super) fn loopback(address: SocketAddr, prefix: &str) -> Self {
        let (registry, prefix) = (address.to_string(), prefix.to_owned());
        Self { registry, prefix, scheme: Scheme::Http, place: Location::Loopback }
    }

    /// `host[:port]`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Whether plain HTTP is spoken.
    pub fn is_plain_http(&self) -> bool {
        self.scheme == Scheme::Http
    }

    /// Where a program's images go, below the registry: the prefix and the program.
    pub fn repository(&self, program: &str) -> String {
        if self.prefix.is_empty() { program.to_owned() } else { format!("{}/{program}", self.prefix) }
    }

    /// The full name of an image: `host[:port]/prefix/program:tag`.
    pub fn reference(&self, program: &str, tag: &str) -> String {
        format!("{}/{}:{tag}", self.registry, self.repository(program))
    }

    /// The name of the bytes of an image: `host[:port]/prefix/program@sha256:…`.
    pub fn pinned(&self, program: &str, digest: Digest) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository(program))
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn place(&self) -> Location {
        self.place
    }

    /// What a person can open to see whether the registry is there.
    pub(super) fn url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}/v2/", self.registry)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix.is_empty() {
            f.pad(&self.registry)
        } else {
            f.pad(&format!("{}/{}", self.registry, self.prefix))
        }
    }
}

/// Whether there is an `@` other than that of a digest, which is refused in words of its own.
fn holds_account(text: &str) -> bool {
    let before_digest = text.rsplit_once("@sha256:").map_or(text, |(before, _)| before);
    before_digest.contains('@') || (text.contains('@') && !before_digest.contains('/'))
}

/// The host without its port; `[::1]` without its brackets.
fn host_of(registry: &str) -> anyhow::Result<&str> {
    ensure!(!registry.is_empty(), "its host is missing");
    let (host, port) = match registry.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').context("the bracket of its address is not closed")?;
            ensure!(address.parse::<Ipv6Addr>().is_ok(), "`[{address}]` is no IPv6 address");
            (address, (!port.is_empty()).then(|| port.strip_prefix(':').unwrap_or_default()))
        }
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        },
    };
    if let Some(port) = port {
        let number = port.parse::<u16>().ok().filter(|number| *number != 0);
        ensure!(number.is_some(), "`{port}` is no port: expected 1 to 65535");
    }
    let bracketed = registry.starts_with('[');
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    ensure!(bracketed || host.split('.').all(label), "`{host}` is no host name");
    ensure!(
        bracketed || port.is_some() || host.contains('.') || host == "localhost",
        "`{host}` could be a host or a part of a path: give it a port, as `{host}:443`"
    );
    Ok(host)
}

fn place(host: &str) -> Location {
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if loopback { Location::Loopback } else { Location::Network }
}

/// A part of a repository name (OCI distribution-spec, "Pulling manifests").
fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |run: &str| matches!(run, "." | "_" | "__") || run.chars().all(|c| c == '-');
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && text.split(alphanumeric).filter(|run| !run.is_empty()).all(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_place_in_a_registry() {
        for (text, registry, reference, scheme) in [
            ("localhost:5000/x", "localhost:5000", "localhost:5000/x/sum:wasm", Scheme::Http),
            ("localhost/x", "localhost", "localhost/x/sum:wasm", Scheme::Http),
            ("127.0.0.1:5000", "127.0.0.1:5000", "127.0.0.1:5000/sum:wasm", Scheme::Http),
            ("127.9.9.9/a/b", "127.9.9.9", "127.9.9.9/a/b/sum:wasm", Scheme::Http),
            ("[::1]:5000/x", "[::1]:5000", "[::1]:5000/x/sum:wasm", Scheme::Http),
            ("registry.example/x", "registry.example", "registry.example/x/sum:wasm", Scheme::Https),
            (
                "registry.example:8443/x-y/z__1",
                "registry.example:8443",
                "registry.example:8443/x-y/z__1/sum:wasm",
                Scheme::Https,
            ),
            ("builder:5000/x", "builder:5000", "builder:5000/x/sum:wasm", Scheme::Https),
            ("10.0.0.1/x", "10.0.0.1", "10.0.0.1/x/sum:wasm", Scheme::Https),
            ("localhost.example/x", "localhost.example", "localhost.example/x/sum:wasm", Scheme::Https),
        ] {
            let destination = Destination::parse(text, PlainHttp::Loopback).unwrap();
            assert_eq!(destination.registry(), registry);
            assert_eq!(destination.reference("sum", "wasm"), reference);
            assert_eq!(destination.scheme(), scheme, "{text}");
            assert_eq!(destination.to_string(), text);
        }
    }

    #[test]
    fn plain_http_over_a_network_only_on_request() {
        let destination = Destination::parse("registry.example/x", PlainHttp::Requested).unwrap();
        assert_eq!((destination.scheme(), destination.place()), (Scheme::Http, Location::Network));
    }

    #[test]
    fn what_is_not_says_why() {
        for (text, reason) in [
            ("", "host is missing"),
            ("/x", "host is missing"),
            ("localhost:5000/x:tag", "leave tag and digest away"),
            ("localhost:5000/x@sha256:00", "leave tag and digest away"),
            ("http://localhost:5000/x", "leave the protocol away"),
            ("myteam/bench", "give it a port"),
            ("localhost:/x", "no port"),
            ("localhost:70000/x", "no port"),
            ("localhost:0/x", "no port"),
            ("a:b:c/x", "no port"),
            ("[::1/x", "not closed"),
            ("[zz]:1/x", "no IPv6 address"),
            ("[::1]5000/x", "no port: expected"),
            ("exa mple.org/x", "no host name"),
            ("localhost:5000/X", "no path of repository names"),
            ("localhost:5000/x/", "no path of repository names"),
            ("localhost:5000//x", "no path of repository names"),
            ("localhost:5000/x..y", "no path of repository names"),
        ] {
            let error = format!("{:#}", Destination::parse(text, PlainHttp::Loopback).unwrap_err());
            assert!(error.contains(reason) && error.contains("HOST[:PORT]"), "{text}: {error}");
        }
    }

    #[test]
    fn an_account_is_refused_and_not_shown() {
        for text in [
            "me:hunter2@localhost:5000/x",
            "hunter2@localhost:5000",
            "https://me:hunter2@example.org/x",
            "me:hun/hunter2@example.org/x",
            "hunter2@sha256:5000",
            "example.org/hunter2@me@sha256:00",
        ] {
            for plain in [PlainHttp::Loopback, PlainHttp::Requested] {
                let error = format!("{:#}", Destination::parse(text, plain).unwrap_err());
                assert!(!error.contains("hun"), "{error}");
                assert!(error.contains("HOST[:PORT]") && error.contains("docker login"), "{error}");
            }
        }
    }
}
