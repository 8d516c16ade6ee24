//! What is true of a container's process, seen from outside through `/proc`: the same for a native program and for a
//! module, which could not look itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use xtask::isolation::process;

/// A fact's name, and the fact.
pub type Facts = BTreeMap<String, String>;

/// The lines of `/proc/PID/status` that are about what the process may do.
const STATUS: [&str; 14] = [
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
    "SigIgn",
    "SigBlk",
    "Umask",
    "Seccomp_filters",
];

/// Everything that is compared.
///
/// # Errors
/// When the process is gone.
pub fn of(pid: u32, id: &str) -> anyhow::Result<Facts> {
    let folder = format!("/proc/{pid}");
    let read = |name: &str| {
        std::fs::read_to_string(format!("{folder}/{name}")).with_context(|| format!("can not read `{folder}/{name}`"))
    };
    let mut facts = status(&read("status")?);
    for name in ["limits", "oom_score_adj", "uid_map", "gid_map"] {
        facts.insert(name.to_owned(), read(name)?);
    }
    facts.insert("cgroups".to_owned(), sorted(read("cgroup")?.lines().map(|line| line.replace(id, "ID"))));
    facts.insert("mounts".to_owned(), mounts(&read("mountinfo")?.replace(id, "ID")));
    facts.insert("lo has an address".to_owned(), read("net/fib_trie")?.contains("127.0.0.1").to_string());
    facts.insert("environment".to_owned(), sorted(read("environ")?.split('\0').map(str::to_owned)));
    facts.insert("working directory".to_owned(), process::link(format!("{folder}/cwd")));
    facts.insert("devices".to_owned(), names(&Path::new(&folder).join("root/dev"))?);
    for namespace in process::NAMESPACES {
        let same =
            process::link(format!("{folder}/ns/{namespace}")) == process::link(format!("/proc/self/ns/{namespace}"));
        facts.insert(format!("namespace {namespace}"), if same { "the host's" } else { "its own" }.to_owned());
    }
    Ok(facts)
}

fn names(folder: &Path) -> anyhow::Result<String> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can not read `{}`", folder.display()))?;
    Ok(sorted(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned())))
}

fn sorted(lines: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines.join("\n")
}

fn status(text: &str) -> Facts {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let wanted = lines.filter(|(name, _)| STATUS.contains(name));
    wanted.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// Mount point, options, file system and its own options (proc_pid_mountinfo(5)), without numbers. Of the root only its
/// place and its options: each container has its own.
fn mounts(text: &str) -> String {
    sorted(text.lines().filter_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(4);
        let (point, options) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let (kind, own) = (system.next()?, system.nth(1)?);
        Some(if point == "/" { format!("/ {options}") } else { format!("{point} {options} {kind} {own}") })
    }))
}

/// What is left of the mounts when those on and below `/proc` and `/sys` are taken away.
pub fn without_kernel_files(mounts: &str) -> String {
    let kernels = |line: &&str| {
        let point = Path::new(line.split(' ').next().unwrap_or_default());
        !point.starts_with("/proc") && !point.starts_with("/sys")
    };
    mounts.lines().filter(kernels).collect::<Vec<_>>().join("\n")
}

/// What differs, named, as `mine` against `theirs`; nothing when they are equal.
pub fn differences(mine: &Facts, theirs: &Facts) -> Option<String> {
    let mut found = Vec::new();
    for name in mine.keys().chain(theirs.keys().filter(|name| !mine.contains_key(*name))) {
        let (mine, theirs) = (mine.get(name), theirs.get(name));
        if mine != theirs {
            found.push(format!("{name}: the shim's {mine:?}, runc's {theirs:?}"));
        }
    }
    (!found.is_empty()).then(|| found.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_compared_without_what_is_each_containers_own() {
        let text = "36 35 98:0 /mnt1 / rw,noatime master:1 - overlay overlay rw,lowerdir=/a\n\
                    37 36 0:5 / /sys ro,nosuid - sysfs sysfs ro\n\
                    38 36 0:6 / /systems rw - tmpfs tmpfs rw,size=1k\n";
        let mounts = mounts(text);
        assert_eq!(mounts, "/ rw,noatime\n/sys ro,nosuid sysfs ro\n/systems rw tmpfs rw,size=1k");
        assert_eq!(without_kernel_files(&mounts), "/ rw,noatime\n/systems rw tmpfs rw,size=1k");
    }

    #[test]
    fn a_fact_of_one_side_only_is_a_difference() {
        let of = |facts: &[(&str, &str)]| -> Facts {
            facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(differences(&of(&[("a", "1")]), &of(&[("a", "1")])), None);
        let found = differences(&of(&[("a", "1"), ("b", "2")]), &of(&[("b", "3"), ("c", "4")])).unwrap();
        assert_eq!(found.lines().count(), 3);
    }

    #[test]
    fn status_keeps_what_a_process_may_do() {
        let facts = status("Name:\tx\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\n");
        assert_eq!(facts.len(), 2);
        assert_eq!(facts["CapEff"], "00000000a80425fb");
    }
}
