//! The stage on bad input: each a clear error that names the thing and the way out, and loses nothing.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::{Check, Named, Rig, expect_code, expect_error};
use results::store::{RunDir, parse_samples};
use xtask::cmd::Output;
use xtask::commands::report::recorded;

/// Every bad input that a person can give.
pub fn bad_input(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 13] = [
        ("an unknown bench names the known ones", unknown_bench),
        ("an unknown case names the known ones", unknown_case),
        ("broken TOML: file, line, expectation", broken_toml),
        ("wrong output is no sample, and the others go on", wrong_output),
        ("a run that hangs is ended at its limit", hangs),
        ("a workload that exits with a status", exits),
        ("a workload that is killed", is_killed),
        ("a registry that is not there", no_registry),
        ("an unknown run names the newest ones", unknown_run),
        ("a run is found by its name below `results/recorded`, and by a beginning that no other has", recorded_run),
        ("a pattern for several benches is no choice of one", several_benches),
        ("a number out of its range is refused with the range", out_of_range),
        ("a run is never overwritten", existing_out),
    ];
    let mut checks: Vec<Check> = anywhere.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    let as_root: [Named; 4] = [
        ("a containerd that does not start: the end of its log, and the direct rows", no_containerd),
        ("a full disk under `results/` keeps the samples before", full_results),
        ("a full disk under containerd's root loses the container rows only", full_root),
        ("a module that traps in a container is a row with its reason", trap_in_container),
    ];
    for (name, check) in as_root {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

fn out(rig: &Rig, name: &str) -> String {
    rig.scratch.join(name).to_string_lossy().into_owned()
}

fn unknown_bench(rig: &Rig) -> anyhow::Result<()> {
    expect_error(
        &rig.xtask(&["bench", "--bench", "array-some"]).output()?,
        2,
        &["`array-some`", "did you mean `array-sum`?", "`noop`"],
    )
}

fn unknown_case(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["bench", "--case", "wasm/runc"]).output()?, 2, &["`wasm/runc`", "`native/runc`"])?;
    expect_error(&rig.xtask(&["run", "wasm/runc"]).output()?, 2, &["`wasm/runc`", "`native/runc`"])
}

/// A file with one good bench and one that misbehaves.
fn benches(rig: &Rig, name: &str, args: &str, expected: &str) -> anyhow::Result<PathBuf> {
    let path = rig.scratch.join(format!("{name}.toml"));
    let text = format!(
        "[[bench]]\nname = \"noop\"\nprogram = \"noop\"\nexpected = \"\"\nwhy = \"the one that works\"\n\n\
         [[bench]]\nname = \"{name}\"\nprogram = \"misbehave\"\nargs = [{args}]\nexpected = \"{expected}\"\nwhy = \"a test\"\n"
    );
    std::fs::write(&path, text)?;
    Ok(path)
}

fn broken_toml(rig: &Rig) -> anyhow::Result<()> {
    let path = rig.scratch.join("broken.toml");
    std::fs::write(&path, "[[bench]]\nname = \"x\"\nprogramme = \"y\"\n")?;
    let output = rig.xtask(&["bench", "--benches-file", &path.to_string_lossy()]).output()?;
    expect_error(&output, 1, &["broken.toml", "line 3", "programme", "`program`"])
}

/// Runs both benches and expects the good one whole, the other one a row with this reason.
fn misbehaves(rig: &Rig, name: &str, args: &str, extra: &[&str], reason: &str) -> anyhow::Result<()> {
    let file = benches(rig, name, args, "never printed")?;
    let out = out(rig, name);
    let file = file.to_string_lossy();
    let mut words = vec!["bench", "--benches-file", &file, "--rounds", "6", "--out", &out];
    if !extra.contains(&"--case") {
        words.extend(["--case", "native/process"]);
    }
    words.extend(extra);
    let output = rig.xtask(&words).output()?;
    expect_code(&output, 3)?;
    let (samples, _) = parse_samples(&std::fs::read(PathBuf::from(&out).join("samples.jsonl"))?);
    let good = samples.iter().filter(|sample| sample.bench == "noop" && sample.reason.is_none()).count();
    ensure!(good == 14, "{good} good samples of noop instead of 14");
    let bad: Vec<_> = samples.iter().filter(|sample| sample.bench == name).collect();
    ensure!(
        !bad.is_empty() && bad.iter().all(|sample| sample.reason.as_ref().is_some_and(|text| text.contains(reason))),
        "{bad:#?}"
    );
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(table.contains(name), "the table has no row for it:\n{table}");
    Ok(())
}

fn wrong_output(rig: &Rig) -> anyhow::Result<()> {
    misbehaves(rig, "wrong-output", "\"print\", \"something else\"", &[], "something else")
}

fn hangs(rig: &Rig) -> anyhow::Result<()> {
    misbehaves(rig, "hangs", "\"hang\"", &["--timeout", "1"], "still running after 1000 ms")
}

fn exits(rig: &Rig) -> anyhow::Result<()> {
    misbehaves(rig, "exits", "\"exit\", \"7\"", &[], "exit status 7")
}

fn is_killed(rig: &Rig) -> anyhow::Result<()> {
    misbehaves(rig, "is-killed", "\"abort\"", &[], "signal 6")
}

fn trap_in_container(rig: &Rig) -> anyhow::Result<()> {
    misbehaves(rig, "traps", "\"abort\"", &["--case", "wasm-aot/wasmedge"], "exit status")
}

fn no_registry(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["push", "--registry", "127.0.0.1:9/x"]).output()?, 1, &["127.0.0.1:9"])
}

fn unknown_run(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["report", "no-such-run"]).output()?, 2, &["`no-such-run`"])
}

fn recorded_run(rig: &Rig) -> anyhow::Result<()> {
    let name = recorded(&rig.workspace)?.name();
    let (of_one, of_several): (Vec<&str>, Vec<&str>) = (1..name.len())
        .map(|length| &name[..length])
        .partition(|beginning| RunDir::find(&rig.workspace.results(), beginning).is_ok());
    for typed in [Some(&name.as_str()), of_one.first()].into_iter().flatten() {
        expect_code(&rig.xtask(&["compare", typed, &name]).output()?, 0)?;
    }
    let shared = of_several.last().context("the recorded runs have no beginning in common")?;
    expect_error(
        &rig.xtask(&["compare", shared, &name]).output()?,
        2,
        &[&format!("`{shared}`"), "one is wanted", &name],
    )
}

fn several_benches(rig: &Rig) -> anyhow::Result<()> {
    let output = rig.xtask(&["run", "native/process", "--bench", "array*"]).output()?;
    expect_error(&output, 2, &["`array*`", "one is wanted", "`array-sum`, `array-sum-sweep/"])
}

fn out_of_range(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["bench", "--rounds", "-1"]).output()?, 2, &["a whole number from 1 to 100000"])
}

/// Before anything is built: here there is nothing to build with.
fn existing_out(rig: &Rig) -> anyhow::Result<()> {
    let out = out(rig, "existing-run");
    std::fs::create_dir(&out)?;
    let args = ["bench", "--case", "native/process", "--rounds", "1", "--out", &out];
    let refused = rig.xtask(&args).env("CARGO", "/no/such/cargo").env("PATH", "").output()?;
    expect_error(&refused, 1, &["existing-run", "never written over"])?;
    ensure!(std::fs::read_dir(&out)?.next().is_none(), "something was written");
    // And the hint stands only where it applies.
    let below = format!("{out}/file/run");
    std::fs::write(format!("{out}/file"), "")?;
    let refused = rig.xtask(&["bench", "--case", "native/process", "--rounds", "1", "--out", &below]).output()?;
    expect_error(&refused, 1, &["existing-run/file"])?;
    ensure!(!String::from_utf8_lossy(&refused.stderr).contains("never written over"), "the hint does not apply");
    Ok(())
}

fn no_containerd(rig: &Rig) -> anyhow::Result<()> {
    let broken = rig.scratch.join("broken-containerd");
    std::fs::write(
        &broken,
        "#!/bin/sh\n[ \"$1\" = --version ] && exec echo containerd broken 1.7\necho the disk is made of cheese\nexit 1\n",
    )?;
    std::fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let out = out(rig, "no-containerd");
    let args = ["bench", "--bench", "noop", "--case", "native/*", "--rounds", "6", "--out", &out, "--containerd"];
    let output = rig.xtask(&args).arg(&broken).output()?;
    expect_error(&output, 3, &["the disk is made of cheese"])?;
    let (samples, _) = parse_samples(&std::fs::read(PathBuf::from(&out).join("samples.jsonl"))?);
    ensure!(samples.len() == 14, "{} direct samples instead of 14", samples.len());
    Ok(())
}

/// Runs this program where `dir` is a file system of so many kilobytes, in a mount namespace of its own.
fn on_small_disk(rig: &Rig, dir: &str, kilobytes: u32, args: &[&str]) -> anyhow::Result<Output> {
    std::fs::create_dir_all(dir)?;
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k tmpfs {dir} && \"$@\"; status=$?; mkdir -p {dir}.kept; cp -r {dir}/. {dir}.kept; exit $status"
    );
    rig.xtask_below("unshare", ["--mount", "--", "sh", "-c", &script, "sh"]).args(args).output()
}

fn full_results(rig: &Rig) -> anyhow::Result<()> {
    let disk = out(rig, "small-results");
    let run = format!("{disk}/run");
    let args = ["bench", "--bench", "noop", "--case", "native/process", "--rounds", "5000", "--out", &run];
    let output = on_small_disk(rig, &disk, 128, &args)?;
    expect_error(&output, 1, &["samples.jsonl", "are kept"])?;
    let (samples, lost) = parse_samples(&std::fs::read(format!("{disk}.kept/run/samples.jsonl"))?);
    ensure!(samples.len() > 100 && lost.is_empty(), "{} samples, lost {lost:?}", samples.len());
    Ok(())
}

fn full_root(rig: &Rig) -> anyhow::Result<()> {
    let disk = out(rig, "small-root");
    let out = out(rig, "full-root");
    let args =
        ["bench", "--bench", "array-sum", "--case", "native/*", "--rounds", "6", "--out", &out, "--scratch", &disk];
    let output = on_small_disk(rig, &disk, 300, &args)?;
    expect_error(&output, 3, &["no space"])?;
    ensure!(String::from_utf8_lossy(&output.stdout).contains("not measured"), "the table has no row for it");
    let (samples, _) = parse_samples(&std::fs::read(PathBuf::from(&out).join("samples.jsonl"))?);
    let direct = samples.iter().filter(|sample| sample.case.contains("/process") && sample.reason.is_none()).count();
    ensure!(direct == 14, "{direct} direct samples instead of 14");
    Ok(())
}
