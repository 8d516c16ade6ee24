//! The stage on how a run can end: killed, interrupted, refused, without root. Nothing may be left behind,
//! and nothing measured may be lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::{Check, Named, Rig, expect_code, expect_error};
use results::store::parse_samples;
use results::{Manifest, RunStatus};
use xtask::clock::Stopwatch;
use xtask::cluster::kubernetes;
use xtask::cmd::{Cmd, Running};
use xtask::session::leftovers::NAMESPACE_PREFIX;

/// How long the kernel and the measuring process may take to end everything.
pub const END_LIMIT: Duration = Duration::from_secs(20);

/// Each way to end.
pub fn endings(rig: &Rig) -> Vec<Check> {
    let mut checks = Vec::new();
    let needs_containers: [Named; 4] = [
        ("a finished run leaves no process, mount, socket or cgroup", finished),
        ("SIGKILL of the bench leaves none either, and the samples", killed),
        ("Ctrl-C keeps, and reports, what was measured", interrupted),
        ("a second bench at the same time is refused", second),
    ];
    for (name, check) in needs_containers {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks.push(Check::of("without root: direct rows, sizes, the reason, and exit status 3", not_root(rig)));
    checks
}

/// What a run could leave behind, as seen from outside.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces(BTreeSet<String>);

impl Traces {
    /// Processes, mounts, sockets and cgroups that are there now and could be ours.
    pub fn now(rig: &Rig) -> anyhow::Result<Self> {
        let mut traces = BTreeSet::new();
        let target = rig.workspace.target().to_string_lossy().into_owned();
        // Kubernetes holds parts of containerd, and may be compiled meanwhile.
        let compiled = kubernetes::work(&rig.workspace).to_string_lossy().into_owned();
        let own = std::process::id().to_string();
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            let pid = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(&target)
                && pid != own
                && !line.contains(&compiled)
                && (line.contains("containerd") || line.contains(xtask::session::process::INSIDE))
            {
                traces.insert(format!("process {pid}: {line}"));
            }
        }
        let scratch = rig.workspace.hosts().to_string_lossy().into_owned();
        let mounts = std::fs::read_to_string("/proc/self/mounts")?;
        traces.extend(mounts.lines().filter(|line| line.contains(&scratch)).map(|line| format!("mount {line}")));
        let sockets = std::fs::read_to_string("/proc/net/unix")?;
        traces.extend(
            sockets
                .lines()
                .filter_map(|line| line.split_whitespace().nth(7))
                .filter(|path| path.contains("containerd"))
                .map(|path| format!("socket {path}")),
        );
        for cgroup in glob::glob(&format!("/sys/fs/cgroup/**/{NAMESPACE_PREFIX}*"))?.flatten() {
            traces.insert(format!("cgroup {}", cgroup.display()));
        }
        Ok(Self(traces))
    }

    /// Waits until nothing is there that was not there before.
    pub fn gone(rig: &Rig, before: &Self) -> anyhow::Result<()> {
        let mut left = BTreeSet::new();
        wait_until(END_LIMIT, || {
            left = Self::now(rig)?.0.difference(&before.0).cloned().collect();
            Ok(left.is_empty())
        })
        .with_context(|| format!("left behind: {left:#?}"))
    }
}

/// Looks again and again: what is waited for happens in processes that are no children of ours.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let clock = Stopwatch::start();
    while !condition()? {
        ensure!(clock.elapsed() < limit, "it did not happen within {} s", limit.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn out(rig: &Rig, name: &str) -> PathBuf {
    rig.scratch.join(name)
}

pub fn long_bench(rig: &Rig, out: &Path) -> anyhow::Result<Running> {
    let out = out.to_string_lossy();
    let cmd = rig.xtask(&["bench", "--bench", "noop", "--case", "native/*", "--rounds", "2000", "--out", &out]);
    measuring(&cmd, Path::new(out.as_ref()))
}

/// Starts a bench and returns when it has measured something.
pub fn measuring(cmd: &Cmd, out: &Path) -> anyhow::Result<Running> {
    let running = cmd.start()?;
    let samples = out.join("samples.jsonl");
    wait_until(Duration::from_mins(5), || {
        running.ensure_running()?;
        Ok(std::fs::read_to_string(&samples).is_ok_and(|text| text.lines().count() >= 12))
    })
    .context("the bench did not come to its first samples")?;
    Ok(running)
}

fn finished(rig: &Rig) -> anyhow::Result<()> {
    let before = Traces::now(rig)?;
    let out = out(rig, "finished");
    rig.xtask(&["bench", "--bench", "noop", "--case", "native/runc", "--rounds", "2", "--out", &out.to_string_lossy()])
        .run()?;
    Traces::gone(rig, &before)
}

fn killed(rig: &Rig) -> anyhow::Result<()> {
    let before = Traces::now(rig)?;
    let out = out(rig, "killed");
    let running = long_bench(rig, &out)?;
    ensure!(Traces::now(rig)? != before, "a running bench leaves no trace: this check could not fail");
    running.signal(rustix::process::Signal::KILL)?;
    Traces::gone(rig, &before)?;
    let (samples, lost) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    ensure!(samples.len() >= 12 && lost.is_empty(), "{} samples, lost {lost:?}", samples.len());
    expect_code(&rig.xtask(&["report", &out.to_string_lossy()]).output()?, 3)
}

fn interrupted(rig: &Rig) -> anyhow::Result<()> {
    let before = Traces::now(rig)?;
    let out = out(rig, "interrupted");
    let running = long_bench(rig, &out)?;
    running.signal(rustix::process::Signal::INT)?;
    let output = running.wait(END_LIMIT)?;
    expect_code(&output, 130)?;
    Traces::gone(rig, &before)?;
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(out.join("manifest.json"))?)?;
    let status = manifest.finished.map(|finished| finished.status);
    ensure!(status == Some(RunStatus::Interrupted), "its status is {status:?}");
    ensure!(out.join("report.html").is_file() && out.join("summary.json").is_file(), "it was not reported");
    Ok(())
}

fn second(rig: &Rig) -> anyhow::Result<()> {
    let first = long_bench(rig, &out(rig, "first"))?;
    let refused = rig.xtask(&["bench", "--bench", "noop", "--case", "native/process", "--rounds", "1"]).output();
    first.signal(rustix::process::Signal::INT)?;
    first.wait(END_LIMIT)?;
    expect_error(&refused?, 1, &["measure each other", "process ", "bench"])
}

/// In a user namespace whose only user is not root: the files stay ours, the privileges are gone.
fn not_root(rig: &Rig) -> anyhow::Result<()> {
    let out = out(rig, "not-root");
    let bench = ["bench", "--bench", "noop", "--rounds", "6", "--out", &out.to_string_lossy()];
    let output =
        rig.xtask_below("unshare", ["--user", "--map-user=1000", "--map-group=1000", "--"]).args(bench).output()?;
    expect_code(&output, 3)?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.contains("not measured") && table.contains("root"), "it does not say why:\n{table}");
    let (samples, _) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    ensure!(samples.iter().all(|sample| sample.case.contains("/process")), "it has container rows");
    ensure!(samples.len() >= 7 * 4, "{} samples", samples.len());
    Ok(())
}
