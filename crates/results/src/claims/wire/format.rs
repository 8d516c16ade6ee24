//! The tables and keys of `results/claims.toml`, and what a quantity means.

use serde::Deserialize;

use crate::case::Kind;
use crate::claims::figure::Direction;
use crate::claims::setting::{Seen, Setting, Shape};
use crate::metric;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) source: Vec<WireSource>,
    #[serde(default)]
    pub(super) claim: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSource {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) seen: Seen,
    pub(super) setting: Setting,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) what: String,
    #[serde(default)]
    pub(super) wording: String,
    pub(super) quantity: Quantity,
    pub(super) bench: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) tolerance: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) up_to: Option<f64>,
    pub(super) at_least: Option<f64>,
    pub(super) direction: Option<Direction>,
    #[serde(default)]
    pub(super) readings: Vec<WireReading>,
    pub(super) kind: Option<Kind>,
    pub(super) case: Option<String>,
    pub(super) of: Option<String>,
    pub(super) over: Option<String>,
    pub(super) bytes: Option<WireBytes>,
    pub(super) metric: Option<String>,
    pub(super) numerator: Option<String>,
    pub(super) denominator: Option<String>,
    #[serde(default)]
    pub(super) explained_by: Arms,
    pub(super) status: Option<String>,
    pub(super) unlike: Option<String>,
    pub(super) withdrawn: Option<String>,
    #[serde(default)]
    pub(super) central: bool,
    #[serde(default)]
    pub(super) shape: Shape,
    #[serde(default)]
    pub(super) setting: SettingPart,
    #[serde(default)]
    pub(super) note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireReading {
    pub(super) meaning: String,
    pub(super) value: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) up_to: Option<f64>,
    pub(super) at_least: Option<f64>,
}

/// What of a setting is this figure's own.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingPart {
    pub(super) engine: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) orchestrator: Option<String>,
    pub(super) hardware: Option<String>,
    pub(super) n: Option<String>,
    pub(super) what_is_timed: Option<String>,
}

/// Control arms: a case in the place of the one above the line, or pairs of their own.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Arms {
    One(String),
    Pairs(Vec<WirePair>),
}

impl Default for Arms {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WirePair {
    pub(super) of: String,
    pub(super) over: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireBytes {
    Binary,
    Compressed,
    Unpacked,
    /// An image, and it was not published whether compressed.
    Image,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Quantity {
    BinaryKb,
    ImageKb,
    ProcessMs,
    ContainerMs,
    MemoryKb,
    TasksPerS,
    PullMs,
    FirstRunMs,
    /// Of two other claims.
    Ratio,
    TimeRatio,
    SlopeRatio,
    SizeRatio,
    MemoryRatio,
    ThroughputRatio,
    PullRatio,
    FirstRunRatio,
    /// Of something that this program does not measure.
    OtherRatio,
}

/// The sort of number that a quantity is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Size,
    Value,
    Quotient,
    SizeQuotient,
    SlopeQuotient,
    MetricQuotient,
    Foreign,
}

impl Quantity {
    pub(super) const fn sort(self) -> Sort {
        match self {
            Self::BinaryKb | Self::ImageKb => Sort::Size,
            Self::ProcessMs
            | Self::ContainerMs
            | Self::MemoryKb
            | Self::TasksPerS
            | Self::PullMs
            | Self::FirstRunMs => Sort::Value,
            Self::Ratio => Sort::Quotient,
            Self::SizeRatio => Sort::SizeQuotient,
            Self::SlopeRatio => Sort::SlopeQuotient,
            Self::TimeRatio | Self::MemoryRatio | Self::ThroughputRatio | Self::PullRatio | Self::FirstRunRatio => {
                Sort::MetricQuotient
            }
            Self::OtherRatio => Sort::Foreign,
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::BinaryKb | Self::ImageKb | Self::MemoryKb => "kB",
            Self::ProcessMs | Self::ContainerMs | Self::PullMs | Self::FirstRunMs => "ms",
            Self::TasksPerS => "per s",
            _ => "×",
        }
    }

    /// The metric of ours that is most like it, and how many of its unit are one of the quantity's.
    pub(super) const fn metric(self) -> (&'static str, f64) {
        match self {
            Self::MemoryKb | Self::MemoryRatio => (metric::MEMORY_PEAK, 1e3),
            Self::TasksPerS | Self::ThroughputRatio => (metric::TASKS_PER_SECOND, 1.0),
            Self::PullMs | Self::PullRatio => (metric::PULL, 1e6),
            Self::FirstRunMs | Self::FirstRunRatio => (metric::FIRST_USE, 1e6),
            _ => (metric::HEADLINE, 1e6),
        }
    }
}
