//! The stored format of a run: what `manifest.json`, `samples.jsonl` and `summary.json` hold.
//!
//! `manifest.json`, `samples.jsonl` and, where runs were traced, `timeline.jsonl` are facts, written while measuring and
//! never changed afterwards.
//! `summary.json` and everything else in a run's folder is computed from these, by `analysis` and
//! `report`. Field by field, with units: `results/README.md`. Not here: any computation.

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
pub mod store;
mod summary;
pub mod timeline;

pub use bench::{BenchRecord, OnNode, PULLING, Role, SweepPoint};
pub use manifest::{
    ArtifactRecord, Finished, HostRecord, ImageRecord, LoadDuring, Machine, Manifest, NotMeasured, PackageRecord,
    ProgramRecord, RunStatus, Sequential, Source, UntilEnd, UntilReason,
};
pub use resources::ResourceRecord;
pub use samples::{MaybeNs, Outcome, Sample, Values, Word};
pub use stats::verdict::Verdict;
pub use summary::{
    AcrossNodes, Attribution, AttributionPart, CaseSummary, ClaimRow, ClaimVerdict, Comparison, Drift, Effect,
    Estimate, Fit, NodesRatio, PartOfTime, Place, Quantity, Resolution, SizeRow, Summary, Warning,
};
pub use timeline::TracedBench;

/// The version of the stored format. Raised when a field changes its meaning or goes away. From 3 on a sample is values by
/// metric: an older version would take such a line for one without a time.
pub const SCHEMA: u32 = 3;
