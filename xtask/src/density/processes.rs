//! Which processes there are, and which instance each belongs to.
//!
//! Everything of a run is in a PID namespace of its own (but for a containerd that was there already). A process belongs to
//! an instance when it is in the instance's cgroup (what runs inside the container), when an argument of it names the
//! instance (a shim is started with `-id`, and what it forks keeps its command line), or when its parent belongs to it.
//! Ids are of one run and one instance, so that no other word is like them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is waiting: a container, or a process that was started directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The container's id, or the cgroup's name.
    pub id: String,
    /// The process that was started directly.
    pub process: Option<u32>,
}

/// A process, as far as it tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its parent's.
    pub parent: u32,
    /// Whether it has ended and nobody has waited for it.
    pub ended: bool,
    /// Its command line.
    pub command: Vec<String>,
    /// The cgroups that it is in, one for each hierarchy.
    pub cgroups: Vec<PathBuf>,
}

/// Every process below `proc`. One that ends meanwhile is left out.
pub fn all(proc: &Path) -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir(proc) else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|id| process(&proc.join(id.to_string()), id)).collect()
}

fn process(folder: &Path, id: u32) -> Option<Process> {
    let (state, parent) = state_and_parent(&std::fs::read_to_string(folder.join("stat")).ok()?)?;
    let command = std::fs::read(folder.join("cmdline")).unwrap_or_default();
    let cgroups = std::fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
    Some(Process {
        id,
        parent,
        ended: matches!(state, 'Z' | 'X'),
        command: command
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
        cgroups: cgroups.lines().filter_map(|line| Some(line.splitn(3, ':').nth(2)?.into())).collect(),
    })
}

/// The third and fourth field of `/proc/PID/stat` (proc(5)); the second is the program's name in parentheses, which may hold
/// parentheses and blanks.
fn state_and_parent(stat: &str) -> Option<(char, u32)> {
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

/// The processes of each of these instances, by the instance's place in the list. What has ended has none.
pub fn of_instances(all: &[Process], instances: &[Known], group: &str) -> BTreeMap<u32, usize> {
    let by_id: BTreeMap<&str, usize> =
        instances.iter().enumerate().map(|(place, known)| (known.id.as_str(), place)).collect();
    let mut owners: BTreeMap<u32, usize> = BTreeMap::new();
    for process in all.iter().filter(|process| !process.ended) {
        let started = instances.iter().position(|known| known.process == Some(process.id));
        let owner = started.or_else(|| in_cgroup(process, &by_id, group)).or_else(|| named(process, &by_id));
        owners.extend(owner.map(|place| (process.id, place)));
    }
    loop {
        let is_new = |process: &&Process| !process.ended && !owners.contains_key(&process.id);
        let children: Vec<(u32, usize)> =
            all.iter().filter(is_new).filter_map(|process| Some((process.id, *owners.get(&process.parent)?))).collect();
        if children.is_empty() {
            return owners;
        }
        owners.extend(children);
    }
}

/// Whether each instance's own program is there, the shim beside it left out.
pub fn waiting(all: &[Process], instances: &[Known], group: &str) -> Vec<bool> {
    let by_id: BTreeMap<&str, usize> =
        instances.iter().enumerate().map(|(place, known)| (known.id.as_str(), place)).collect();
    let mut waiting = vec![false; instances.len()];
    for process in all.iter().filter(|process| !process.ended) {
        let started = instances.iter().position(|known| known.process == Some(process.id));
        if let Some(place) = started.or_else(|| in_cgroup(process, &by_id, group)) {
            waiting[place] = true;
        }
    }
    waiting
}

fn in_cgroup(process: &Process, by_id: &BTreeMap<&str, usize>, group: &str) -> Option<usize> {
    process.cgroups.iter().find_map(|cgroup| {
        let parts: Vec<&str> = cgroup.iter().filter_map(|part| part.to_str()).collect();
        let below = parts.iter().position(|part| *part == group)?;
        by_id.get(parts.get(below + 1)?).copied()
    })
}

fn named(process: &Process, by_id: &BTreeMap<&str, usize>) -> Option<usize> {
    let mut words = process.command.iter().flat_map(|word| word.split('/'));
    words.find_map(|word| by_id.get(word)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ids: &[&str]) -> Vec<Known> {
        ids.iter().map(|id| Known { id: (*id).to_owned(), process: None }).collect()
    }

    fn make(id: u32, parent: u32, command: &str, cgroup: &str) -> Process {
        Process {
            id,
            parent,
            ended: false,
            command: command.split(' ').map(str::to_owned).collect(),
            cgroups: vec!["/".into(), cgroup.into()],
        }
    }

    #[test]
    fn the_name_of_a_program_may_look_like_the_end_of_one() {
        assert_eq!(state_and_parent("7 (a) b) S 3 7 7 0"), Some(('S', 3)));
        assert_eq!(state_and_parent("7 (a"), None);
    }

    /// runc's shim, ours with its helpers, gVisor's processes, and what is nobody's.
    #[test]
    fn a_process_is_found_by_cgroup_by_argument_and_by_parent() {
        let mut all = vec![
            make(1, 0, "xtask inside request.json", "/"),
            make(5, 1, "/t/containerd --config x", "/ns/containerd"),
            make(10, 1, "/t/containerd-shim-runc-v2 -namespace ns -id d-1 -address /run/c.sock", "/ns/containerd"),
            make(11, 10, "/wait", "/ns/d-1"),
            make(20, 1, "/t/containerd-shim-wasmedge-v1 -namespace ns -id d-2 -address x", "/ns/containerd"),
            make(21, 20, "/t/containerd-shim-wasmedge-v1 -namespace ns -id d-2 -address x", "/ns/containerd"),
            make(22, 21, "helper", "/ns/containerd"),
            make(23, 1, "runsc-sandbox --bundle=/run/containerd/io.containerd.runtime.v2.task/ns/d-2 boot", "/"),
            make(30, 1, "/t/ctr tasks list --id d-3", "/"),
            make(31, 1, "other", "/elsewhere/d-1"),
        ];
        all.push(Process { ended: true, ..make(24, 20, "", "/ns/d-2") });
        let owners = of_instances(&all, &known(&["d-1", "d-2"]), "ns");
        let expected = [(10, 0), (11, 0), (20, 1), (21, 1), (22, 1), (23, 1)];
        assert_eq!(owners.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(waiting(&all, &known(&["d-1", "d-2"]), "ns"), [true, false], "a shim alone is no program");
    }

    #[test]
    fn a_process_that_was_started_directly_brings_its_children() {
        let all = [make(7, 1, "/t/wasmedge wait.wasm", "/"), make(8, 7, "child", "/"), make(9, 1, "stranger", "/")];
        let instances = [Known { id: "d-1".to_owned(), process: Some(7) }];
        assert_eq!(of_instances(&all, &instances, "ns").into_keys().collect::<Vec<_>>(), [7, 8]);
    }

    #[test]
    fn this_process_is_among_all() {
        let all = all(Path::new("/proc"));
        let own = all.iter().find(|process| process.id == std::process::id()).unwrap();
        assert!(!own.ended && !own.command.is_empty() && all.iter().any(|process| process.id == own.parent));
    }
}
