//! What isolation a runtime's containers have, seen in one of them before the rounds: once per run, runtime and kind of
//! program, outside of every timed region.
//!
//! A native program looks itself (`workload/src/bin/surroundings.rs`): of a runtime with a kernel of its own nothing else
//! could. A module sees nothing, so its process is looked at from outside while it computes. Not here: what two containers
//! differ in (`results::isolation`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::clock::Stopwatch;
use crate::cmd::Following;
use crate::containerd::Ctr;
use crate::measure::runs::{RunnableBench, Start};
use crate::measure::single;
use crate::stop::Stop;
use facts::{Facts, Texts};
use results::case::Case;
use results::isolation::{Isolation, Subject};

pub mod facts;
pub mod process;

/// How long a container may take until its program writes something, on a busy machine.
const BEGIN_LIMIT: Duration = Duration::from_secs(20);
/// A line that begins a text, or with nothing behind it ends them all.
const SECTION: &str = "==";
/// The files of a cgroup that limit it, in both versions.
const CGROUP_FILES: [&str; 6] =
    ["pids.max", "memory.max", "cpu.max", "memory.limit_in_bytes", "cpu.cfs_quota_us", "cpuset.cpus"];

/// One look.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look {
    /// How the container is started.
    pub start: Start,
    /// What runs in it: the native program that looks itself, or a module that computes until it is ended.
    pub program: RunnableBench,
    /// A case of the runtime that runs such programs.
    pub case: Case,
    /// Arguments that stand in front of the runtime's own.
    pub options: Vec<String>,
}

/// Looks at every runtime. What can not be seen is recorded with the reason.
pub fn look(looks: &[Look], ctr: &Ctr, stop: &Stop) -> Vec<Isolation> {
    let of = |(number, look): (usize, &Look)| {
        let (runtime, of) = (look.case.runtime.name.as_str(), Subject::of(&look.case));
        let seen = seen(look, of, (ctr, &format!("isolation-{number}")), stop);
        seen.unwrap_or_else(|error| Isolation::unknown(runtime, of, format!("{error:#}")))
    };
    looks.iter().enumerate().map(of).collect()
}

fn seen(look: &Look, of: Subject, (ctr, id): (&Ctr, &str), stop: &Stop) -> anyhow::Result<Isolation> {
    anyhow::ensure!(!stop.is_requested(), "it was interrupted");
    let invocation = single::invocation(&look.start, (&look.program, &look.case), (Some(ctr), id))?;
    let mut following = ctr.follow(&invocation)?;
    let looked = match of {
        Subject::Native => printed(&mut following).map(|texts| {
            let cgroup = process::of_container(id).and_then(cgroup).unwrap_or_default();
            Texts { cgroup, ..texts }
        }),
        Subject::Module => next_line(&mut following).and_then(|_| from_outside(process::of_container(id)?)),
    };
    drop(following);
    ctr.remove(id)?;
    let Facts { restricts, allows, mut is } = Facts::of(&looked?, &host());
    if !look.options.is_empty() {
        is.insert("option".to_owned(), look.options.iter().cloned().collect());
    }
    Ok(Isolation { runtime: look.case.runtime.name.clone(), of, restricts, allows, is, unknown: None })
}

/// The next line of a container's program.
fn next_line(following: &mut Following) -> anyhow::Result<String> {
    let line = following.line(BEGIN_LIMIT)?;
    line.with_context(|| format!("its program wrote nothing for {} s", BEGIN_LIMIT.as_secs()))
}

/// The texts that a program prints of itself.
fn printed(following: &mut Following) -> anyhow::Result<Texts> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    let clock = Stopwatch::start();
    loop {
        if clock.elapsed() > BEGIN_LIMIT {
            bail!("its program was not done after {} s", BEGIN_LIMIT.as_secs());
        }
        let line = next_line(following)?;
        match line.strip_prefix(SECTION).map(str::trim) {
            Some("") => return Ok(texts(|name| sections.get(name).cloned().unwrap_or_default())),
            Some(name) => current = Some(name.to_owned()),
            None => {
                let name = current.clone().context("its program printed something else")?;
                let text = sections.entry(name).or_default();
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
}

/// The texts of a process, seen from outside.
fn from_outside(pid: u32) -> anyhow::Result<Texts> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let read = |name: &str| match name.strip_prefix("/proc/self/") {
        Some(own) if own.starts_with("ns/") => process::link(folder.join(own)),
        Some(own) => std::fs::read_to_string(folder.join(own)).unwrap_or_default(),
        // What is not a process's own it would read in its namespaces.
        None if name == "/proc/net/dev" => std::fs::read_to_string(folder.join("net/dev")).unwrap_or_default(),
        None => std::fs::read_to_string(name).unwrap_or_default(),
    };
    let texts = texts(read);
    anyhow::ensure!(!texts.status.is_empty(), "its process was gone before it could be looked at");
    Ok(Texts { cgroup: cgroup(pid)?, ..texts })
}

/// The texts of this process: what is the same in a container is not the container's own.
fn host() -> Texts {
    texts(
        |name| {
            if name.contains("/ns/") { process::link(name) } else { std::fs::read_to_string(name).unwrap_or_default() }
        },
    )
}

fn texts(read: impl Fn(&str) -> String) -> Texts {
    let namespace = |name: &str| (name.to_owned(), read(&format!("/proc/self/ns/{name}")).trim().to_owned());
    Texts {
        status: read("/proc/self/status"),
        mountinfo: read("/proc/self/mountinfo"),
        limits: read("/proc/self/limits"),
        version: read("/proc/version"),
        interfaces: read("/proc/net/dev"),
        namespaces: process::NAMESPACES.map(namespace).into(),
        cgroup: BTreeMap::new(),
    }
}

/// What limits a process's cgroups: a file that says `max`, or the greatest number that there is, limits nothing.
fn cgroup(pid: u32) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).context("its process is gone")?;
    let mut limits = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let folder = Path::new("/sys/fs/cgroup").join(controllers).join(path.trim_start_matches('/'));
        for file in CGROUP_FILES {
            let value = std::fs::read_to_string(folder.join(file)).unwrap_or_default().trim().to_owned();
            let is_none = value.is_empty() || value.starts_with("max") || value.starts_with('-');
            let is_greatest = file.ends_with("_in_bytes") && value.parse::<u64>().is_ok_and(|bytes| bytes > 1 << 60);
            // Which processors may be used is a limit where not all are.
            let is_all = file == "cpuset.cpus" && value == all_processors();
            if !is_none && !is_greatest && !is_all {
                limits.insert(file.to_owned(), value);
            }
        }
    }
    Ok(limits)
}

fn all_processors() -> String {
    std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default().trim().to_owned()
}
