//! The memory cgroup of a density run: one for everything, a child for containerd with its shims, one for each instance.
//! Version 1, version 2, and the hybrid of both (whose memory controller is version 1's).
//!
//! containerd puts a container into `/NAMESPACE/ID` by itself; what is missing is put there by this.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::clock::Stopwatch;

/// How long what was killed may take to leave its cgroup.
const EMPTY_LIMIT: Duration = Duration::from_secs(5);
/// The child that containerd and its shims are in.
pub const DAEMON: &str = "containerd";

/// The cgroup of a run, as the kernel's memory controller knows it.
#[derive(Clone, Debug)]
pub struct MemoryGroup {
    version: Version,
    /// The cgroup of everything.
    root: PathBuf,
    /// Where this process was before.
    home: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// What is charged to a cgroup and those below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// All of it.
    pub total_bytes: u64,
    /// Memory that is no file's.
    pub anonymous_bytes: u64,
    /// Page cache.
    pub file_bytes: u64,
    /// The kernel's own: stacks, page tables, slab.
    pub kernel_bytes: Option<u64>,
}

impl MemoryGroup {
    /// Makes the cgroup, in a tree that is mounted at `tree`.
    ///
    /// # Errors
    /// Why memory can not be read by cgroup here.
    pub fn make(tree: &Path, name: &str) -> anyhow::Result<Self> {
        let own = std::fs::read_to_string("/proc/self/cgroup").context("can not read `/proc/self/cgroup`")?;
        let (version, controller) = if tree.join("memory/memory.usage_in_bytes").is_file() {
            (Version::V1, tree.join("memory"))
        } else if tree.join("cgroup.controllers").is_file() {
            (Version::V2, tree.to_path_buf())
        } else {
            anyhow::bail!("no memory controller is mounted below `{}`", tree.display());
        };
        let home = home(&own, version).context("this process is in no cgroup of the memory controller")?;
        let root = controller.join(name);
        std::fs::create_dir_all(&root)
            .with_context(|| format!("can not make the cgroup `{}`: it takes root", root.display()))?;
        if version == Version::V2 {
            std::fs::write(root.join("cgroup.subtree_control"), "+memory")
                .with_context(|| format!("the memory controller is not available below `{}`", root.display()))?;
        }
        let home = controller.join(home.trim_start_matches('/'));
        Ok(Self { version, root, home })
    }

    /// Puts a process into a child of the cgroup, which is made where it is not there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn adopt(&self, child: &str, process: u32) -> anyhow::Result<()> {
        let folder = self.root.join(child);
        std::fs::create_dir_all(&folder).with_context(|| format!("can not make the cgroup `{}`", folder.display()))?;
        write_process(&folder, process)
    }

    /// Puts this process back to where it was.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn leave(&self) -> anyhow::Result<()> {
        write_process(&self.home, std::process::id())
    }

    /// What is charged to everything of the run.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn charge(&self) -> anyhow::Result<Charge> {
        let stat = text(&self.root.join("memory.stat"))?;
        let field = |name: &str| {
            stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok()).unwrap_or(0)
        };
        Ok(match self.version {
            Version::V1 => Charge {
                total_bytes: number(&self.root.join("memory.usage_in_bytes"))?,
                anonymous_bytes: field("total_rss"),
                file_bytes: field("total_cache"),
                kernel_bytes: number(&self.root.join("memory.kmem.usage_in_bytes")).ok(),
            },
            Version::V2 => Charge {
                total_bytes: number(&self.root.join("memory.current"))?,
                anonymous_bytes: field("anon"),
                file_bytes: field("file"),
                kernel_bytes: stat.contains("\nkernel ").then(|| field("kernel")),
            },
        })
    }

    /// What is charged to the children but containerd's.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn containers_bytes(&self) -> anyhow::Result<u64> {
        let file = match self.version {
            Version::V1 => "memory.usage_in_bytes",
            Version::V2 => "memory.current",
        };
        // A cgroup may be removed meanwhile.
        let charges = self.children()?.into_iter().filter(|child| child.file_name() != Some(DAEMON.as_ref()));
        Ok(charges.filter_map(|child| number(&child.join(file)).ok()).sum())
    }

    /// How many children there are.
    ///
    /// # Errors
    /// When they can not be listed.
    pub fn count(&self) -> anyhow::Result<u64> {
        Ok(self.children()?.len() as u64)
    }

    /// Removes the child of an instance that was started directly, and was killed. A process counts until it is gone, and
    /// version 1 does not say when that is.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(&self, child: &str) -> anyhow::Result<()> {
        let (folder, clock) = (self.root.join(child), Stopwatch::start());
        loop {
            match std::fs::remove_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy && clock.elapsed() < EMPTY_LIMIT => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("can not remove the cgroup `{}`", folder.display()));
                }
                _ => return Ok(()),
            }
        }
    }

    fn children(&self) -> anyhow::Result<Vec<PathBuf>> {
        let entries =
            std::fs::read_dir(&self.root).with_context(|| format!("can not list `{}`", self.root.display()))?;
        Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
    }
}

/// The path of the cgroup that a process is in, of `/proc/PID/cgroup` (cgroups(7)).
fn home(own: &str, version: Version) -> Option<String> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = match version {
            Version::V1 => controllers.split(',').any(|controller| controller == "memory"),
            Version::V2 => number == "0",
        };
        fits.then(|| path.to_owned())
    })
}

fn write_process(folder: &Path, process: u32) -> anyhow::Result<()> {
    let file = folder.join("cgroup.procs");
    std::fs::write(&file, process.to_string()).with_context(|| format!("can not write `{}`", file.display()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))
}

fn number(path: &Path) -> anyhow::Result<u64> {
    text(path)?.trim().parse().with_context(|| format!("`{}` holds no number", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_cgroup_in_each_version() {
        let text = "9:name=systemd:/\n4:cpu,memory:/a:b/c\n0::/d\n";
        assert_eq!(home(text, Version::V1).as_deref(), Some("/a:b/c"));
        assert_eq!(home(text, Version::V2).as_deref(), Some("/d"));
        assert_eq!(home("3:cpu:/\n", Version::V1), None);
    }

    #[test]
    fn where_no_memory_controller_is_the_reason_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let error = MemoryGroup::make(empty.path(), "x").unwrap_err();
        assert!(format!("{error:#}").contains("no memory controller"), "{error:#}");
    }

    /// The files of both versions, as the kernel writes them.
    #[test]
    fn a_charge_is_read_in_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        file("memory.usage_in_bytes", "100\n");
        file("memory.kmem.usage_in_bytes", "7\n");
        file("memory.current", "200\n");
        file(
            "memory.stat",
            "cache 1\nrss 2\ntotal_cache 30\ntotal_rss 60\nanon 120\nfile 50\nkernel 9\nkernel_stack 3\n",
        );
        let group = |version| MemoryGroup { version, root: dir.path().to_path_buf(), home: PathBuf::new() };
        let charge = group(Version::V1).charge().unwrap();
        assert_eq!((charge.total_bytes, charge.anonymous_bytes, charge.file_bytes), (100, 60, 30));
        assert_eq!(charge.kernel_bytes, Some(7));
        let charge = group(Version::V2).charge().unwrap();
        assert_eq!((charge.total_bytes, charge.anonymous_bytes, charge.file_bytes), (200, 120, 50));
        assert_eq!(charge.kernel_bytes, Some(9));
        for child in [DAEMON, "d-1", "d-2"] {
            std::fs::create_dir(dir.path().join(child)).unwrap();
            std::fs::write(dir.path().join(child).join("memory.current"), "40\n").unwrap();
        }
        assert_eq!((group(Version::V2).containers_bytes().unwrap(), group(Version::V2).count().unwrap()), (80, 3));
    }
}
