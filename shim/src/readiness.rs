//! Has the kernel ready to move a process into a cgroup before the library does.
//!
//! Whoever moves a process first after a while waits until every processor has passed a quiescent state (`rcu_sync` below
//! `cgroup_threadgroup_rwsem`): some 10 ms, with nothing to do, while the container's process is made. Whoever moves one
//! within that time afterwards does not. So the server moves itself to where it is, which changes nothing, while
//! containerd's requests are answered.
//!
//! It waits with the lock held that a cgroup is made under; so the one that the zygote makes is made first.
//!
//! What can not be found or written is left: the library then waits itself.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::preparation;

/// Begins, and returns at once.
pub fn begin() {
    std::thread::spawn(|| {
        preparation::make_cgroup_ahead();
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        if let Some(folder) = own(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup")) {
            let file = OpenOptions::new().write(true).open(folder.join("cgroup.procs"));
            file.and_then(|mut file| file.write_all(b"0")).ok();
        }
    });
}

/// A folder of the cgroup that this process is in, in any hierarchy, by its `mountinfo` and `cgroup` (proc(5), cgroups(7)).
fn own(mounts: &str, groups: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let (root, place) = (mount.split(' ').nth(3)?, mount.split(' ').nth(4)?);
        let mut fields = file_system.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1)?);
        let group = groups.lines().find_map(|group| {
            let mut fields = group.splitn(3, ':').skip(1);
            let (names, path) = (fields.next()?, fields.next()?);
            let fits = match kind {
                "cgroup2" => names.is_empty(),
                "cgroup" => {
                    !names.is_empty() && names.split(',').all(|name| options.split(',').any(|option| option == name))
                }
                _ => false,
            };
            fits.then_some(path)
        })?;
        let below = Path::new(group).strip_prefix(root).ok()?;
        Some(Path::new(place).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::own;
    use std::path::Path;

    #[test]
    fn the_own_cgroup_is_found_in_both_versions() {
        let one = "30 20 0:1 / / rw - ext4 /dev/x rw\n\
                   34 33 0:29 / /sys/fs/cgroup/cpu rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n";
        let groups = "9:name=systemd:/s\n4:cpu,cpuacct:/a:b/c\n0::/two\n";
        assert_eq!(own(one, groups).as_deref(), Some(Path::new("/sys/fs/cgroup/cpu/a:b/c")));
        let two = "34 33 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(own(two, groups).as_deref(), Some(Path::new("/sys/fs/cgroup/two")));
        let part = "34 33 0:29 /two /mnt rw - cgroup2 cgroup2 rw\n";
        assert_eq!(own(part, groups).as_deref(), Some(Path::new("/mnt")));
        assert_eq!(own("34 33 0:29 /other /mnt rw - cgroup2 cgroup2 rw\n", groups), None);
        assert_eq!(own("", groups), None);
    }
}
