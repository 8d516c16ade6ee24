//! Who ends with whom, and what is removed when the server could not.
//!
//! The server is the parent of everything that it forks, the container's process included, and each of these asks the
//! kernel to be killed when it ends. So a container never outlives its server, whatever ends that: SIGKILL, SIGTERM,
//! or a panic. containerd then notices, and executes the shim with `delete`, which removes what is left.
//!
//! A panic ends the whole server, not one of its threads: the library panics where a process that it talks to is gone,
//! with the request unanswered, and containerd would wait for the answer for ever.
//!
//! Known weakness: a program may take its own wish back (prctl(2), `PR_SET_PDEATHSIG`). It then lives until `delete`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use serde_json::Value;

use crate::launch;

/// How often killed processes are looked for, and how long is waited in between: 3 s together. containerd allows
/// `delete` 5 seconds.
const LOOKS: u32 = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Where cgroups are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Where the library keeps what it knows of containers: below it, by runtime, containerd namespace and container.
const LIBRARY_STATE: &str = "/run/containerd";

/// Has the kernel kill this process when its parent ends. Not inherited by children, and lost when the user changes.
pub fn end_with_parent() {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        log::warn!("a process will not end with its parent: {error}");
    }
}

/// Makes SIGTERM, SIGINT and any panic end this process. Only for the server, after it forked the zygote: that one
/// answers for panics itself, and the first process of a container has to ignore what it does not handle.
pub fn end_as_a_whole() {
    let always = Arc::new(AtomicBool::new(true));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let ended = signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&always));
        if let Err(error) = ended {
            log::error!("signal {signal} will not end the shim: {error}");
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        log::error!("the shim ends, and its containers with it: {panic}");
        std::process::abort();
    }));
}

/// The processes that the server of one container works through, forked for good: the zygote, and one that was forked
/// from that for the container.
const HELPERS: usize = 2;

/// Ends this process, the server of one container, when one of its helpers has ended before it: a request that needs
/// the helper would never be answered, because the container may hold the other end of the helper's socket open.
pub fn end_without_helpers() {
    match helpers() {
        Ok(HELPERS..) => {}
        Ok(_) => {
            log::error!("a process that the shim works through has ended: the shim ends, and its container with it");
            std::process::abort();
        }
        Err(error) => log::warn!("the shim's helpers can not be seen: {error}"),
    }
}

/// How many children were forked for good, and so have this process's name, and go on.
fn helpers() -> std::io::Result<usize> {
    let own = std::process::id();
    let name = std::fs::read_to_string("/proc/self/comm")?;
    let children = std::fs::read_to_string(format!("/proc/self/task/{own}/children"))?;
    let helps = |child: &&str| {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
        stat.is_ok_and(|stat| goes_on(&stat, name.trim_end()))
    };
    Ok(children.split_whitespace().filter(helps).count())
}

/// Whether a line of `/proc/pid/stat` is of a process of this name that has not ended (proc(5)).
fn goes_on(stat: &str, name: &str) -> bool {
    stat.split_once(" (")
        .and_then(|(_, rest)| rest.rsplit_once(") "))
        .is_some_and(|(found, rest)| found == name && !rest.starts_with(['Z', 'X']))
}

/// What `delete` has to remove: it is executed when the server has ended without having been asked to, in the folder
/// of the container's bundle. Every step is tried; what fails is said in containerd's log.
pub fn remove_remains(runtime: &str, arguments: &[String]) {
    let steps = [
        ("its processes and cgroups", remove_cgroups(Path::new(CGROUPS))),
        ("what the library kept", remove_library_state(&Path::new(LIBRARY_STATE).join(runtime), arguments)),
        ("the server's socket", remove_socket(Path::new("address"))),
    ];
    for (what, result) in steps {
        if let Err(error) = result {
            // containerd writes the stderr of `delete` to its log.
            eprintln!("{runtime}: cannot remove {what}: {error:#}");
        }
    }
}

/// Kills what is in the container's cgroups, and removes them.
fn remove_cgroups(tree: &Path) -> Result<()> {
    let text = match std::fs::read("config.json") {
        // containerd executes `delete` after every container, and this one was deleted by its server.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.context("cannot read `config.json`")?,
    };
    let specification: Value = serde_json::from_slice(&text).context("`config.json` is not JSON")?;
    let Some(path) = specification["linux"]["cgroupsPath"].as_str().and_then(own_cgroup) else { return Ok(()) };
    let cgroups = places(tree, &path);
    for _ in 0..LOOKS {
        let mut gone = true;
        for cgroup in &cgroups {
            gone &= remove_cgroup(cgroup)?;
        }
        if gone {
            return Ok(());
        }
        // The kernel says when a cgroup is empty only in version 2.
        std::thread::sleep(BETWEEN_LOOKS);
    }
    bail!("processes in `{}` do not end", path.display())
}

/// A cgroup as a path below the tree; `None` for none, for the root, and for one of systemd's (`slice:prefix:name`).
fn own_cgroup(path: &str) -> Option<PathBuf> {
    let relative = path.trim_start_matches('/');
    let plain = Path::new(relative).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (!relative.is_empty() && plain && !relative.contains(':')).then(|| PathBuf::from(relative))
}

/// A cgroup in the tree itself (version 2), and below every controller (version 1).
fn places(tree: &Path, path: &Path) -> Vec<PathBuf> {
    let controllers = std::fs::read_dir(tree).into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = controllers.map(|controller| controller.path().join(path)).collect();
    places.push(tree.join(path));
    places.retain(|place| place.is_dir());
    places
}

/// Kills what is in a cgroup and those below it, and removes it. `false`: something in it has not ended yet.
fn remove_cgroup(cgroup: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path())?;
        }
    }
    let processes = std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    for process in processes.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
        match kill_process(process, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error).context("cannot kill a process of the container"),
        }
    }
    match std::fs::remove_dir(cgroup) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot remove `{}`", cgroup.display())),
    }
}

fn remove_library_state(state: &Path, arguments: &[String]) -> Result<()> {
    let value = |flag: &str| {
        let plain = |value: &&str| !value.is_empty() && !value.contains('/') && !value.starts_with('.');
        launch::value(arguments, flag).filter(plain)
    };
    let (Some(namespace), Some(id)) = (value("-namespace"), value("-id")) else { return Ok(()) };
    let folder = state.join(namespace).join(id);
    absent(std::fs::remove_dir_all(&folder)).with_context(|| format!("`{}`", folder.display()))
}

/// The file holds the address that containerd was given, `unix://` and a path.
fn remove_socket(address: &Path) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(address) else { return Ok(()) };
    match text.trim().strip_prefix("unix://") {
        Some(socket) => absent(std::fs::remove_file(socket)).with_context(|| format!("`{socket}`")),
        None => Ok(()),
    }
}

/// What is not there needs not be removed.
fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{goes_on, own_cgroup, places, remove_cgroup};

    #[test]
    fn only_a_cgroup_of_the_containers_own_is_ever_removed() {
        assert_eq!(own_cgroup("/ns/id"), Some("ns/id".into()));
        for path in ["", "/", "..", "/ns/../../x", "system.slice:cri:x"] {
            assert_eq!(own_cgroup(path), None, "{path}");
        }
    }

    #[test]
    fn cgroups_are_found_in_every_hierarchy_and_removed_with_those_below() {
        let tree = std::env::temp_dir().join(format!("shim-cgroups-{}", std::process::id()));
        for folder in ["ns/id", "pids/ns/id/deeper", "memory/ns/other"] {
            std::fs::create_dir_all(tree.join(folder)).expect("a temporary folder");
        }
        let found = places(&tree, "ns/id".as_ref());
        assert_eq!(found.len(), 2, "{found:?}");
        for cgroup in found {
            assert!(remove_cgroup(&cgroup).expect("it can be removed"));
            assert!(!cgroup.exists());
        }
        assert!(tree.join("memory/ns/other").is_dir());
        std::fs::remove_dir_all(tree).expect("the folder is ours");
    }

    #[test]
    fn only_a_living_process_of_our_name_helps_whatever_the_name_holds() {
        assert!(goes_on("7 (containerd-shim) S 1 7", "containerd-shim"));
        assert!(!goes_on("7 (containerd-shim) Z 1 7", "containerd-shim"));
        assert!(!goes_on("8 (youki:[2:INIT]) S 1 8", "containerd-shim"));
        assert!(goes_on("9 (a) Z (b) R 1 9", "a) Z (b"));
    }
}
