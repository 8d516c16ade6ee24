//! What a ratio is formed to, as a reader would choose it: native, native in the same runtime, the same run directly, or the
//! same in another way.
//!
//! Not here: which pairs are compared (`results::analysis`).

use super::{cell, is_to_baseline, ratios, shown_benches};
use crate::Run;
use results::Comparison;
use results::case::Mode;

/// What stands below the line of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The native program on the same side of the container wall.
    Native,
    /// The native program in the runtime of the module.
    SameRuntime,
    /// A process: what a container adds.
    Process,
    /// Anything else: code compiled beforehand, the usual image, no pod.
    Other,
}

impl Relation {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Native, Self::SameRuntime, Self::Process, Self::Other];

    /// That of a row.
    pub fn of(run: &Run, row: &Comparison) -> Self {
        if is_to_baseline(run, row) {
            return Self::Native;
        }
        let Some((case, other)) = cell(run, &row.case).zip(cell(run, &row.baseline)) else { return Self::Other };
        let (case, other) = (&case.case, &other.case);
        if case.is_container() && !other.is_container() {
            Self::Process
        } else if other.mode == Mode::Native && case.mode != Mode::Native && case.runtime.name == other.runtime.name {
            Self::SameRuntime
        } else {
            Self::Other
        }
    }

    /// In the words of a choice.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Native => "native on the same side of the container wall",
            Self::SameRuntime => "native in the same runtime",
            Self::Process => "the same run directly",
            Self::Other => "the same in another way",
        }
    }

    /// What stands below an axis.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Native => "× native",
            Self::SameRuntime => "× native in the same runtime",
            Self::Process => "× the same run directly",
            Self::Other => "× the same in another way",
        }
    }
}

/// The ratios of the benches that are shown, by what they are formed to; without those that have none.
pub fn relations(run: &Run) -> Vec<(Relation, Vec<&Comparison>)> {
    let of = |relation: Relation| {
        let benches = shown_benches(run).into_iter();
        let rows = benches.flat_map(|bench| ratios(run).filter(move |row| row.bench == bench.name));
        let rows: Vec<&Comparison> =
            rows.filter(|row| row.ratio.is_some() && Relation::of(run, row) == relation).collect();
        (relation, rows)
    };
    Relation::ALL.map(of).into_iter().filter(|(_, rows)| !rows.is_empty()).collect()
}
