//! The memory controller of a tree of cgroups: where it is, and what it says of a group.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{Version, enter, number};

/// The memory controller: which of the two versions, and where its hierarchy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    version: Version,
    hierarchy: PathBuf,
}

/// What is charged to a group and those below it.
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

/// The peak of a group's memory from a moment on. Version 1 begins anew for everybody, version 2 for whoever has the file open
/// (cgroup-v2, \"memory.peak\", Linux 6.12).
#[derive(Debug)]
pub struct PeakSince {
    file: File,
    path: PathBuf,
    base_bytes: u64,
}

impl PeakSince {
    /// What the peak since then is beyond what was in use then. The kernel counts in batches: some 100 kB are not told apart.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn beyond_bytes(&self) -> anyhow::Result<u64> {
        Ok(number_in(&self.file, &self.path)?.saturating_sub(self.base_bytes))
    }
}

impl Memory {
    /// That of this tree. On a hybrid machine it is version 1's.
    ///
    /// # Errors
    /// When it has none.
    pub fn find(tree: &Path) -> anyhow::Result<Self> {
        let hierarchy = tree.join("memory");
        if hierarchy.join("memory.usage_in_bytes").is_file() {
            return Ok(Self { version: Version::One, hierarchy });
        }
        let controllers = std::fs::read_to_string(tree.join("cgroup.controllers")).unwrap_or_default();
        ensure!(
            controllers.split_whitespace().any(|name| name == "memory"),
            "`{}` has no memory controller, of neither version",
            tree.display()
        );
        Ok(Self { version: Version::Two, hierarchy: tree.to_path_buf() })
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// The file that says a group's peak.
    pub(super) fn peak_file(&self) -> &'static str {
        match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        }
    }

    fn in_use_file(&self) -> &'static str {
        match self.version {
            Version::One => "memory.usage_in_bytes",
            Version::Two => "memory.current",
        }
    }

    /// Makes a group in this hierarchy, ready for others below it. It may be there already.
    ///
    /// # Errors
    /// When the kernel refuses, or this is not root.
    pub fn make(&self, group: &Path) -> anyhow::Result<()> {
        let folder = self.hierarchy.join(group);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("can not make the cgroup `{}`: it takes root", folder.display()))?;
        if self.version == Version::Two {
            std::fs::write(folder.join("cgroup.subtree_control"), "+memory")
                .with_context(|| format!("the memory controller is not available below `{}`", folder.display()))?;
        }
        Ok(())
    }

    /// Makes a group for processes, in one that [`Memory::make`] made. It may be there already.
    ///
    /// # Errors
    /// When the kernel refuses, or this is not root.
    pub fn make_leaf(&self, group: &Path) -> anyhow::Result<()> {
        let folder = self.hierarchy.join(group);
        std::fs::create_dir_all(&folder).with_context(|| format!("can not make the cgroup `{}`", folder.display()))
    }

    /// Removes a group that has none below it.
    ///
    /// # Errors
    /// As for `rmdir`: a process in it is `ResourceBusy`.
    pub fn remove(&self, group: &Path) -> std::io::Result<()> {
        std::fs::remove_dir(self.hierarchy.join(group))
    }

    /// The groups below a group, by their names.
    ///
    /// # Errors
    /// When it is not there.
    pub fn children(&self, group: &Path) -> anyhow::Result<Vec<std::ffi::OsString>> {
        let folder = self.hierarchy.join(group);
        let entries = std::fs::read_dir(&folder).with_context(|| format!("can not list `{}`", folder.display()))?;
        let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name()).collect())
    }

    /// Moves a process into a group. 0 is this process.
    ///
    /// # Errors
    /// When the group is not there, or this is not root.
    pub fn enter(&self, group: &Path, process: u32) -> anyhow::Result<()> {
        enter(&self.hierarchy.join(group), process)
    }

    /// The group in which this process's memory is counted.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn own_group(&self) -> anyhow::Result<PathBuf> {
        let text = std::fs::read_to_string("/proc/self/cgroup").context("can not read `/proc/self/cgroup`")?;
        let controller = if self.version == Version::One { "memory" } else { "" };
        let group = own_group(&text, controller).context("`/proc/self/cgroup` names no group for memory")?;
        Ok(PathBuf::from(group.trim_start_matches('/')))
    }

    /// What is charged to a group and those below it.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn charge(&self, group: &Path) -> anyhow::Result<Charge> {
        let folder = self.hierarchy.join(group);
        let path = folder.join("memory.stat");
        let stat = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
        let line = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        let field = |name: &str| line(name).unwrap_or(0);
        let total_bytes = self.in_use_bytes(group)?;
        Ok(match self.version {
            Version::One => Charge {
                total_bytes,
                anonymous_bytes: field("total_rss"),
                file_bytes: field("total_cache"),
                kernel_bytes: number(&folder.join("memory.kmem.usage_in_bytes")).ok(),
            },
            Version::Two => Charge {
                total_bytes,
                anonymous_bytes: field("anon"),
                file_bytes: field("file"),
                kernel_bytes: line("kernel"),
            },
        })
    }

    /// All of what is charged to a group and those below it.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn in_use_bytes(&self, group: &Path) -> anyhow::Result<u64> {
        number(&self.hierarchy.join(group).join(self.in_use_file()))
    }

    /// The peak of memory in a group and those below it since it was made.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn peak_bytes(&self, group: &Path) -> anyhow::Result<u64> {
        number(&self.hierarchy.join(group).join(self.peak_file()))
    }

    /// Begins a group's peak anew.
    ///
    /// # Errors
    /// When this kernel can not: version 2 before Linux 6.12.
    pub fn peak_from_now(&self, group: &Path) -> anyhow::Result<PeakSince> {
        let folder = self.hierarchy.join(group);
        let path = folder.join(self.peak_file());
        let context = || format!("`{}` can not begin anew", path.display());
        let file = File::options().read(true).write(true).open(&path).with_context(context)?;
        file.write_at(b"0", 0).with_context(context)?;
        // Of version 1, the peak that begins now: what is in use may be counted a batch later.
        let in_use = if self.version == Version::One { self.peak_file() } else { self.in_use_file() };
        let base_bytes = number(&folder.join(in_use))?;
        Ok(PeakSince { file, path, base_bytes })
    }
}

/// `number:controllers:/path` (cgroups(7)); version 2 has no controllers there.
fn own_group<'a>(text: &'a str, controller: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let names = fields.next()?;
        fields.next().filter(|_| names.split(',').any(|name| name == controller))
    })
}

/// The number in a file that is open: it may be another one for whoever opens it later.
fn number_in(file: &File, path: &Path) -> anyhow::Result<u64> {
    let context = || format!("can not read `{}`", path.display());
    let mut bytes = [0; 32];
    let count = file.read_at(&mut bytes, 0).with_context(context)?;
    String::from_utf8_lossy(&bytes[..count]).trim().parse().with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroups::tests::write;

    #[test]
    fn a_peak_that_began_anew_is_what_came_after() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path();
        write(&tree.join("cgroup.controllers"), "memory\n");
        write(&tree.join("g/memory.peak"), "0\n");
        write(&tree.join("g/memory.current"), "4096\n");
        let two = Memory::find(tree).unwrap();
        let peak = two.peak_from_now(Path::new("g")).unwrap();
        assert_eq!(peak.beyond_bytes().unwrap(), 0);
        write(&tree.join("g/memory.peak"), "20480\n");
        assert_eq!(peak.beyond_bytes().unwrap(), 16_384);
        let error = format!("{:#}", two.peak_from_now(Path::new("none")).unwrap_err());
        assert!(error.contains("none/memory.peak") && error.contains("anew"), "{error}");
    }

    #[test]
    fn the_own_group_is_that_of_the_controller() {
        let text = "4:cpu,memory:/a:b\n3:cpuset:/\n0::/two\n";
        assert_eq!(own_group(text, "memory"), Some("/a:b"));
        assert_eq!(own_group(text, "cpuset"), Some("/"));
        assert_eq!(own_group(text, ""), Some("/two"));
        assert_eq!(own_group("3:cpu:/\n", "memory"), None);
    }

    /// The files of both versions, as the kernel writes them.
    #[test]
    fn a_charge_is_read_in_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| write(&dir.path().join("g").join(name), text);
        file("memory.usage_in_bytes", "100\n");
        file("memory.kmem.usage_in_bytes", "7\n");
        file("memory.current", "200\n");
        file(
            "memory.stat",
            "cache 1\nrss 2\ntotal_cache 30\ntotal_rss 60\nanon 120\nfile 50\nkernel 9\nkernel_stack 3\n",
        );
        let charge = |version| Memory { version, hierarchy: dir.path().to_path_buf() }.charge(Path::new("g")).unwrap();
        let (one, two) = (charge(Version::One), charge(Version::Two));
        assert_eq!((one.total_bytes, one.anonymous_bytes, one.file_bytes, one.kernel_bytes), (100, 60, 30, Some(7)));
        assert_eq!((two.total_bytes, two.anonymous_bytes, two.file_bytes, two.kernel_bytes), (200, 120, 50, Some(9)));
    }
}
