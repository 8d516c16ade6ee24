//! The rounds on a cluster: Jobs one after the other, in randomised blocks that hold every cell of every node.
//!
//! Not here: one Job (`job`), what is applied (`objects`), `kubectl`'s arguments (`kubectl`).

use std::collections::BTreeMap;

use super::kubectl::Kubectl;
use super::objects::{Network, Pods};
use crate::clock::Stopwatch;
use crate::matrix::Annotations;
use crate::measure::expectation::Expectations;
use crate::measure::runs::{NamedImage, RunnableBench, Runs};
use crate::measure::watchdog::Watchdog;
use crate::plan::{Place, Slot};
use crate::stop::Stop;
use job::{Asked, Failure, Observer};
use oci::digest::Digest;
use output::Judge;
use results::store::SampleSink;
use results::{MaybeNs, NotMeasured, Outcome, RunStatus, Sample, metric};

mod counters;
pub mod job;
pub mod output;
mod pull;

/// A cell that failed so often in a row is given up.
const FAILURES_IN_A_ROW: u32 = 3;
/// What the counters of kubelets are called where they are not measured.
const COUNTERS: &str = "the kubelet's calls";
/// What the time of a pull is called where it is not measured.
const PULL: &str = "the image's pull";

/// Where Jobs run.
#[derive(Debug)]
pub struct Jobs<'a> {
    /// The cluster.
    pub kubectl: &'a Kubectl,
    /// What is run.
    pub runs: &'a Runs,
    /// What the pods of each cell are annotated with.
    pub annotations: Vec<Annotations>,
    /// The pods of each bench.
    pub pods: Vec<Pods>,
    /// How many programs there are: these benches come again for the pods of each kind, in this order.
    pub programs: usize,
    /// The image of each run whose node has to pull one, by round and place.
    pub pulled: BTreeMap<(u32, Place), NamedImage>,
    /// The network of pods.
    pub network: Network,
    /// The Secret with which nodes pull.
    pub pull_secret: Option<String>,
    /// A beginning of names that no other run has.
    pub prefix: String,
}

/// What the rounds came to.
#[derive(Debug)]
pub struct JobsEnd {
    /// How they ended.
    pub status: RunStatus,
    /// From the first Job to the last one's end.
    pub wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// Samples that were written.
    pub samples: u64,
    /// What was given up.
    pub not_measured: Vec<NotMeasured>,
    /// What the native program said that a bench has to print, by the bench's name.
    pub learned: Vec<(String, Digest)>,
}

struct Loop<'a> {
    jobs: &'a Jobs<'a>,
    observer: Observer<'a>,
    expectations: Expectations,
    barred: BTreeMap<Place, String>,
    failures: BTreeMap<Place, u32>,
    /// Pulls whose time nobody has said.
    unsaid: BTreeMap<Place, u32>,
    end: JobsEnd,
}

impl Jobs<'_> {
    /// Makes the rounds, until the last one or a wish to stop.
    ///
    /// # Errors
    /// When the cluster can not be reached at all, or a sample can not be written.
    pub fn run(&self, sink: &mut SampleSink, stop: &Stop) -> anyhow::Result<JobsEnd> {
        let mut end = JobsEnd {
            status: RunStatus::Complete,
            wall_ns: 0,
            timed_ns: 0,
            samples: 0,
            not_measured: Vec::new(),
            learned: Vec::new(),
        };
        let mut barred = BTreeMap::new();
        let programs = (self.runs, 0..self.programs);
        let Some(expectations) = Expectations::learn(programs, &Watchdog::start(stop)?, &mut barred)? else {
            end.status = RunStatus::Interrupted;
            return Ok(end);
        };
        let mut running = Loop {
            jobs: self,
            observer: Observer::new(self.kubectl, &self.pods)?,
            expectations,
            barred: self.barred(&barred),
            failures: BTreeMap::new(),
            unsaid: BTreeMap::new(),
            end,
        };
        running.rounds(sink, stop)?;
        let row = |place: Place, metric: Option<&str>, reason: &str| NotMeasured {
            bench: self.runs.bench(place).name.clone(),
            case: self.runs.cell(place).case.name.clone(),
            metric: metric.map(str::to_owned),
            reason: reason.to_owned(),
        };
        let barred = running.barred.iter().map(|(place, reason)| row(*place, None, reason));
        running.end.not_measured = barred.collect();
        if let Some(why) = running.observer.uncounted() {
            let uncounted = |place| row(place, Some(COUNTERS), why);
            running.end.not_measured.extend(self.runs.schedule.places().into_iter().map(uncounted));
        }
        let unsaid = running.unsaid.iter().map(|(place, runs)| row(*place, Some(PULL), &pull::unsaid(*runs)));
        running.end.not_measured.extend(unsaid);
        // A twin has the rows of its case.
        let mut seen = std::collections::BTreeSet::new();
        running.end.not_measured.retain(|row| seen.insert((row.bench.clone(), row.case.clone(), row.metric.clone())));
        running.end.learned = self.learned(&running.expectations);
        Ok(running.end)
    }

    /// What can not be run, and why: what has no image, and programs of which `unjudged` says that nobody knows what they have
    /// to print, in all their pods.
    fn barred(&self, unjudged: &BTreeMap<Place, String>) -> BTreeMap<Place, String> {
        let reason = |place: &Place| {
            let (bench, case) = (self.runs.bench(*place), &self.runs.cell(*place).case);
            let absent = || bench.absent.files.get(&case.form).or_else(|| bench.absent.images.get(&case.form)).cloned();
            let program = Place { bench: self.program(place.bench), ..*place };
            unjudged.get(&program).cloned().or_else(absent).map(|reason| (*place, reason))
        };
        self.runs.schedule.places().iter().filter_map(reason).collect()
    }

    /// The first bench of a program.
    fn program(&self, bench: usize) -> usize {
        bench % self.programs
    }

    /// What was learned of a program, for each of its benches.
    fn learned(&self, expectations: &Expectations) -> Vec<(String, Digest)> {
        let benches = &self.runs.benches;
        let of_programs: BTreeMap<String, Digest> = expectations.learned().into_iter().collect();
        let of_bench = |(index, bench): (usize, &RunnableBench)| {
            Some((bench.name.clone(), *of_programs.get(&benches[self.program(index)].name)?))
        };
        benches.iter().enumerate().filter_map(of_bench).collect()
    }

    fn asked(&self, slot: Slot) -> Asked<'_> {
        let bench = self.runs.bench(slot.place);
        let cell = self.runs.cell(slot.place);
        Asked {
            name: format!("{}-r{}-p{}", self.prefix, slot.round, slot.position),
            pods: &self.pods[slot.place.bench],
            handler: cell.case.runtime.maker(),
            annotations: &self.annotations[slot.place.cell],
            image: self.image(slot),
            args: &bench.args,
            env: &bench.input.env,
            network: self.network,
            pull_secret: self.pull_secret.as_deref(),
            limit: std::time::Duration::from_millis(self.runs.timeout_ms),
        }
    }

    fn image(&self, slot: Slot) -> Option<&NamedImage> {
        match self.pods[slot.place.bench] {
            Pods::Pulling { .. } => self.pulled.get(&(slot.round, slot.place)),
            Pods::One { .. } | Pods::Burst { .. } => self.runs.image(slot.place),
        }
    }
}

impl Loop<'_> {
    fn rounds(&mut self, sink: &mut SampleSink, stop: &Stop) -> anyhow::Result<()> {
        let rounds = self.jobs.runs.schedule.rounds();
        let all = rounds.warmup + rounds.counted;
        let clock = Stopwatch::start();
        for round in 0..all {
            crate::console::note(format_args!("round {} of {all}", round + 1));
            for slot in self.jobs.runs.schedule.round(round) {
                if stop.is_requested() {
                    self.end.status = RunStatus::Interrupted;
                    return self.jobs.kubectl.remove_jobs().map(drop);
                }
                if self.barred.contains_key(&slot.place) {
                    continue;
                }
                let sample = self.one(slot);
                sink.append(&sample)?;
                self.end.samples += 1;
                self.end.timed_ns += sample.wall_ns().unwrap_or(0);
                self.end.wall_ns = clock.elapsed_ns();
            }
            // What a round leaves is removed before the next one begins.
            if let Err(error) = self.jobs.kubectl.remove_jobs() {
                crate::console::note(format_args!("the Jobs of a round are still there: {error:#}"));
            }
        }
        Ok(())
    }

    fn one(&mut self, slot: Slot) -> Sample {
        let asked = self.jobs.asked(slot);
        let program = &self.jobs.runs.benches[self.jobs.program(slot.place.bench)];
        let cell = &self.jobs.runs.cell(slot.place).name;
        let mut judge = Judge { expectations: &mut self.expectations, bench: &program.name, cell };
        let (values, end) = self.observer.run(&asked, &mut judge);
        let (outcome, reason) = match end {
            Ok(()) => (Outcome::Ok, None),
            Err(failure) => {
                crate::console::note(format_args!(
                    "{} of {}: {failure}",
                    self.jobs.runs.cell(slot.place).name,
                    self.jobs.runs.bench(slot.place).name
                ));
                // It would go on, or be tried again, beside those that come next.
                if let Err(error) = self.jobs.kubectl.end_job(&asked.name) {
                    crate::console::note(format_args!("a Job that failed is still there: {error:#}"));
                }
                self.bar(slot.place, &failure);
                (failure.outcome(), Some(failure.to_string()))
            }
        };
        let pulls = matches!(asked.pods, Pods::Pulling { .. });
        if pulls && outcome == Outcome::Ok && !values.contains_key(metric::job::PULLED) {
            *self.unsaid.entry(slot.place).or_default() += 1;
        }
        if outcome == Outcome::Ok {
            self.failures.remove(&slot.place);
        }
        Sample {
            bench: (&self.jobs.runs.bench(slot.place).name).into(),
            case: (&self.jobs.runs.cell(slot.place).name).into(),
            round: slot.round,
            position: slot.position,
            warmup: slot.warmup,
            values: values.into(),
            user_ns: MaybeNs::NONE,
            system_ns: MaybeNs::NONE,
            outcome,
            reason: reason.map(Into::into),
            output_sha256: None,
        }
    }

    /// What is not tried again after a failure: a cell that failed too often, everything that needs a node that is lost.
    fn bar(&mut self, place: Place, failure: &Failure) {
        let failures = self.failures.entry(place).or_default();
        *failures += 1;
        if *failures >= FAILURES_IN_A_ROW {
            let reason = format!("given up after {FAILURES_IN_A_ROW} failures in a row: {failure}");
            self.barred.entry(place).or_insert(reason);
        }
        let Failure::Lost { node, why, .. } = failure else { return };
        crate::console::note(why);
        // A burst over fewer nodes is another one.
        let needs = |place: &Place| self.jobs.pods[place.bench].nodes().contains(node);
        for place in self.jobs.runs.schedule.places().into_iter().filter(needs) {
            self.barred.entry(place).or_insert_with(|| why.clone());
        }
    }
}
