//! The samples of a run, and everything that is done to each of them: reading, holding against a plan, sorting into cells,
//! writing as a table.
//!
//! A run may have a million. So what goes through all of them is here, in a crate small enough to be optimised in every
//! profile (`Cargo.toml` of the workspace): nothing in its interface is generic, because generic code is compiled as its user is.
//! Not here: what a run is beside its samples (`results`), any statistic (`stats`), what a person is shown (`report`).

use serde::{Deserialize, Serialize};

mod cells;
pub mod lines;
mod maybe;
mod sample;
mod sift;
pub mod table;
mod values;
mod word;

pub use cells::{ByCell, Places, Runs, Sorted, by_cell, counted, of_rounds, rounds, seconds, timed};
pub use maybe::MaybeNs;
pub use sift::{Columns, Marks, Plan, Sifted, sift};
pub use values::Values;
pub use word::{Word, Words};

/// The metric that a sample of an early run has as a field of its own: wall time.
pub const HEADLINE: &str = "wall_ns";

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

impl Outcome {
    /// As it stands in the files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::WrongOutput => "wrong-output",
            Self::NonZeroExit => "non-zero-exit",
            Self::Killed => "killed",
            Self::TimedOut => "timed-out",
            Self::NotStarted => "not-started",
        }
    }
}

/// One line of `samples.jsonl`: one fresh process or container.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// What was measured, by metric; empty when nothing was started.
    pub values: Values,
    /// User time of the spawned process and its waited-for children (`ctr` for a container), by `wait4`.
    #[serde(skip_serializing_if = "MaybeNs::is_none")]
    pub user_ns: MaybeNs,
    /// System time, likewise.
    #[serde(skip_serializing_if = "MaybeNs::is_none")]
    pub system_ns: MaybeNs,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not a sample; absent when the outcome is `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Word>,
    /// SHA-256 of what it wrote to stdout, in hex; absent when nothing was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<Word>,
}
