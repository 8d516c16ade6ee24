//! What a run of a bench has to print to be a sample.

use serde::{Deserialize, Serialize};

/// What a run of a bench has to print to be a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expected {
    /// Exactly this.
    Exactly(Vec<u8>),
    /// What the native program prints before the first round: nobody has to write it down.
    FirstNative,
    /// Something that this regular expression matches (syntax of the crate `regex`, on bytes). It was compiled once: it is one.
    Pattern(String),
    /// Whatever it prints: only its exit status counts.
    Anything,
}

impl Expected {
    /// Exactly this text.
    pub fn text(text: &str) -> Self {
        Self::Exactly(text.as_bytes().to_vec())
    }

    /// A regular expression.
    ///
    /// # Errors
    /// When it is none.
    pub fn pattern(text: &str) -> anyhow::Result<Self> {
        regex::bytes::Regex::new(text)?;
        Ok(Self::Pattern(text.to_owned()))
    }
}
