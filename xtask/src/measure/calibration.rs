//! How the modules of each case are executed, seen before the rounds: the calibration by every case that runs modules and
//! natively beside it, until it is clear or can not be told.
//!
//! Outside of every timed round. What follows from the times is `results::observed`'s.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::child;
use super::child::{End, Ran};
use super::rounds::RoundsInput;
use super::runs::{CalibrationRuns, Start};
use super::single;
use super::watchdog::Watchdog;
use crate::plan::{Place, Schedule};
use crate::stop::Stop;
use results::case::{Case, Kind, Mode};
use results::observed::ModeObserved;

/// When it is not clear by then, it can not be told.
const RUNS_MAX: usize = 4;

/// How the modules of each case were executed, by the case's name.
pub type Modes = BTreeMap<String, ModeObserved>;

/// Looks at every case that runs modules and that nothing bars in every bench.
///
/// # Errors
/// When there is no watchdog.
pub fn observe(calibration: &CalibrationRuns, input: &RoundsInput<'_>, stop: &Stop) -> anyhow::Result<Modes> {
    let watchdog = Watchdog::start(stop)?;
    let mut looking = Looking { calibration, input, watchdog: &watchdog, containers: 0 };
    let mut modes = Modes::new();
    for (index, cell) in input.runs.schedule.cells().iter().enumerate() {
        let is_barred = |bench| input.barred.contains_key(&Place { bench, cell: index });
        if cell.is_twin() || cell.case.mode == Mode::Native || (0..input.runs.benches.len()).all(is_barred) {
            continue;
        }
        let seen = looking.at(&input.runs.starts[index], &cell.case, stop);
        modes.insert(cell.case.name.clone(), seen.unwrap_or_else(|error| ModeObserved::untold(format!("{error:#}"))));
    }
    Ok(modes)
}

/// The cells whose modules were executed in another mode than the one that was asked for, with the reason.
pub fn contradictions(schedule: &Schedule, modes: &Modes) -> BTreeMap<Place, String> {
    let places = schedule.places().into_iter();
    let contradicted = places.filter_map(|place| {
        let case = &schedule.cells()[place.cell].case;
        Some((place, modes.get(&case.name)?.contradiction(case.mode)?))
    });
    contradicted.collect()
}

struct Looking<'a> {
    calibration: &'a CalibrationRuns,
    input: &'a RoundsInput<'a>,
    watchdog: &'a Watchdog,
    containers: u32,
}

impl Looking<'_> {
    fn at(&mut self, start: &Start, case: &Case, stop: &Stop) -> anyhow::Result<ModeObserved> {
        // The same program as a process: what a walk takes when the processor executes it.
        let native = Case { form: Kind::Native, ..case.clone() };
        let (mut of_case, mut of_native) = (Vec::new(), Vec::new());
        for run in 1.. {
            ensure!(!stop.is_requested(), "it was interrupted");
            of_native.extend(self.times(&Start::Process, &native)?);
            of_case.extend(self.times(start, case)?);
            let seen = ModeObserved::of(case.form, &of_case, &of_native);
            if seen.is_settled(case.mode) || run == RUNS_MAX {
                return Ok(seen);
            }
        }
        Ok(ModeObserved::untold("it was not run"))
    }

    /// The times of the walks of one run.
    fn times(&mut self, start: &Start, case: &Case) -> anyhow::Result<Vec<u64>> {
        let limit = Duration::from_millis(self.input.runs.timeout_ms);
        let id = format!("calibration-{}", self.containers);
        let ctr = self.input.ctr.filter(|_| matches!(start, Start::Container { .. } | Start::Pod(_)));
        self.containers += u32::from(ctr.is_some());
        let program = &self.calibration.program;
        let ran = child::run(&single::invocation(start, (program, case), (ctr, &id))?, limit, self.watchdog)?;
        if let Some(ctr) = ctr {
            if ran.end != End::Exited(0) {
                ctr.remove(&id)?;
            }
            if let Some(orphans) = &self.input.orphans {
                orphans.reap()?;
            }
        }
        ensure!(ran.end != End::Stopped, "it was interrupted");
        ended_well(&ran, limit).context("the calibration failed")?;
        let times = self.calibration.expected.times(&ran.stdout)?;
        let walked = times.iter().fold(0, |sum: u64, ns| sum.saturating_add(*ns));
        ensure!(
            walked <= ran.wall_ns,
            "its walks took {walked} ns, and all of it {} ns: its clock is wrong",
            ran.wall_ns
        );
        Ok(times)
    }
}

/// Whatever it printed.
fn ended_well(ran: &Ran, limit: Duration) -> anyhow::Result<()> {
    match single::failure(ran, limit) {
        None => Ok(()),
        Some((_, reason)) => anyhow::bail!("{reason}"),
    }
}
