//! Processes of containers, found from outside.

use std::path::Path;

use anyhow::Context as _;

/// The namespaces of a process (namespaces(7)), as their links are named.
pub const NAMESPACES: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/// The process in the container of this name that was started first.
///
/// # Errors
/// When there is none.
pub fn of_container(id: &str) -> anyhow::Result<u32> {
    let ending = format!("/{id}");
    let inside = |pid: &u32| {
        let cgroups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        cgroups.lines().any(|line| line.ends_with(&ending))
    };
    all()?.into_iter().find(inside).with_context(|| format!("no process is in a cgroup of `{id}`"))
}

/// Every process, in the order of their numbers.
///
/// # Errors
/// When the kernel does not list them.
pub fn all() -> anyhow::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = std::fs::read_dir("/proc")
        .context("can not read `/proc`")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a descriptor or a namespace is; nothing when it is gone.
pub fn link(path: impl AsRef<Path>) -> String {
    std::fs::read_link(path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default()
}
