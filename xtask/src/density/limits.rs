//! What this machine's kernel allows in all.

use std::path::Path;

use results::density::NodeLimits;

/// The limits below `proc/sys`, and so many processors.
pub fn node_limits(proc: &Path, processors: Option<u64>) -> NodeLimits {
    let number =
        |path: &str| -> Option<u64> { std::fs::read_to_string(proc.join("sys").join(path)).ok()?.trim().parse().ok() };
    NodeLimits {
        pids: number("kernel/pid_max"),
        threads: number("kernel/threads-max"),
        files: number("fs/file-max"),
        mounts: number("fs/mount-max"),
        processors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_allows_something_and_an_empty_folder_nothing() {
        assert!(node_limits(Path::new("/proc"), Some(2)).pids.is_some_and(|pids| pids > 100));
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(node_limits(empty.path(), None), NodeLimits::default());
    }
}
