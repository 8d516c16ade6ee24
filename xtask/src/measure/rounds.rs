//! The loop: round by round, run by run, each checked and written down before the next begins.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context as _;

use super::orphans::Orphans;
use crate::bench::Reads;
use crate::containerd::Ctr;
use crate::containerd::events::{TaskEvents, TaskStarts};
use crate::invocation::Invocation;
use crate::plan::{Place, Slot};
use results::store::SampleSink;
use results::{NotMeasured, Outcome, ResourceRecord, RunStatus, Sample, UntilEnd, UntilReason};

use super::bar::RoundsBar;
use super::calls::PodHost;
use super::child::{End, Ran};
use super::expectation::Expectations;
use super::feed;
use super::resources::{Resources, Watched};
use super::runs::{ComparedOutput, PodStart, Runs, Start, Until};
use super::single::{self, Attempt};
use super::traced::{Shared, Traced, TracedRounds, TracedRuns};
use super::watchdog::Watchdog;
use crate::clock::Stopwatch;
use crate::stop::Stop;
use oci::digest::Digest;

/// What the loop came to.
#[derive(Clone, Debug)]
pub struct RoundsEnd {
    /// How it ended.
    pub status: RunStatus,
    /// Why, when it failed.
    pub reason: Option<String>,
    /// From the first timed region's start to the last one's end.
    pub rounds_wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// Samples that were written.
    pub samples: u64,
    /// Cells that were given up.
    pub not_measured: Vec<NotMeasured>,
    /// Why it stopped, when it was to stop on precision.
    pub until: Option<UntilEnd>,
    /// What was read of memory and processor time; absent when that was not wanted.
    pub resources: Option<ResourceRecord>,
    /// What benches had to print that nobody had said before, by their names.
    pub learned: Vec<(String, Digest)>,
}

/// The widest relative interval of a watched ratio so far, as a fraction; `None` while one has no interval.
pub type Width<'a> = &'a dyn Fn(&[Sample]) -> Option<f64>;

/// What the rounds are made of: what to run, where containers run, and which cells can not.
#[derive(Debug)]
pub struct RoundsInput<'a> {
    /// What to run.
    pub runs: &'a Runs,
    /// The client of the containerd that is up; absent when none is.
    pub ctr: Option<&'a Ctr>,
    /// What makes pods; absent when there are none.
    pub pods: Option<PodHost<'a>>,
    /// What containers leave to be reaped; absent where somebody else reaps it.
    pub orphans: Option<Orphans>,
    /// Bench and cell pairs that can not be run, with the reason: no image, no containerd.
    pub barred: BTreeMap<Place, String>,
    /// What is measured beside time.
    pub resources: Resources,
    /// What is traced beside them.
    pub traced: Option<&'a TracedRuns>,
    /// Those of its pairs that can not be run.
    pub traced_barred: BTreeMap<Place, String>,
}

/// Makes the runs of a plan until its last round, until they are precise enough, or until `stop`.
pub fn run<'a>(input: RoundsInput<'a>, sink: &mut SampleSink, stop: &'a Stop, width: Width<'_>) -> RoundsEnd {
    let mut running = Loop {
        barred: input.barred,
        failures: BTreeMap::new(),
        samples: Vec::new(),
        timed_ns: 0,
        clock: None,
        wall_ns: 0,
        until: None,
        runs: input.runs,
        ctr: input.ctr,
        pods: input.pods,
        stop,
        orphans: input.orphans,
        events: None,
        traced: None,
        resources: input.resources,
        expectations: Expectations::default(),
        task_starts: None,
    };
    running.bar_known_obstacles();
    running.listen();
    let ended = Watchdog::start(stop).and_then(|watchdog| {
        let traced = input.traced.map(|traced| TracedRounds::new(traced, input.ctr, input.traced_barred));
        running.traced = traced.transpose()?;
        running.rounds(sink, &watchdog, width)
    });
    let (status, reason) = match ended {
        Ok(status) => (status, None),
        Err(error) => (RunStatus::Failed, Some(format!("{error:#}"))),
    };
    let not_measured = running
        .barred
        .iter()
        // A twin that failed beside its case says nothing new; one that failed alone is named as what it is.
        .filter(|(place, _)| !is_beside_its_case(input.runs, **place, &running.barred))
        .map(|(place, reason)| NotMeasured {
            bench: input.runs.bench(*place).name.clone(),
            case: input.runs.cell(*place).name.clone(),
            metric: None,
            reason: reason.clone(),
        })
        .collect();
    RoundsEnd {
        status,
        reason,
        rounds_wall_ns: running.wall_ns,
        timed_ns: running.timed_ns,
        samples: running.samples.len() as u64,
        not_measured,
        until: running.until,
        resources: running.resources.finish(),
        learned: running.expectations.learned(),
    }
}

/// Whether a cell is a twin whose case is in the list too.
fn is_beside_its_case(runs: &Runs, place: Place, barred: &BTreeMap<Place, String>) -> bool {
    let Some(first) = &runs.cell(place).twin_of else { return false };
    barred.keys().any(|other| other.bench == place.bench && runs.cell(*other).name == *first)
}

fn container_name(slot: Slot) -> String {
    format!("r{}-p{}", slot.round, slot.position)
}

struct Loop<'a> {
    runs: &'a Runs,
    ctr: Option<&'a Ctr>,
    pods: Option<PodHost<'a>>,
    stop: &'a Stop,
    orphans: Option<Orphans>,
    barred: BTreeMap<Place, String>,
    failures: BTreeMap<Place, u32>,
    samples: Vec<Sample>,
    timed_ns: u64,
    clock: Option<Stopwatch>,
    wall_ns: u64,
    until: Option<UntilEnd>,
    events: Option<TaskEvents>,
    traced: Option<TracedRounds<'a>>,
    resources: Resources,
    expectations: Expectations,
    task_starts: Option<TaskStarts>,
}

impl Loop<'_> {
    fn rounds(&mut self, sink: &mut SampleSink, watchdog: &Watchdog, width: Width<'_>) -> anyhow::Result<RunStatus> {
        let all = (self.runs, 0..self.runs.benches.len());
        let Some(expectations) = Expectations::learn(all, watchdog, &mut self.barred)? else {
            return Ok(RunStatus::Interrupted);
        };
        self.expectations = expectations;
        if let Some(traced) = &mut self.traced {
            traced.bar_as(self.runs, &self.barred);
        }
        let rounds = self.runs.schedule.rounds();
        let mut bar = RoundsBar::new(rounds.warmup + rounds.counted, self.runs.schedule.slots_per_round());
        for round in 0..rounds.warmup + rounds.counted {
            for slot in self.runs.schedule.round(round) {
                if self.stop.is_requested() {
                    return Ok(RunStatus::Interrupted);
                }
                let (bench, cell) = (self.runs.bench(slot.place), self.runs.cell(slot.place));
                bar.show(&slot, [&bench.name, &cell.name]);
                if self.barred.contains_key(&slot.place) {
                    continue;
                }
                let Some(sample) = self.one(slot, watchdog)? else { return Ok(RunStatus::Interrupted) };
                sink.append(&sample)?;
                self.count(slot, &sample);
                self.samples.push(sample);
            }
            if self.trace(round, watchdog, self.stop)? == Traced::Stopped {
                return Ok(RunStatus::Interrupted);
            }
            self.until = self.runs.until.as_ref().and_then(|until| self.look(round + 1, until, width));
            if self.until.is_some() {
                break;
            }
        }
        bar.clear();
        Ok(RunStatus::Complete)
    }

    /// The traced round beside a plain one.
    fn trace(&mut self, round: u32, watchdog: &Watchdog, stop: &Stop) -> anyhow::Result<Traced> {
        let Some(traced) = &mut self.traced else { return Ok(Traced::Done) };
        let shared = Shared { expectations: &mut self.expectations, starts: self.task_starts.as_mut() };
        let ended = traced.round(round, shared, (watchdog, stop))?;
        self.reap_all();
        Ok(ended)
    }

    /// Why the run has to stop after so many rounds, if it has to. It stops on precision at a preset look only: looking
    /// more often would spend the confidence that the looks share.
    fn look(&self, rounds_done: u32, until: &Until, width: Width<'_>) -> Option<UntilEnd> {
        let planned = self.runs.schedule.rounds();
        let rounds = rounds_done.saturating_sub(planned.warmup);
        let is_look = until.looks.contains(&rounds);
        let is_over = until.budget_ms.is_some_and(|budget| self.wall_ns / 1_000_000 >= budget);
        if !is_look && !is_over && rounds < planned.counted {
            return None;
        }
        let widest = width(&self.samples);
        let reason = match widest {
            Some(widest) if is_look && widest <= until.relative_width => UntilReason::Reached,
            _ if rounds >= planned.counted => UntilReason::Rounds,
            _ if is_over => UntilReason::Budget,
            _ => return None,
        };
        Some(UntilEnd { reason, rounds, widest_percent: widest.map(|width| width * 100.0) })
    }

    fn one(&mut self, slot: Slot, watchdog: &Watchdog) -> anyhow::Result<Option<Sample>> {
        let id = container_name(slot);
        let limit = Duration::from_millis(self.runs.timeout_ms);
        // What a pod uses is not only its container's, and containerd's CRI puts both where it wants.
        let watched = match self.runs.start(slot.place) {
            Start::Pod(_) => Watched::default(),
            _ => self.resources.before(&id, self.runs.cell(slot.place).case.is_container()),
        };
        let attempt = Attempt { cgroup: watched.container_group(), ..Attempt::plain(&id) };
        let of = (self.runs.bench(slot.place), &self.runs.cell(slot.place).case);
        let clock = *self.clock.get_or_insert_with(Stopwatch::start);
        let ran = match self.runs.start(slot.place) {
            Start::Pod(start) => self.in_pod(slot, (&id, start), limit),
            start => single::invocation_as(start, of, (self.ctr, &attempt))
                .and_then(|invocation| self.child(slot, &invocation, limit, watchdog)),
        };
        self.wall_ns = clock.elapsed_ns();
        let sample = match ran {
            Ok(ran) if ran.end == End::Stopped => {
                self.clean(slot, &id)?;
                return Ok(None);
            }
            Ok(ran) => {
                let used = self.resources.after(&watched, &ran);
                self.show(&ran)?;
                let mut sample = self.judge(slot, &ran);
                sample.values.extend(used);
                sample
            }
            Err(error) => self.row(slot, None, Outcome::NotStarted, Some(format!("{error:#}"))),
        };
        let sample = self.confirmed(slot, &id, sample);
        self.timed_ns += sample.wall_ns().unwrap_or(0);
        if sample.outcome != Outcome::Ok {
            self.clean(slot, &id)?;
        }
        self.resources.release(watched);
        self.reap(slot);
        Ok(Some(sample))
    }

    /// Runs a program, which has its standard input from itself where it is no client of a container.
    fn child(
        &mut self,
        slot: Slot,
        invocation: &Invocation,
        limit: Duration,
        watchdog: &Watchdog,
    ) -> anyhow::Result<Ran> {
        let is_client = matches!(self.runs.start(slot.place), Start::Container { .. });
        let starts = self.task_starts.as_mut().filter(|_| is_client);
        let input = &self.runs.bench(slot.place).input.stdin;
        feed::child(invocation, (input, starts, &container_name(slot)), (limit, watchdog))
    }

    fn show(&self, ran: &Ran) -> anyhow::Result<()> {
        if self.runs.output == ComparedOutput::Shown {
            crate::console::result(&ran.stdout)?;
            crate::console::bytes(&ran.stderr);
        }
        Ok(())
    }

    /// After a container's run, never during one. Its own shim may end only now: the next one reaps that.
    fn reap(&mut self, slot: Slot) {
        if self.runs.cell(slot.place).case.is_container() {
            self.reap_all();
        }
    }

    fn reap_all(&mut self) {
        if let Some(orphans) = &self.orphans
            && let Err(error) = orphans.reap()
        {
            crate::console::note(format_args!("{error:#}"));
            self.orphans = None;
        }
    }

    /// What is known of a bench before any of its cells is started.
    fn bar_known_obstacles(&mut self) {
        let (benches, cells) = (self.runs.benches.len(), self.runs.schedule.cells().len());
        let places = (0..benches).flat_map(|bench| (0..cells).map(move |cell| Place { bench, cell }));
        let obstacle = |place: Place| {
            single::obstacle(self.runs.start(place), (self.runs.bench(place), &self.runs.cell(place).case))
        };
        let barred: Vec<_> = places.filter_map(|place| Some((place, obstacle(place)?))).collect();
        self.barred.extend(barred);
    }

    /// Before the first round: without its events no container of `ctr` can be believed. That one of a pod has ended is known
    /// from containerd itself.
    fn listen(&mut self) {
        let Some(ctr) = self.ctr else { return };
        let all = self.runs.schedule.container_places();
        let is_ctrs = |place: &Place| {
            matches!(self.runs.start(*place), Start::Container { .. }) && !self.barred.contains_key(place)
        };
        let places: BTreeSet<Place> = all.into_iter().filter(is_ctrs).collect();
        if places.is_empty() {
            return;
        }
        let with_input: BTreeSet<Place> =
            places.iter().copied().filter(|place| self.runs.bench(*place).input.stdin != Reads::Nothing).collect();
        if !with_input.is_empty() {
            match TaskStarts::listen(ctr) {
                Ok(starts) => self.task_starts = Some(starts),
                Err(error) => self.barred.extend(with_input.into_iter().map(|place| (place, format!("{error:#}")))),
            }
        }
        match TaskEvents::start(ctr, places.clone()) {
            Ok(events) => self.events = Some(events),
            Err(error) => self.barred.extend(places.into_iter().map(|place| (place, format!("{error:#}")))),
        }
    }

    /// Runs a cell in a pod.
    fn in_pod(&mut self, slot: Slot, (id, start): (&str, &PodStart), limit: Duration) -> anyhow::Result<Ran> {
        let image = self.runs.image(slot.place).context("it has no image")?;
        let pods = self.pods.as_mut().context("no containerd with CRI is running")?;
        pods.run((id, start), (image, &self.runs.bench(slot.place).args), limit, self.stop)
    }

    /// A container whose client was killed goes on without it, and one that failed may be left half made.
    fn clean(&mut self, slot: Slot, id: &str) -> anyhow::Result<()> {
        match (self.ctr, &mut self.pods) {
            (_, Some(pods)) if self.runs.cell(slot.place).case.runtime.pod.is_some() => pods.clean(),
            (Some(ctr), _) if self.runs.cell(slot.place).case.is_container() => ctr.remove(id),
            _ => Ok(()),
        }
    }
}

mod outcome;

#[cfg(test)]
mod tests;
