//! `density.json`: what follows from the lines of a density run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{NotMeasured, Warning};

/// Everything that follows from a density run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DensitySummary {
    /// [`crate::SCHEMA`] of the program that computed it.
    pub schema: u32,
    /// The run.
    pub run: String,
    /// A row per case, in the order of the table.
    pub arms: Vec<Arm>,
    /// What a reader must know first.
    pub warnings: Vec<Warning>,
    /// What could not be measured, and why.
    pub not_measured: Vec<NotMeasured>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The case.
    pub case: String,
    /// Repetitions with at least two levels.
    pub repetitions: usize,
    /// The greatest number of instances that were read.
    pub instances_max: u32,
    /// What one more instance takes, by metric.
    pub per_instance: Vec<PerInstance>,
    /// Starts, one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
    /// Starts at once.
    pub at_once: Vec<AtOnceSummary>,
    /// What grows per container that comes and goes.
    pub churn: Vec<Growth>,
    /// The most that was left after everything was stopped, by what it is; empty when nothing was looked at.
    pub left: BTreeMap<String, u64>,
    /// How many fit on a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

/// A median with its interval; the interval is absent where there are too few values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub value: f64,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// How many values it is of.
    pub n: usize,
}

/// The slope of a metric over the number of instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerInstance {
    /// The metric.
    pub metric: String,
    /// Per instance, in the metric's unit; `wakeups` and what ends in `cpu_ns` per second.
    pub slope: Spread,
    /// What the line has at none.
    pub at_none: f64,
    /// How far from straight: the greatest distance of a median from the line, by what the line grows by; absent where
    /// it does not grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<f64>,
}

/// Starts one after the other, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// The first instance's.
    pub first_ns: Spread,
    /// The last one's.
    pub last_ns: Spread,
    /// By how much each instance that is waiting delays the next start.
    pub per_instance_ns: Spread,
}

/// So many starts at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtOnceSummary {
    /// How many.
    pub at_once: u32,
    /// Starts per second, over repetitions.
    pub per_second: Spread,
    /// Latency of a start, over all of them.
    pub latency_ns: Spread,
    /// Its 95th percentile, from 72 starts on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_p95_ns: Option<f64>,
}

/// What grows per container that comes and goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The metric.
    pub metric: String,
    /// Per container.
    pub per_container: Spread,
    /// At the first reading.
    pub first: u64,
    /// At the last one.
    pub last: u64,
    /// Containers between the two.
    pub containers: u32,
}

/// How many instances a node holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The memory of the node.
    pub memory_bytes: u64,
    /// How many: by what limits them.
    pub instances: u64,
    /// The low end of the interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<u64>,
    /// The high end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<u64>,
    /// What limits them: the name of one of `limits`.
    pub limited_by: String,
    /// Everything that was looked at, the tightest first.
    pub limits: Vec<Limit>,
}

/// One limit of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// `memory`, `pids`, `threads`, `files`, `mounts` or `processors`.
    pub what: String,
    /// The metric that it is compared with.
    pub metric: String,
    /// How many instances that allows.
    pub instances: u64,
    /// The low end of the interval: none where the slope has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<u64>,
    /// The high end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<u64>,
}
