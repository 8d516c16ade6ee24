//! The stage on density: few instances, real ones, against what is known of them beforehand; and that nothing is left.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{Check, Named, Rig, expect_code, expect_error};
use results::density::{Arm, DensitySummary};

/// What each instance writes to in the second run.
const DIRTY_MIB: u64 = 16;
/// The cases that are run: a process, a container of runc, a module in a container.
const CASES: [&str; 3] = ["native/process", "native/runc", "wasm-aot/wasmedge"];

/// Two runs that differ in what each instance holds, and bad input.
pub fn density(rig: &Rig) -> Vec<Check> {
    let bad: [Named; 3] = [
        ("no instance at all is refused with the range", no_instance),
        ("more than there is memory for is refused before anything is built", too_much),
        ("an unknown case names the known ones", unknown_case),
    ];
    let mut checks: Vec<Check> = bad.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    let name = "instances that hold nothing, and 16 MiB each, are read";
    if let Some(reason) = rig.no_containers() {
        checks.push(Check::skipped(name, reason));
        return checks;
    }
    let (idle, full) = match (run(rig, "idle", 0), run(rig, "full", DIRTY_MIB)) {
        (Ok(idle), Ok(full)) => (idle, full),
        (Err(error), _) | (_, Err(error)) => {
            checks.push(Check::of(name, Err(error)));
            return checks;
        }
    };
    checks.extend([
        Check::of(name, Ok(())),
        Check::of(
            "what each writes to is what each takes, by cgroup, PSS and private dirty memory",
            written(&idle, &full),
        ),
        Check::of("a process is one process with one thread, and does not wake", process(&idle)),
        Check::of("a container of runc is a shim and a program", container(&idle)),
        Check::of("a module in a container is a shim, its two helpers and a program, which all sleep", module(&idle)),
        Check::of("starts are timed, one after the other and at once", starts(&idle)),
        Check::of("nothing is left, of no case", left(&[&idle, &full])),
        Check::of("no process and no cgroup of a run is on the machine", machine(rig)),
        Check::of("`report` makes every file again, byte for byte", again(rig)),
        Check::of("containers that come and go leave no process and no mount", churn(rig)),
    ]);
    checks
}

fn out(rig: &Rig, name: &str) -> PathBuf {
    rig.scratch.join(format!("density-{name}"))
}

fn run(rig: &Rig, name: &str, dirty_mib: u64) -> anyhow::Result<DensitySummary> {
    let (out, dirty) = (out(rig, name), dirty_mib.to_string());
    let mut args = vec!["density", "--up-to", "4", "--repeat", "2", "--hold", "1", "--dirty-mib", &dirty];
    for case in CASES {
        args.extend(["--case", case]);
    }
    let output = rig.xtask(&args).arg("--out").arg(&out).output()?;
    expect_code(&output, 0)?;
    summary(&out)
}

fn summary(out: &Path) -> anyhow::Result<DensitySummary> {
    let path = out.join("density.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn arm<'a>(summary: &'a DensitySummary, case: &str) -> anyhow::Result<&'a Arm> {
    summary.arms.iter().find(|arm| arm.case == case).with_context(|| format!("`{case}` has no row: {summary:?}"))
}

fn slope(summary: &DensitySummary, case: &str, metric: &str) -> anyhow::Result<f64> {
    let row = arm(summary, case)?.per_instance.iter().find(|row| row.metric == metric);
    Ok(row.with_context(|| format!("`{metric}` of `{case}` was not read: {:?}", summary.not_measured))?.slope.value)
}

/// Between 13 and 19 MiB more for each, whatever the rest is. Charges are counted in batches of up to 64 pages for each
/// processor, a module's memory may be there twice for a moment, and slopes over three levels in two repetitions move with
/// what else the machine does.
fn written(idle: &DensitySummary, full: &DensitySummary) -> anyhow::Result<()> {
    for case in CASES {
        for metric in ["cgroup_bytes", "cgroup_anonymous_bytes", "pss_bytes", "private_dirty_bytes"] {
            let more = (slope(full, case, metric)? - slope(idle, case, metric)?) / f64::from(1_u32 << 20);
            ensure!(
                (13.0..19.0).contains(&more),
                "`{metric}` of `{case}` grows by {more:.2} MiB instead of {DIRTY_MIB}"
            );
        }
    }
    Ok(())
}

fn exactly(summary: &DensitySummary, case: &str, expected: &[(&str, f64)]) -> anyhow::Result<()> {
    for (metric, count) in expected {
        let found = slope(summary, case, metric)?;
        ensure!((found - count).abs() < 1e-6, "`{metric}` of `{case}` is {found} instead of {count}");
    }
    Ok(())
}

fn process(idle: &DensitySummary) -> anyhow::Result<()> {
    exactly(idle, "native/process", &[("processes", 1.0), ("threads", 1.0), ("wakeups", 0.0), ("cpu_ns", 0.0)])
}

fn container(idle: &DensitySummary) -> anyhow::Result<()> {
    exactly(idle, "native/runc", &[("processes", 2.0)])?;
    let (process, container) = (slope(idle, "native/process", "pss_bytes")?, slope(idle, "native/runc", "pss_bytes")?);
    ensure!(container > process, "a container takes {container} B and a process {process} B");
    let mounts = slope(idle, "native/runc", "mounts")?;
    ensure!(mounts >= 1.0, "{mounts} mounts for a container");
    Ok(())
}

/// An idle container's processes wait for their next request, and look at nothing meanwhile.
fn module(idle: &DensitySummary) -> anyhow::Result<()> {
    exactly(idle, "wasm-aot/wasmedge", &[("processes", 4.0)])?;
    let wakeups = slope(idle, "wasm-aot/wasmedge", "wakeups")?;
    ensure!(wakeups < 1.0, "one more wakes {wakeups} times a second");
    Ok(())
}

fn starts(idle: &DensitySummary) -> anyhow::Result<()> {
    for case in CASES {
        let arm = arm(idle, case)?;
        let starts = arm.starts.as_ref().with_context(|| format!("no start of `{case}` was timed"))?;
        ensure!(starts.first_ns.value > 0.0 && starts.last_ns.n == 2, "{starts:?}");
        let counts: Vec<u32> = arm.at_once.iter().map(|row| row.at_once).collect();
        ensure!(counts == [1, 2, 4, 8] && arm.at_once.iter().all(|row| row.latency_ns.n == 8), "{:?}", arm.at_once);
    }
    Ok(())
}

fn left(summaries: &[&DensitySummary]) -> anyhow::Result<()> {
    for arm in summaries.iter().flat_map(|summary| &summary.arms) {
        let known: Vec<&String> = arm.left.keys().collect();
        ensure!(
            known == ["cgroups", "containers", "mounts", "processes"],
            "`{}`: only {known:?} was looked at",
            arm.case
        );
        ensure!(arm.left.values().all(|count| *count == 0), "`{}` left {:?}", arm.case, arm.left);
    }
    Ok(())
}

/// The waiting program is this checkout's own file, which nothing else runs.
fn machine(rig: &Rig) -> anyhow::Result<()> {
    let artifacts = rig.workspace.artifacts();
    let artifacts = artifacts.to_string_lossy().into_owned();
    for entry in std::fs::read_dir("/proc")?.filter_map(Result::ok) {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        ensure!(
            !(command.contains(&artifacts) && command.contains("wait-")),
            "`{}` still runs `{command}`",
            entry.path().display()
        );
    }
    let left = xtask::session::leftovers::abandoned(Path::new(xtask::session::leftovers::TREE))?;
    ensure!(left.is_empty(), "cgroups are left: {left:?}");
    Ok(())
}

fn again(rig: &Rig) -> anyhow::Result<()> {
    let out = out(rig, "idle");
    let files = ["density.json", "README.md", "report.html"];
    let read = || files.map(|name| std::fs::read(out.join(name)).unwrap_or_default());
    let before = read();
    ensure!(before.iter().all(|bytes| !bytes.is_empty()), "a file is missing in `{}`", out.display());
    for name in files {
        std::fs::remove_file(out.join(name))?;
    }
    rig.xtask(&["report"]).arg(&out).run()?;
    ensure!(read() == before, "`report` makes other files");
    let refused = rig.xtask(&["compare"]).arg(&out).arg(&out).output()?;
    expect_error(&refused, 1, &["density run", "cargo xtask report"])
}

fn churn(rig: &Rig) -> anyhow::Result<()> {
    let out = out(rig, "churn");
    let args = ["density", "--churn", "20", "--case", "native/runc", "--case", "wasm-aot/wasmedge", "--out"];
    expect_code(&rig.xtask(&args).arg(&out).output()?, 0)?;
    let summary = summary(&out)?;
    for case in ["native/runc", "wasm-aot/wasmedge"] {
        let arm = arm(&summary, case)?;
        let last = |name: &str| {
            arm.churn.iter().find(|row| row.metric == name).map(|row| row.last).with_context(|| format!("no `{name}`"))
        };
        ensure!(last("namespace_processes")? == 0, "`{case}` left processes: {:?}", arm.churn);
        let mounts = arm.churn.iter().find(|row| row.metric == "mounts").context("no mounts")?;
        ensure!(mounts.first == mounts.last && mounts.containers == 20, "{mounts:?}");
    }
    left(&[&summary])
}

fn no_instance(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["density", "--up-to", "0"]).output()?, 2, &["a whole number from 2 to 10000"])
}

/// Here there is nothing to build with.
fn too_much(rig: &Rig) -> anyhow::Result<()> {
    let args = ["density", "--up-to", "10000", "--dirty-mib", "1048576", "--case", "native/runc"];
    let refused = rig.xtask(&args).env("CARGO", "/no/such/cargo").env("PATH", "").output()?;
    expect_error(&refused, 1, &["`--up-to 10000`", "MB are free", "`--dirty-mib`"])
}

fn unknown_case(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["density", "--case", "wasm/runc"]).output()?, 2, &["`wasm/runc`", "`native/runc`"])
}
