//! A published figure beside ours, as a summary stores it.

use serde::{Deserialize, Serialize};

use crate::claims::{Bounds, Seen, Setting, Shape};

/// Whether a published figure came out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    /// Within the tolerance that the claim's data states.
    Reproduced,
    /// Measured, and not within it.
    NotReproduced,
    /// Measured, and not to be judged: another machine's, another thing, not decided, or read in several ways.
    NotComparable,
    /// Not measured in this run.
    Untested,
}

/// One published figure beside ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Its name in `claims.toml`; empty in rows of older versions.
    #[serde(default)]
    pub id: String,
    /// Who published it, and when.
    pub source: String,
    /// How it was seen.
    #[serde(default)]
    pub seen: Seen,
    /// What is claimed, in words.
    pub what: String,
    /// The words or the figures of the source, where the number here is ours to form; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wording: String,
    /// The figure as published, in its unit; absent for a range, for a direction, and where it can be read in several ways.
    pub published: Option<f64>,
    /// What counts as reproduced; absent where nothing is judged or there are several readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// Ours, in the same unit; absent when not measured. Of an image the bytes that a pull transfers, unless the claim is about others.
    pub ours: Option<f64>,
    /// Lower end of its interval; absent where it is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_low: Option<f64>,
    /// Upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_high: Option<f64>,
    /// `kB`, `ms`, `per s` or `×`.
    pub unit: String,
    /// Whether like is held against like.
    #[serde(default)]
    pub shape: Shape,
    /// What follows.
    pub verdict: ClaimVerdict,
    /// For an untested one: what it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// The reason, or the row of this run that explains the difference.
    pub explanation: String,
    /// In which setting it was measured; empty in rows of older versions.
    #[serde(default, skip_serializing_if = "Setting::is_empty")]
    pub setting: Setting,
    /// The cell of the central table beside which the figure stands; absent for anything else (a ratio).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A cell of the central table: sizes and times per kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The column.
    pub quantity: Quantity,
}

/// A column of the central table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The ELF file or module, kB.
    BinarySize,
    /// The image, kB; published figures do not say whether compressed or unpacked.
    ImageSize,
    /// Run directly, ms.
    DirectTime,
    /// Run in a container, ms.
    ContainerTime,
}
