//! What a run leaves where no namespace ends it: empty cgroups, and folders of a run that was killed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Every containerd namespace of ours begins with this, so that its cgroups can be told from others', and ends in the
/// number of the process that it belongs to.
pub const NAMESPACE_PREFIX: &str = "deploy-bench-";

/// Where cgroups are.
pub const TREE: &str = "/sys/fs/cgroup";

/// The namespaces whose cgroups are still there although their process is gone. A run of another checkout that is still
/// going on is none of them.
pub fn abandoned(tree: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = std::collections::BTreeSet::new();
    for hierarchy in hierarchies(tree)? {
        for cgroup in folders(&hierarchy)? {
            let name = cgroup.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let process = name.rsplit('-').next().unwrap_or_default();
            if name.starts_with(NAMESPACE_PREFIX) && !Path::new("/proc").join(process).exists() {
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

/// The tree itself (version 2), and every controller's (version 1).
fn hierarchies(tree: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut hierarchies = vec![tree.to_path_buf()];
    hierarchies.extend(folders(tree)?);
    Ok(hierarchies)
}

/// `rmdir` from the leaves up: a cgroup's files can not be removed, its folders can.
fn remove_tree(cgroup: &Path) -> anyhow::Result<()> {
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

fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
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

/// Removes the folders of earlier runs that were killed, all but `own`.
pub fn remove_scratch(hosts: &Path, own: &Path) -> anyhow::Result<()> {
    for folder in folders(hosts)? {
        if folder != own {
            std::fs::remove_dir_all(&folder).with_context(|| format!("can not remove `{}`", folder.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cgroups_whose_process_is_gone_are_abandoned_and_removed() {
        let tree = tempfile::tempdir().unwrap();
        let own = format!("{NAMESPACE_PREFIX}20261123T101500Z-{}", std::process::id());
        // No process has the number 0.
        for folder in ["memory/deploy-bench-1-0/c1", "memory/user.slice", "deploy-bench-2-0/c2", &own, "cpu"] {
            std::fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        let abandoned = abandoned(tree.path()).unwrap();
        assert_eq!(abandoned, ["deploy-bench-1-0", "deploy-bench-2-0"]);
        remove_cgroups(tree.path(), &abandoned).unwrap();
        assert!(!tree.path().join("memory/deploy-bench-1-0").exists());
        assert!(!tree.path().join("deploy-bench-2-0").exists());
        assert!(tree.path().join("memory/user.slice").exists() && tree.path().join(own).exists());
    }
}
