//! One reading: what so many instances that wait hold, and what they do meanwhile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cgroup::MemoryGroup;
use super::counters::{self, Activity, Held};
use super::processes::{self, Known};
use results::density::Values;
use results::density::metric::{CGROUP, CPU, FILES, MOUNTS, PROCESSES, PSS, THREADS, WAKEUPS};

/// Where everything of a run is to be seen.
#[derive(Debug)]
pub struct Scene {
    /// Where processes are listed.
    pub proc: PathBuf,
    /// The cgroup that instances are below, by its name.
    pub group: String,
    /// Its memory, or why that can not be read.
    pub memory: Result<MemoryGroup, String>,
    /// containerd, when it is ours.
    pub daemon: Option<u32>,
}

/// Numbers, and reasons where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// What was read.
    pub values: Values,
    /// What was not, with the reason.
    pub not_read: BTreeMap<String, String>,
}

impl Numbers {
    fn put(&mut self, name: &str, value: Result<u64, String>) {
        match value {
            Ok(value) => self.values.extend([(name.to_owned(), value)]),
            Err(reason) => self.not_read.extend([(name.to_owned(), reason)]),
        }
    }

    fn put_all(&mut self, read: Result<Vec<(&str, u64)>, String>, names: &[&str]) {
        match read {
            Ok(values) => values.into_iter().for_each(|(name, value)| self.put(name, Ok(value))),
            Err(reason) => names.iter().for_each(|name| self.put(name, Err(reason.clone()))),
        }
    }
}

/// Counters that count on, at the beginning of a hold.
#[derive(Debug)]
pub struct Before {
    owners: BTreeMap<u32, usize>,
    instances: Result<Activity, String>,
    daemon: Result<Activity, String>,
}

/// Why containerd's own numbers are not there.
const NO_DAEMON: &str = "no containerd of ours takes part";

impl Scene {
    /// The instances, by process.
    pub fn owners(&self, instances: &[Known]) -> BTreeMap<u32, usize> {
        processes::of_instances(&processes::all(&self.proc), instances, &self.group)
    }

    /// The beginning of a hold.
    pub fn before(&self, instances: &[Known]) -> Before {
        let owners = self.owners(instances);
        Before { instances: self.activities(owners.keys()), daemon: self.daemon_activity(), owners }
    }

    /// Everything that can be read at the end of a hold.
    pub fn after(&self, before: &Before, instances: &[Known]) -> Numbers {
        let mut numbers = Numbers::default();
        // Processes that have gone since the beginning have no counters any more, and new ones began in between.
        let counted = before.instances.clone().and_then(|then| {
            let now = self.activities(before.owners.keys())?;
            Ok(counters::between(&then, &now))
        });
        let counted = counted.map(|sum| vec![(WAKEUPS, sum.waits), (CPU, sum.cpu_ns)]);
        numbers.put_all(counted, &[WAKEUPS, CPU]);
        let daemon = before.daemon.clone().and_then(|then| Ok(counters::between(&then, &self.daemon_activity()?)));
        numbers.put("containerd_cpu_ns", daemon.map(|sum| sum.cpu_ns));
        let owners = self.owners(instances);
        numbers.put(PROCESSES, Ok(owners.len() as u64));
        self.processes(&mut numbers, owners.keys());
        self.groups(&mut numbers);
        numbers.put("containerd_pss_bytes", self.daemon_held().map(|held| held.pss_bytes));
        numbers.put("host_used_bytes", counters::host_used_bytes(&self.proc));
        numbers.put(MOUNTS, counters::mounts(&self.proc));
        numbers
    }

    fn processes<'a>(&self, numbers: &mut Numbers, ids: impl Iterator<Item = &'a u32>) {
        let names = [PSS, "private_dirty_bytes", "rss_bytes", "page_table_bytes", THREADS, FILES];
        let mut sum = Held::default();
        for id in ids {
            match counters::held(&self.proc, *id) {
                Ok(held) => add(&mut sum, &held),
                Err(reason) => return numbers.put_all(Err(reason), &names),
            }
        }
        let values = [
            sum.pss_bytes,
            sum.private_dirty_bytes,
            sum.rss_bytes,
            sum.page_table_bytes,
            sum.threads,
            sum.file_descriptors,
        ];
        numbers.put_all(Ok(names.into_iter().zip(values).collect()), &names);
    }

    fn groups(&self, numbers: &mut Numbers) {
        let all = [CGROUP, "cgroup_anonymous_bytes", "cgroup_file_bytes"];
        let charge = self.memory.clone().and_then(|memory| memory.charge().map_err(|error| format!("{error:#}")));
        let kernel = charge.clone().and_then(|charge| {
            charge
                .kernel_bytes
                .ok_or_else(|| "this kernel does not say what of a cgroup's memory is its own".to_owned())
        });
        numbers.put("cgroup_kernel_bytes", kernel);
        let charge = charge.map(|charge| {
            all.into_iter().zip([charge.total_bytes, charge.anonymous_bytes, charge.file_bytes]).collect()
        });
        numbers.put_all(charge, &all);
        let containers =
            self.memory.clone().and_then(|memory| memory.containers_bytes().map_err(|error| format!("{error:#}")));
        numbers.put("cgroup_containers_bytes", containers);
    }

    /// Why an instance does not wait; `None` when all of them do.
    pub fn ended(&self, instances: &[Known]) -> Option<String> {
        let waiting = processes::waiting(&processes::all(&self.proc), instances, &self.group);
        let ended = waiting.iter().position(|waits| !waits)?;
        Some(format!("instance {} of {} ended although it was to wait", ended + 1, instances.len()))
    }

    /// What came and went, and what is left of it.
    pub fn churn(&self) -> Numbers {
        let mut numbers = Numbers::default();
        let held = self.daemon_held();
        let of = |get: fn(&Held) -> u64| held.as_ref().map(get).map_err(Clone::clone);
        numbers.put("containerd_pss_bytes", of(|held| held.pss_bytes));
        numbers.put("containerd_threads", of(|held| held.threads));
        numbers.put("containerd_file_descriptors", of(|held| held.file_descriptors));
        let others = self.others();
        numbers.put("namespace_processes", others.as_ref().map(|ids| ids.len() as u64).map_err(Clone::clone));
        let shims = others
            .and_then(|ids| ids.iter().try_fold(0, |sum, id| Ok(sum + counters::held(&self.proc, *id)?.pss_bytes)));
        numbers.put("shim_pss_bytes", shims);
        self.groups(&mut numbers);
        numbers.put(MOUNTS, counters::mounts(&self.proc));
        numbers.put("host_used_bytes", counters::host_used_bytes(&self.proc));
        numbers
    }

    /// What is there beside this process and containerd: in a PID namespace of our own that is what a run has left.
    pub fn others(&self) -> Result<Vec<u32>, String> {
        if !rustix::process::getpid().is_init() {
            return Err("the processes of others are among these: no PID namespace of our own".to_owned());
        }
        let own = [std::process::id(), self.daemon.unwrap_or(0)];
        let all = processes::all(&self.proc).into_iter().filter(|process| !process.ended);
        Ok(all.map(|process| process.id).filter(|id| !own.contains(id)).collect())
    }

    fn daemon_held(&self) -> Result<Held, String> {
        counters::held(&self.proc, self.daemon.ok_or(NO_DAEMON)?)
    }

    fn daemon_activity(&self) -> Result<Activity, String> {
        counters::activity(&self.proc, self.daemon.ok_or(NO_DAEMON)?)
    }

    fn activities<'a>(&self, ids: impl Iterator<Item = &'a u32>) -> Result<Activity, String> {
        let mut all = Activity::new();
        for id in ids {
            all.extend(counters::activity(&self.proc, *id)?);
        }
        Ok(all)
    }
}

fn add(sum: &mut Held, held: &Held) {
    sum.pss_bytes += held.pss_bytes;
    sum.private_dirty_bytes += held.private_dirty_bytes;
    sum.rss_bytes += held.rss_bytes;
    sum.page_table_bytes += held.page_table_bytes;
    sum.threads += held.threads;
    sum.file_descriptors += held.file_descriptors;
}

/// Where processes are listed.
pub const PROC: &str = "/proc";

/// The scene of a run whose cgroup is to be made.
pub fn scene(group: &str, tree: &Path, daemon: Daemon) -> Scene {
    let memory = match daemon {
        Daemon::Foreign => Err("the containerd that was named, and its shims, are in cgroups of their own".to_owned()),
        Daemon::Ours(_) | Daemon::None => MemoryGroup::make(tree, group).map_err(|error| format!("{error:#}")),
    };
    let daemon = if let Daemon::Ours(process) = daemon { Some(process) } else { None };
    let memory = memory.and_then(|memory| {
        let adopted = daemon.map_or(Ok(()), |process| memory.adopt(super::cgroup::DAEMON, process));
        adopted.map(|()| memory).map_err(|error| format!("{error:#}"))
    });
    Scene { proc: PROC.into(), group: group.to_owned(), memory, daemon }
}

/// Whose containerd takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// Ours, by its process.
    Ours(u32),
    /// One that was there.
    Foreign,
    /// None.
    None,
}
