//! `summary.json`, `timeline`: what follows from traced runs.

use serde::{Deserialize, Serialize};

use super::Phase;

/// The timeline of one case on one bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmTimeline {
    /// The bench.
    pub bench: String,
    /// The case.
    pub case: String,
    /// Counted traced runs that gave a sample.
    pub n: usize,
    /// Counted traced runs that did not.
    pub failed: usize,
    /// Wall time of the traced runs; absent where there is no sample.
    pub wall_ns: Option<MedianRow>,
    /// In the order of a run; those that no run had are left out.
    pub phases: Vec<PhaseRow>,
    /// What the shim did between `container-created` and the first instruction, one after the other; empty where it says
    /// nothing of that.
    pub steps: Vec<StepRow>,
    /// What it did beside that.
    pub beside: Vec<StepRow>,
    /// Median of the unattributed part over that of the wall time, a fraction.
    pub unattributed_fraction: Option<f64>,
    /// What is missing, and why; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Traced over plain.
    pub cost: TracingCost,
    /// Against the baseline of the case, where both were traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<TimelineDifference>,
}

/// A median with its interval, absent where n has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MedianRow {
    /// The median.
    pub median: f64,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
}

/// One phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseRow {
    /// Which.
    pub phase: Phase,
    /// Runs that had it.
    pub n: usize,
    /// How long it took, over these.
    pub ns: MedianRow,
}

/// One step of a shim's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// The mark that ends it.
    pub mark: String,
    /// Runs that had it.
    pub n: usize,
    /// When it ended, ns after the start of the run.
    pub at_ns: MedianRow,
    /// How long it took since the one before; absent for what happens beside others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<MedianRow>,
}

/// What tracing costs: a traced run over the plain one of the same round, whose program prints no clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracingCost {
    /// Rounds with both.
    pub n: usize,
    /// Median over rounds of traced / plain.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
}

/// What a case takes longer than its baseline, by phase, paired by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineDifference {
    /// What it is compared with.
    pub baseline: String,
    /// Case minus baseline, wall time.
    pub wall_ns: MedianRow,
    /// The same by phase; one that only one of the two has counts as 0 in the other.
    pub phases: Vec<PhaseDifference>,
}

/// One phase of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseDifference {
    /// Which.
    pub phase: Phase,
    /// Case minus baseline.
    pub ns: MedianRow,
}
