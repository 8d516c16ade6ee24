//! Preflight: what this machine has, lacks and gets in the way of measuring, each with its remedy.
//!
//! Looks only: nothing is changed, built or fetched, and no network is needed.

use std::path::Path;

use serde::Serialize;

use crate::compile::{self, toolchain};
use crate::machine;
use crate::session::privileges::{Namespaces, Privileges};
use crate::toolbox::{self, Group, State, find_on_path};
use crate::workspace::Workspace;
use results::case::names;

mod quiet;

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Everything runs, but numbers are coarser, or something will be set up first.
    Warn,
    /// Something can not run.
    Missing,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How it stands.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do; empty when nothing has to be done.
    pub remedy: String,
}

impl Finding {
    fn ok(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, status: Status::Ok, detail: detail.into(), remedy: String::new() }
    }

    fn warn(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, status: Status::Warn, detail: detail.into(), remedy: remedy.into() }
    }

    fn missing(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, status: Status::Missing, detail: detail.into(), remedy: remedy.into() }
    }
}

/// The worst of these; `Ok` for none.
pub fn worst(findings: &[Finding]) -> Status {
    findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok)
}

/// Looks at everything: first what building needs, then containers, then measuring.
pub fn examine(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = vec![
        processor(),
        rust(workspace),
        targets(workspace),
        linker(),
        toolbox_state(workspace),
        apt(),
        root(),
        namespaces(),
        cgroup(),
        overlayfs(),
        loopback(),
        disk(workspace),
    ];
    findings.extend(quiet::examine(&machine::read(), &machine::load::Snapshot::take()));
    findings
}

fn processor() -> Finding {
    let found = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    if (std::env::consts::OS, std::env::consts::ARCH) == ("linux", "x86_64") {
        Finding::ok("processor", found)
    } else {
        Finding::missing("processor", found, "run on x86-64 Linux: images are for linux/amd64")
    }
}

fn rust(workspace: &Workspace) -> Finding {
    match toolchain::find(workspace) {
        Ok(toolchain) if find_on_path("rustup").is_some() => Finding::ok("rust", toolchain.version),
        Ok(toolchain) => Finding::warn(
            "rust",
            format!("{}, without rustup", toolchain.version),
            "install Rust with rustup, so that missing targets can be added",
        ),
        Err(error) => Finding::missing("rust", format!("{error:#}"), "install Rust with rustup"),
    }
}

fn targets(workspace: &Workspace) -> Finding {
    const WHAT: &str = "rust targets";
    let all = [compile::NATIVE_TARGET, compile::WASM_TARGET];
    let Ok(toolchain) = toolchain::find(workspace) else {
        return Finding::missing(WHAT, "no Rust compiler", "install Rust with rustup");
    };
    let absent: Vec<&str> = all.into_iter().filter(|target| !toolchain.has(target)).collect();
    if absent.is_empty() {
        Finding::ok(WHAT, names(&all))
    } else {
        let remedy = format!("`cargo xtask build` adds them, or: rustup target add {}", absent.join(" "));
        Finding::warn(WHAT, format!("{} not installed", names(&absent)), remedy)
    }
}

fn linker() -> Finding {
    match find_on_path("cc") {
        Some(path) => Finding::ok("C compiler", path.display().to_string()),
        None => {
            Finding::missing("C compiler", "no `cc` on PATH", "install gcc: Rust links with it, and crates build C")
        }
    }
}

fn toolbox_state(workspace: &Workspace) -> Finding {
    const WHAT: &str = "toolbox";
    match toolbox::inspect(workspace, Group::Run) {
        State::Whole(manifest) => Finding::ok(
            WHAT,
            format!("{} packages of `{}` from `{}`", manifest.packages.len(), manifest.suite, manifest.mirror),
        ),
        State::Absent => Finding::warn(
            WHAT,
            "not set up yet",
            "`cargo xtask toolbox` fetches it (81 MB); whatever needs it does so too",
        ),
        State::Damaged(why) => {
            Finding::warn(WHAT, why, "`cargo xtask toolbox` repairs it; whatever needs it does so too")
        }
    }
}

fn apt() -> Finding {
    const WHAT: &str = "apt";
    match toolbox::sources() {
        Ok((family, mirrors)) if !mirrors.is_empty() => Finding::ok(WHAT, format!("{family}, {}", names(&mirrors))),
        Ok((family, _)) => Finding::warn(
            WHAT,
            format!("apt's sources name no {family} archive"),
            "give one with `--mirror URL`, or name host programs by option",
        ),
        Err(error) => Finding::warn(WHAT, format!("{error:#}"), "name host programs by option"),
    }
}

fn root() -> Finding {
    const WHAT: &str = "root";
    match Privileges::find(Namespaces::Shared) {
        Privileges::Root => Finding::ok(WHAT, "running as root"),
        Privileges::Sudo => Finding::ok(WHAT, "sudo works without a password"),
        Privileges::Denied(_) => Finding::warn(
            WHAT,
            "neither root nor sudo without a password",
            "run as root, or allow sudo without a password: containers are not measured otherwise",
        ),
    }
}

fn namespaces() -> Finding {
    const WHAT: &str = "namespaces";
    let wanted = ["mnt", "pid", "net", "ipc", "uts"];
    let absent: Vec<&str> = wanted.into_iter().filter(|name| !Path::new("/proc/self/ns").join(name).exists()).collect();
    match (absent.is_empty(), find_on_path("unshare"), Privileges::find(Namespaces::Shared)) {
        (false, ..) => {
            Finding::missing(WHAT, format!("the kernel lacks {}", names(&absent)), "use a kernel with namespaces")
        }
        (_, None, _) => Finding::missing(WHAT, "no `unshare` on PATH", "install util-linux"),
        // Without root there is nothing to try them with; that is a finding of its own.
        (_, _, Privileges::Denied(_)) => Finding::ok(WHAT, names(&wanted)),
        _ => match Privileges::find(Namespaces::Private) {
            Privileges::Denied(why) => Finding::missing(WHAT, why, "containers are not measured otherwise"),
            Privileges::Root | Privileges::Sudo => Finding::ok(WHAT, names(&wanted)),
        },
    }
}

fn cgroup() -> Finding {
    const WHAT: &str = "cgroup";
    match machine::read().cgroup.as_deref() {
        Some(version @ "v2") => Finding::ok(WHAT, version),
        Some(version) => Finding::warn(
            WHAT,
            version,
            "works; boot with `systemd.unified_cgroup_hierarchy=1` for v2, which others will compare with",
        ),
        None => Finding::missing(WHAT, "no cgroup file system is mounted", "mount one at /sys/fs/cgroup"),
    }
}

fn overlayfs() -> Finding {
    const WHAT: &str = "overlayfs";
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some("overlay")) {
        Finding::ok(WHAT, "known to the kernel")
    } else {
        Finding::warn(WHAT, "not loaded", "`modprobe overlay`; otherwise images are unpacked by copying")
    }
}

/// An interface that is there but down refuses connections; its operational state is always `unknown`.
fn loopback() -> Finding {
    const WHAT: &str = "loopback";
    const IFF_UP: u32 = 1;
    let flags = std::fs::read_to_string("/sys/class/net/lo/flags").ok();
    let flags = flags.and_then(|text| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok());
    match flags {
        Some(flags) if flags & IFF_UP != 0 => Finding::ok(WHAT, "up"),
        _ => Finding::missing(WHAT, "not up", "`ip link set lo up`: the registry listens there"),
    }
}

/// After a whole `cargo xtask test` in a fresh clone, `target` held 3.1 GB (`du -sh target`); builds go on growing it.
const WANTED_BYTES: u64 = 5_000_000_000;

fn disk(workspace: &Workspace) -> Finding {
    const WHAT: &str = "disk space";
    let place = workspace.target();
    let existing = place.ancestors().find(|path| path.exists()).unwrap_or(place);
    let Ok(stat) = rustix::fs::statvfs(existing) else {
        return Finding::warn(WHAT, format!("can not ask for `{}`", existing.display()), "");
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let kind = machine::filesystem(existing).unwrap_or_else(|| "unknown".to_owned());
    let detail = format!("{:.1} GB free in `{}` ({kind})", free as f64 / 1e9, existing.display());
    if free < WANTED_BYTES {
        Finding::warn(WHAT, detail, "free some: about 5 GB are used, or set `CARGO_TARGET_DIR` to where there is room")
    } else {
        Finding::ok(WHAT, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_that_is_not_ok_has_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let findings = examine(&Workspace::at(dir.path()));
        assert!(findings.len() >= 15);
        for finding in findings {
            assert_eq!(finding.remedy.is_empty(), finding.status == Status::Ok, "{finding:?}");
            assert!(!finding.detail.is_empty(), "{finding:?}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "looking changed something");
    }

    #[test]
    fn the_worst_finding_decides() {
        let findings = [Finding::ok("a", "x"), Finding::missing("b", "x", "y"), Finding::warn("c", "x", "y")];
        assert_eq!(worst(&findings), Status::Missing);
        assert_eq!(worst(&[]), Status::Ok);
    }

    #[test]
    fn a_finding_is_readable_by_programs() {
        let json = serde_json::to_string(&Finding::warn("cgroup", "v1", "boot with v2")).unwrap();
        assert_eq!(json, r#"{"what":"cgroup","status":"warn","detail":"v1","remedy":"boot with v2"}"#);
    }
}
