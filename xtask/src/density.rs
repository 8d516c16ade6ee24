//! The density experiment: what one more idle instance costs a node, and whether containers that come and go leave
//! something behind. Each reading is written down as it is made.
//!
//! It runs in namespaces of its own (`session`), so that every process in sight belongs to it. Not here: slopes and what
//! follows from them (`results::density`).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use crate::clock::Stopwatch;
use crate::console;
use crate::containerd::Ctr;
use crate::measure::orphans::Orphans;
use crate::measure::rounds::{RoundsEnd, RoundsInput};
use crate::measure::runs::Runs;
use crate::plan::{Place, Slot};
use crate::stop::Stop;
use cgroup::MemoryGroup;
use levels::Ended;
use processes::Known;
use reading::{Daemon, Scene};
use results::density::{Left, Line, Plan, Values};
use results::store::SampleSink;
use results::{NotMeasured, RunStatus};

mod cgroup;
mod churn;
pub mod counters;
mod instances;
mod levels;
pub mod limits;
mod processes;
pub mod reading;

/// A density run, as it crosses into the measuring process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    pub plan: Plan,
    /// The cgroup, and the containerd namespace, of everything.
    pub group: String,
    /// When a process that is started directly has started.
    pub ready: Ready,
}

/// When a process that is started directly has started. Of a container it is when its task has, whatever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ready {
    /// When it says that it waits.
    Announced,
    /// At once: of somebody's own program nobody knows more.
    AtOnce,
}

/// Whether the containerd of a run is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Containerd {
    /// It is.
    Ours,
    /// It was there before.
    Foreign,
}

/// How long what was stopped may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Everything that a density run needs while it goes on.
struct Experiment<'a> {
    plan: &'a Plan,
    ready: Ready,
    runs: &'a Runs,
    ctr: Option<&'a Ctr>,
    orphans: Option<Orphans>,
    scene: Scene,
    barred: BTreeMap<Place, String>,
    short: Vec<NotMeasured>,
    sink: &'a mut SampleSink,
    stop: &'a Stop,
    lines: u64,
    /// Why no further line can be written.
    broken: Option<String>,
}

/// Makes the readings of a plan, until its last repetition or until `stop`. A case that fails is given up, and the others
/// go on.
pub fn run(
    request: &Request,
    input: RoundsInput<'_>,
    (tree, containerd): (&Path, Containerd),
    sink: &mut SampleSink,
    stop: &Stop,
) -> RoundsEnd {
    let clock = Stopwatch::start();
    let own = input.orphans.as_ref().and_then(|orphans| orphans.own().first().copied());
    let daemon = match (containerd, own) {
        (Containerd::Foreign, _) => Daemon::Foreign,
        (Containerd::Ours, Some(process)) => Daemon::Ours(process.as_raw_nonzero().get().unsigned_abs()),
        (Containerd::Ours, None) => Daemon::None,
    };
    let mut experiment = Experiment {
        plan: &request.plan,
        ready: request.ready,
        runs: input.runs,
        ctr: input.ctr,
        orphans: input.orphans,
        scene: reading::scene(&request.group, tree, daemon),
        barred: input.barred,
        short: Vec::new(),
        sink,
        stop,
        lines: 0,
        broken: None,
    };
    let ended = if request.plan.churn > 0 { experiment.churn() } else { experiment.repetitions() };
    let (status, reason) = match ended {
        Ok(status) => (status, None),
        Err(error) => (RunStatus::Failed, Some(format!("{error:#}"))),
    };
    let barred = experiment.barred.iter().map(|(place, reason)| row(experiment.runs, *place, None, reason));
    let not_measured = barred.chain(experiment.short.iter().cloned()).collect();
    let wall_ns = clock.elapsed_ns();
    // Nothing but the holds and the starts is timed, and they are in the lines.
    RoundsEnd {
        status,
        reason,
        rounds_wall_ns: wall_ns,
        timed_ns: wall_ns,
        samples: experiment.lines,
        not_measured,
        until: None,
        resources: None,
        learned: Vec::new(),
    }
}

fn row(runs: &Runs, place: Place, metric: Option<&str>, reason: &str) -> NotMeasured {
    NotMeasured {
        bench: runs.bench(place).name.clone(),
        case: runs.cell(place).name.clone(),
        metric: metric.map(str::to_owned),
        reason: reason.to_owned(),
    }
}

impl Experiment<'_> {
    fn repetitions(&mut self) -> anyhow::Result<RunStatus> {
        let rounds = self.runs.schedule.rounds();
        for round in 0..rounds.counted {
            for slot in self.runs.schedule.round(round) {
                if self.stop.is_requested() {
                    return Ok(RunStatus::Interrupted);
                }
                if self.barred.contains_key(&slot.place) {
                    continue;
                }
                let case = self.case(slot);
                console::note(format_args!("repetition {} of {}: {case}", round + 1, rounds.counted));
                match self.repetition(slot) {
                    Ok(Ended::Done) => {}
                    Ok(Ended::Stopped) => return Ok(RunStatus::Interrupted),
                    Ok(Ended::Short(reason)) => self.fall_short(slot.place, &reason),
                    Err(error) => self.give_up(slot.place, &error)?,
                }
            }
        }
        Ok(RunStatus::Complete)
    }

    /// A case that fails is no reason not to go on with the others; a disk that is full is.
    fn give_up(&mut self, place: Place, error: &anyhow::Error) -> anyhow::Result<()> {
        if let Some(reason) = self.broken.take() {
            anyhow::bail!("{reason}");
        }
        console::note(format_args!("{}: {error:#}", self.runs.cell(place).name));
        self.barred.insert(place, format!("{error:#}"));
        Ok(())
    }

    /// Said once for a case: each repetition ends there.
    fn fall_short(&mut self, place: Place, reason: &str) {
        let row = row(self.runs, place, Some("instances_max"), reason);
        if !self.short.iter().any(|other| other.case == row.case) {
            console::note(format_args!("{}: {reason}", row.case));
            self.short.push(row);
        }
    }

    fn case(&self, slot: Slot) -> String {
        self.runs.cell(slot.place).name.clone()
    }

    /// A name that no other word is like: attribution goes by it.
    fn id(&self, slot: Slot, what: &str) -> String {
        format!("{}-r{}p{}i{what}", self.scene.group, slot.round, slot.position)
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        self.sink.append(line).inspect_err(|error| self.broken = Some(format!("{error:#}")))?;
        self.lines += 1;
        Ok(())
    }

    /// Waits; false when somebody wished to stop meanwhile.
    fn pause(&self, time: Duration) -> anyhow::Result<bool> {
        let clock = Stopwatch::start();
        while let Some(left) = time.checked_sub(clock.elapsed()) {
            match poll(&mut [PollFd::new(self.stop, PollFlags::IN)], Some(&left.try_into()?)) {
                Ok(0) => return Ok(true),
                Ok(_) => return Ok(false),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("can not wait"),
            }
        }
        Ok(true)
    }

    /// What lost its parent and has ended.
    fn reap(&mut self) {
        if let Some(Err(error)) = self.orphans.as_ref().map(Orphans::reap) {
            console::note(format_args!("{error:#}"));
            self.orphans = None;
        }
    }

    /// A shim ends after its container is said to be deleted.
    fn wait_until_gone(&mut self, instances: &[Known]) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        loop {
            self.reap();
            let left = self.scene.owners(instances).len();
            if left == 0 || clock.elapsed() > GONE_LIMIT {
                // What does not go is found by what is left at the end.
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// What is there besides this process and containerd.
    fn there(&self) -> anyhow::Result<Values> {
        let cgroups = self.scene.memory.as_ref().ok().map(MemoryGroup::count).transpose()?;
        let containers = self.ctr.map(Ctr::containers).transpose()?;
        let counts = [
            ("processes", self.scene.others().ok().map(|others| others.len() as u64)),
            ("cgroups", cgroups),
            ("mounts", counters::mounts(&self.scene.proc).ok()),
            ("containers", containers.map(|containers| containers.len() as u64)),
        ];
        Ok(counts.into_iter().filter_map(|(name, count)| Some((name.to_owned(), count?))).collect())
    }

    fn compare_left(&mut self, slot: Slot, before: &Values) -> anyhow::Result<()> {
        self.reap();
        let now = self.there()?;
        let beyond = |(name, count): (&String, &u64)| {
            (name.clone(), count.saturating_sub(before.get(name).copied().unwrap_or(0)))
        };
        let values = now.iter().map(beyond).collect();
        self.write(&Line::Left(Left { case: self.case(slot), repetition: slot.round, values }))
    }
}
