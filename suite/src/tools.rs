//! Stages on what is fetched and built.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Rig, expect_code, expect_error};
use xtask::clock::Stopwatch;
use xtask::cmd::Cmd;
use xtask::invocation::{Invocation, Stdin};
use xtask::measure::child;
use xtask::measure::watchdog::Watchdog;
use xtask::stop::Stop;

/// The toolbox, both groups: set up, whole, repaired, and refused clearly where it can not be had.
pub fn toolbox(rig: &Rig) -> Vec<Check> {
    let fetched = rig.xtask(&["toolbox", "--tests"]).run().map(|_| ());
    let ready = fetched.is_ok();
    let mut checks = vec![Check::of("the toolbox is set up", fetched)];
    if ready {
        checks.push(Check::of("a second call takes less than a second", second_call(rig)));
        checks.push(Check::of(
            "every file has its recorded digest",
            rig.xtask(&["toolbox", "--tests", "--verify"]).run().map(|_| ()),
        ));
        checks.push(Check::of("a tree that is made knows the package of each of its programs", packaged(rig)));
        checks.push(Check::of("a damaged file is found and repaired", damaged(rig)));
        checks.push(Check::of("a missing manifest is an interrupted set-up, and is repaired", interrupted(rig)));
    }
    checks.push(Check::of("no network and no toolbox: a clear error", unreachable(rig)));
    checks
}

fn second_call(rig: &Rig) -> anyhow::Result<()> {
    let clock = Stopwatch::start();
    rig.xtask(&["toolbox", "--tests"]).run()?;
    ensure!(clock.elapsed() < Duration::from_secs(1), "it took {:?}", clock.elapsed());
    Ok(())
}

fn toolbox_json(rig: &Rig) -> anyhow::Result<Value> {
    let output = rig.xtask(&["toolbox", "--tests", "--format", "json"]).run()?;
    serde_json::from_slice(&output.stdout).context("the toolbox's JSON can not be read")
}

/// The path of a program, as the toolbox tells it.
pub fn toolbox_program(rig: &Rig, name: &str) -> anyhow::Result<std::path::PathBuf> {
    let value = toolbox_json(rig)?;
    let path = value.pointer(&format!("/programs/{name}")).and_then(Value::as_str);
    Ok(path.with_context(|| format!("the toolbox has no `{name}`"))?.into())
}

/// In a `target` of its own, from the package files that are there: the tree in use may be older than this record.
fn packaged(rig: &Rig) -> anyhow::Result<()> {
    let target = rig.second_target("fresh-toolbox")?;
    let toolbox = target.join("toolbox");
    rig.xtask(&["toolbox"]).env("CARGO_TARGET_DIR", &target).run()?;
    let manifest: Value = serde_json::from_slice(&std::fs::read(toolbox.join("run/manifest.json"))?)?;
    let find = |list: &str, field: &str, name: &str| {
        let rows = manifest[list].as_array()?;
        rows.iter().find(|row| row[field].as_str().is_some_and(|path| path.ends_with(name))).cloned()
    };
    for (name, package) in [("containerd", "containerd"), ("ctr", "containerd"), ("runc", "runc")] {
        let program = find("programs", "name", name).with_context(|| format!("no program `{name}`"))?;
        let file = find("files", "path", &format!("bin/{name}")).with_context(|| format!("no file `{name}`"))?;
        ensure!(program["package"] == package, "`{name}` is of {}", program["package"]);
        ensure!(program["sha256"] != file["sha256"], "`{name}` has its digest from after patching");
    }
    Ok(())
}

fn damaged(rig: &Rig) -> anyhow::Result<()> {
    let runc = toolbox_program(rig, "runc")?;
    let before = std::fs::read(&runc)?;
    let mut bytes = before.clone();
    bytes.truncate(1000);
    std::fs::write(&runc, bytes)?;
    rig.xtask(&["toolbox", "--tests"]).run()?;
    let runc = toolbox_program(rig, "runc")?;
    ensure!(std::fs::read(&runc)? == before, "`{}` was not repaired", runc.display());
    Cmd::new(&runc).arg("--version").run()?;
    Ok(())
}

fn interrupted(rig: &Rig) -> anyhow::Result<()> {
    let manifests = find(&rig.workspace.toolbox(), "manifest.json")?;
    ensure!(!manifests.is_empty(), "there is no manifest below `{}`", rig.workspace.toolbox().display());
    std::fs::remove_file(&manifests[0])?;
    rig.xtask(&["toolbox", "--tests"]).run()?;
    Cmd::new(toolbox_program(rig, "containerd")?).arg("--version").run()?;
    Ok(())
}

fn find(dir: &Path, name: &str) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() && path.file_name() == Some(name.as_ref()) {
            found.push(path);
        } else if path.is_dir() && !path.is_symlink() && path.join(name).is_file() {
            found.push(path.join(name));
        }
    }
    Ok(found)
}

fn unreachable(rig: &Rig) -> anyhow::Result<()> {
    // Port 9 of loopback (discard): nobody listens there.
    let target = rig.scratch.join("no-network");
    let cmd = rig.xtask(&["toolbox", "--mirror", "http://127.0.0.1:9/debian"]).env("CARGO_TARGET_DIR", &target);
    expect_error(&cmd.output()?, 1, &["127.0.0.1:9", "--containerd"])
}

/// Artifacts and shim, and what `build` says of them.
pub fn build(rig: &Rig) -> Vec<Check> {
    let built = rig.xtask(&["build", "--format", "json"]).run();
    let output = match built {
        Ok(output) => output,
        Err(error) => return vec![Check::of("everything is built", Err(error))],
    };
    let parsed: anyhow::Result<Value> = serde_json::from_slice(&output.stdout).context("its JSON can not be read");
    let artifacts = match parsed {
        Ok(value) => value,
        Err(error) => return vec![Check::of("everything is built", Err(error))],
    };
    vec![
        Check::of("everything is built, and each file has the digest that is printed", digests(&artifacts)),
        Check::of("a repeated call takes no longer than Cargo's own no-op and a second", repeated(rig)),
        Check::of("the sum is not folded away: time grows with N", grows(&artifacts)),
        Check::of("native and Wasm print the same bytes", same_bytes(rig, &artifacts)),
        Check::of("`--version` says target, profile and toolchain", stamped(&artifacts)),
    ]
}

fn digests(artifacts: &Value) -> anyhow::Result<()> {
    let rows = artifacts.pointer("/artifacts").and_then(Value::as_array).context("no `artifacts`")?;
    ensure!(rows.len() >= 6, "{} artifacts instead of 6", rows.len());
    for row in rows {
        let path = row["path"].as_str().context("no path")?;
        let bytes = std::fs::read(path).with_context(|| format!("can not read `{path}`"))?;
        ensure!(row["sha256"].as_str() == Some(&oci::digest::Digest::of(&bytes).hex()), "`{path}` has another digest");
    }
    Ok(())
}

fn artifact(artifacts: &Value, program: &str, kind: &str) -> anyhow::Result<std::path::PathBuf> {
    let rows = artifacts.pointer("/artifacts").and_then(Value::as_array).context("no `artifacts`")?;
    let row = rows.iter().find(|row| row["program"] == program && row["kind"] == kind);
    Ok(row.and_then(|row| row["path"].as_str()).with_context(|| format!("no {kind} {program}"))?.into())
}

fn repeated(rig: &Rig) -> anyhow::Result<()> {
    let clock = Stopwatch::start();
    rig.cargo(&["build", "--quiet", "--profile", "workload", "-p", "workload", "--target", "wasm32-wasip1"]).run()?;
    let cargo = clock.elapsed();
    let clock = Stopwatch::start();
    rig.xtask(&["build"]).run()?;
    let ours = clock.elapsed();
    // Three of Cargo's own: native, Wasm and shim.
    ensure!(ours < cargo * 3 + Duration::from_secs(1), "it took {ours:?}, one no-op of Cargo's {cargo:?}");
    Ok(())
}

fn user_ns(program: &Path, n: &str) -> anyhow::Result<u64> {
    let invocation = Invocation {
        program: program.to_path_buf(),
        args: vec!["--n".to_owned(), n.to_owned()],
        env: Vec::new(),
        stdin: Stdin::Empty,
    };
    let watchdog = Watchdog::start(&Stop::never()?)?;
    let least = (0..5)
        .map(|_| child::run(&invocation, Duration::from_mins(1), &watchdog).map(|ran| ran.wall_ns))
        .collect::<anyhow::Result<Vec<u64>>>()?;
    least.into_iter().min().context("no run")
}

fn grows(artifacts: &Value) -> anyhow::Result<()> {
    let program = artifact(artifacts, "array-sum", "native")?;
    let (one, ten) = (user_ns(&program, "2000000")?, user_ns(&program, "20000000")?);
    ensure!(ten > 4 * one, "2 million take {one} ns, 20 million {ten} ns");
    Ok(())
}

fn same_bytes(rig: &Rig, artifacts: &Value) -> anyhow::Result<()> {
    let wasmedge = toolbox_program(rig, "wasmedge")?;
    let native = Cmd::new(artifact(artifacts, "array-sum", "native")?).args(["--n", "12345"]).run()?;
    for kind in ["wasm", "wasm-aot"] {
        let module = artifact(artifacts, "array-sum", kind)?;
        let wasm = Cmd::new(&wasmedge).arg(&module).args(["--n", "12345"]).run()?;
        ensure!(
            wasm.stdout == native.stdout && !native.stdout.is_empty(),
            "{kind} prints {:?}, native {:?}",
            wasm.text(),
            native.text()
        );
    }
    let bad = Cmd::new(artifact(artifacts, "array-sum", "native")?).args(["--n", "many"]).output()?;
    expect_code(&bad, 2)
}

fn stamped(artifacts: &Value) -> anyhow::Result<()> {
    let version = Cmd::new(artifact(artifacts, "array-sum", "native")?).arg("--version").run()?.text();
    for words in ["x86_64-unknown-linux-musl", "workload", "rustc 1."] {
        ensure!(version.contains(words), "it says {version:?}, without {words:?}");
    }
    Ok(())
}
