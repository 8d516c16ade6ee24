//! What a plain run used beside time: memory and processor time of what it is about, and of what stands beside it.
//!
//! A container is put into a group that is made for the run and outlives it, so that both can be read when the client has
//! removed everything. A program that is run directly inherits the group of this process, one for the whole session, whose peak
//! begins anew before the clock starts: a group that is made for one run is cold, and made a no-op take half as long
//! again. (The kernel's way of starting a process in a group of its own, `CLONE_INTO_CGROUP`, is neither `posix_spawn` nor
//! there in version 1.) All of it is outside the timed region. The processor time of a direct run and
//! of the client is what `wait4` says; that of containerd and its shims is read before and after. Their memory is the peak of
//! their group beyond what containerd itself held before: what containerd allocates meanwhile, and all of the run's shim.
//!
//! What this adds to the memory of a direct run, and of a client, is what this process allocates while it waits: a few pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::child::Ran;
use crate::cgroups::{self, Controllers, PeakSince, TREE};
use results::ResourceRecord;
use results::metric::{
    CLIENT_CPU, CLIENT_MEMORY, CONTAINERD_CPU, CONTAINERD_MEMORY, CPU, CPU_SYSTEM, CPU_USER, MEMORY_PEAK,
};

/// What is read of `wait4`.
const WAITED_FOR: &str = "wait4, user and system time of the process and the children that it waited for";

/// Below a run's group: where a container is put.
const CONTAINER: &str = "container";
/// Below the group of all runs: where this process is, and what it starts directly.
const DIRECT: &str = "direct";
/// Below the group of all runs: where containerd and its shims are counted.
const DAEMON: &str = "containerd";

/// What is measured beside time.
#[derive(Debug)]
pub enum Resources {
    /// Nothing: it was not wanted.
    Unwanted,
    /// What `wait4` says alone, for this reason.
    WaitedFor(String),
    /// Everything.
    Groups(Groups),
}

/// The groups of a session.
#[derive(Debug)]
pub struct Groups {
    controllers: Controllers,
    /// The group of all runs.
    all: PathBuf,
    /// Where this process came from.
    home: PathBuf,
    /// Why no peak can begin anew, without which there is no memory of direct runs, clients and shims.
    no_peaks: Option<String>,
    has_daemon: bool,
}

/// A run that is about to begin.
#[derive(Debug, Default)]
pub struct Watched {
    /// The container's group.
    group: Option<PathBuf>,
    /// The peak of what this process starts: a direct run, or a container's client.
    peak: Option<PeakSince>,
    is_container: bool,
    daemon: Option<Daemon>,
}

/// What containerd and its shims had used before a run.
#[derive(Debug)]
struct Daemon {
    used_ns: u64,
    peak: Option<PeakSince>,
}

impl Watched {
    /// The group for the container, as its client wants it.
    pub fn container_group(&self) -> Option<String> {
        let group = self.group.as_ref()?;
        Some(Path::new("/").join(group).join(CONTAINER).to_string_lossy().into_owned())
    }
}

impl Resources {
    /// Groups below one of this name, with containerd in one of them; what stands in the way is kept.
    pub fn start(name: &str, daemon: &[Pid]) -> Self {
        match Groups::start(name, daemon) {
            Ok(groups) => Self::Groups(groups),
            Err(error) => Self::WaitedFor(format!("{error:#}")),
        }
    }

    /// Before the clock starts.
    pub fn before(&mut self, id: &str, is_container: bool) -> Watched {
        let Self::Groups(groups) = self else { return Watched { is_container, ..Watched::default() } };
        groups.before(id, is_container).unwrap_or_else(|error| {
            *self = self.given_up(&error);
            Watched { is_container, ..Watched::default() }
        })
    }

    /// After the clock has stopped: what was used, by metric.
    pub fn after(&mut self, watched: &Watched, ran: &Ran) -> BTreeMap<String, u64> {
        if matches!(self, Self::Unwanted) {
            return BTreeMap::new();
        }
        let mut values: Vec<(&str, u64)> = Vec::new();
        if let Some((user_ns, system_ns)) = ran.user_ns.zip(ran.system_ns) {
            if watched.is_container {
                values.push((CLIENT_CPU, user_ns + system_ns));
            } else {
                values.extend([(CPU, user_ns + system_ns), (CPU_USER, user_ns), (CPU_SYSTEM, system_ns)]);
            }
        }
        if let Self::Groups(groups) = self {
            match groups.after(watched) {
                Ok(found) => values.extend(found),
                Err(error) => *self = self.given_up(&error),
            }
        }
        values.into_iter().map(|(metric, value)| (metric.to_owned(), value)).collect()
    }

    /// When nothing of the run is left.
    pub fn release(&mut self, watched: Watched) {
        if let Some(group) = watched.group.filter(|_| matches!(self, Self::Groups(_)))
            && let Err(error) = cgroups::remove(Path::new(TREE), &group)
        {
            *self = self.given_up(&error);
        }
    }

    /// Goes on with less; this process leaves what it is in.
    fn given_up(&mut self, error: &anyhow::Error) -> Self {
        let mut reason = format!("{error:#}");
        if let Self::Groups(groups) = self
            && let Err(error) = groups.leave()
        {
            reason = format!("{reason}; and {error:#}");
        }
        crate::console::note(format_args!("memory and processor time are measured no more: {reason}"));
        Self::WaitedFor(reason)
    }

    /// What was read, for whoever reads the numbers; absent when nothing was wanted. This process leaves its group.
    pub fn finish(mut self) -> Option<ResourceRecord> {
        let waited_for = || ResourceRecord {
            tree: None,
            memory: None,
            container_cpu: None,
            direct_cpu: WAITED_FOR.to_owned(),
            client_cpu: WAITED_FOR.to_owned(),
            containerd_cpu: None,
            reason: None,
        };
        match &mut self {
            Self::Unwanted => None,
            Self::WaitedFor(reason) => Some(ResourceRecord { reason: Some(reason.clone()), ..waited_for() }),
            Self::Groups(groups) => {
                let not_left = groups.leave().err().map(|error| format!("{error:#}"));
                let reason = groups.no_peaks.take().or(not_left);
                let [memory, processor] = groups.controllers.files();
                Some(ResourceRecord {
                    tree: Some(groups.controllers.version().to_owned()),
                    memory: Some(memory.to_owned()),
                    container_cpu: Some(processor.to_owned()),
                    containerd_cpu: groups.has_daemon.then(|| processor.to_owned()),
                    reason,
                    ..waited_for()
                })
            }
        }
    }
}

impl Groups {
    fn start(name: &str, daemon: &[Pid]) -> anyhow::Result<Self> {
        let controllers = Controllers::find(Path::new(TREE))?;
        let home = controllers.memory.own_group()?;
        let all = PathBuf::from(name);
        if !daemon.is_empty() {
            let group = all.join(DAEMON);
            controllers.make(Path::new(TREE), &group)?;
            for process in daemon {
                let process = process.as_raw_nonzero().get().unsigned_abs();
                controllers.enter_processor(&group, process)?;
                controllers.memory.enter(&group, process)?;
            }
        }
        let direct = all.join(DIRECT);
        controllers.make(Path::new(TREE), &direct)?;
        let entered = controllers.memory.peak_from_now(&direct).and_then(|_| controllers.memory.enter(&direct, 0));
        let no_peaks = entered.err().map(|error| format!("no memory of direct runs, clients and shims: {error:#}"));
        Ok(Self { controllers, all, home, no_peaks, has_daemon: !daemon.is_empty() })
    }

    fn before(&self, id: &str, is_container: bool) -> anyhow::Result<Watched> {
        let peak_of = |name: &str| {
            let peak = || self.controllers.memory.peak_from_now(&self.all.join(name));
            self.no_peaks.is_none().then(peak).transpose()
        };
        if !is_container {
            return Ok(Watched { peak: peak_of(DIRECT)?, ..Watched::default() });
        }
        let group = self.all.join(id);
        self.controllers.make(Path::new(TREE), &group)?;
        let daemon = || Ok::<_, anyhow::Error>(Daemon { used_ns: self.daemon_ns()?, peak: peak_of(DAEMON)? });
        let daemon = self.has_daemon.then(daemon).transpose()?;
        Ok(Watched { group: Some(group), is_container, daemon, peak: peak_of(DIRECT)? })
    }

    fn daemon_ns(&self) -> anyhow::Result<u64> {
        Ok(self.controllers.processor_time(&self.all.join(DAEMON))?.total_ns)
    }

    fn after(&self, watched: &Watched) -> anyhow::Result<Vec<(&'static str, u64)>> {
        let started = watched.peak.as_ref().map(PeakSince::beyond_bytes).transpose()?;
        let Some(group) = &watched.group else {
            return Ok(started.into_iter().map(|bytes| (MEMORY_PEAK, bytes)).collect());
        };
        let daemon_ns =
            watched.daemon.as_ref().map(|daemon| self.daemon_ns().map(|now| now.saturating_sub(daemon.used_ns)));
        let daemon_peak = watched.daemon.as_ref().and_then(|daemon| daemon.peak.as_ref()).map(PeakSince::beyond_bytes);
        let time = self.controllers.processor_time(group)?;
        let mut values = vec![
            (MEMORY_PEAK, self.controllers.memory.peak_bytes(group)?),
            (CPU, time.total_ns),
            (CPU_USER, time.user_ns),
            (CPU_SYSTEM, time.system_ns),
        ];
        values.extend(daemon_ns.transpose()?.map(|used| (CONTAINERD_CPU, used)));
        values.extend(daemon_peak.transpose()?.map(|bytes| (CONTAINERD_MEMORY, bytes)));
        values.extend(started.map(|bytes| (CLIENT_MEMORY, bytes)));
        Ok(values)
    }

    /// Whoever ends what is in the groups of a run must not find this process there.
    fn leave(&mut self) -> anyhow::Result<()> {
        if self.no_peaks.is_none() {
            let home = self.controllers.memory.enter(&self.home, 0);
            home.or_else(|_| self.controllers.memory.enter(Path::new(""), 0))?;
        }
        // But for the group of a containerd that still runs.
        cgroups::remove(Path::new(TREE), &self.all)
    }
}
