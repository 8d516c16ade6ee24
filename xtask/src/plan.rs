//! What would happen: definitions, a selection and a seed become builds, images and a schedule. Pure: the
//! same input gives the same plan on every machine.
//!
//! Not here: doing any of it.

use std::collections::BTreeSet;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::bench::Bench;
use results::case::{Case, Cell, Kind, Replica, Runner};
use results::names::Misnamed;

/// Everything that a run will do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is measured.
    pub benches: Vec<Bench>,
    /// The cells of every bench, in the order of the table, twins after their case.
    pub cells: Vec<Cell>,
    /// The programs and kinds that have to be built.
    pub builds: Vec<Build>,
    /// The order of the runs.
    pub schedule: Schedule,
}

/// One program in one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Build {
    /// The binary target of the `workload` package.
    pub program: String,
    /// What to make of it.
    pub kind: Kind,
}

/// How many rounds, and the seed of their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// Rounds that are measured and thrown away first.
    pub warmup: u32,
    /// Rounds that count.
    pub counted: u32,
    /// Where the order comes from.
    pub seed: u64,
}

/// Randomised complete blocks: every round has every cell of every bench once, in an order of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    benches: usize,
    cells: Vec<Cell>,
    rounds: Rounds,
}

/// One run to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The round, from 0, warm-up rounds included.
    pub round: u32,
    /// The place within the round, from 0.
    pub position: u32,
    /// Whether the round is thrown away.
    pub warmup: bool,
    /// Which bench, as an index into the plan's.
    pub bench: usize,
    /// Which cell.
    pub cell: Cell,
}

impl Schedule {
    /// The schedule of so many benches by these cells.
    pub fn new(benches: usize, cells: Vec<Cell>, rounds: Rounds) -> Self {
        Self { benches, cells, rounds }
    }

    /// The runs of one round, in order. A round's order depends on seed and number alone, so rounds can be
    /// added to a run without changing those before.
    pub fn round(&self, round: u32) -> Vec<Slot> {
        let mut order: Vec<(usize, Cell)> =
            (0..self.benches).flat_map(|bench| self.cells.iter().map(move |cell| (bench, *cell))).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.rounds.seed);
        rng.set_stream(u64::from(round));
        order.shuffle(&mut rng);
        let warmup = round < self.rounds.warmup;
        (0u32..).zip(order).map(|(position, (bench, cell))| Slot { round, position, warmup, bench, cell }).collect()
    }

    /// Warm-up rounds and counted ones.
    pub fn rounds(&self) -> Rounds {
        self.rounds
    }

    /// The cells of every bench, in the order of the table.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Runs in a round.
    pub fn slots_per_round(&self) -> usize {
        self.benches * self.cells.len()
    }
}

/// The plan for these benches and cases. Each baseline that is among the cases gets an A/A twin; where no
/// baseline is, the first case does.
pub fn plan(benches: Vec<Bench>, cases: &[Case], rounds: Rounds) -> Plan {
    let baselines: Vec<Case> = cases.iter().copied().filter(|case| case.baseline() == *case).collect();
    let twinned = if baselines.is_empty() { cases.iter().copied().take(1).collect() } else { baselines };
    let mut cells = Vec::new();
    for case in cases {
        cells.push(Cell { case: *case, replica: Replica::First });
        if twinned.contains(case) {
            cells.push(Cell { case: *case, replica: Replica::Twin });
        }
    }
    let programs: BTreeSet<&str> = benches.iter().map(|bench| bench.program.as_str()).collect();
    let kinds: BTreeSet<Kind> = cases.iter().map(|case| case.kind()).collect();
    let builds = programs
        .iter()
        .flat_map(|program| kinds.iter().map(|kind| Build { program: (*program).to_owned(), kind: *kind }))
        .collect();
    let schedule = Schedule::new(benches.len(), cells.clone(), rounds);
    Plan { benches, cells, builds, schedule }
}

impl Plan {
    /// Whether any cell needs containerd.
    pub fn has_containers(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.runner().is_container())
    }

    /// Whether any cell needs the engine's command line.
    pub fn has_modules(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.kind() != Kind::Native)
    }

    /// Whether any cell needs this project's shim.
    pub fn has_shim(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.runner() == Runner::WasmEdge)
    }

    /// The kinds that are run in containers, and so need an image.
    pub fn image_kinds(&self) -> BTreeSet<Kind> {
        self.cells.iter().filter(|cell| cell.case.runner().is_container()).map(|cell| cell.case.kind()).collect()
    }
}

/// The cases that the patterns select, in the order of the table; without patterns, all.
///
/// # Errors
/// When a pattern is no glob or matches nothing (the known names are listed).
pub fn select_cases(patterns: &[String]) -> Result<Vec<Case>, Misnamed> {
    if patterns.is_empty() {
        return Ok(Case::ALL.to_vec());
    }
    let mut chosen = BTreeSet::new();
    for text in patterns {
        chosen.extend(Case::names().matching(text)?);
    }
    Ok(chosen.into_iter().map(|index| Case::ALL[index]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn schedule(seed: u64) -> Schedule {
        let cells: Vec<Cell> = Case::ALL.iter().map(|case| Cell { case: *case, replica: Replica::First }).collect();
        Schedule::new(2, cells, Rounds { warmup: 1, counted: 3, seed })
    }

    #[test]
    fn every_round_has_every_cell_once() {
        for round in 0..4 {
            let slots = schedule(1).round(round);
            let distinct: HashSet<_> = slots.iter().map(|slot| (slot.bench, slot.cell)).collect();
            assert_eq!((slots.len(), distinct.len()), (14, 14));
            assert!(slots.iter().all(|slot| slot.warmup == (round == 0)));
        }
    }

    #[test]
    fn the_order_follows_the_seed_and_differs_between_rounds() {
        assert_eq!(schedule(1).round(2), schedule(1).round(2));
        let order =
            |seed, round| schedule(seed).round(round).iter().map(|slot| (slot.bench, slot.cell)).collect::<Vec<_>>();
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    fn baselines_have_twins_and_a_lone_case_has_one_too() {
        let twins = |cases: &[Case]| {
            let plan = plan(Vec::new(), cases, Rounds { warmup: 0, counted: 1, seed: 0 });
            plan.cells.iter().filter(|cell| cell.replica == Replica::Twin).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(twins(&Case::ALL), ["native/process#2", "native/runc#2"]);
        assert_eq!(twins(&Case::ALL[5..6]), ["wasm-interpreter/wasmedge#2"]);
    }

    #[test]
    fn case_patterns_are_globs_over_all_cases() {
        let select = |text: &str| select_cases(&[text.to_owned()]).map(|cases| cases.len());
        assert_eq!(select("*/process").unwrap(), 3);
        assert_eq!(select("native/*").unwrap(), 3);
        assert!(select("docker").unwrap_err().to_string().contains("`native/runc`"));
    }
}
