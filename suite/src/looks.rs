//! The stage on what is looked at before the rounds: how modules are executed, whatever was asked for, and what isolates
//! containers. What is executed otherwise is no sample.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::shim::ModuleCompiler;
use super::{Check, Named, Rig, expect_code, tools};
use results::case::Mode;
use results::isolation::Subject;
use results::store::parse_samples;
use results::{Manifest, Sample};
use xtask::compile::shims::Shim;

/// The hidden subcommand that changes a compiled module so that its engine can not use the code in it.
pub const DAMAGE: &str = "damage-module";

/// Every check.
pub fn looks(rig: &Rig) -> Vec<Check> {
    let containers: [Named; 2] = [
        ("of a default run every mode is as it was asked for, and every runtime was looked into", default_rows),
        ("a compiled module whose code can not be used is no sample, in a container", in_container),
    ];
    let mut checks =
        vec![Check::of("a compiled module whose code can not be used is no sample, directly", directly(rig))];
    for (name, check) in containers {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

/// Damages a module in place.
pub fn damage(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("can not read `{}`", file.display()))?;
    Ok(std::fs::write(file, ModuleCompiler::for_another_version_of(Shim::WasmEdge, &bytes)?)?)
}

/// The project's matrix with a compiler whose modules are as good as any, but for a version that no engine has.
fn damaging(rig: &Rig) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join("matrix-damaging");
    std::fs::create_dir_all(&folder)?;
    for file in ["engines.toml", "runtimes.toml", "cases.toml"] {
        std::fs::copy(rig.workspace.matrix().join(file), folder.join(file))?;
    }
    let (compiler, wasmedge) = (folder.join("compiler"), tools::toolbox_program(rig, "wasmedge")?);
    let (wasmedge, suite) = (wasmedge.display(), rig.suite.display());
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '{wasmedge}' --version\n'{wasmedge}' \"$@\" && exec '{suite}' {DAMAGE} \"$4\"\n"
    );
    std::fs::write(&compiler, script)?;
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755))?;
    let engines = std::fs::read_to_string(folder.join("engines.toml"))?;
    let own = "form = \"wasm-aot\"\nprogram = \"wasmedge\"";
    ensure!(engines.contains(own), "the engine does not compile as it did: {engines}");
    let named = own.replace("\"wasmedge\"", &format!("{:?}", compiler.display().to_string()));
    std::fs::write(folder.join("engines.toml"), engines.replace(own, &named))?;
    Ok(folder)
}

/// A short run of the no-op by two cases: its exit status, manifest and samples.
fn short(rig: &Rig, name: &str, args: &[&str]) -> anyhow::Result<(Option<i32>, Manifest, Vec<Sample>)> {
    let out = rig.scratch.join(name);
    let output = rig.xtask(&["bench", "--bench", "noop", "--rounds", "2", "--out"]).arg(&out).args(args).output()?;
    let manifest = std::fs::read(out.join("manifest.json"))
        .with_context(|| format!("no run was made: {}", String::from_utf8_lossy(&output.stderr)))?;
    let samples = parse_samples(&std::fs::read(out.join("samples.jsonl"))?).0;
    Ok((output.code, serde_json::from_slice(&manifest)?, samples))
}

fn directly(rig: &Rig) -> anyhow::Result<()> {
    damaged(rig, "process", "native/process")
}

fn in_container(rig: &Rig) -> anyhow::Result<()> {
    damaged(rig, "wasmedge", "native/runc")
}

/// The interpreted module is beside it: what is contradicted is one row.
fn damaged(rig: &Rig, runtime: &str, baseline: &str) -> anyhow::Result<()> {
    let matrix = damaging(rig)?;
    let [compiled, interpreted] = ["aot", "interpreter"].map(|mode| format!("wasm-{mode}/{runtime}"));
    let args = ["--matrix", &matrix.to_string_lossy(), "--case", baseline, "--case", &compiled, "--case", &interpreted];
    let (code, manifest, samples) = short(rig, &format!("damaged-{runtime}"), &args)?;
    let mode = |case: &str| manifest.cell(case).and_then(|cell| cell.mode_observed.clone());
    let (first, second) = (mode(&compiled).context("no mode")?, mode(&interpreted).context("no mode")?);
    ensure!(first.mode == Some(Mode::Interpreter), "the damaged module was seen as {first:?}");
    ensure!(second.mode == Some(Mode::Interpreter), "the interpreted module was seen as {second:?}");
    ensure!(manifest.not_measured.len() == 1, "{:?}", manifest.not_measured);
    let row = &manifest.not_measured[0];
    let said = row.reason.starts_with("it was to run wasm-aot and runs wasm-interpreter: ");
    ensure!(row.case == compiled && said, "{row:?}");
    ensure!(code == Some(3), "exit status {code:?}");
    ensure!(samples.iter().all(|sample| sample.case != compiled), "the damaged module has samples");
    for case in [baseline, &interpreted] {
        let good = samples.iter().filter(|sample| sample.case == case && sample.reason.is_none()).count();
        ensure!(good == 3, "`{case}` was run {good} times of 3");
    }
    let shown = rig.xtask(&["report"]).arg(rig.scratch.join(format!("damaged-{runtime}"))).output()?;
    expect_code(&shown, 0)?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    ensure!(shown.contains("it was to run wasm-aot"), "the report does not say why:\n{shown}");
    Ok(())
}

fn default_rows(rig: &Rig) -> anyhow::Result<()> {
    let (code, manifest, _) = short(rig, "modes", &[])?;
    ensure!(code == Some(0), "exit status {code:?}: {:?}", manifest.not_measured);
    for cell in &manifest.cells {
        let seen = cell.mode_observed.as_ref();
        if cell.case.mode == Mode::Native {
            ensure!(seen.is_none(), "`{cell}` is native: {seen:?}");
            continue;
        }
        let seen = seen.with_context(|| format!("`{cell}` has no mode"))?;
        ensure!(seen.mode == Some(cell.case.mode), "`{cell}` was seen as {seen:?}");
        let ratio = seen.walk_over_native.context("there is no evidence")?;
        ensure!(ratio.low <= ratio.value && ratio.value <= ratio.high && seen.walks >= 4, "`{cell}`: {seen:?}");
    }
    isolated(&manifest)?;
    let measured = manifest.benches.iter().map(|bench| bench.program.as_str()).collect::<Vec<_>>();
    let foreign = manifest.artifacts.iter().find(|artifact| !measured.contains(&artifact.program.as_str()));
    ensure!(foreign.is_none(), "what is not measured is an artifact of the run: {foreign:?}");
    Ok(())
}

/// A native program in our shim is isolated as in runc, which the stage `isolation` holds in every detail.
fn isolated(manifest: &Manifest) -> anyhow::Result<()> {
    let seen = |runtime: &str, of: Subject| {
        let found = manifest.isolation.iter().find(|seen| seen.runtime == runtime && seen.of == of);
        found.with_context(|| format!("no container of `{runtime}` was looked into"))
    };
    for (runtime, of) in [("runc", Subject::Native), ("wasmedge", Subject::Native), ("wasmedge", Subject::Module)] {
        let found = seen(runtime, of)?;
        let has = |set: &str, member: &str| found.restricts.get(set).is_some_and(|set| set.contains(member));
        ensure!(["ipc", "mnt", "net", "pid", "uts"].iter().all(|name| has("namespace", name)), "{found:?}");
        ensure!(found.allows["capability"].contains("chown") && found.is.contains_key("resource limit"), "{found:?}");
        ensure!(found.unknown.is_none() && (of == Subject::Module || has("read-only path", "/proc/sys")), "{found:?}");
    }
    let (runc, shim) = (seen("runc", Subject::Native)?, seen("wasmedge", Subject::Native)?);
    ensure!((&runc.restricts, &runc.allows) == (&shim.restricts, &shim.allows), "runc: {runc:?}\nthe shim: {shim:?}");
    Ok(())
}
