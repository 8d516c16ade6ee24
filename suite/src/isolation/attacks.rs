//! Attacks from inside a container of the shim, and what holds of the shim's own processes meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::container::{Inside, Subject};
use super::{SECRET, facts};
use crate::shim::Runner;
use crate::shim::Verdict;
use xtask::clock::Stopwatch;
use xtask::cmd::Cmd;
use xtask::isolation::process;

/// `EROFS` of errno(3): the file is on a read-only mount.
const READ_ONLY: i32 = 30;

/// `ETXTBSY` of errno(3): somebody executes the file, and an attacker has to wait until nobody does.
const EXECUTED: i32 = 26;

type Attack = (&'static str, fn(&Inside<'_>) -> anyhow::Result<()>);

const ATTACKS: [Attack; 7] = [
    ("a module of uid 1000 can not write to root's `/`", write_to_root),
    ("a module reaches neither `/proc` nor `/sys`", reach_kernel_files),
    ("a module has the standard streams and one directory", use_descriptors),
    ("a module's process shares no socket with the shim and holds nothing of containerd's", inherited),
    ("no container can write to the host's shim file", write_to_shim),
    ("a container does not see the host's keys", read_keys),
    ("two containers of one pod have a shim each", pod),
];

/// One verdict for each.
pub fn all(inside: &Inside<'_>) -> Vec<Verdict> {
    let attack = |(name, attack): &Attack| ((*name).to_owned(), attack(inside).err().map(|error| format!("{error:#}")));
    ATTACKS.iter().map(attack).collect()
}

const ATTACKER: Subject<'static> = Subject { runner: Runner::Shim, id: "attack", options: "" };

const MODULES: [&str; 2] = ["/module.wasm", "/compiled.wasm"];

/// Runs the probe in a container of the shim, and returns what it printed.
fn said(inside: &Inside<'_>, options: &str, command: &[&str]) -> anyhow::Result<String> {
    let output = inside.run(Subject { options, ..ATTACKER }, command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write_to_root(inside: &Inside<'_>) -> anyhow::Result<()> {
    for module in MODULES {
        let refused = said(inside, "--user 1000:1000", &[module, "create", "/made"])?;
        ensure!(refused.starts_with("error:"), "it printed {refused:?}");
        ensure!(!inside.plan.root.join("made").exists(), "`/made` is there");
        // The same as root, so that the refusal is one.
        let output = said(inside, "", &[module, "create", "/made"])?;
        ensure!(output.is_empty() && inside.plan.root.join("made").exists(), "root could not: {output:?}");
        std::fs::remove_file(inside.plan.root.join("made"))?;
    }
    Ok(())
}

fn reach_kernel_files(inside: &Inside<'_>) -> anyhow::Result<()> {
    for module in MODULES {
        for options in ["", "--privileged", "--seccomp"] {
            let reached = said(inside, options, &[module, "reach"])?;
            ensure!(reached == "nothing\n", "`{module}` with {options:?}: {reached}");
        }
    }
    let native = said(inside, "", &["/native", "reach"])?;
    ensure!(native.contains("write /proc/self/mem"), "the probe does not try: a native program printed {native:?}");
    Ok(())
}

fn use_descriptors(inside: &Inside<'_>) -> anyhow::Result<()> {
    for program in ["/module.wasm", "/compiled.wasm", "/native"] {
        let found = said(inside, "", &[program, "descriptors"])?;
        ensure!(found == "nothing\n", "`{program}`: {found}");
    }
    Ok(())
}

/// The shim's own processes: its server and the two that containers are made from.
fn shims(id: &str) -> anyhow::Result<Vec<u32>> {
    let serves = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        arguments.windows(2).any(|pair| pair == [&b"-id"[..], id.as_bytes()])
    };
    let container = process::of_container(id)?;
    let found: Vec<u32> = process::all()?.into_iter().filter(|pid| *pid != container && serves(pid)).collect();
    ensure!(found.len() >= 3, "the shim has the processes {found:?}");
    Ok(found)
}

fn descriptors(pid: u32) -> anyhow::Result<BTreeSet<String>> {
    let folder = format!("/proc/{pid}/fd");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("can not read `{folder}`"))?;
    Ok(entries.flatten().map(|entry| process::link(entry.path())).collect())
}

fn inherited(inside: &Inside<'_>) -> anyhow::Result<()> {
    inside.while_waiting(ATTACKER, "/module.wasm", |pid| {
        let own = descriptors(pid)?;
        for shim in shims(ATTACKER.id)? {
            let theirs = descriptors(shim)?;
            let shared: Vec<_> = own.intersection(&theirs).filter(|name| name.starts_with("socket:")).collect();
            ensure!(shared.is_empty(), "process {shim} of the shim has {shared:?} too");
            let environment = String::from_utf8_lossy(&std::fs::read(format!("/proc/{shim}/environ"))?).into_owned();
            ensure!(!environment.contains(SECRET), "process {shim} of the shim holds containerd's environment");
        }
        // The last is an engine's own copy of the module's data, in memory.
        let expected = ["socket:", "anon_inode:", "/run/containerd/fifo/", "/memfd:wasm-memory-image "];
        let is_expected = |name: &str| name == "/" || expected.iter().any(|start| name.starts_with(start));
        let foreign: Vec<_> = own.iter().filter(|name| !is_expected(name)).collect();
        ensure!(foreign.is_empty(), "it holds {foreign:?}");
        Ok(())
    })
}

fn write_to_shim(inside: &Inside<'_>) -> anyhow::Result<()> {
    let shim = inside.shim();
    let before = std::fs::read(shim)?;
    // What a container gets as `/proc/self/exe` is this very file on this very mount, and it can keep it open.
    let held = inside.while_waiting(ATTACKER, "/module.wasm", |pid| {
        let open = |pid| {
            let path = format!("/proc/{pid}/exe");
            std::fs::File::open(&path).with_context(|| format!("can not open `{path}`"))
        };
        shims(ATTACKER.id)?.into_iter().chain([pid]).map(open).collect::<anyhow::Result<Vec<_>>>()
    })?;
    for file in held {
        let refused = open_again_for_writing(&file)?;
        ensure!(refused == READ_ONLY, "opened again for writing, the shim's file gives error {refused}");
    }
    let output = inside.run(ATTACKER, &["/script"])?;
    ensure!(output.code != Some(0), "a script that the shim interprets ended with success");
    ensure!(std::fs::read(shim)? == before, "`{}` has changed", shim.display());
    Ok(())
}

/// The error of opening a file for writing that nobody executes any more; 0 for none.
fn open_again_for_writing(file: &std::fs::File) -> anyhow::Result<i32> {
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    let clock = Stopwatch::start();
    loop {
        let error = std::fs::File::options().write(true).open(&path).err().and_then(|error| error.raw_os_error());
        if error != Some(EXECUTED) {
            return Ok(error.unwrap_or(0));
        }
        ensure!(clock.elapsed() < Duration::from_secs(20), "the shim is still executed");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn read_keys(inside: &Inside<'_>) -> anyhow::Result<()> {
    let probe = inside.plan.root.join("native");
    let control = Cmd::new(&probe).arg("with-key").arg(&probe).arg("find-key").run()?.text();
    ensure!(control == "found", "the probe does not find a key that is there: {control:?}");
    for runner in [Runner::Runc, Runner::Shim] {
        let output = inside.run(Subject { runner, ..ATTACKER }, &["/native", "find-key"])?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(answer == "none\n", "{runner:?}: it printed {answer:?}");
    }
    Ok(())
}

fn pod(inside: &Inside<'_>) -> anyhow::Result<()> {
    let options = "--annotation io.kubernetes.cri.sandbox-id=pod";
    let [first, second] = ["pod-a", "pod-b"].map(|id| Subject { id, options, ..ATTACKER });
    inside.while_waiting(first, "/native", |_| {
        inside.while_waiting(second, "/native", |pid| {
            shims(first.id)?;
            shims(second.id)?;
            let environment = &facts::of(pid, second.id)?["environment"];
            ensure!(environment.contains("HOME=/"), "the second one has the environment {environment:?}");
            Ok(())
        })
    })
}
