//! How a run ended, and what else happened on the machine meanwhile.

use serde::{Deserialize, Serialize};

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// UTC, RFC 3339.
    pub finished_utc: String,
    /// How it ended.
    pub status: RunStatus,
    /// From the first timed region's start to the last one's end, everything between included.
    pub rounds_wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// Lines of `samples.jsonl` that were written; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// What the machine did meanwhile.
    pub load: LoadDuring,
    /// For a run that stops on precision: why it stopped. Absent otherwise, and when it was interrupted or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UntilEnd>,
}

/// Why a run that stops on precision stopped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UntilEnd {
    /// The reason.
    pub reason: UntilReason,
    /// Counted rounds until then.
    pub rounds: u32,
    /// The widest relative interval then, in percent; absent where a ratio had no interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widest_percent: Option<f64>,
}

/// What ends a run that stops on precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UntilReason {
    /// At a look, every interval was narrow enough.
    Reached,
    /// All rounds that were allowed were made.
    Rounds,
    /// The time that was allowed was over.
    Budget,
}

impl UntilEnd {
    /// Whether it was reached and why it stopped, in a sentence.
    pub fn sentence(&self, wanted_percent: f64) -> String {
        let rounds = self.rounds;
        let widest = match self.widest_percent {
            Some(widest) => format!("the widest interval of a ratio is {widest:.2} % of it"),
            None => "some ratio has no interval yet".to_owned(),
        };
        match self.reason {
            UntilReason::Reached => format!("`--until {wanted_percent}%` was reached after {rounds} rounds: {widest}"),
            UntilReason::Rounds => {
                format!("`--until {wanted_percent}%` was not reached in {rounds} rounds, the most allowed: {widest}")
            }
            UntilReason::Budget => format!(
                "`--until {wanted_percent}%` was not reached when its budget of time was spent, after {rounds} rounds: \
                 {widest}"
            ),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Every planned run took place.
    Complete,
    /// Ctrl-C or a signal: what was measured until then is kept.
    Interrupted,
    /// Something outside the measured programs failed: what was measured until then is kept.
    Failed,
}

/// What else happened on the machine during the run, from `/proc` before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadDuring {
    /// One-minute load average before.
    pub load_before: Option<f64>,
    /// One-minute load average after.
    pub load_after: Option<f64>,
    /// Processor time that the hypervisor gave to others, as a fraction of all processor time.
    pub steal_fraction: Option<f64>,
    /// Thermal throttling events counted by the processors.
    pub throttle_events: Option<u64>,
    /// Fraction of all processor time spent busy (not idle, not waiting for I/O).
    pub busy_fraction: Option<f64>,
    /// Pressure-stall total for processors ("some", /proc/pressure/cpu), as a fraction of the run's wall time.
    pub cpu_pressure_fraction: Option<f64>,
}
