//! What a run leaves where no namespace ends it: empty cgroups, and its folder, which is `scratch`'s.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::request::{self, Containers, DaemonChoice};
use super::scratch::Scratch;
use crate::cgroups::{folders, hierarchies, remove_tree};
use crate::clock::{Stopwatch, now_utc};

/// Every containerd namespace of ours begins with this, so that its cgroups can be distinguished from others', and ends in the
/// number of the process that it belongs to.
pub const NAMESPACE_PREFIX: &str = "deploy-bench-";

/// The process that a namespace belongs to, by its name; `None` for a name that is not ours, however it begins.
pub fn process_of(name: &str) -> Option<u32> {
    let (when, process) = name.strip_prefix(NAMESPACE_PREFIX)?.rsplit_once('-')?;
    let is_time = when.len() == TIME.len()
        && when
            .bytes()
            .zip(TIME.bytes())
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
    (is_time || when == SUITE).then(|| process.parse().ok()).flatten()
}

/// The name of a containerd namespace, and of its cgroups, that belongs to this process.
pub fn new_name() -> String {
    format!("{NAMESPACE_PREFIX}{}-{}", now_utc().compact(), std::process::id())
}

/// The form of a time in a name.
const TIME: &str = "00000000T000000Z";
/// In place of the time, where the tests use containers.
pub const SUITE: &str = "suite";

/// Where cgroups are.
pub use crate::cgroups::TREE;

/// The namespaces whose cgroups are still there although their process is gone. A run of another checkout that is still
/// going on is none of them.
pub fn abandoned(tree: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = std::collections::BTreeSet::new();
    for hierarchy in hierarchies(tree)? {
        for cgroup in folders(&hierarchy)? {
            let name = cgroup.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if process_of(&name).is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
                names.insert(name);
            }
        }
    }
    Ok(names.into_iter().collect())
}

/// Removes the cgroups of these namespaces. A cgroup with a process in it stays: the kernel refuses to remove it.
pub fn remove_cgroups(tree: &Path, namespaces: &[String]) -> anyhow::Result<()> {
    for hierarchy in hierarchies(tree)? {
        for name in namespaces {
            let cgroup = hierarchy.join(name);
            if cgroup.is_dir() {
                remove_tree(&cgroup)?;
            }
        }
    }
    Ok(())
}

/// How long what was killed may take to leave its cgroup.
const EMPTY_LIMIT: Duration = Duration::from_secs(5);

/// Ends what is left in the cgroups of one namespace, and removes them. For a run that has ended: the last of its
/// processes may be dying still, and the kernel removes no cgroup before it is empty.
///
/// # Errors
/// When something in them does not end.
pub fn end_cgroups(tree: &Path, namespace: &str) -> anyhow::Result<()> {
    let mut cgroups: Vec<PathBuf> = hierarchies(tree)?.into_iter().map(|hierarchy| hierarchy.join(namespace)).collect();
    let clock = Stopwatch::start();
    loop {
        cgroups.retain(|cgroup| cgroup.is_dir());
        for cgroup in &cgroups {
            end_processes(cgroup, EMPTY_LIMIT.saturating_sub(clock.elapsed()))?;
            remove_tree(cgroup)?;
        }
        let Some(busy) = cgroups.iter().find(|cgroup| cgroup.is_dir()) else { return Ok(()) };
        ensure!(clock.elapsed() < EMPTY_LIMIT, "the cgroup `{}` is busy: its processes do not end", busy.display());
        // A process counts for a moment after its end is reported, and version 1 does not say when no more.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills what is in a cgroup and those below it, and waits for their ends.
fn end_processes(cgroup: &Path, limit: Duration) -> anyhow::Result<()> {
    for child in folders(cgroup)? {
        end_processes(&child, limit)?;
    }
    let list = std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let limit = Timespec { tv_sec: i64::try_from(limit.as_secs())?, tv_nsec: limit.subsec_nanos().into() };
    for pid in list.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        // It may have ended since.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        match pidfd_send_signal(&process, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("can not end a process in `{}`", cgroup.display()));
            }
        }
        // Ctrl-C may come meanwhile, which is no reason to wait less.
        retry_on_intr(|| poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)))
            .context("can not wait for a process")?;
    }
    Ok(())
}

/// What no namespace takes along when the measuring process is gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leftovers {
    /// The containerd namespace, whose cgroups are named after it.
    namespace: String,
    /// The folder of a private containerd.
    scratch: Option<PathBuf>,
}

impl Leftovers {
    /// Those of a session.
    pub fn of(containers: &Containers) -> Self {
        let scratch = match &containers.daemon {
            DaemonChoice::Private { scratch, .. } => Some(scratch.clone()),
            DaemonChoice::Existing { .. } => None,
        };
        Self { namespace: containers.namespace.clone(), scratch }
    }

    /// Those of processes alone, in the cgroup of this name.
    pub fn of_processes(group: &str) -> Self {
        Self { namespace: group.to_owned(), scratch: None }
    }

    /// Removes them.
    ///
    /// # Errors
    /// When one can not be removed, with the reason.
    fn remove(&self) -> anyhow::Result<()> {
        end_cgroups(Path::new(TREE), &self.namespace)?;
        self.scratch.as_deref().map_or(Ok(()), |scratch| Scratch::join(scratch)?.remove_root())
    }
}

/// The hidden subcommand: what the measuring process would have removed, had it not been killed.
pub fn remove(path: &Path) -> anyhow::Result<()> {
    request::read::<Leftovers>(path)?.remove()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cgroups_whose_process_is_gone_are_abandoned_and_removed() {
        let tree = tempfile::tempdir().unwrap();
        let own = format!("{NAMESPACE_PREFIX}20261123T101500Z-{}", std::process::id());
        // No process has the number 0.
        let (run, suite) = ("deploy-bench-20261123T101500Z-0", "deploy-bench-suite-0");
        let folders = [
            format!("memory/{run}/c1"),
            format!("{suite}/c2"),
            "memory/user.slice".to_owned(),
            "deploy-bench-of-mine".to_owned(),
            own.clone(),
        ];
        for folder in &folders {
            std::fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        let abandoned = abandoned(tree.path()).unwrap();
        assert_eq!(abandoned, [run, suite]);
        remove_cgroups(tree.path(), &abandoned).unwrap();
        assert!(!tree.path().join("memory").join(run).exists() && !tree.path().join(suite).exists());
        assert!(folders[2..].iter().all(|folder| tree.path().join(folder).exists()));
    }

    #[test]
    fn only_names_of_our_own_form_are_ours() {
        assert_eq!(process_of("deploy-bench-20261123T101500Z-42"), Some(42));
        assert_eq!(process_of("deploy-bench-suite-7"), Some(7));
        for other in
            ["deploy-bench-of-mine", "deploy-bench-1-2", "deploy-bench-20261123T101500Z-x", "x", "deploy-bench-"]
        {
            assert_eq!(process_of(other), None, "{other}");
        }
    }
}
