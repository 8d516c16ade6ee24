//! The memory cgroup of a density run: one for everything, a child for containerd with its shims, one for each instance.
//! What the kernel says of one is in `cgroups`.
//!
//! containerd puts a container into `/NAMESPACE/ID` by itself; what is missing is put there by this.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::cgroups::{Charge, Memory};
use crate::clock::Stopwatch;

/// How long what was killed may take to leave its cgroup.
const EMPTY_LIMIT: Duration = Duration::from_secs(5);
/// The child that containerd and its shims are in.
pub const DAEMON: &str = "containerd";

/// The cgroup of a run, as the kernel's memory controller knows it.
#[derive(Clone, Debug)]
pub struct MemoryGroup {
    memory: Memory,
    /// The cgroup of everything.
    root: PathBuf,
    /// Where this process was before.
    home: PathBuf,
}

impl MemoryGroup {
    /// Makes the cgroup, in a tree that is mounted at `tree`.
    ///
    /// # Errors
    /// Why memory can not be read by cgroup here.
    pub fn make(tree: &Path, name: &str) -> anyhow::Result<Self> {
        let memory = Memory::find(tree)?;
        let home = memory.own_group()?;
        let root = PathBuf::from(name);
        memory.make(&root)?;
        Ok(Self { memory, root, home })
    }

    /// Puts a process into a child of the cgroup, which is made where it is not there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn adopt(&self, child: &str, process: u32) -> anyhow::Result<()> {
        let group = self.root.join(child);
        self.memory.make_leaf(&group)?;
        self.memory.enter(&group, process)
    }

    /// Puts this process back to where it was.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn leave(&self) -> anyhow::Result<()> {
        self.memory.enter(&self.home, std::process::id())
    }

    /// What is charged to everything of the run.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn charge(&self) -> anyhow::Result<Charge> {
        self.memory.charge(&self.root)
    }

    /// What is charged to the children but containerd's.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn containers_bytes(&self) -> anyhow::Result<u64> {
        let children = self.memory.children(&self.root)?.into_iter().filter(|child| child != DAEMON);
        // A cgroup may be removed meanwhile.
        Ok(children.filter_map(|child| self.memory.in_use_bytes(&self.root.join(child)).ok()).sum())
    }

    /// How many children there are.
    ///
    /// # Errors
    /// When they can not be listed.
    pub fn count(&self) -> anyhow::Result<u64> {
        Ok(self.memory.children(&self.root)?.len() as u64)
    }

    /// Removes the child of an instance that was started directly, and was killed. A process counts until it is gone, and
    /// version 1 does not say when that is.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(&self, child: &str) -> anyhow::Result<()> {
        let (group, clock) = (self.root.join(child), Stopwatch::start());
        loop {
            match self.memory.remove(&group) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy && clock.elapsed() < EMPTY_LIMIT => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("can not remove the cgroup `{}`", group.display()));
                }
                _ => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_memory_controller_is_the_reason_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let error = MemoryGroup::make(empty.path(), "x").unwrap_err();
        assert!(format!("{error:#}").contains("no memory controller"), "{error:#}");
    }

    #[test]
    fn of_the_children_all_but_containerds_are_containers() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cgroup.controllers"), "memory\n").unwrap();
        for child in [DAEMON, "d-1", "d-2"] {
            let folder = dir.path().join("run").join(child);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("memory.current"), "40\n").unwrap();
        }
        let memory = Memory::find(dir.path()).unwrap();
        let group = MemoryGroup { memory, root: "run".into(), home: PathBuf::new() };
        assert_eq!((group.containers_bytes().unwrap(), group.count().unwrap()), (80, 3));
    }
}
