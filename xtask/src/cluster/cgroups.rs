//! The cgroups of a local cluster: one below which all of it is, and in it one for each node, which its node takes for the
//! whole tree. Version 1 of them only: with version 2 a kubelet of 1.20 was not tried.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::cgroups::{TREE, make_in};

/// A hierarchy of version 1, by the folder that it is mounted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    folder: PathBuf,
    /// What it is mounted with.
    options: String,
}

/// The hierarchies that this process is in.
///
/// # Errors
/// When there is none of version 1.
pub fn hierarchies() -> anyhow::Result<Vec<Hierarchy>> {
    let found = parse(&std::fs::read_to_string("/proc/self/cgroup").context("can not read `/proc/self/cgroup`")?);
    let found: Vec<Hierarchy> = found.into_iter().filter(|hierarchy| hierarchy.folder.is_dir()).collect();
    ensure!(
        found.iter().any(|hierarchy| hierarchy.options.split(',').any(|controller| controller == "memory")),
        "this machine has cgroups of version 2 only, with which Kubernetes 1.20 was not tried: a local cluster needs \
         those of version 1 (`systemd.unified_cgroup_hierarchy=0` on the kernel's command line); a cluster that is there \
         can be measured with `--kubeconfig`"
    );
    Ok(found)
}

fn parse(text: &str) -> Vec<Hierarchy> {
    let hierarchy = |line: &str| {
        let options = line.split(':').nth(1).filter(|options| !options.is_empty())?;
        let name = options.strip_prefix("name=").unwrap_or(options);
        Some(Hierarchy { folder: Path::new(TREE).join(name), options: options.to_owned() })
    };
    text.lines().filter_map(hierarchy).collect()
}

/// Puts this process into a cgroup, made where it is not there: in every hierarchy.
///
/// # Errors
/// When one can not be made or entered.
pub fn enter(hierarchies: &[Hierarchy], path: &str) -> anyhow::Result<()> {
    for hierarchy in hierarchies {
        // 0 is the process that writes.
        make_in(&hierarchy.folder, Path::new(path), &|_| Ok(()))
            .and_then(|()| std::fs::write(hierarchy.folder.join(path).join("cgroup.procs"), "0"))
            .with_context(|| format!("can not enter the cgroup `{path}` in `{}`", hierarchy.folder.display()))?;
    }
    Ok(())
}

/// Mounts the hierarchies anew: inside a cgroup namespace their roots are the cgroup of the process that made it.
///
/// # Errors
/// When they can not be mounted.
pub fn remount(hierarchies: &[Hierarchy]) -> anyhow::Result<()> {
    unmount(TREE, UnmountFlags::DETACH).with_context(|| format!("can not unmount `{TREE}`"))?;
    mount("cgroup", TREE, "tmpfs", MountFlags::empty(), Some(c"mode=0755"))
        .context("can not mount a tree of cgroups")?;
    for hierarchy in hierarchies {
        std::fs::create_dir_all(&hierarchy.folder)?;
        let own = hierarchy.options.starts_with("name=");
        let options = if own { format!("none,{}", hierarchy.options) } else { hierarchy.options.clone() };
        let options = std::ffi::CString::new(options)?;
        mount("cgroup", &hierarchy.folder, "cgroup", MountFlags::empty(), Some(options.as_c_str()))
            .with_context(|| format!("can not mount the cgroups of `{}`", hierarchy.options))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_is_none_of_the_hierarchies_and_a_named_one_is() {
        let found = parse("9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/\n0::/x\n");
        let shown: Vec<(String, &str)> =
            found.iter().map(|each| (each.folder.display().to_string(), each.options.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("/sys/fs/cgroup/systemd".to_owned(), "name=systemd"),
                ("/sys/fs/cgroup/memory".to_owned(), "memory"),
                ("/sys/fs/cgroup/cpu,cpuacct".to_owned(), "cpu,cpuacct"),
            ]
        );
    }
}
