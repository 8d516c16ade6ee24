//! SHA-256 of bytes held in hand, as two types that can not be mixed up: [`Digest`] names a blob as it is
//! stored and transferred, [`DiffId`] the tar stream inside a layer.
//!
//! Not here: other algorithms. The image specification allows SHA-512; nothing here writes it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

const ALGORITHM: &str = "sha256";

/// Names a blob by its bytes (OCI image-spec, descriptor.md, "Digests").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(Sum);

/// Names a layer by its bytes before compression (OCI image-spec, config.md, "Layer DiffID").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiffId(Sum);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sum::of(bytes))
    }

    /// The hash alone: 64 lower-case hexadecimal digits, the name of the blob's file in a layout.
    pub fn hex(&self) -> String {
        self.0.hex()
    }
}

impl DiffId {
    /// The diff id of this tar stream.
    pub fn of(tar: &[u8]) -> Self {
        Self(Sum::of(tar))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Digest {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        text.parse().map(Self)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Sum([u8; 32]);

impl Sum {
    fn of(bytes: &[u8]) -> Self {
        Self(files::sha256(bytes))
    }

    fn hex(&self) -> String {
        files::hex(&self.0)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}:{}", self.hex())
    }
}

impl FromStr for Sum {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        parse_hex(text).with_context(|| {
            format!("`{text}` is not a digest: expected `{ALGORITHM}:` and 64 lower-case hexadecimal digits")
        })
    }
}

fn parse_hex(text: &str) -> anyhow::Result<Sum> {
    let (algorithm, hex) = text.split_once(':').context("it has no `:`")?;
    ensure!(algorithm == ALGORITHM, "its algorithm is `{algorithm}`");
    ensure!(hex.len() == 64, "it has {} digits", hex.len());
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(Sum(sum))
}

fn nibble(digit: u8) -> anyhow::Result<u8> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => anyhow::bail!("`{}` is not a lower-case hexadecimal digit", digit.escape_ascii()),
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

impl TryFrom<String> for Sum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_abc_is_the_published_one_and_parses_back() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse::<Digest>().unwrap(), Digest::of(b"abc"));
        assert_eq!(Digest::of(b"abc").hex(), ABC["sha256:".len()..]);
    }

    #[test]
    fn nothing_else_is_a_digest() {
        let upper = ABC.replace("ba78", "BA78");
        let long = format!("{ABC}0");
        for text in ["", "abc", "sha256:", "sha512:00", &ABC[..70], &upper, &long, "sha256:ä"] {
            let error = text.parse::<Digest>().unwrap_err().to_string();
            assert!(error.contains("64 lower-case"), "{error}");
        }
    }

    #[test]
    fn a_broken_digest_in_a_document_is_an_error_with_its_text() {
        let error = serde_json::from_str::<DiffId>("\"sha256:xyz\"").unwrap_err().to_string();
        assert!(error.contains("`sha256:xyz`"), "{error}");
    }
}
