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
    let directly: [Named; 2] = [
        ("a module that is interpreted where it was to be compiled is no sample, directly", |rig| silent(rig, DIRECT)),
        ("a compiled module whose code can not be used is no sample, directly", |rig| damaged(rig, DIRECT)),
    ];
    let containers: [Named; 3] = [
        ("a module that is interpreted where it was to be compiled is no sample, in a container", |rig| {
            silent(rig, INSIDE)
        }),
        ("a compiled module whose code can not be used is no sample, in a container", |rig| damaged(rig, INSIDE)),
        ("of a default run every mode is as it was asked for, and every runtime was looked into", default_rows),
    ];
    let mut checks: Vec<Check> = directly.map(|(name, check)| Check::of(name, check(rig))).into();
    for (name, check) in containers {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

/// A runtime, and the baseline on its side of the container wall.
type Place = [&'static str; 2];

const DIRECT: Place = ["process", "native/process"];
const INSIDE: Place = ["wasmedge", "native/runc"];

/// Damages a module in place.
pub fn damage(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("can not read `{}`", file.display()))?;
    Ok(std::fs::write(file, ModuleCompiler::for_another_version_of(Shim::WasmEdge, &bytes)?)?)
}

/// A copy of the project's matrix, in which each of these texts of a file was replaced.
fn changed(rig: &Rig, name: &str, changes: &[(&str, &str, String)]) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join(name);
    std::fs::create_dir_all(&folder)?;
    for file in ["engines.toml", "runtimes.toml", "cases.toml"] {
        let mut text = std::fs::read_to_string(rig.workspace.matrix().join(file))?;
        for (_, from, to) in changes.iter().filter(|(of, ..)| *of == file) {
            ensure!(text.contains(from), "`{file}` does not say {from:?} any more");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(folder.join(file), text)?;
    }
    Ok(folder)
}

/// A compiler whose modules are as good as any, but for a version that no engine has.
fn damaging(rig: &Rig) -> anyhow::Result<PathBuf> {
    let (compiler, wasmedge) = (rig.scratch.join("damaging-compiler"), tools::toolbox_program(rig, "wasmedge")?);
    let (wasmedge, suite) = (wasmedge.display(), rig.suite.display());
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '{wasmedge}' --version\n'{wasmedge}' \"$@\" && exec '{suite}' {DAMAGE} \"$4\"\n"
    );
    std::fs::write(&compiler, script)?;
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755))?;
    Ok(compiler)
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

/// WasmEdge without a compiler interprets a plain module, and says nothing of it.
fn silent(rig: &Rig, [runtime, baseline]: Place) -> anyhow::Result<()> {
    let (aot, runs) = ("[engine.modes.aot]", "runs = [\"native\", \"interpreter\", \"aot\"]");
    let case = format!(
        "[[case]]\nname = \"silent/{runtime}\"\nmode = \"jit\"\nengine = \"wasmedge\"\nruntime = \"{runtime}\"\n\
         baseline = \"{baseline}\"\nsets = []\nwhy = \"a test\"\n\n"
    );
    let changes = [
        ("engines.toml", aot, format!("[engine.modes.jit]\nform = \"wasm\"\nargs = [\"{{file}}\"]\n\n{aot}")),
        ("runtimes.toml", runs, runs.replace("\"aot\"", "\"jit\", \"aot\"")),
        ("cases.toml", "[[case]]", case + "[[case]]"),
    ];
    let matrix = changed(rig, &format!("matrix-silent-{runtime}"), &changes)?;
    let silent = format!("silent/{runtime}");
    let args = ["--matrix", &matrix.to_string_lossy(), "--case", baseline, "--case", &silent];
    let name = format!("silent-{runtime}");
    let (code, manifest, samples) = short(rig, &name, &args)?;
    let seen = manifest.cell(&silent).and_then(|cell| cell.mode_observed.clone()).context("no mode")?;
    ensure!(seen.mode == Some(Mode::Interpreter), "it was seen as {seen:?}");
    let said = "it was to run wasm-jit and runs wasm-interpreter: ";
    let [row] = &manifest.not_measured[..] else { anyhow::bail!("{:?}", manifest.not_measured) };
    ensure!(row.case == silent && row.reason.starts_with(said), "{row:?}");
    ensure!(samples.iter().all(|sample| sample.case != silent), "it has samples");
    others_go_on(rig, &name, (code, &samples), &[baseline])
}

/// The interpreted module is beside it: what is wrong is one row.
fn damaged(rig: &Rig, [runtime, baseline]: Place) -> anyhow::Result<()> {
    let own = "form = \"wasm-aot\"\nprogram = \"wasmedge\"";
    let named = own.replace("\"wasmedge\"", &format!("{:?}", damaging(rig)?.display().to_string()));
    let matrix = changed(rig, &format!("matrix-damaging-{runtime}"), &[("engines.toml", own, named)])?;
    let [compiled, interpreted] = ["aot", "interpreter"].map(|mode| format!("wasm-{mode}/{runtime}"));
    let args = ["--matrix", &matrix.to_string_lossy(), "--case", baseline, "--case", &compiled, "--case", &interpreted];
    let name = format!("damaged-{runtime}");
    let (code, manifest, samples) = short(rig, &name, &args)?;
    let mode = |case: &str| manifest.cell(case).and_then(|cell| cell.mode_observed.clone()).context("no mode");
    let (first, second) = (mode(&compiled)?, mode(&interpreted)?);
    ensure!(first.mode != Some(Mode::Aot), "the damaged module was seen as {first:?}");
    ensure!(second.mode == Some(Mode::Interpreter), "the interpreted module was seen as {second:?}");
    let [row] = &manifest.not_measured[..] else { anyhow::bail!("{:?}", manifest.not_measured) };
    ensure!(row.case == compiled, "{row:?}");
    let good = samples.iter().filter(|sample| sample.case == compiled && sample.reason.is_none()).count();
    ensure!(good == 0, "the damaged module has {good} samples");
    others_go_on(rig, &name, (code, &samples), &[baseline, &interpreted])
}

fn others_go_on(
    rig: &Rig,
    name: &str,
    (code, samples): (Option<i32>, &[Sample]),
    cases: &[&str],
) -> anyhow::Result<()> {
    ensure!(code == Some(3), "exit status {code:?}");
    for case in cases {
        let good = samples.iter().filter(|sample| sample.case == *case && sample.reason.is_none()).count();
        ensure!(good == 3, "`{case}` was run {good} times of 3");
    }
    let shown = rig.xtask(&["report"]).arg(rig.scratch.join(name)).output()?;
    expect_code(&shown, 0)?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    ensure!(shown.contains("not measured"), "the report does not say it:\n{shown}");
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
