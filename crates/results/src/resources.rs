//! What runs used beside time: where it was read (`manifest.json`), and what came of it (`summary.json`).

use serde::{Deserialize, Serialize};

use super::timeline::MedianRow;

/// What memory and processor time were read from. What is absent was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// The version of the cgroup files: `v1` (on a hybrid machine too) or `v2`.
    pub tree: Option<String>,
    /// The file of the peak of memory, of containers and direct runs.
    pub memory: Option<String>,
    /// The files of a container's processor time.
    pub container_cpu: Option<String>,
    /// Where that of a direct run is from.
    pub direct_cpu: String,
    /// Where that of containerd's client is from.
    pub client_cpu: String,
    /// The files of that of containerd and its shims.
    pub containerd_cpu: Option<String>,
    /// Why something is absent, or ended before the run did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

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
