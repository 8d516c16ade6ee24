//! The stage on rows in pods: containerd's CRI with its own sandboxes, in real runs.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::{Check, Named, Rig, expect_code};
use results::case::PodLife;
use results::metric::pod;
use results::store::parse_samples;
use results::{Manifest, Outcome, Sample};

/// More would show nothing else here.
const ROUNDS: &str = "3";
/// The limit of a run in a pod: what hangs costs all of it.
const LIMIT_S: &str = "8";
/// The rows of pods in the set `cri`, with the twin.
const POD_CELLS: usize = 10;

/// Every check.
pub fn pods(rig: &Rig) -> Vec<Check> {
    let checks: [Named; 2] = [
        ("`--set cri`: every row is measured, and its phases add up to its time", measured),
        ("a pod that hangs, floods its log or fails is a row with a reason, and the next one runs", failures),
    ];
    let run = |(name, check): Named| match rig.no_containers() {
        Some(reason) => Check::skipped(name, reason),
        None => Check::of(name, check(rig)),
    };
    checks.map(run).into()
}

fn read(out: &Path) -> anyhow::Result<(Manifest, Vec<Sample>)> {
    let manifest = serde_json::from_slice(&std::fs::read(out.join("manifest.json"))?)?;
    let (samples, lost) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    ensure!(lost.is_empty(), "{lost:?}");
    Ok((manifest, samples))
}

fn measured(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("cri");
    rig.xtask(&["bench", "--set", "cri", "--rounds", ROUNDS, "--out", &out.to_string_lossy()]).run()?;
    let (manifest, samples) = read(&out)?;
    ensure!(manifest.not_measured.is_empty(), "not measured: {:?}", manifest.not_measured);
    let mut seen = BTreeSet::new();
    for sample in &samples {
        let name = format!("{} of {} in round {}", sample.case, sample.bench, sample.round);
        ensure!(sample.outcome == Outcome::Ok, "{name}: {:?}", sample.reason);
        let cell = manifest.cells.iter().find(|cell| cell.name == sample.case).context("an unknown cell")?;
        for metric in pod::KNOWN {
            let is_there = sample.values.contains_key(&metric.name);
            ensure!(is_there == pod::has(&cell.case, &metric.name), "{name}: {} is there: {is_there}", metric.name);
        }
        let Some(around) = &cell.case.runtime.pod else { continue };
        seen.insert(&sample.case);
        let value = |metric: &str| sample.values.get(metric).copied().unwrap_or(0);
        let container = [pod::CREATE_CONTAINER, pod::START_CONTAINER, pod::UNTIL_EXITED].map(value).iter().sum::<u64>();
        let sandbox = value(pod::RUN_POD_SANDBOX);
        ensure!(sample.wall_ns() == Some(container + sandbox), "{name}: {:?}", sample.values);
        ensure!((around.life == PodLife::Own) == (sandbox > 0), "{name}: {:?}", sample.values);
    }
    ensure!(seen.len() == POD_CELLS, "{} cells in pods: {seen:?}", seen.len());
    Ok(())
}

/// Three rows: runc, the shim, and a warm pod.
fn failures(rig: &Rig) -> anyhow::Result<()> {
    let file = rig.scratch.join("pods.toml");
    let bench = |name: &str, args: &str| {
        format!(
            "[[bench]]\nname = \"{name}\"\nprogram = \"misbehave\"\nargs = {args}\nexpected = \"x\\n\"\nwhy = \"a test\"\n\n"
        )
    };
    let text = bench("hangs", r#"["hang"]"#)
        + &bench("floods", r#"["flood", "stdout"]"#)
        + &bench("fails", r#"["exit", "7"]"#)
        + &bench("lies", r#"["print", "y"]"#)
        + &bench("works", r#"["print", "x"]"#);
    std::fs::write(&file, text)?;
    let out = rig.scratch.join("pods");
    let file = file.to_string_lossy();
    let mut line = vec!["bench", "--benches-file", &file, "--rounds", "1", "--warmup", "0", "--timeout", LIMIT_S];
    for case in ["native/cri-runc", "native/cri-wasmedge", "native/cri-runc-warm"] {
        line.extend(["--case", case]);
    }
    let path = out.to_string_lossy();
    line.extend(["--out", &path]);
    expect_code(&rig.xtask(&line).output()?, 3)?;
    let (_, samples) = read(&out)?;
    for sample in &samples {
        let (outcome, says) = match sample.bench.as_str() {
            "hangs" => (Outcome::TimedOut, "still running after 8000 ms"),
            "floods" => (Outcome::WrongOutput, "wrote more than 16 MiB to stdout"),
            "fails" => (Outcome::NonZeroExit, "exit status 7"),
            "lies" => (Outcome::WrongOutput, "y"),
            _ => (Outcome::Ok, ""),
        };
        let reason = sample.reason.as_deref().unwrap_or_default();
        ensure!(sample.outcome == outcome && reason.contains(says), "{} {}: {sample:?}", sample.bench, sample.case);
    }
    // The baseline has a twin.
    ensure!(samples.len() == 5 * 4, "{} rows", samples.len());
    Ok(())
}
