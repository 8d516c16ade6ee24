//! `summary.json`, `resources`: what runs used beside time.

use serde::{Deserialize, Serialize};

use super::timeline::MedianRow;

/// What the runs of one cell used of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceRow {
    /// The bench.
    pub bench: String,
    /// The cell.
    pub case: String,
    /// What was measured; its unit is the end of its name.
    pub metric: String,
    /// Counted runs that have a value.
    pub n: usize,
    /// The median with its interval.
    pub value: MedianRow,
    /// Over the baseline of the case, paired by round; absent where there is none, or one of the two is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_baseline: Option<ResourceRatio>,
}

/// A ratio paired by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceRatio {
    /// What it is divided by.
    pub baseline: String,
    /// Rounds with both.
    pub n: usize,
    /// Median over rounds.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
}
