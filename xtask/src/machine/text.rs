//! What the kernel's and the host's text files say. Pure: text in, values out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `NAME=value` lines, with or without quotes (os-release(5)).
pub fn os_release(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect()
}

/// A field of the first processor in /proc/cpuinfo.
pub fn cpuinfo_field(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// A field of /proc/meminfo, in bytes.
pub fn meminfo_bytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// How many processors a list like `0-3,8` names.
pub fn cpu_list(text: &str) -> Option<u32> {
    text.trim().split(',').try_fold(0u32, |count, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// `0` or `1`.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// The first number of /proc/loadavg: the average over a minute.
pub fn load_average(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Processor time since boot, summed over processors, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTimes {
    /// All of it.
    pub total: u64,
    /// Idle or waiting for I/O.
    pub idle: u64,
    /// Given to other guests by the hypervisor.
    pub steal: u64,
}

/// The first line of /proc/stat (proc_stat(5)): user, nice, system, idle, iowait, irq, softirq, steal; what
/// follows is time of guests, which is within user and nice already.
pub fn cpu_times(text: &str) -> Option<CpuTimes> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[_, _, _, idle, iowait, _, _, steal] = ticks.as_slice() else { return None };
    Some(CpuTimes { total: ticks.iter().sum(), idle: idle + iowait, steal })
}

/// The total of the `some` line of /proc/pressure/cpu, in microseconds since boot.
pub fn pressure_us(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_whitespace().find_map(|field| field.strip_prefix("total="))?.parse().ok()
}

/// A mount, as /proc/self/mountinfo tells it (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is.
    pub at: PathBuf,
    /// The type of its file system.
    pub filesystem: String,
}

/// Every mount, in the order in which they were made.
pub fn mounts(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let at = PathBuf::from(unescape(before.split(' ').nth(4)?));
        Some(Mount { at, filesystem: after.split(' ').next()?.to_owned() })
    };
    text.lines().filter_map(mount).collect()
}

/// `\040` and its like: blanks and backslashes in octal.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some(byte) = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            plain.push(char::from(byte));
            rest = &after[3..];
        } else {
            plain.push('\\');
            rest = after;
        }
    }
    plain + rest
}

/// The type of the file system that a path is on: that of the last mount over the longest part of it.
pub fn filesystem(mounts: &[Mount], path: &Path) -> Option<String> {
    let over = mounts.iter().filter(|mount| path.starts_with(&mount.at));
    over.max_by_key(|mount| mount.at.components().count()).map(|mount| mount.filesystem.clone())
}

/// `v1`, `v2` or `hybrid` (controllers in v1, processes in a v2 tree beside them).
pub fn cgroup(mounts: &[Mount]) -> Option<&'static str> {
    let has = |filesystem: &str| mounts.iter().any(|mount| mount.filesystem == filesystem);
    match (has("cgroup"), has("cgroup2")) {
        (true, true) => Some("hybrid"),
        (true, false) => Some("v1"),
        (false, true) => Some("v2"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
50 23 0:40 / /mnt/a\\040b rw master:3 propagate_from:2 - xfs /dev/x rw
51 23 0:41 / /mnt/a\\040b rw - tmpfs tmpfs rw
";

    #[test]
    fn os_release_is_read_with_and_without_quotes() {
        let fields = os_release("NAME=\"A B\"\nID=debian\n# x\nID_LIKE='a b'\n");
        assert_eq!(fields["NAME"], "A B");
        assert_eq!(fields["ID"], "debian");
        assert_eq!(fields["ID_LIKE"], "a b");
    }

    #[test]
    fn the_last_mount_over_the_longest_path_counts() {
        let mounts = mounts(MOUNTINFO);
        let on = |path: &str| filesystem(&mounts, Path::new(path)).unwrap();
        assert_eq!(on("/srv/x"), "ext4");
        assert_eq!(on("/mnt/a b/c"), "tmpfs");
        assert_eq!(on("/mnt/ab"), "ext4");
        assert_eq!(on("/sys/fs/cgroup/cpu/x"), "cgroup");
    }

    #[test]
    fn cgroup_versions_are_told_apart() {
        let of = |keep: &[&str]| {
            let chosen: Vec<Mount> =
                mounts(MOUNTINFO).into_iter().filter(|mount| keep.contains(&mount.filesystem.as_str())).collect();
            cgroup(&chosen)
        };
        assert_eq!(of(&["cgroup", "cgroup2"]), Some("hybrid"));
        assert_eq!(of(&["cgroup"]), Some("v1"));
        assert_eq!(of(&["ext4", "cgroup2"]), Some("v2"));
        assert_eq!(of(&["ext4"]), None);
    }

    #[test]
    fn processor_times_count_guests_once() {
        let times = cpu_times("cpu  10 2 3 40 5 1 2 7 4 1\ncpu0 1 1 1 1 1 1 1 1 1 1\n").unwrap();
        assert_eq!(times, CpuTimes { total: 70, idle: 45, steal: 7 });
        assert_eq!(cpu_times("cpu  1 2 3\n"), None);
    }

    #[test]
    fn small_files_give_numbers_or_nothing() {
        assert_eq!(cpu_list("0-1\n"), Some(2));
        assert_eq!(cpu_list("0-3,8,10-11"), Some(7));
        assert_eq!(cpu_list("3-0"), None);
        assert_eq!(load_average("2.99 2.86 2.31 2/94 20802"), Some(2.99));
        assert_eq!(
            pressure_us("some avg10=0.00 avg60=0.00 avg300=0.00 total=5223\nfull avg10=0.00 total=0\n"),
            Some(5223)
        );
        assert_eq!(meminfo_bytes("MemTotal:       24684084 kB\nMemFree: 1 kB\n", "MemTotal"), Some(24_684_084 * 1024));
        assert_eq!(
            cpuinfo_field("processor\t: 0\nmodel name\t: X\n\nprocessor\t: 1\nmodel name\t: Y\n", "model name")
                .as_deref(),
            Some("X")
        );
        assert_eq!((flag("1\n"), flag("0"), flag("on")), (Some(true), Some(false), None));
    }
}
