//! The stored format of a run: what `manifest.json`, `samples.jsonl` and `summary.json` hold.
//!
//! `manifest.json`, `samples.jsonl` and, where runs were traced, `timeline.jsonl` are facts, written while measuring and
//! never changed afterwards.
//! `summary.json` and everything else in a run's folder is computed from these, by `analysis` and
//! `report`. Field by field, with units: `results/README.md`. Not here: any computation.

use serde::{Deserialize, Serialize};

pub mod analysis;
pub mod audit;
mod bench;
pub mod break_even;
pub mod case;
pub mod claims;
pub mod compare;
pub mod density;
pub mod first_use;
pub mod isolation;
pub mod ledger;
mod manifest;
pub mod metric;
pub mod names;
pub mod node;
pub mod observed;
pub mod own_program;
pub mod resources;
mod sample;
pub mod store;
mod summary;
pub mod timeline;
mod values;
mod word;

pub use bench::{BenchRecord, Role, SweepPoint};
pub use manifest::{
    ArtifactRecord, Finished, HostRecord, ImageRecord, LoadDuring, Machine, Manifest, NotMeasured, PackageRecord,
    ProgramRecord, RunStatus, Sequential, Source, UntilEnd, UntilReason,
};
pub use resources::ResourceRecord;
pub use stats::verdict::Verdict;
pub use summary::{
    Attribution, AttributionPart, CaseSummary, ClaimRow, ClaimVerdict, Comparison, Drift, Effect, Estimate, Fit,
    PartOfTime, Place, Quantity, Resolution, SizeRow, Summary, Warning,
};
pub use timeline::TracedBench;
pub use values::Values;
pub use word::Word;

/// The version of the stored format. Raised when a field changes its meaning or goes away. From 3 on a sample is values by
/// metric: an older version would take such a line for one without a time.
pub const SCHEMA: u32 = 3;

/// How one run of one cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It exited with 0 and printed exactly the expected bytes.
    Ok,
    /// It exited with 0 but printed something else.
    WrongOutput,
    /// It exited with another status than 0.
    NonZeroExit,
    /// A signal ended it.
    Killed,
    /// It was still running at the time limit and was killed by us.
    TimedOut,
    /// It could not be started.
    NotStarted,
}

/// One line of `samples.jsonl`: one fresh process or container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "sample::Line")]
pub struct Sample {
    /// The bench's name.
    pub bench: Word,
    /// The cell's name: a case, or its A/A twin (`…#2`).
    pub case: Word,
    /// The round, from 0, warm-up rounds included.
    pub round: u32,
    /// The place within the round, from 0.
    pub position: u32,
    /// Whether the round is a warm-up round: kept here, left out of every statistic.
    pub warmup: bool,
    /// What was measured, by metric (see [`metric`]); empty when nothing was started.
    pub values: Values,
    /// User time of the spawned process and its waited-for children (`ctr` for a container), by `wait4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ns: Option<u64>,
    /// System time, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not a sample; absent when the outcome is `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of what it wrote to stdout, in hex; absent when nothing was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<Word>,
}
