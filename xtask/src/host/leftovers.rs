//! What a run leaves where no namespace ends it: empty cgroups, and folders of a run that was killed.

use std::path::Path;

use anyhow::Context as _;

/// Every containerd namespace of ours begins with this, so that its cgroups can be told from others'.
pub const NAMESPACE_PREFIX: &str = "deploy-bench-";

/// Removes the cgroups of every run of ours that has ended. A cgroup with a process in it stays: the kernel
/// refuses to remove it.
pub fn remove_cgroups(tree: &Path) -> anyhow::Result<()> {
    let mut hierarchies = vec![tree.to_path_buf()];
    hierarchies.extend(folders(tree)?);
    for hierarchy in hierarchies {
        for cgroup in folders(&hierarchy)? {
            if cgroup.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAMESPACE_PREFIX)) {
                remove_tree(&cgroup)?;
            }
        }
    }
    Ok(())
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

fn folders(parent: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
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
    fn only_cgroups_of_ours_are_removed() {
        let tree = tempfile::tempdir().unwrap();
        for folder in ["memory/deploy-bench-1/c1", "memory/user.slice", "deploy-bench-2/c2", "cpu"] {
            std::fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        remove_cgroups(tree.path()).unwrap();
        assert!(!tree.path().join("memory/deploy-bench-1").exists());
        assert!(!tree.path().join("deploy-bench-2").exists());
        assert!(tree.path().join("memory/user.slice").exists() && tree.path().join("cpu").exists());
    }
}
