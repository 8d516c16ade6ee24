//! Published figures as data: `results/claims.toml` becomes checked [`Claim`]s.
//!
//! A claim is what was published ([`Reading`]s of it), the [`Setting`] in which it was measured, and what of ours tests it
//! ([`Test`]), or what would. What TOML may say is `wire`'s, apart from what the program may rely on here. [`parse`] is
//! pure, [`load`] reads. What a run says about a claim is `judge`'s.

use std::path::Path;

use anyhow::Context as _;

use crate::case::{Case, Kind};
use crate::metric::HEADLINE;

pub mod evidence;
pub mod figure;
#[cfg(test)]
pub(crate) mod fixture;
pub mod judge;
mod setting;
mod wire;

pub use figure::{Bounds, Figure, Tolerance};
pub use setting::{Seen, Setting, Shape};

/// One published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// Who published it, and when.
    pub source: String,
    /// How it was seen.
    pub seen: Seen,
    /// What is claimed, in words.
    pub what: String,
    /// The words or the figures of the source, where the ratio is ours; may be empty.
    pub wording: String,
    /// In which setting.
    pub setting: Setting,
    /// Whether like is held against like.
    pub shape: Shape,
    /// The unit of the figure.
    pub unit: &'static str,
    /// What was published. Several where its words have several meanings: none of them is chosen.
    pub readings: Vec<Reading>,
    /// What of ours tests it.
    pub test: Test,
    /// The bench of ours that it is put beside; a sweep by its name. Empty where nothing of ours tests it.
    pub bench: String,
    /// What shows what the difference is made of.
    pub explained_by: Vec<Pair>,
    /// Why it is shown and not judged, though ours is there.
    pub unlike: Option<String>,
    /// The day on which its author withdrew it.
    pub withdrawn: Option<String>,
    /// Whether the figure stands in the central table, below ours.
    pub is_central: bool,
    /// What is known about it; may be empty.
    pub note: String,
}

/// One meaning of what was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// How it is read; empty where there is one reading.
    pub meaning: String,
    /// The figure; absent where none is judged or was published.
    pub figure: Option<Figure>,
}

/// Which numbers of ours a claim is put beside.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Nothing that this program has: what it would need.
    Absent {
        /// In words that complete "needs".
        needs: String,
    },
    /// An exact size, kB.
    Size {
        /// Of what.
        of: Packed,
        /// Counted how; absent where that was not published.
        bytes: Option<Bytes>,
    },
    /// The quotient of two exact sizes.
    Sizes {
        /// Above the line.
        of: Packed,
        /// Below it.
        over: Packed,
        /// Counted how; absent where that was not published.
        bytes: Option<Bytes>,
    },
    /// The median of a metric. It is another machine's, and never judged.
    Value {
        /// The metric.
        metric: String,
        /// Our case that is most like it.
        case: Case,
        /// How many of the metric's unit are one of the claim's.
        divisor: f64,
    },
    /// The paired ratio of a metric of two cases.
    Ratio {
        /// The metric.
        metric: String,
        /// The two.
        pair: Pair,
    },
    /// The ratio of the slopes of two cases over the sizes of a sweep: execution without delivery.
    Slopes {
        /// The two.
        pair: Pair,
    },
}

impl Test {
    /// The metric whose samples it looks at; none where it is about sizes, or about nothing that is here.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Self::Value { metric, .. } | Self::Ratio { metric, .. } => Some(metric),
            Self::Slopes { .. } => Some(HEADLINE),
            Self::Absent { .. } | Self::Size { .. } | Self::Sizes { .. } => None,
        }
    }
}

/// Two cases, one of which is divided by the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Above the line.
    pub case: Case,
    /// Below it.
    pub baseline: Case,
}

/// A file or image of ours, by the name of its row of sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// A kind, or an image that is not its kind's default.
    pub name: String,
}

/// What of a file and its image is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// The file as shipped.
    Binary,
    /// What a pull transfers.
    Compressed,
    /// The layers unpacked.
    Unpacked,
}

impl Bytes {
    /// What it is called.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Binary => "as a file",
            Self::Compressed => "as pulled (compressed)",
            Self::Unpacked => "unpacked",
        }
    }
}

impl Packed {
    /// The kind, where it is the name of one.
    pub fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == self.name)
    }
}

/// Reads and checks the claims of a file.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses.
pub fn load(path: &Path, cases: &[Case]) -> anyhow::Result<Vec<Claim>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))?;
    parse(&text, cases).with_context(|| format!("`{}` is not a list of claims", path.display()))
}

/// The claims that a TOML text defines, in its order.
///
/// # Errors
/// With line, column and what was expected, for unknown or missing keys; with the claim's id for keys that its quantity does
/// not have or lacks, unknown cases (the known ones are listed), sources and ids, for figures that are not above 0, and for
/// a native container against a Wasm process that is not called a crossing.
pub fn parse(text: &str, cases: &[Case]) -> anyhow::Result<Vec<Claim>> {
    wire::parse(text, cases)
}

#[cfg(test)]
mod tests;
