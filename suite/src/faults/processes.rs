//! Faults of processes: orphans, killed parts, what a run leaves behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::endings::{Traces, long_bench, wait_until};
use crate::{Check, Named, Rig};
use results::Outcome;
use results::store::parse_samples;
use xtask::cmd::{Cmd, Running};
use xtask::session::leftovers;

/// Process ids that a bench of [`RUNS`] runs gets. containerd, two shims and a client take some 70 with their threads;
/// one orphan a run that is not reaped would be too many.
const PROCESS_IDS: u32 = 250;
/// Runs of the bench that must leave nothing unreaped.
const RUNS: usize = 500;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let faults: [Named; 4] = [
        ("what is left in a run's cgroup is ended, and the cgroup removed", busy_cgroup),
        ("a cgroup that can not be emptied is an error that names it", stubborn_cgroup),
        ("500 runs leave nothing unreaped, and need no more than 250 process ids", few_process_ids),
        ("a measuring process that is killed leaves no cgroup and no root of containerd", measuring_process_killed),
    ];
    let check = |(name, check): Named| match rig.no_containers() {
        Some(reason) => Check::skipped(name, reason),
        None => Check::of(name, check(rig)),
    };
    faults.into_iter().map(check).collect()
}

/// A cgroup that is removed when dropped, if it is still there then.
struct Cgroup(PathBuf);

impl Cgroup {
    /// In the hierarchy of a controller, version 1 or 2.
    fn new(controller: &str, name: &str) -> anyhow::Result<Self> {
        let tree = Path::new(leftovers::TREE);
        let parent = if tree.join(controller).is_dir() { tree.join(controller) } else { tree.to_path_buf() };
        let cgroup = parent.join(name);
        std::fs::create_dir(&cgroup).with_context(|| format!("can not make `{}`", cgroup.display()))?;
        Ok(Self(cgroup))
    }

    fn write(&self, file: &str, value: &str) -> anyhow::Result<()> {
        let file = self.0.join(file);
        std::fs::write(&file, value).with_context(|| format!("can not write `{}`", file.display()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if self.0.is_dir()
            && let Err(error) = std::fs::remove_dir(&self.0)
        {
            xtask::console::note(format_args!("can not remove `{}`: {error}", self.0.display()));
        }
    }
}

fn own_namespace(what: &str) -> String {
    format!("{}{what}-{}", leftovers::NAMESPACE_PREFIX, std::process::id())
}

fn sleeper(cgroup: &Cgroup) -> anyhow::Result<Running> {
    let running = Cmd::new("sleep").arg("600").start()?;
    for pid in running.pids()? {
        cgroup.write("cgroup.procs", &pid.as_raw_nonzero().to_string())?;
    }
    Ok(running)
}

fn busy_cgroup(_rig: &Rig) -> anyhow::Result<()> {
    let namespace = own_namespace("busy");
    let outer = Cgroup::new("pids", &namespace)?;
    let inner = Cgroup::new("pids", &format!("{namespace}/container"))?;
    let (first, second) = (sleeper(&outer)?, sleeper(&inner)?);
    leftovers::end_cgroups(Path::new(leftovers::TREE), &namespace)?;
    ensure!(!outer.0.exists(), "`{}` is still there", outer.0.display());
    for running in [first, second] {
        ensure!(running.wait(Duration::from_secs(10))?.code.is_none(), "a process in it was not killed");
    }
    Ok(())
}

/// In a folder that is no cgroup nothing ends, and nothing can be removed: a file is in it.
fn stubborn_cgroup(rig: &Rig) -> anyhow::Result<()> {
    let tree = rig.scratch.join("no-cgroups");
    std::fs::create_dir_all(tree.join("deploy-bench-suite-1/c1"))?;
    std::fs::write(tree.join("deploy-bench-suite-1/c1/file"), "")?;
    let error = leftovers::end_cgroups(&tree, "deploy-bench-suite-1").err().context("it said that it was removed")?;
    ensure!(format!("{error:#}").contains("deploy-bench-suite-1/c1"), "it does not name it: {error:#}");
    Ok(())
}

/// The first process below the namespace's `unshare`: the measuring process of a bench.
fn measuring_process(rig: &Rig) -> anyhow::Result<Pid> {
    let program = rig.program().to_string_lossy().into_owned();
    for path in glob::glob("/proc/[0-9]*/cmdline")?.flatten() {
        let line = std::fs::read(&path).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        if words.first().is_some_and(|word| *word == program)
            && words.get(1).is_some_and(|word| word == xtask::session::process::INSIDE)
        {
            let pid = path.parent().and_then(Path::file_name).and_then(|name| name.to_string_lossy().parse().ok());
            return pid.and_then(Pid::from_raw).context("no process id");
        }
    }
    anyhow::bail!("there is no measuring process")
}

/// Children of a process that have ended and were not reaped.
fn unreaped(parent: Pid) -> anyhow::Result<usize> {
    let parent = format!("PPid:\t{}\n", parent.as_raw_nonzero());
    let status = glob::glob("/proc/[0-9]*/status")?.flatten().filter_map(|path| std::fs::read_to_string(path).ok());
    Ok(status.filter(|status| status.contains(&parent) && status.contains("State:\tZ")).count())
}

/// Why runs failed.
fn failures(out: &Path) -> String {
    let (samples, _) = parse_samples(&std::fs::read(out.join("samples.jsonl")).unwrap_or_default());
    let failed = samples.into_iter().filter(|sample| sample.outcome != Outcome::Ok);
    let reasons: Vec<String> = failed.map(|sample| format!("{:?} {:?}", sample.outcome, sample.reason)).collect();
    format!("{} failed: {}", reasons.len(), reasons.join("; "))
}

fn few_process_ids(rig: &Rig) -> anyhow::Result<()> {
    let cgroup = Cgroup::new("pids", &format!("few-process-ids-{}", std::process::id()))?;
    cgroup.write("pids.max", &PROCESS_IDS.to_string())?;
    let out = rig.scratch.join("few-process-ids");
    let rounds = (RUNS / 2).to_string();
    let own_cgroup = cgroup.0.join("cgroup.procs");
    let running = rig
        .xtask_below("sh", ["-c".as_ref(), "echo $$ >\"$0\" && exec \"$@\"".as_ref(), own_cgroup.as_os_str()])
        .args(["bench", "--bench", "noop", "--case", "native/runc", "--rounds", &rounds, "--warmup", "0", "--out"])
        .arg(&out)
        .start()?;
    let samples = || std::fs::read_to_string(out.join("samples.jsonl")).map_or(0, |text| text.lines().count());
    let mut most = 0;
    wait_until(Duration::from_mins(8), || {
        running.ensure_running()?;
        if samples() > RUNS * 9 / 10 {
            most = most.max(unreaped(measuring_process(rig)?)?);
        }
        Ok(samples() >= RUNS - 10)
    })?;
    let output = running.wait(Duration::from_mins(2))?;
    crate::expect_code(&output, 0).with_context(|| format!("of the runs {}", failures(&out)))?;
    // Those of the run that is under way, and of the one before it.
    ensure!(most <= 6, "{most} processes that had ended were there at once");
    Ok(())
}

fn measuring_process_killed(rig: &Rig) -> anyhow::Result<()> {
    let (before, roots_before) = (Traces::now(rig)?, roots(rig)?);
    let out = rig.scratch.join("measuring-process-killed");
    let running = long_bench(rig, &out)?;
    kill_process(measuring_process(rig)?, Signal::KILL)?;
    let output = running.wait(Duration::from_mins(1))?;
    ensure!(output.code != Some(0), "a bench without its measuring process succeeded");
    Traces::gone(rig, &before)?;
    let left: Vec<_> = roots(rig)?.difference(&roots_before).cloned().collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

/// The roots of every containerd of this checkout.
fn roots(rig: &Rig) -> anyhow::Result<BTreeSet<PathBuf>> {
    Ok(glob::glob(&format!("{}/*/root", rig.workspace.hosts().display()))?.flatten().collect())
}
