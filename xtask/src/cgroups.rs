//! Control groups as files: which tree this machine has, groups made and removed, and what one has used.
//!
//! Version 1 has a tree for each controller, version 2 has one for all; on a hybrid machine the controllers are those of
//! version 1. What is read is named, so that it can stand beside the number. Not here: which process is in which group
//! (`measure`), and what is left by a run that was killed (`session`).

use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub use memory::{Charge, Memory, PeakSince};

mod memory;

/// Where cgroups are.
pub const TREE: &str = "/sys/fs/cgroup";

/// Which files of a tree are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controllers {
    /// That of memory.
    pub memory: Memory,
    /// The hierarchy of processor time.
    processor: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What a group and those below it have used of the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorTime {
    /// All of it.
    pub total_ns: u64,
    /// As the kernel divides it: by what was running when it looked.
    pub user_ns: u64,
    /// Likewise.
    pub system_ns: u64,
}

impl Controllers {
    /// What this tree has.
    ///
    /// # Errors
    /// When it has no memory controller, or none that counts processor time.
    pub fn find(tree: &Path) -> anyhow::Result<Self> {
        let memory = Memory::find(tree)?;
        let processor = match memory.version() {
            Version::One => {
                let mut processor = ["cpuacct", "cpu,cpuacct", "cpuacct,cpu"].map(|name| tree.join(name)).into_iter();
                let processor = processor.find(|folder| folder.join("cpuacct.usage").is_file());
                processor.context("this kernel counts no processor time of groups (`cpuacct`)")?
            }
            Version::Two => tree.to_path_buf(),
        };
        Ok(Self { memory, processor })
    }

    /// `v1` or `v2`: which files are read.
    pub fn version(&self) -> &'static str {
        match self.memory.version() {
            Version::One => "v1",
            Version::Two => "v2",
        }
    }

    /// The files that are read, for memory and for processor time.
    pub fn files(&self) -> [&'static str; 2] {
        let processor = match self.memory.version() {
            Version::One => "cpuacct.usage, cpuacct.usage_user, cpuacct.usage_sys",
            Version::Two => "cpu.stat",
        };
        [self.memory.peak_file(), processor]
    }

    /// Makes a group, and those above it, in every hierarchy, ready for others below it.
    ///
    /// # Errors
    /// When it is there already, or this is not root.
    pub fn make(&self, tree: &Path, group: &Path) -> anyhow::Result<()> {
        let context = || format!("can not make the cgroup `{}`", group.display());
        match self.memory.version() {
            Version::One => {
                for hierarchy in folders(tree)?.iter().filter(|folder| folder.join("cgroup.procs").is_file()) {
                    make_in(hierarchy, group, &|_| Ok(())).with_context(context)?;
                }
                Ok(())
            }
            Version::Two => {
                make_in(tree, group, &|parent| std::fs::write(parent.join("cgroup.subtree_control"), "+memory"))
                    .with_context(context)
            }
        }
    }

    /// The processor time of a group and those below it.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn processor_time(&self, group: &Path) -> anyhow::Result<ProcessorTime> {
        let folder = self.processor.join(group);
        match self.memory.version() {
            Version::One => Ok(ProcessorTime {
                total_ns: number(&folder.join("cpuacct.usage"))?,
                user_ns: number(&folder.join("cpuacct.usage_user"))?,
                system_ns: number(&folder.join("cpuacct.usage_sys"))?,
            }),
            Version::Two => {
                let path = folder.join("cpu.stat");
                let context = || format!("can not read `{}`", path.display());
                let text = std::fs::read_to_string(&path).with_context(context)?;
                let of = |name: &str| -> anyhow::Result<u64> {
                    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                    let microseconds: u64 = line.with_context(context)?.parse().with_context(context)?;
                    Ok(microseconds * 1_000)
                };
                Ok(ProcessorTime {
                    total_ns: of("usage_usec")?,
                    user_ns: of("user_usec")?,
                    system_ns: of("system_usec")?,
                })
            }
        }
    }

    /// Moves a process into a group, for its processor time. 0 is this process.
    ///
    /// # Errors
    /// When the group is not there, or this is not root.
    pub fn enter_processor(&self, group: &Path, process: u32) -> anyhow::Result<()> {
        enter(&self.processor.join(group), process)
    }
}

fn enter(group: &Path, process: u32) -> anyhow::Result<()> {
    let file = group.join("cgroup.procs");
    std::fs::write(&file, process.to_string())
        .with_context(|| format!("can not move a process into `{}`", group.display()))
}

fn number(path: &Path) -> anyhow::Result<u64> {
    let context = || format!("can not read `{}`", path.display());
    std::fs::read_to_string(path).with_context(context)?.trim().parse().with_context(context)
}

/// A group below a hierarchy, each part after the one above it was made ready.
///
/// # Errors
/// When the kernel refuses.
pub fn make_in(hierarchy: &Path, group: &Path, ready: &dyn Fn(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut folder = hierarchy.to_path_buf();
    for part in group.components() {
        ready(&folder)?;
        let above = folder.clone();
        folder.push(part);
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
            // A group of version 1's `cpuset` takes no process until it has processors and memory.
            Ok(()) => {
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    if folder.join(file).is_file() {
                        std::fs::write(folder.join(file), std::fs::read(above.join(file))?)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Removes a group and those below it in every hierarchy. One with a process in it stays.
///
/// # Errors
/// When the kernel refuses for another reason.
pub fn remove(tree: &Path, group: &Path) -> anyhow::Result<()> {
    let found = hierarchies(tree)?.into_iter().map(|hierarchy| hierarchy.join(group));
    found.filter(|group| group.is_dir()).try_for_each(|group| remove_tree(&group))
}

/// The tree itself (version 2), and every controller's (version 1).
pub fn hierarchies(tree: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut hierarchies = vec![tree.to_path_buf()];
    hierarchies.extend(folders(tree)?);
    Ok(hierarchies)
}

/// `rmdir` from the leaves up: a cgroup's files can not be removed, its folders can.
pub fn remove_tree(cgroup: &Path) -> anyhow::Result<()> {
    for child in folders(cgroup)? {
        remove_tree(&child)?;
    }
    match std::fs::remove_dir(cgroup) {
        Err(error) if !matches!(error.kind(), std::io::ErrorKind::ResourceBusy | std::io::ErrorKind::NotFound) => {
            Err(error).with_context(|| format!("can not remove the cgroup `{}`", cgroup.display()))
        }
        _ => Ok(()),
    }
}

/// The folders in one; none where it is not there.
pub fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let Ok(entries) = std::fs::read_dir(parent) else { return Ok(folders) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn each_version_has_files_of_its_own_and_a_hybrid_tree_those_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path();
        assert!(Controllers::find(tree).unwrap_err().to_string().contains("no memory controller"));
        write(&tree.join("cgroup.controllers"), "cpu memory pids\n");
        let two = Controllers::find(tree).unwrap();
        assert_eq!((two.version(), two.files()[0]), ("v2", "memory.peak"));
        write(&tree.join("g/memory.peak"), "4096\n");
        write(&tree.join("g/cpu.stat"), "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 0\n");
        assert_eq!(two.memory.peak_bytes(Path::new("g")).unwrap(), 4096);
        let time = ProcessorTime { total_ns: 30_000, user_ns: 10_000, system_ns: 20_000 };
        assert_eq!(two.processor_time(Path::new("g")).unwrap(), time);
        write(&tree.join("memory/memory.usage_in_bytes"), "1\n");
        assert!(Controllers::find(tree).unwrap_err().to_string().contains("cpuacct"));
        write(&tree.join("cpu,cpuacct/cpuacct.usage"), "1\n");
        let one = Controllers::find(tree).unwrap();
        assert_eq!(one.version(), "v1");
        write(&tree.join("memory/g/memory.max_usage_in_bytes"), "8192\n");
        for (file, text) in [("usage", "30"), ("usage_user", "10"), ("usage_sys", "20")] {
            write(&tree.join(format!("cpu,cpuacct/g/cpuacct.{file}")), text);
        }
        assert_eq!(one.memory.peak_bytes(Path::new("g")).unwrap(), 8192);
        assert_eq!(one.processor_time(Path::new("g")).unwrap().user_ns, 10);
        let error = format!("{:#}", one.memory.peak_bytes(Path::new("none")).unwrap_err());
        assert!(error.contains("memory/none/memory.max_usage_in_bytes"), "{error}");
    }

    #[test]
    fn a_group_is_made_in_every_hierarchy_and_removed_from_each() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path();
        write(&tree.join("memory/memory.usage_in_bytes"), "1");
        write(&tree.join("cpuacct/cpuacct.usage"), "1");
        for hierarchy in ["memory", "cpuacct", "cpuset"] {
            write(&tree.join(hierarchy).join("cgroup.procs"), "");
        }
        let controllers = Controllers::find(tree).unwrap();
        let group = Path::new("run/r0-p1");
        controllers.make(tree, group).unwrap();
        assert!(["memory", "cpuacct", "cpuset"].iter().all(|name| tree.join(name).join(group).is_dir()));
        remove(tree, group).unwrap();
        assert!(["memory", "cpuacct", "cpuset"].iter().all(|name| !tree.join(name).join(group).exists()));
    }
}
