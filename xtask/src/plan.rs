//! What would happen: definitions, a selection and a seed become builds, images and a schedule. Pure: the
//! same input gives the same plan on every machine.
//!
//! Not here: doing any of it.

use std::collections::BTreeSet;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::bench::calibration::{Calibration, SURROUNDINGS};
use crate::bench::{Bench, Tracing};
use crate::matrix::{Behaviour, Matrix};
use results::case::{Case, Cell, Kind, Mode};

/// The program that a pod's sandbox is: it waits.
pub const PAUSE: &str = "pause";

/// Everything that a run will do, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is measured.
    pub benches: Vec<Bench>,
    /// The cells of every bench, in the order of the table, twins after their case.
    pub cells: Vec<Cell>,
    /// The programs and kinds that are measured, and have to be built.
    pub builds: Vec<Build>,
    /// What tells how its modules are executed; absent where nobody wants to know, as is then what isolates its containers.
    pub calibration: Option<Calibration>,
    /// The programs that start, execute or compile them, by name.
    pub programs: BTreeSet<String>,
    /// The order of the runs.
    pub schedule: Schedule,
    /// What is traced beside them; absent unless that was asked for.
    pub traced: Option<TracedPlan>,
}

/// Traced rounds, beside the plain ones.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedPlan {
    /// The benches that can be traced, each with its stamped program in the place of its own, where there is one.
    pub benches: Vec<Bench>,
    /// The order of the runs: every case of these, without twins.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    benches: usize,
    cells: Vec<Cell>,
    rounds: Rounds,
}

/// A cell of a bench, as indices into a plan's benches and cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which bench.
    pub bench: usize,
    /// Which cell.
    pub cell: usize,
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
    /// What is run.
    pub place: Place,
}

impl Schedule {
    /// The schedule of so many benches by these cells.
    pub fn new(benches: usize, cells: Vec<Cell>, rounds: Rounds) -> Self {
        Self { benches, cells, rounds }
    }

    /// The runs of one round, in order. A round's order depends on seed and number alone, so rounds can be
    /// added to a run without changing those before.
    pub fn round(&self, round: u32) -> Vec<Slot> {
        let mut order = self.places();
        let mut rng = ChaCha8Rng::seed_from_u64(self.rounds.seed);
        rng.set_stream(u64::from(round));
        order.shuffle(&mut rng);
        let warmup = round < self.rounds.warmup;
        (0u32..).zip(order).map(|(position, place)| Slot { round, position, warmup, place }).collect()
    }

    /// Every bench and cell.
    pub fn places(&self) -> Vec<Place> {
        let cells = self.cells.len();
        (0..self.benches).flat_map(|bench| (0..cells).map(move |cell| Place { bench, cell })).collect()
    }

    /// Every bench and container cell.
    pub fn container_places(&self) -> Vec<Place> {
        let is_container = |place: &Place| self.cells[place.cell].case.is_container();
        self.places().into_iter().filter(is_container).collect()
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

/// The plan for these benches and cases of a matrix. Each baseline that is among the cases gets an A/A twin; where no
/// baseline is, the first case does.
///
/// # Errors
/// When a case is of another matrix.
pub fn plan(benches: Vec<Bench>, (matrix, cases): (&Matrix, &[Case]), rounds: Rounds) -> anyhow::Result<Plan> {
    let has_baseline = cases.iter().any(Case::is_baseline);
    let mut cells = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        cells.push(Cell::of(case.clone()));
        if case.is_baseline() || (!has_baseline && index == 0) {
            cells.push(Cell::twin_of(case.clone()));
        }
    }
    let programs: BTreeSet<&str> = benches.iter().map(|bench| bench.program.as_str()).collect();
    let kinds: BTreeSet<Kind> = cases.iter().map(|case| case.form).collect();
    let of =
        |program: &str| kinds.iter().map(|kind| Build { program: program.to_owned(), kind: *kind }).collect::<Vec<_>>();
    let mut builds: Vec<Build> = programs.iter().flat_map(|program| of(program)).collect();
    if cases.iter().any(|case| case.runtime.pod.is_some()) {
        builds.push(Build { program: PAUSE.to_owned(), kind: Kind::Native });
    }
    let schedule = Schedule::new(benches.len(), cells.clone(), rounds);
    Ok(Plan { benches, cells, builds, calibration: None, programs: used(matrix, cases)?, schedule, traced: None })
}

/// What starts and executes these cases, and compiles their modules.
fn used(matrix: &Matrix, cases: &[Case]) -> anyhow::Result<BTreeSet<String>> {
    let mut programs = BTreeSet::new();
    for case in cases {
        let behaviour = &matrix.runtime(case)?.behaviour;
        programs.extend(behaviour.program().map(str::to_owned));
        programs.extend(matrix.compile(case.form).map(|(_, compile)| compile.program.clone()));
        if matches!(behaviour, Behaviour::Process { own: None }) {
            programs.extend(matrix.engine(case).map(|engine| engine.program.clone()));
        }
    }
    Ok(programs)
}

impl Plan {
    /// With what tells how its modules are executed, and what isolates its containers.
    #[must_use]
    pub fn looking(self, calibration: Calibration) -> Self {
        Self { calibration: Some(calibration), ..self }
    }

    /// Everything that has to be built: what is measured, and what is looked with: the calibration in each form that a module
    /// has, and natively; and what looks around in a container.
    pub fn all_builds(&self) -> Vec<Build> {
        let mut all = self.builds.clone();
        let Some(calibration) = &self.calibration else { return all };
        let build = |program: &str, kind| Build { program: program.to_owned(), kind };
        if self.has_modules() {
            let forms: BTreeSet<Kind> = self.cells.iter().map(|cell| cell.case.form).chain([Kind::Native]).collect();
            all.extend(forms.into_iter().map(|kind| build(&calibration.program, kind)));
        }
        if self.cells.iter().any(|cell| cell.case.is_container() && cell.case.mode == Mode::Native) {
            all.push(build(SURROUNDINGS, Kind::Native));
        }
        all
    }

    /// Whether this program's runs are measured, and its files and images are what a run is about.
    pub fn measures(&self, program: &str) -> bool {
        self.benches.iter().any(|bench| bench.program == program)
    }

    /// Whether this program is what traced runs are made of.
    pub fn traces(&self, program: &str) -> bool {
        self.traced.iter().flat_map(|traced| &traced.benches).any(|bench| bench.program == program)
    }

    /// Whether a file is needed in an image. Outside of what is measured that is what containers run.
    pub fn is_shipped(&self, program: &str, kind: Kind) -> bool {
        self.measures(program)
            || self.traces(program)
            || (self.has_containers() && (kind != Kind::Native || [SURROUNDINGS, PAUSE].contains(&program)))
    }

    /// The plan with traced rounds beside its own, of the benches that have a stamped program or are somebody's own.
    ///
    /// # Errors
    /// When none has.
    pub fn with_traces(mut self) -> anyhow::Result<Self> {
        let traced = |bench: &Bench| match &bench.tracing {
            Tracing::Not => None,
            Tracing::Stamped(program) => Some(Bench { program: program.clone(), ..bench.clone() }),
            Tracing::AsItIs => Some(bench.clone()),
        };
        let benches: Vec<Bench> = self.benches.iter().filter_map(traced).collect();
        anyhow::ensure!(
            !benches.is_empty(),
            "nothing can be traced: none of these benches has a program that prints its clock (`stamped` in its table)"
        );
        let kinds: BTreeSet<Kind> = self.cells.iter().map(|cell| cell.case.form).collect();
        let programs: BTreeSet<&str> = benches.iter().map(|bench| bench.program.as_str()).collect();
        let builds = programs
            .into_iter()
            .flat_map(|program| kinds.iter().map(move |kind| Build { program: program.to_owned(), kind: *kind }));
        let known: BTreeSet<Build> = self.builds.iter().cloned().collect();
        self.builds.extend(builds.filter(|build| !known.contains(build)));
        // For a pod nothing is started here: its phases are the calls, of every run.
        let is_traced = |cell: &&Cell| !cell.is_twin() && cell.case.runtime.pod.is_none();
        let cells = self.cells.iter().filter(is_traced).cloned().collect();
        let rounds = self.schedule.rounds();
        // Another seed, so that a traced round has an order of its own.
        let rounds = Rounds { seed: rounds.seed.wrapping_add(1), ..rounds };
        self.traced = Some(TracedPlan { schedule: Schedule::new(benches.len(), cells, rounds), benches });
        Ok(self)
    }

    /// The plan with the modules that are compiled ahead of time built as such too: of first use it is timed what compiling takes.
    #[must_use]
    pub fn with_modules(mut self, matrix: &Matrix) -> Self {
        let compiled = self.builds.iter().filter(|build| matrix.compile(build.kind).is_some());
        let modules: BTreeSet<Build> = compiled.map(|build| Build { kind: Kind::Wasm, ..build.clone() }).collect();
        self.builds.extend(modules.into_iter().filter(|module| !self.builds.contains(module)).collect::<Vec<_>>());
        self
    }

    /// Whether any cell needs containerd.
    pub fn has_containers(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.is_container())
    }

    /// Whether any cell needs containerd's CRI.
    pub fn has_pods(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.runtime.pod.is_some())
    }

    /// Whether any cell executes a module.
    pub fn has_modules(&self) -> bool {
        self.cells.iter().any(|cell| cell.case.mode != Mode::Native)
    }

    /// Whether any cell needs this program.
    pub fn needs(&self, program: &str) -> bool {
        self.programs.contains(program)
    }

    /// The images that containers are run from, by kind and name.
    pub fn images_to_run(&self) -> BTreeSet<(Kind, &str)> {
        self.cells.iter().filter_map(|cell| Some((cell.case.form, cell.case.image.as_deref()?))).collect()
    }

    /// The names of the images to be assembled: those that are run, and of each kind that is built the default one, whose
    /// size counts without any container.
    pub fn images(&self) -> BTreeSet<&str> {
        let defaults = self.builds.iter().map(|build| build.kind.name());
        defaults.chain(self.images_to_run().into_iter().map(|(_, name)| name)).collect()
    }
}

#[cfg(test)]
mod tests;
