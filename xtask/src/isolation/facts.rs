//! What the kernel says of a process, as facts about its isolation. Pure: texts in, sets out.
//!
//! The texts are those of proc(5): of a native program as it read them in its container, of a module's process as they are
//! seen from outside. The names of sets are read in sentences: `no namespace pid`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use results::isolation::Sets;

/// The texts, by their file's name below `/proc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// `self/status`.
    pub status: String,
    /// `self/mountinfo`.
    pub mountinfo: String,
    /// `self/limits`.
    pub limits: String,
    /// `version`.
    pub version: String,
    /// `net/dev`.
    pub interfaces: String,
    /// What the links in `self/ns` lead to, by name.
    pub namespaces: BTreeMap<String, String>,
    /// The control files of its cgroup that limit something, by name; from outside.
    pub cgroup: BTreeMap<String, String>,
}

/// Sets of what restricts, what allows, and what is neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Each member makes the isolation stronger.
    pub restricts: Sets,
    /// Each member makes it weaker.
    pub allows: Sets,
    /// Neither can be said.
    pub is: Sets,
}

/// The capabilities by their bits (capability.h of Linux 6.18).
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Where a kernel shows itself.
const KERNEL_FOLDERS: [&str; 2] = ["/proc", "/sys"];

impl Facts {
    /// What the texts of a container's process say beside those of the host's.
    pub fn of(container: &Texts, host: &Texts) -> Self {
        let mut facts = Self::default();
        let own = |name: &&String| {
            let [mine, theirs] = [container, host].map(|texts| texts.namespaces.get(*name).filter(|id| !id.is_empty()));
            mine.is_some() && mine != theirs
        };
        put(&mut facts.restricts, "namespace", container.namespaces.keys().filter(own).cloned());
        let is_own_kernel = container.version.trim() != host.version.trim();
        put(&mut facts.restricts, "kernel", is_own_kernel.then(|| "of its own".to_owned()));
        facts.status(&container.status);
        facts.mounts(&container.mountinfo);
        put(
            &mut facts.restricts,
            "cgroup limit",
            container.cgroup.iter().map(|(name, value)| format!("{name}={value}")),
        );
        put(&mut facts.is, "resource limit", limits(&container.limits));
        put(&mut facts.is, "network interface", interfaces(&container.interfaces));
        facts
    }

    fn status(&mut self, text: &str) {
        let lines: BTreeMap<&str, &str> =
            text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
        let value = |name: &str| lines.get(name).copied().unwrap_or_default();
        let seccomp = match value("Seccomp") {
            "1" => Some("strict mode"),
            "2" => Some("filter"),
            _ => None,
        };
        put(&mut self.restricts, "seccomp", seccomp.map(str::to_owned));
        put(&mut self.restricts, "privilege", (value("NoNewPrivs") == "1").then(|| "fixed (no-new-privs)".to_owned()));
        put(&mut self.allows, "capability", capabilities(value("CapEff")));
        let beyond: BTreeSet<String> = capabilities(value("CapBnd")).collect();
        let effective: BTreeSet<String> = capabilities(value("CapEff")).collect();
        put(&mut self.allows, "capability within reach", beyond.difference(&effective).cloned());
        let user = value("Uid").split_whitespace().nth(1).unwrap_or_default();
        put(&mut self.allows, "user", (user == "0").then(|| "root".to_owned()));
    }

    /// What is hidden or read-only below `/proc` and `/sys`, and the root itself.
    fn mounts(&mut self, text: &str) {
        let (mut masked, mut read_only, mut visible) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for mount in text.lines().filter_map(Mount::parse) {
            let is_kernels = |folder: &str| Path::new(mount.point).starts_with(folder);
            if KERNEL_FOLDERS.contains(&mount.point) {
                visible.insert(mount.point.to_owned());
            }
            if mount.point != "/" && !is_kernels("/proc") && !is_kernels("/sys") {
                continue;
            }
            if mount.hides() {
                masked.insert(mount.point.to_owned());
            } else if mount.is_read_only {
                read_only.insert(mount.point.to_owned());
            }
        }
        // What is not there can be neither read nor written.
        for absent in KERNEL_FOLDERS.iter().filter(|folder| !text.is_empty() && !visible.contains(**folder)) {
            masked.insert((*absent).to_owned());
            read_only.insert((*absent).to_owned());
        }
        put(&mut self.restricts, "masked path", masked);
        put(&mut self.restricts, "read-only path", read_only);
    }
}

fn put(sets: &mut Sets, name: &str, members: impl IntoIterator<Item = String>) {
    let members: BTreeSet<String> = members.into_iter().collect();
    if !members.is_empty() {
        sets.insert(name.to_owned(), members);
    }
}

fn capabilities(hex: &str) -> impl Iterator<Item = String> + use<> {
    let bits = u64::from_str_radix(hex, 16).unwrap_or(0);
    let name = |bit: usize| CAPABILITIES.get(bit).map_or_else(|| format!("number {bit}"), |name| (*name).to_owned());
    (0..64).filter(move |bit| bits >> bit & 1 == 1).map(name)
}

/// A line of mountinfo.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    system: &'a str,
    is_read_only: bool,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point, options) = (mount.next()?, mount.next()?, mount.next()?);
        let is_read_only = options.split(',').any(|option| option == "ro");
        Some(Self { root, point, system: system.split(' ').next()?, is_read_only })
    }

    /// Runtimes hide a file below `/dev/null`, and a folder below an empty file system.
    fn hides(&self) -> bool {
        self.root == "/null" || (self.point != "/sys/fs/cgroup" && self.system == "tmpfs" && self.point != "/")
    }
}

/// Soft and hard limits that are not unlimited: `Max open files 1024 of 1048576`.
fn limits(text: &str) -> Vec<String> {
    let limit = |line: &str| {
        let name = line.get(..26)?.trim();
        let mut values = line.get(26..)?.split_whitespace();
        let (soft, hard) = (values.next()?, values.next()?);
        (soft != "unlimited").then(|| format!("{} {soft} of {hard}", name.trim_start_matches("Max ")))
    };
    text.lines().skip(1).filter_map(limit).collect()
}

fn interfaces(text: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once(':')?.0.trim().to_owned());
    text.lines().skip(2).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t0000000000000021\nCapBnd:\t0000000000200021\n\
                          NoNewPrivs:\t1\nSeccomp:\t2\n";
    const MOUNTS: &str = "36 35 0:44 / / rw,relatime - overlay overlay rw,lowerdir=/a\n\
                          37 36 0:5 / /proc rw,nosuid - proc proc rw\n\
                          38 37 0:6 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw,size=1k\n\
                          39 37 0:7 / /proc/scsi ro,relatime - tmpfs tmpfs ro\n\
                          40 37 0:5 /sys /proc/sys ro,nosuid - proc proc rw\n\
                          41 36 0:8 / /sys ro,nosuid - sysfs sysfs ro\n\
                          42 36 0:9 / /dev rw - tmpfs tmpfs rw\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                          Max cpu time              unlimited            unlimited            seconds   \n\
                          Max open files            1024                 1048576              files     \n";
    const INTERFACES: &str = "Inter-|   Receive\n face |bytes\n    lo:       0 0\n  eth0: 1 2\n";

    fn container() -> Texts {
        let namespaces = [("pid", "pid:[2]"), ("net", "net:[1]"), ("user", "")];
        Texts {
            status: STATUS.to_owned(),
            mountinfo: MOUNTS.to_owned(),
            limits: LIMITS.to_owned(),
            version: "Linux version 6\n".to_owned(),
            interfaces: INTERFACES.to_owned(),
            namespaces: namespaces.map(|(name, id)| (name.to_owned(), id.to_owned())).into(),
            cgroup: [("pids.max".to_owned(), "100".to_owned())].into(),
        }
    }

    fn host() -> Texts {
        let namespaces = [("pid", "pid:[1]"), ("net", "net:[1]"), ("user", "user:[1]")];
        let namespaces = namespaces.map(|(name, id)| (name.to_owned(), id.to_owned())).into();
        Texts { version: "Linux version 6".to_owned(), namespaces, ..Texts::default() }
    }

    fn shown(sets: &Sets) -> Vec<String> {
        sets.iter().map(|(name, set)| format!("{name}: {}", Vec::from_iter(set.clone()).join(" "))).collect()
    }

    #[test]
    fn everything_that_isolates_is_read() {
        let facts = Facts::of(&container(), &host());
        assert_eq!(
            shown(&facts.restricts),
            [
                "cgroup limit: pids.max=100",
                "masked path: /proc/kcore /proc/scsi",
                "namespace: pid",
                "privilege: fixed (no-new-privs)",
                "read-only path: /proc/sys /sys",
                "seccomp: filter",
            ]
        );
        assert_eq!(
            shown(&facts.allows),
            ["capability: chown kill", "capability within reach: sys_admin", "user: root",]
        );
        assert_eq!(shown(&facts.is), ["network interface: eth0 lo", "resource limit: open files 1024 of 1048576"]);
    }

    #[test]
    fn what_is_not_there_is_no_fact() {
        assert_eq!(Facts::of(&Texts::default(), &Texts::default()), Facts::default());
    }

    #[test]
    fn a_process_without_the_kernels_folders_can_neither_read_nor_write_them() {
        let module = Texts { mountinfo: "36 35 0:44 / / rw - overlay overlay rw\n".to_owned(), ..container() };
        let facts = Facts::of(&module, &host());
        for set in ["masked path", "read-only path"] {
            assert_eq!(Vec::from_iter(facts.restricts[set].clone()), KERNEL_FOLDERS, "{set}");
        }
    }

    #[test]
    fn another_kernel_is_one_of_its_own() {
        let other = Texts { version: "Linux version 4.4.0".to_owned(), ..container() };
        assert!(Facts::of(&other, &host()).restricts["kernel"].contains("of its own"));
    }
}
