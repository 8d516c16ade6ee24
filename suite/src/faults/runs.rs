//! Faults of measured programs and of the streams that a run writes to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::{Check, Named, Rig, expect_code, expect_error};
use results::Sample;
use results::store::parse_samples;
use xtask::cmd::Output;
use xtask::measure::output::OUTPUT_LIMIT_BYTES;

/// Rounds of each run here, after one that is thrown away.
const ROUNDS: &str = "4";
/// What a whole run of one bench and one case has: warm-up and rounds, of the case and its A/A twin.
const WHOLE: usize = 5 * 2;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 9] = [
        ("a program that floods stdout fails with that reason, and the others go on", floods_stdout),
        ("a program that floods stderr likewise", floods_stderr),
        ("a missing newline is reported as that", missing_newline),
        ("a full stderr: every sample, and exit status 0", full_stderr),
        ("a reader of both streams that goes away: every sample, and exit status 0", no_reader),
        ("closed streams: every sample, and exit status 0", closed),
        ("a full stdout: everything is kept, and the lost table is an error", full_stdout),
        ("`--until` with nothing to watch is refused before anything is built", until_nothing),
        ("`--until` that is not reached says so, in words and in the manifest", until_not_reached),
    ];
    let mut checks: Vec<Check> = anywhere.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    let as_root: [Named; 2] = [
        ("programs that flood a container's stdout fail with that reason, and the others go on", floods_container),
        ("a full stderr and no reader lose no container's samples", container_streams),
    ];
    for (name, check) in as_root {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

/// A path below the scratch folder where nothing is yet, and the same as an argument.
fn out(rig: &Rig, name: &str) -> (PathBuf, String) {
    let path = rig.scratch.join(format!("runs-{name}"));
    let text = path.to_string_lossy().into_owned();
    (path, text)
}

fn samples(out: &Path) -> anyhow::Result<Vec<Sample>> {
    let bytes = std::fs::read(out.join("samples.jsonl")).context("it kept no samples")?;
    let (samples, lost) = parse_samples(&bytes);
    ensure!(lost.is_empty(), "damaged samples: {lost:?}");
    Ok(samples)
}

/// `noop`, and beside it a bench of this name that calls `misbehave`; measured, with its rows.
fn misbehaves(rig: &Rig, name: &str, bench: [&str; 2], more: &[&str]) -> anyhow::Result<Vec<Sample>> {
    let file = rig.scratch.join(format!("runs-{name}.toml"));
    let [args, expected] = bench;
    let text = format!(
        "[[bench]]\nname = \"noop\"\nprogram = \"noop\"\nexpected = \"\"\nwhy = \"it works\"\n\n[[bench]]\nname = \
         \"{name}\"\nprogram = \"misbehave\"\nargs = {args}\nexpected = {expected}\nwhy = \"a test\"\n"
    );
    std::fs::write(&file, text)?;
    let (path, out) = out(rig, name);
    let bench = ["bench", "--benches-file", &file.to_string_lossy(), "--rounds", ROUNDS, "--out", &out];
    expect_code(&rig.xtask(&bench).args(more).output()?, 3)?;
    let (good, bad): (Vec<Sample>, Vec<Sample>) =
        samples(&path)?.into_iter().partition(|sample| sample.bench == "noop");
    ensure!(good.len() >= WHOLE && good.iter().all(|sample| sample.reason.is_none()), "noop failed: {good:#?}");
    ensure!(!bad.is_empty(), "`{name}` was not run");
    Ok(bad)
}

fn expect_reason(bad: &[Sample], says: &str) -> anyhow::Result<()> {
    let said = |sample: &Sample| sample.reason.as_ref().is_some_and(|reason| reason.contains(says));
    ensure!(bad.iter().all(said), "a row does not say {says:?}: {bad:#?}");
    Ok(())
}

fn floods(rig: &Rig, stream: &str, more: &[&str]) -> anyhow::Result<Vec<Sample>> {
    let name = format!("floods-{stream}-{}", more.len());
    let bad = misbehaves(rig, &name, [&format!("[\"flood\", \"{stream}\"]"), "\"\""], more)?;
    expect_reason(&bad, &format!("wrote more than {} MiB to {stream}", OUTPUT_LIMIT_BYTES >> 20))?;
    Ok(bad)
}

fn floods_stdout(rig: &Rig) -> anyhow::Result<()> {
    floods(rig, "stdout", &["--case", "native/process"]).map(drop)
}

fn floods_stderr(rig: &Rig) -> anyhow::Result<()> {
    floods(rig, "stderr", &["--case", "native/process"]).map(drop)
}

fn floods_container(rig: &Rig) -> anyhow::Result<()> {
    let cases = ["native/runc", "native/wasmedge", "wasm-aot/wasmedge"];
    let more: Vec<&str> = cases.iter().flat_map(|case| ["--case", case]).chain(["--timeout", "600"]).collect();
    let bad = floods(rig, "stdout", &more)?;
    for case in cases {
        ensure!(bad.iter().any(|sample| sample.case == case), "`{case}` has no row: {bad:#?}");
    }
    Ok(())
}

fn missing_newline(rig: &Rig) -> anyhow::Result<()> {
    let bench = [r#"["print", "3 keys"]"#, r#""3 keys""#];
    let bad = misbehaves(rig, "newline", bench, &["--case", "native/process"])?;
    expect_reason(&bad, r#"one newline too many at the end: it printed "3 keys\n""#)
}

/// A run of `noop`, where `script` (which has this program and its arguments in `"$@"`) decides about the streams.
fn through_shell(rig: &Rig, name: &str, script: &str, more: &[&str]) -> anyhow::Result<(PathBuf, Output)> {
    let (path, out) = out(rig, name);
    let status = format!("{out}.status");
    let output = rig
        .xtask_below("sh", ["-c", script, &status])
        .args(["bench", "--bench", "noop", "--rounds", ROUNDS, "--out", &out])
        .args(more)
        .output()?;
    Ok((path, output))
}

const DIRECT: [&str; 2] = ["--case", "native/process"];
const CONTAINER: [&str; 2] = ["--case", "native/runc"];

/// Every sample, and the report that is made of them.
fn whole(out: &Path) -> anyhow::Result<()> {
    let samples = samples(out)?;
    let good = samples.iter().filter(|sample| sample.reason.is_none()).count();
    ensure!(good == WHOLE, "{good} samples instead of {WHOLE}");
    ensure!(out.join("report.html").is_file() && out.join("summary.json").is_file(), "it was not reported");
    Ok(())
}

fn full_stderr_with(rig: &Rig, name: &str, more: &[&str]) -> anyhow::Result<()> {
    let (out, output) = through_shell(rig, name, "exec \"$@\" 2>/dev/full", more)?;
    expect_code(&output, 0)?;
    whole(&out)
}

/// The reader leaves after the first line, while the rest is still to be said.
fn no_reader_with(rig: &Rig, name: &str, more: &[&str]) -> anyhow::Result<()> {
    let (out, _) = through_shell(rig, name, "{ \"$@\"; echo $? >\"$0\"; } 2>&1 | head -n 1", more)?;
    let status = std::fs::read_to_string(format!("{}.status", out.display())).context("it has no exit status")?;
    ensure!(status.trim() == "0", "its exit status is {status}");
    whole(&out)
}

fn full_stderr(rig: &Rig) -> anyhow::Result<()> {
    full_stderr_with(rig, "full-stderr", &DIRECT)
}

fn no_reader(rig: &Rig) -> anyhow::Result<()> {
    no_reader_with(rig, "no-reader", &DIRECT)
}

fn container_streams(rig: &Rig) -> anyhow::Result<()> {
    full_stderr_with(rig, "full-stderr-container", &CONTAINER)?;
    no_reader_with(rig, "no-reader-container", &CONTAINER)
}

fn closed(rig: &Rig) -> anyhow::Result<()> {
    let (out, output) = through_shell(rig, "closed", "exec \"$@\" >&- 2>&-", &DIRECT)?;
    expect_code(&output, 0)?;
    whole(&out)
}

fn full_stdout(rig: &Rig) -> anyhow::Result<()> {
    let (out, output) = through_shell(rig, "full-stdout", "exec \"$@\" >/dev/full", &DIRECT)?;
    expect_error(&output, 1, &["can not write the result to stdout", "runs-full-stdout"])?;
    whole(&out)
}

/// Cargo's target folder is an empty one: had it built or fetched anything, that would be there.
fn until_nothing(rig: &Rig) -> anyhow::Result<()> {
    let target = rig.scratch.join("runs-until-target");
    let bench = ["bench", "--until", "2%", "--case", "wasm-aot/process"];
    let output = rig.xtask(&bench).env("CARGO_TARGET_DIR", &target).output()?;
    expect_error(&output, 1, &["`--until`", "`native/process`"])?;
    ensure!(!target.join("toolbox").exists() && !target.join("workload").exists(), "it began to build");
    Ok(())
}

/// No interval of six values is as narrow as a thousandth of a per cent.
fn until_not_reached(rig: &Rig) -> anyhow::Result<()> {
    let (path, out) = out(rig, "until-not-reached");
    let bench =
        ["bench", "--bench", "noop", "--case", "*/process", "--until", "0.001%", "--rounds", "10", "--out", &out];
    let output = rig.xtask(&bench).output()?;
    expect_error(&output, 0, &["was not reached in 10 rounds", "the widest interval"])?;
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(path.join("manifest.json"))?)?;
    let end = &manifest["finished"]["until"];
    ensure!(end["reason"] == "rounds" && end["rounds"] == 10 && end["widest_percent"].as_f64() > Some(0.001), "{end}");
    Ok(())
}
