//! Runs a session: starts containerd, pulls the images, makes the rounds, ends everything again. The same code runs
//! in this process when there are no containers, and below `process::run_inside` when there are.
//!
//! What fails for one image bars its cells and no others; what fails for containerd bars every container.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::process::Pid;

use crate::clock::Stopwatch;
use crate::containerd::cri::Cri;
use crate::containerd::{Ctr, Login};
use crate::density;
use crate::isolation;
use crate::machine::load::Snapshot;
use crate::measure::calibration::{self, Modes};
use crate::measure::calls::PodHost;
use crate::measure::orphans::Orphans;
use crate::measure::resources::Resources;
use crate::measure::rounds::{self, RoundsEnd, RoundsInput};
use crate::plan::Place;
use crate::secret::Secret;
use crate::session::daemon::{Daemon, DaemonFolder, DaemonPrograms, SOCKET};
use crate::session::measured::{Measured, Pull};
use crate::session::request::{self, Containers, DaemonChoice, Session};
use crate::session::scratch::Scratch;
use crate::session::store::Store;
use crate::session::{first_use, leftovers, namespace, password};
use crate::stop::Stop;
use results::store::SampleSink;
use results::{HostRecord, Manifest, RunStatus, Sample};

use super::pulls::{self, Pulls};

/// The widest relative interval of a watched ratio, by a run's manifest and its samples so far, as a fraction; `None` while
/// one has no interval.
pub type Precision<'a> = &'a dyn Fn(&Manifest, &[Sample]) -> Option<f64>;

/// The hidden subcommand: reads the session, runs it, writes its result.
pub fn inside(path: &Path, precision: Precision<'_>) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let password = password::receive(std::io::stdin())?;
    stop.follow_lifeline()?;
    let session: Session = request::read(path)?;
    let measured = run(&session, password.as_ref(), &stop, precision)?;
    request::write(&session.measured, &measured)
}

/// Makes the runs of a session, containers included when this process is where they can be.
///
/// # Errors
/// When the samples can not be opened. Every other failure is in [`Measured`].
pub fn run(
    session: &Session,
    password: Option<&Secret>,
    stop: &Stop,
    precision: Precision<'_>,
) -> anyhow::Result<Measured> {
    let (before, clock) = (Snapshot::take(), Stopwatch::start());
    let mut measured = measure(session, password, stop, precision)?;
    measured.load = before.until(Snapshot::take(), clock.elapsed());
    Ok(measured)
}

/// Makes the runs that need no containers; the others are not measured, for this reason.
///
/// # Errors
/// As [`run`].
pub fn run_without_containers(
    session: &Session,
    reason: &str,
    stop: &Stop,
    precision: Precision<'_>,
) -> anyhow::Result<Measured> {
    let (before, clock) = (Snapshot::take(), Stopwatch::start());
    let mut sink = SampleSink::open(&session.samples)?;
    let mut measured = direct(session, reason, &mut sink, stop, precision);
    measured.load = before.until(Snapshot::take(), clock.elapsed());
    Ok(measured)
}

fn direct(session: &Session, reason: &str, sink: &mut SampleSink, stop: &Stop, precision: Precision<'_>) -> Measured {
    crate::console::note(reason);
    let places: Vec<Place> = session.runs.schedule.container_places();
    let barred = places.into_iter().map(|place| (place, reason.to_owned())).collect();
    let traced_barred = of_traced(session, reason);
    let input = RoundsInput {
        runs: &session.runs,
        ctr: None,
        orphans: None,
        pods: None,
        barred,
        resources: resources(session, &[]),
        traced: session.traced.as_ref(),
        traced_barred,
    };
    let mut outcome = measured(make_rounds(session, input, (sink, stop), precision), Vec::new(), None);
    first_use(session, None, (&mut outcome, stop));
    outcome
}

/// First use comes after the rounds: what it does to images, caches and containerd would change them.
fn first_use(session: &Session, source: Option<first_use::Source<'_>>, (outcome, stop): (&mut Measured, &Stop)) {
    let Some(request) = session.first_use.as_ref().filter(|_| outcome.status == RunStatus::Complete) else { return };
    let end = first_use::run(session, request, source, stop);
    outcome.status = end.status;
    outcome.reason = end.reason;
    outcome.not_measured.extend(end.not_measured);
}

/// What is measured beside time, with the containerd that these processes are.
fn resources(session: &Session, daemon: &[Pid]) -> Resources {
    session.resources.as_ref().map_or(Resources::Unwanted, |name| Resources::start(name, daemon))
}

/// The traced containers, none of which can be run.
fn of_traced(session: &Session, reason: &str) -> BTreeMap<Place, String> {
    let places = session.traced.iter().flat_map(|traced| traced.runs.schedule.container_places());
    places.map(|place| (place, reason.to_owned())).collect()
}

fn measure(
    session: &Session,
    password: Option<&Secret>,
    stop: &Stop,
    precision: Precision<'_>,
) -> anyhow::Result<Measured> {
    let mut sink = SampleSink::open(&session.samples)?;
    let Some(containers) = &session.containers else {
        let input = RoundsInput {
            runs: &session.runs,
            ctr: None,
            pods: None,
            orphans: None,
            barred: BTreeMap::new(),
            resources: resources(session, &[]),
            traced: session.traced.as_ref(),
            traced_barred: BTreeMap::new(),
        };
        let mut outcome = measured(make_rounds(session, input, (&mut sink, stop), precision), Vec::new(), None);
        first_use(session, None, (&mut outcome, stop));
        return Ok(outcome);
    };
    match ContainerHost::start(containers) {
        Ok(mut host) => {
            let mut outcome = host.run(session, (containers, password), &mut sink, stop, precision);
            let login = containers.user.as_deref().zip(password).map(|(user, password)| Login { user, password });
            let source = first_use::Source { host: &mut host, containers, login };
            first_use(session, Some(source), (&mut outcome, stop));
            if let Err(error) = host.stop(containers) {
                outcome.status = RunStatus::Failed;
                outcome.reason.get_or_insert(format!("what was started could not be ended: {error:#}"));
            }
            Ok(outcome)
        }
        Err(error) => {
            let reason = format!("containerd could not be started: {error:#}");
            Ok(direct(session, &reason, &mut sink, stop, precision))
        }
    }
}

/// The rounds, after a look at how modules are executed: what is not executed as it was asked for is not measured.
fn make_rounds(
    session: &Session,
    mut input: RoundsInput<'_>,
    (sink, stop): (&mut SampleSink, &Stop),
    precision: Precision<'_>,
) -> (RoundsEnd, Modes) {
    if let Some(request) = &session.density {
        return (make_readings(session, request, input, (sink, stop)), Modes::new());
    }
    let observed = session.calibration.as_ref().map(|calibration| calibration::observe(calibration, &input, stop));
    let modes = observed.transpose().unwrap_or_else(|error| {
        crate::console::note(format_args!("how modules are executed was not seen: {error:#}"));
        None
    });
    let modes = modes.unwrap_or_default();
    let contradictions = calibration::contradictions(&session.runs.schedule, &modes);
    contradictions.values().collect::<BTreeSet<_>>().into_iter().for_each(crate::console::note);
    input.barred.extend(contradictions);
    let width = |samples: &[Sample]| precision(session.manifest.as_ref()?, samples);
    (rounds::run(input, sink, stop, &width), modes)
}

fn make_readings(
    session: &Session,
    request: &density::Request,
    input: RoundsInput<'_>,
    (sink, stop): (&mut SampleSink, &Stop),
) -> RoundsEnd {
    let (tree, daemon) = (Path::new(leftovers::TREE), session.containers.as_ref().map(|containers| &containers.daemon));
    let containerd = match daemon {
        Some(DaemonChoice::Existing { .. }) => density::Containerd::Foreign,
        Some(DaemonChoice::Private { .. }) | None => density::Containerd::Ours,
    };
    let mut end = density::run(request, input, (tree, containerd), sink, stop);
    // Where there are containers, they are removed with what else they have.
    if session.containers.is_none()
        && let Err(error) = leftovers::end_cgroups(tree, &request.group)
    {
        end.status = RunStatus::Failed;
        end.reason.get_or_insert(format!("what was started could not be ended: {error:#}"));
    }
    end
}

fn measured((rounds, modes): (RoundsEnd, Modes), pulls: Vec<Pull>, host: Option<HostRecord>) -> Measured {
    Measured {
        status: rounds.status,
        reason: rounds.reason,
        rounds_wall_ns: rounds.rounds_wall_ns,
        timed_ns: rounds.timed_ns,
        samples: rounds.samples,
        pulls,
        host,
        modes,
        isolation: Vec::new(),
        not_measured: rounds.not_measured,
        until: rounds.until,
        resources: rounds.resources,
        learned: rounds.learned,
        load: results::LoadDuring::default(),
    }
}

/// A containerd that answers.
pub struct ContainerHost {
    /// Its client.
    pub ctr: Ctr,
    private: Option<Private>,
    record: HostRecord,
}

/// A containerd of our own.
struct Private {
    daemon: Daemon,
    scratch: Scratch,
    /// The client of its CRI, where that is on; or why there is none.
    cri: Option<Result<Cri, String>>,
    pod_logs: PathBuf,
}

impl ContainerHost {
    /// Starts a private containerd (inside namespaces of its own), or finds the one that was named.
    ///
    /// # Errors
    /// When it does not come up or does not answer.
    pub fn start(containers: &Containers) -> anyhow::Result<Self> {
        match &containers.daemon {
            DaemonChoice::Private { containerd, search, scratch, abandoned } => {
                leftovers::remove_cgroups(Path::new(leftovers::TREE), abandoned)?;
                let folder = Scratch::join(scratch)?;
                folder.sweep_beside().iter().for_each(crate::console::note);
                namespace::prepare()?;
                let overlay = namespace::supports_overlay(scratch)?;
                let snapshotter = if overlay { "overlayfs" } else { "native" };
                let ctr = client(containers, Path::new(SOCKET), snapshotter);
                let pods = containers.pods.clone();
                let has_pods = pods.is_some();
                let programs = DaemonPrograms { containerd: containerd.clone(), search: search.clone(), pods };
                let places = DaemonFolder { scratch: scratch.clone() };
                let pod_logs = places.pod_logs();
                std::fs::create_dir_all(&pod_logs)?;
                let daemon = Daemon::start(&programs, places, &ctr)?;
                let cri = has_pods.then(|| Cri::connect(Path::new(SOCKET)).map_err(|error| format!("{error:#}")));
                let record = record(
                    "private",
                    snapshotter,
                    &crate::machine::filesystem(scratch).unwrap_or_else(|| "unknown".to_owned()),
                );
                Ok(Self { ctr, private: Some(Private { daemon, scratch: folder, cri, pod_logs }), record })
            }
            DaemonChoice::Existing { address } => {
                let ctr = client(containers, address, "overlayfs");
                ctr.version().with_context(|| {
                    format!("no containerd answers at `{}`: is it running, and is this root?", address.display())
                })?;
                let record = record(&address.to_string_lossy(), "overlayfs", "unknown");
                Ok(Self { ctr, private: None, record })
            }
        }
    }

    /// Pulls, then makes the rounds.
    fn run(
        &mut self,
        session: &Session,
        (containers, password): (&Containers, Option<&Secret>),
        sink: &mut SampleSink,
        stop: &Stop,
        precision: Precision<'_>,
    ) -> Measured {
        let store = self.store();
        let cri = self.private.as_mut().and_then(|private| private.cri.as_mut());
        let holders = (&self.ctr, store.as_ref(), cri);
        let Pulls { done, barred, traced_barred } = pulls::pull_all((session, containers), password, holders, stop);
        let own = self.private.as_ref().and_then(|private| private.daemon.pids().ok());
        let pods = self.private.as_mut().and_then(|private| {
            let cri = private.cri.as_mut()?.as_mut().ok()?;
            Some(PodHost { cri, cgroup: format!("/{}", containers.namespace), logs: private.pod_logs.clone() })
        });
        let isolation = isolation::look(&session.looks, &self.ctr, stop);
        let resources = resources(session, own.as_deref().unwrap_or_default());
        let input = RoundsInput {
            runs: &session.runs,
            ctr: Some(&self.ctr),
            pods,
            orphans: own.and_then(Orphans::adopted),
            barred,
            resources,
            traced: session.traced.as_ref(),
            traced_barred,
        };
        let (mut outcome, modes) = make_rounds(session, input, (sink, stop), precision);
        if outcome.status == RunStatus::Failed
            && let (Some(reason), Some(private)) = (&mut outcome.reason, &self.private)
        {
            reason.push_str(&private.daemon.log_end());
        }
        Measured { isolation, ..measured((outcome, modes), done, Some(self.record.clone())) }
    }

    /// What a containerd of our own keeps; `None` for one that was named.
    pub(super) fn store(&self) -> Option<Store> {
        self.private.as_ref().map(|private| Store::below(private.scratch.path()))
    }

    /// The processes of a containerd of our own; none for one that was named.
    pub(super) fn pids(&self) -> anyhow::Result<Vec<rustix::process::Pid>> {
        self.private.as_ref().map_or_else(|| Ok(Vec::new()), |private| private.daemon.pids())
    }

    /// Ends a containerd of our own and starts it anew.
    pub(super) fn restart(&mut self, containers: &Containers) -> anyhow::Result<()> {
        match (&mut self.private, &containers.daemon) {
            (Some(private), DaemonChoice::Private { containerd, search, .. }) => {
                let pods = containers.pods.clone();
                let programs = DaemonPrograms { containerd: containerd.clone(), search: search.clone(), pods };
                private.daemon.restart(&programs, &self.ctr)
            }
            _ => anyhow::bail!("the containerd is not ours"),
        }
    }

    /// Ends everything that was started, and removes every trace of it.
    ///
    /// # Errors
    /// When something could not be removed.
    pub fn stop(self, containers: &Containers) -> anyhow::Result<()> {
        let removed = self.ctr.remove_namespace();
        let scratch = self.private.map(Private::stop).transpose()?;
        leftovers::end_cgroups(Path::new(leftovers::TREE), &containers.namespace)?;
        if let Some(scratch) = scratch {
            scratch.remove_root()?;
        }
        removed.context("containerd could not be emptied")
    }
}

impl Private {
    /// Pods first: a sandbox outlives its containerd.
    fn stop(mut self) -> anyhow::Result<Scratch> {
        let removed = match &mut self.cri {
            Some(Ok(cri)) => cri.remove_all(),
            _ => Ok(()),
        };
        self.daemon.stop()?;
        removed.map(|()| self.scratch)
    }
}

fn client(containers: &Containers, address: &Path, snapshotter: &str) -> Ctr {
    Ctr {
        program: containers.ctr.clone(),
        address: address.to_path_buf(),
        namespace: containers.namespace.clone(),
        snapshotter: snapshotter.to_owned(),
    }
}

fn record(containerd: &str, snapshotter: &str, filesystem: &str) -> HostRecord {
    HostRecord {
        containerd: containerd.to_owned(),
        snapshotter: snapshotter.to_owned(),
        cgroup_driver: "cgroupfs".to_owned(),
        filesystem: filesystem.to_owned(),
    }
}
