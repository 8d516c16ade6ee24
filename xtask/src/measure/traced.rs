//! Traced rounds, beside the plain ones: each traced bench in each case once, with everything dated that can be. No statistic
//! of the plain runs knows of them.
//!
//! A moment is dated by whoever knows it: containerd and its shims by their events, the program by its clock, our shims by
//! marks in a file. All of it is counted from the start of the timed region. Not here: phases (`results::timeline`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::child::{End, Ran};
use super::expectation::Expectations;
use super::feed;
use super::marks::{self, MarksFile};
use super::runs::Runs;
use super::single::{self, Attempt};
use super::stamps;
use super::watchdog::Watchdog;
use crate::clock::{Bridge, Clocks};
use crate::containerd::Ctr;
use crate::containerd::dates::Dates;
use crate::containerd::events::TaskStarts;
use crate::plan::{Place, Slot};
use crate::stop::Stop;
use results::Outcome;
use results::store::SampleSink;
use results::timeline::{ProgramClock, Trace, mark};

/// A cell that failed so often in a row is traced no more.
const FAILURES_IN_A_ROW: u32 = 3;

/// What is to be traced, and where it is written to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TracedRuns {
    /// The runs, under the names of the benches that they are beside.
    pub runs: Runs,
    /// For each of their benches whether its program prints its clock.
    pub clocks: Vec<ProgramClock>,
    /// The file that traced runs are appended to.
    pub file: PathBuf,
}

/// The traced rounds of a session.
#[derive(Debug)]
pub struct TracedRounds<'a> {
    runs: &'a Runs,
    clocks: &'a [ProgramClock],
    ctr: Option<&'a Ctr>,
    sink: SampleSink,
    folder: tempfile::TempDir,
    /// With the reason, until that was written down.
    barred: BTreeMap<Place, Option<String>>,
    failures: BTreeMap<Place, u32>,
}

/// What traced rounds share with the plain ones beside them.
#[derive(Debug)]
pub struct Shared<'a> {
    /// What has to be printed.
    pub expectations: &'a mut Expectations,
    /// What containers are told the end of their standard input by.
    pub starts: Option<&'a mut TaskStarts>,
}

/// Whether rounds go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// They do.
    Done,
    /// Somebody wished to stop.
    Stopped,
}

impl<'a> TracedRounds<'a> {
    /// Ready for the first one; `barred` can not be run, and is not traced either.
    ///
    /// # Errors
    /// When there is nowhere to write to.
    pub fn new(traced: &'a TracedRuns, ctr: Option<&'a Ctr>, barred: BTreeMap<Place, String>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("can not make a folder for the marks of shims")?;
        Ok(Self {
            runs: &traced.runs,
            clocks: &traced.clocks,
            ctr,
            sink: SampleSink::open(&traced.file)?,
            folder,
            barred: barred.into_iter().map(|(place, reason)| (place, Some(reason))).collect(),
            failures: BTreeMap::new(),
        })
    }

    /// What can not be run plainly is not traced either, for the same reason.
    pub fn bar_as(&mut self, plain: &Runs, barred: &BTreeMap<Place, String>) {
        for place in self.runs.schedule.places() {
            let names = (&self.runs.bench(place).name, &self.runs.cell(place).name);
            let found =
                barred.iter().find(|(other, _)| (&plain.bench(**other).name, &plain.cell(**other).name) == names);
            if let Some((_, reason)) = found {
                self.barred.entry(place).or_insert_with(|| Some(reason.clone()));
            }
        }
    }

    /// Traces every cell once. It listens to containerd while it does, and not before or after.
    ///
    /// # Errors
    /// When what was traced can not be written down, or a container can not be removed.
    pub fn round(
        &mut self,
        round: u32,
        mut shared: Shared<'_>,
        (watchdog, stop): (&Watchdog, &Stop),
    ) -> anyhow::Result<Traced> {
        let mut slots = Vec::new();
        for slot in self.runs.schedule.round(round) {
            match self.barred.get_mut(&slot.place) {
                None => slots.push(slot),
                Some(reason) => {
                    if let Some(reason) = reason.take_if(|_| !slot.warmup) {
                        self.sink.append(&row(self.runs, slot, None, (Outcome::NotStarted, Some(reason))))?;
                    }
                }
            }
        }
        let needs_events = slots.iter().any(|slot| self.is_container(*slot));
        let ctr = self.ctr.filter(|_| needs_events);
        let mut dates = ctr.map(Dates::start).transpose().context("no container can be traced")?;
        for slot in slots {
            if stop.is_requested() {
                return Ok(Traced::Stopped);
            }
            let Some(trace) = self.one(slot, (dates.as_mut(), &mut shared), watchdog)? else {
                return Ok(Traced::Stopped);
            };
            self.sink.append(&trace)?;
            let failures = self.failures.entry(slot.place).or_default();
            *failures = if trace.outcome == Outcome::Ok { 0 } else { *failures + 1 };
            if *failures >= FAILURES_IN_A_ROW {
                self.barred.insert(slot.place, None);
            }
        }
        Ok(Traced::Done)
    }

    fn is_container(&self, slot: Slot) -> bool {
        self.runs.cell(slot.place).case.is_container()
    }

    /// One traced run; `None` when somebody wished to stop.
    fn one(
        &self,
        slot: Slot,
        (dates, shared): (Option<&mut Dates>, &mut Shared<'_>),
        watchdog: &Watchdog,
    ) -> anyhow::Result<Option<Trace>> {
        let id = format!("t{}-p{}", slot.round, slot.position);
        let limit = Duration::from_millis(self.runs.timeout_ms);
        let file = MarksFile::create(&self.folder.path().join(&id))?;
        let first = Clocks::read();
        // A runtime that knows no such wish ignores it.
        let annotations = [(marks::ANNOTATION.to_owned(), file.path().to_string_lossy().into_owned())].into();
        let attempt = Attempt { annotations, ..Attempt::plain(&id) };
        let of = (self.runs.bench(slot.place), &self.runs.cell(slot.place).case);
        let starts = shared.starts.as_deref_mut().filter(|_| self.is_container(slot));
        let ran = single::invocation_as(self.runs.start(slot.place), of, (self.ctr, &attempt))
            .and_then(|invocation| feed::child(&invocation, (&of.0.input.stdin, starts, &id), (limit, watchdog)));
        let bridge = Bridge::new(first, Clocks::read());
        let trace = match ran {
            Ok(ran) if ran.end == End::Stopped => {
                self.clean(slot, &id)?;
                return Ok(None);
            }
            Ok(ran) => {
                let mut trace = self.judged(slot, &ran, shared.expectations);
                let noted = file.take()?;
                trace.marks.extend(noted.into_iter().map(|(name, at)| (name, at - ran.began_ns)));
                if let Some(dates) = dates.filter(|_| self.is_container(slot) && trace.outcome == Outcome::Ok) {
                    let moments = dates.of(&id)?.into_iter();
                    let moments = moments.map(|(name, at)| (name.to_owned(), bridge.monotonic_ns(at) - ran.began_ns));
                    trace.marks.extend(moments);
                    trace.clock_error_ns = Some(bridge.error_ns());
                }
                trace
            }
            Err(error) => row(self.runs, slot, None, (Outcome::NotStarted, Some(format!("{error:#}")))),
        };
        if trace.outcome != Outcome::Ok {
            self.clean(slot, &id)?;
        }
        Ok(Some(trace))
    }

    /// The output between the stamps, where there are any, is compared as any; the stamps have to lie within the run, or they
    /// are of another clock, and of no use.
    fn judged(&self, slot: Slot, ran: &Ran, expectations: &mut Expectations) -> Trace {
        let row = |outcome, reason| row(self.runs, slot, Some(ran), (outcome, reason));
        if let Some((outcome, reason)) = single::failure(ran, Duration::from_millis(self.runs.timeout_ms)) {
            return row(outcome, Some(reason));
        }
        let stamped = match self.clocks.get(slot.place.bench) {
            Some(ProgramClock::Unknown) => None,
            _ => match stamps::parse(&ran.stdout) {
                Ok(stamped) => Some(stamped),
                Err(error) => return row(Outcome::WrongOutput, Some(format!("it is no stamped program: {error:#}"))),
            },
        };
        let printed = stamped.as_ref().map_or(&ran.stdout[..], |stamped| stamped.rest);
        let names = (&*self.runs.bench(slot.place).name, &*self.runs.cell(slot.place).name);
        if let Some(fault) = expectations.fault(names, printed) {
            return row(Outcome::WrongOutput, Some(fault));
        }
        let Some(stamped) = stamped else { return row(Outcome::Ok, None) };
        let within = |at: i64| (0..=i64::try_from(ran.wall_ns).unwrap_or(i64::MAX)).contains(&(at - ran.began_ns));
        if !within(stamped.first_ns) || !within(stamped.last_ns) {
            return row(Outcome::Ok, Some("the program's monotonic clock is not the host's".to_owned()));
        }
        let moments = [(mark::FIRST_INSTRUCTION, stamped.first_ns), (mark::LAST_INSTRUCTION, stamped.last_ns)];
        let marks = moments.into_iter().map(|(name, at)| (name.to_owned(), at - ran.began_ns)).collect();
        Trace { marks, ..row(Outcome::Ok, None) }
    }

    fn clean(&self, slot: Slot, id: &str) -> anyhow::Result<()> {
        match self.ctr.filter(|_| self.is_container(slot)) {
            Some(ctr) => ctr.remove(id),
            None => Ok(()),
        }
    }
}

fn row(runs: &Runs, slot: Slot, ran: Option<&Ran>, (outcome, reason): (Outcome, Option<String>)) -> Trace {
    Trace {
        bench: runs.bench(slot.place).name.clone(),
        case: runs.cell(slot.place).name.clone(),
        round: slot.round,
        position: slot.position,
        warmup: slot.warmup,
        wall_ns: ran.map(|ran| ran.wall_ns),
        marks: BTreeMap::new(),
        clock_error_ns: None,
        outcome,
        reason,
    }
}

#[cfg(test)]
mod tests;
