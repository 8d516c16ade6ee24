//! The stored format of a density run: what one more instance costs a node. A line of `density.jsonl` is one reading.
//!
//! The run's circumstances are in its manifest ([`Plan`] among them), what follows from both is [`DensitySummary`].
//! Field by field, with units: `results/README.md`. Not here: any computation (`density::analysis`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod analysis;
pub mod metric;
mod store;
mod summary;
#[cfg(test)]
mod tests;

pub use store::{LINES, parse};
pub use summary::{Arm, AtOnceSummary, Capacity, DensitySummary, Growth, Limit, PerInstance, Spread, Starts};

/// What values are by: the name of a metric ([`metric`]) and a whole number in the unit at its end.
pub type Values = BTreeMap<String, u64>;

/// What a density run was to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// After how many instances readings are taken, ascending; a reading without any comes first.
    pub levels: Vec<u32>,
    /// What lies between the last start of a level and its first reading.
    pub settle_ms: u64,
    /// What lies between the first and the second reading of a level.
    pub hold_ms: u64,
    /// How many starts are under way at once, in turn.
    pub at_once: Vec<u32>,
    /// How many instances are started for each of these.
    pub starts_at_once: u32,
    /// Containers that run one after the other; 0 where there is no such part.
    pub churn: u32,
    /// Memory that each instance writes to before it waits.
    pub dirty_mib: u64,
    /// What this machine allows.
    pub limits: NodeLimits,
}

/// What a node's kernel allows in all; `None` where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLimits {
    /// Process and thread ids: `kernel.pid_max`.
    pub pids: Option<u64>,
    /// Threads: `kernel.threads-max`.
    pub threads: Option<u64>,
    /// Open files: `fs.file-max`.
    pub files: Option<u64>,
    /// Mounts in one mount namespace: `fs.mount-max`.
    pub mounts: Option<u64>,
    /// Processors.
    pub processors: Option<u64>,
}

/// A line of `density.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// What so many idle instances take.
    Reading(Reading),
    /// One instance started while others were waiting.
    Start(Start),
    /// Several instances started at once.
    AtOnce(AtOnce),
    /// What is there after so many containers were run and removed, one after the other.
    Churn(ChurnReading),
    /// What is still there after everything of an arm was stopped.
    Left(Left),
}

/// What so many idle instances take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The case.
    pub case: String,
    /// The repetition, from 0.
    pub repetition: u32,
    /// The place of the case in it, from 0.
    pub position: u32,
    /// How many instances were waiting.
    pub n: u32,
    /// From the first to the second reading of counters that count on.
    pub hold_ns: u64,
    /// What was read: totals over all instances.
    pub values: Values,
    /// What could not be read, by metric, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_read: BTreeMap<String, String>,
}

/// One instance started while others were waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The case.
    pub case: String,
    /// The repetition.
    pub repetition: u32,
    /// It is the `n`-th one, from 1.
    pub n: u32,
    /// How long it took.
    pub start_ns: u64,
}

/// Several instances started at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtOnce {
    /// The case.
    pub case: String,
    /// The repetition.
    pub repetition: u32,
    /// How many starts were under way at any time.
    pub at_once: u32,
    /// From the beginning of the first start to the end of the last one.
    pub wall_ns: u64,
    /// How long each took, in the order of their ends.
    pub start_ns: Vec<u64>,
}

/// What is there after so many containers were run and removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChurnReading {
    /// The case.
    pub case: String,
    /// How many were run until then, those before the first reading left out.
    pub containers: u32,
    /// What was read.
    pub values: Values,
    /// What could not be read, by metric, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_read: BTreeMap<String, String>,
}

/// What is still there after everything of an arm was stopped, beyond what was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The case.
    pub case: String,
    /// The repetition.
    pub repetition: u32,
    /// Processes, cgroups, mounts and containers.
    pub values: Values,
}

impl Line {
    /// The case that it is of.
    pub fn case(&self) -> &str {
        match self {
            Self::Reading(line) => &line.case,
            Self::Start(line) => &line.case,
            Self::AtOnce(line) => &line.case,
            Self::Churn(line) => &line.case,
            Self::Left(line) => &line.case,
        }
    }
}
