//! The stage on the matrix: rows that exist by a file alone, runtimes of somebody's own, rows beyond the default ones in
//! real containers, and what is refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Named, Rig, expect_code, expect_error, tools};
use results::Manifest;
use results::case::{Case, Mode};
use results::isolation::Subject;
use xtask::clock::Stopwatch;
use xtask::compile::shims::Shim;

/// Every check.
pub fn matrix(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 6] = [
        ("a case that can not be is refused with its line: unknown parts, an impossible pair, a circle", impossible),
        ("an engine of the wrong version bars its rows, with the reason, and no others", wrong_version),
        ("`cases` lists every row, with what it is, why, and what it lacks", listed),
        ("a wrong table is refused with file and line, before anything is built", wrong_table),
        ("a `--runtime` that is none is refused with what it said", no_runtime),
        ("a set that is unknown is reported with those that are", unknown_set),
    ];
    let containers: [Named; 8] = [
        ("a runtime is added by a file alone, and makes a container", by_file),
        ("an OCI runtime and a shim of one's own are rows, recorded with their versions", own_runtimes),
        ("crun runs the native image, the module and the compiled module", crun),
        ("the native image on a base is pulled, run, and recorded with its packages", on_base),
        ("a base that can not be had bars its row, with the reason, and no others", no_base),
        ("each form of image is pulled and run, or refused in the words that are expected", packaging),
        ("`--set all`: every row is measured, or says why not", everything),
        ("a program that can not be had bars its row, with the reason, and no others", absent),
    ];
    let mut checks: Vec<Check> = anywhere.map(|(name, check)| Check::of(name, check(rig))).into();
    for (name, check) in containers {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

/// A copy of the project's matrix, to be changed.
fn copy(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join(name);
    std::fs::create_dir_all(&folder)?;
    for file in ["engines.toml", "runtimes.toml", "cases.toml"] {
        std::fs::copy(rig.workspace.matrix().join(file), folder.join(file))?;
    }
    Ok(folder)
}

fn append(file: &Path, text: &str) -> anyhow::Result<()> {
    let before = std::fs::read_to_string(file)?;
    std::fs::write(file, before + text)?;
    Ok(())
}

/// A matrix with one more OCI runtime, and a row of it.
fn with_runtime(rig: &Rig, name: &str, program: &str) -> anyhow::Result<PathBuf> {
    let folder = copy(rig, &format!("matrix-{name}"))?;
    append(
        &folder.join("runtimes.toml"),
        &format!(
            "\n[[runtime]]\nname = \"{name}\"\ntitle = \"{name}\"\nbehaviour = \"oci\"\nprogram = \"{program}\"\n\
             runs = [\"native\"]\nwhy = \"a test\"\n"
        ),
    )?;
    append(
        &folder.join("cases.toml"),
        &format!(
            "\n[[case]]\nname = \"native/{name}\"\nmode = \"native\"\nruntime = \"{name}\"\nbaseline = \"native/runc\"\n\
             sets = [\"default\"]\nwhy = \"a test\"\n"
        ),
    )?;
    Ok(folder)
}

fn rows(rig: &Rig, args: &[&str]) -> anyhow::Result<Vec<Value>> {
    let output = rig.xtask(&["cases", "--format", "json"]).args(args).run()?;
    serde_json::from_slice(&output.stdout).context("the cases' JSON can not be read")
}

fn listed(rig: &Rig) -> anyhow::Result<()> {
    let rows = rows(rig, &[])?;
    let matrix = xtask::prepare::selection::defined(&rig.workspace)?;
    ensure!(rows.len() == matrix.cases.len(), "{} of {} cases", rows.len(), matrix.cases.len());
    for row in &rows {
        for field in ["case", "form", "mode", "why", "available"] {
            ensure!(!row[field].is_null(), "a row has no `{field}`: {row}");
        }
        let explained = row["available"] == true || row["reason"].is_string();
        ensure!(row["runtime"]["name"].is_string() && explained, "{row}");
    }
    let text = rig.xtask(&["cases"]).run()?.text();
    ensure!(matrix.cases.iter().all(|case| text.contains(&case.name)), "the text lacks a case: {text}");
    ensure!(text.lines().all(|line| line.chars().count() <= 80), "a line is longer than 80 columns: {text}");
    Ok(())
}

fn wrong_table(rig: &Rig) -> anyhow::Result<()> {
    let folder = copy(rig, "matrix-wrong")?;
    append(
        &folder.join("cases.toml"),
        "\n[[case]]\nname = \"x/y\"\nmode = \"aot\"\nengine = \"v8\"\nruntime = \"runc\"\n",
    )?;
    let clock = Stopwatch::start();
    let matrix = folder.to_string_lossy();
    let output = rig.xtask(&["bench", "--matrix", &matrix, "--out"]).arg(rig.scratch.join("wrong")).output()?;
    expect_error(&output, 1, &["cases.toml", "line", "missing field `sets`"])?;
    ensure!(clock.elapsed().as_secs() < 5 && !rig.scratch.join("wrong").exists(), "it went on");
    Ok(())
}

/// What a case of a table says, what is said about it, and on which line below its beginning.
const IMPOSSIBLE: [(&str, &str, usize); 7] = [
    ("mode = \"aot\"\nengine = \"v8\"\nruntime = \"process\"", "there is no engine `v8`", 3),
    ("mode = \"native\"\nruntime = \"docker\"", "there is no runtime `docker`", 3),
    ("mode = \"native\"\nruntime = \"runc\"\nimage = \"x\"", "there is no image `x` of the form `native`", 4),
    ("mode = \"native\"\nruntime = \"runc\"\nbaseline = \"a/b\"", "there is no case `a/b`", 4),
    ("mode = \"aot\"\nengine = \"wasmedge\"\nruntime = \"runc\"", "`runc` does not run wasm-aot", 2),
    ("mode = \"aot\"\nengine = \"wasmi\"\nruntime = \"process\"", "the engine `wasmi` has no mode wasm-aot", 2),
    (
        "mode = \"native\"\nruntime = \"crun\"\nbaseline = \"x/y\"",
        "the baseline `x/y` is itself compared with `x/y`",
        4,
    ),
];

fn impossible(rig: &Rig) -> anyhow::Result<()> {
    for (number, (table, says, line)) in IMPOSSIBLE.into_iter().enumerate() {
        let folder = copy(rig, &format!("matrix-impossible-{number}"))?;
        let cases = folder.join("cases.toml");
        let begin = std::fs::read_to_string(&cases)?.lines().count() + 2;
        append(&cases, &format!("\n[[case]]\nname = \"x/y\"\n{table}\nsets = []\nwhy = \"a test\"\n"))?;
        let output = rig.xtask(&["plan", "--matrix"]).arg(&folder).output()?;
        expect_error(&output, 1, &["`cases.toml`", &format!("line {}", begin + line), says]).with_context(|| says)?;
    }
    Ok(())
}

fn wrong_version(rig: &Rig) -> anyhow::Result<()> {
    let folder = copy(rig, "matrix-version")?;
    let engines = folder.join("engines.toml");
    let text = std::fs::read_to_string(&engines)?;
    let own = "versions = { from = \"0.14\", below = \"0.15\" }";
    ensure!(text.contains(own), "WasmEdge's versions are others: {text}");
    std::fs::write(&engines, text.replace(own, "versions = { from = \"99.0\", below = \"99.1\" }"))?;
    let args =
        ["--matrix", &folder.to_string_lossy(), "--case", "native/process", "--case", "wasm-interpreter/process"];
    let (code, manifest, samples) = short(rig, "wrong-version", &args)?;
    ensure!(code == Some(3), "exit status {code:?}");
    let reason = manifest["not_measured"][0]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("`wasmedge` can not be used") && reason.contains("from 99.0 to below 99.1"), "{reason:?}");
    let good: Vec<_> = samples.iter().filter(|sample| sample.reason.is_none()).collect();
    ensure!(good.iter().all(|sample| sample.case.starts_with("native/process")), "something else ran");
    ensure!(good.len() == 6, "{} samples of native", good.len());
    Ok(())
}

fn script(rig: &Rig, name: &str, body: &str) -> anyhow::Result<PathBuf> {
    let path = rig.scratch.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn no_runtime(rig: &Rig) -> anyhow::Result<()> {
    let plain = rig.scratch.join("no-program");
    std::fs::write(&plain, "")?;
    for (file, says) in [
        (plain, "no executable file"),
        (PathBuf::from("/no/such/file"), "there is no"),
        (script(rig, "says-nothing", "exit 0")?, "it said nothing"),
        (
            script(rig, "containerd-shim-garbage-v1", "head -c 100000 /dev/urandom")?,
            "a containerd shim says its version",
        ),
        (script(rig, "never-answers", "exec sleep 1000")?, "never-answers"),
    ] {
        let named = format!("mine={}", file.display());
        let output = rig.xtask(&["plan", "--runtime", &named]).output()?;
        expect_error(&output, 1, &["--runtime mine=", says])?;
    }
    expect_error(&rig.xtask(&["plan", "--runtime", "mine"]).output()?, 2, &["a name and a file"])
}

fn unknown_set(rig: &Rig) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["bench", "--set", "runtime"]).output()?, 2, &["did you mean `runtimes`", "`all`"])
}

fn by_file(rig: &Rig) -> anyhow::Result<()> {
    let folder = with_runtime(rig, "second", "crun")?;
    let output = rig.xtask(&["run", "native/second", "--matrix"]).arg(&folder).run()?;
    ensure!(output.text().contains("n=1000000"), "it printed {:?}", output.text());
    Ok(())
}

/// A short run of the no-op: its manifest, and the outcomes of its samples by cell.
fn short(rig: &Rig, name: &str, args: &[&str]) -> anyhow::Result<(Option<i32>, Value, Vec<results::Sample>)> {
    let out = rig.scratch.join(name);
    let output = rig.xtask(&["bench", "--bench", "noop", "--rounds", "2", "--out"]).arg(&out).args(args);
    // The first time, engines and runtimes are built for it.
    let output = output.limit(Duration::from_mins(45)).output()?;
    let manifest = std::fs::read(out.join("manifest.json"))
        .with_context(|| format!("no run was made: {}", String::from_utf8_lossy(&output.stderr)))?;
    let samples = results::store::parse_samples(&std::fs::read(out.join("samples.jsonl"))?).0;
    Ok((output.code, serde_json::from_slice(&manifest)?, samples))
}

fn cell<'a>(manifest: &'a Value, name: &str) -> anyhow::Result<&'a Value> {
    let cells = manifest["cells"].as_array().context("no `cells`")?;
    cells.iter().find(|cell| cell["name"] == name).with_context(|| format!("there is no cell `{name}`"))
}

fn own_runtimes(rig: &Rig) -> anyhow::Result<()> {
    let crun = tools::toolbox_program(rig, "crun")?;
    let shim = rig.workspace.artifacts().join(Shim::WasmEdge.binary());
    let named = [format!("mine={}", crun.display()), format!("my-shim:wasmedge={}", shim.display())];
    let cases = ["--case", "native/runc", "--case", "native/m*", "--case", "wasm-aot/my-shim"];
    let args = [&["--runtime", &named[0], "--runtime", &named[1]][..], &cases].concat();
    let (code, manifest, samples) = short(rig, "own-runtimes", &args)?;
    ensure!(code == Some(0), "exit status {code:?}: {}", manifest["not_measured"]);
    let shim = "containerd-shim-wasmedge";
    for (name, version) in
        [("native/mine", "crun"), ("native/my-shim", shim), ("wasm-aot/my-shim", shim), ("native/runc", "runc")]
    {
        let counted = samples.iter().filter(|sample| sample.case == name && !sample.warmup && sample.reason.is_none());
        ensure!(counted.count() == 2, "`{name}` was not measured: {}", manifest["not_measured"]);
        let found = cell(&manifest, name)?["runtime"]["version"].as_str().unwrap_or_default();
        ensure!(found.contains(version), "`{name}` is recorded with the version {found:?}");
    }
    // Which version its engine has only the shim's maker knows; how it ran its module was observed.
    let module = cell(&manifest, "wasm-aot/my-shim")?;
    ensure!(module["engine"].get("version").is_none(), "its engine's version was guessed: {}", module["engine"]);
    ensure!(module["mode_observed"]["mode"] == "aot", "it was seen as {}", module["mode_observed"]);
    Ok(())
}

fn crun(rig: &Rig) -> anyhow::Result<()> {
    for case in ["native/crun", "wasm-interpreter/crun", "wasm-aot/crun"] {
        let output = rig.xtask(&["run", case]).run().with_context(|| case.to_owned())?;
        ensure!(output.text().contains("n=1000000"), "`{case}` printed {:?}", output.text());
    }
    Ok(())
}

/// Whether a runtime works can be a matter of the kernel and its cgroups: a row with a reason is as good as a time. Rows
/// of what the toolbox holds have no excuse.
fn everything(rig: &Rig) -> anyhow::Result<()> {
    let (code, manifest, samples) = short(rig, "everything", &["--set", "all"])?;
    let matrix = xtask::prepare::selection::defined(&rig.workspace)?;
    let on_request = xtask::programs::Programs::load(&rig.workspace)?;
    let definitions = xtask::prepare::images::definitions(&rig.workspace)?;
    let has_base = |name: &str| definitions.iter().any(|image| image.name == name && image.base.is_some());
    let excused = |case: &Case| {
        if case.image.as_deref().is_some_and(has_base) {
            return true;
        }
        let behaviour = matrix.runtime(case).ok().and_then(|runtime| runtime.behaviour.program());
        behaviour.is_some_and(|program| on_request.definitions().iter().any(|other| other.name == program))
    };
    let reasons = manifest["not_measured"].as_array().context("no `not_measured`")?;
    for case in &matrix.cases {
        let good = samples.iter().filter(|sample| sample.case == case.name && sample.reason.is_none()).count();
        let reason = reasons.iter().find(|row| row["case"] == case.name).map(|row| row["reason"].to_string());
        let as_expected = reason.as_ref().is_some_and(|reason| case.expected(reason).is_some());
        let excuse = as_expected || (excused(case) && reason.is_some());
        ensure!(good == 3 || excuse, "`{case}` was run {good} times of 3: {reason:?}");
        let version = &cell(&manifest, &case.name)?["runtime"]["version"];
        ensure!(!case.is_container() || reason.is_some() || version.is_string(), "`{case}` has no version");
    }
    let is_expected = |row: &Value| {
        let case = matrix.cases.iter().find(|case| row["case"] == case.name);
        case.is_some_and(|case| case.expected(&row["reason"].to_string()).is_some())
    };
    let all_expected = reasons.iter().all(is_expected);
    ensure!(code == Some(if all_expected { 0 } else { 3 }), "exit status {code:?} with {reasons:?}");
    looked_at(&serde_json::from_value(manifest.clone())?)
}

/// What is measured was looked at before.
fn looked_at(manifest: &Manifest) -> anyhow::Result<()> {
    let barred = |case: &Case| manifest.not_measured.iter().any(|row| row.case == case.name);
    for cell in manifest.cells.iter().filter(|cell| !barred(&cell.case)) {
        let (case, seen) = (&cell.case, cell.mode_observed.as_ref());
        ensure!(case.mode == Mode::Native || seen.is_some(), "nobody looked how `{cell}` is executed");
        let mode = seen.and_then(|seen| seen.mode);
        ensure!(mode.is_none_or(|mode| mode == case.mode), "`{cell}` was measured, and seen as {seen:?}");
        let is_it =
            |seen: &&results::isolation::Isolation| seen.runtime == case.runtime.name && seen.of == Subject::of(case);
        let isolation = manifest.isolation.iter().find(is_it);
        // Pods have a network of another kind, and are not looked into.
        let is_looked_into = case.is_container() && case.runtime.pod.is_none();
        ensure!(!is_looked_into || isolation.is_some(), "nobody looked into a container of `{cell}`");
        let Some(isolation) = isolation.filter(|_| case.is_container()) else { continue };
        ensure!(isolation.unknown.is_none(), "`{cell}` runs, and could not be looked into: {:?}", isolation.unknown);
        let is_sandbox = case.runtime.name == "gvisor";
        ensure!(isolation.restricts.contains_key("kernel") == is_sandbox, "`{cell}`: {isolation:?}");
        ensure!(isolation.is.contains_key("option") == is_sandbox, "`{cell}`: {isolation:?}");
    }
    Ok(())
}

/// Each form of image, pulled and run; and those that a runtime does not take, with its own words, which are expected.
fn packaging(rig: &Rig) -> anyhow::Result<()> {
    let (code, manifest, samples) = short(rig, "packaging", &["--set", "packaging"])?;
    ensure!(code == Some(0), "exit status {code:?} with {}", manifest["not_measured"]);
    let matrix = xtask::prepare::selection::defined(&rig.workspace)?;
    let reasons = manifest["not_measured"].as_array().context("no `not_measured`")?;
    for case in matrix.select(&[], &["packaging".to_owned()])? {
        let good = samples.iter().filter(|sample| sample.case == case.name && sample.reason.is_none()).count();
        let reason = reasons.iter().find(|row| row["case"] == case.name);
        let reason = reason.and_then(|row| row["reason"].as_str()).unwrap_or_default();
        let Some(refused) = &case.refused else {
            ensure!(good == 3, "`{case}` was run {good} times of 3: {reason}");
            continue;
        };
        ensure!(good == 0 && reason.contains(&refused.says) && reason.ends_with(&refused.why), "`{case}`: {reason:?}");
    }
    let images = manifest["images"].as_array().context("no `images`")?;
    let transferred = |name: &str| -> anyhow::Result<u64> {
        let found = images.iter().find(|image| image["program"] == "noop" && image["image"] == name);
        let image = found.with_context(|| format!("no image `{name}` is recorded"))?;
        ensure!(
            image["pulled_digest"] == image["manifest_digest"],
            "`{name}` was not pulled as it was pushed: {image}"
        );
        image["transfer_bytes"].as_u64().context("no size")
    };
    ensure!(transferred("native")? < transferred("native-tar")?, "compression saves nothing");
    ensure!(transferred("native-on-base")? < transferred("native-in-layers")?, "layers cost nothing");
    ensure!(transferred("wasm")? < transferred("wasm-module")?, "a module that is the layer is compressed");
    Ok(())
}

/// The rows of the set `claim`.
const ON_BASE: [&str; 4] = ["--case", "native/runc", "--case", "native-on-base/runc"];

fn on_base(rig: &Rig) -> anyhow::Result<()> {
    let (code, manifest, samples) = short(rig, "on-base", &ON_BASE)?;
    ensure!(code == Some(0), "exit status {code:?}");
    let good = samples.iter().filter(|sample| sample.case == "native-on-base/runc" && sample.reason.is_none()).count();
    ensure!(good == 3, "it was run {good} times of 3");
    let images = manifest["images"].as_array().context("no `images`")?;
    let image = |name: &str| {
        let found = images.iter().find(|image| image["program"] == "noop" && image["image"] == name);
        found.with_context(|| format!("no image `{name}` is recorded"))
    };
    let (alone, based) = (image("native")?, image("native-on-base")?);
    ensure!(based["pulled_digest"] == based["manifest_digest"], "what was pulled is not what was pushed: {based}");
    let packages = based["packages"].as_array().context("it has no packages")?;
    let libc = packages.iter().find(|package| package["name"] == "libc6").context("there is no C library in it")?;
    ensure!(libc["sha256"].as_str().is_some_and(|digest| digest.len() == 64), "{libc}");
    ensure!(alone["packages"].is_null(), "the image from scratch has packages: {alone}");
    let bytes = |image: &Value| image["transfer_bytes"].as_u64();
    ensure!(bytes(based) > bytes(alone).map(|bytes| bytes + 3_000_000), "the base costs nothing: {based}, {alone}");
    Ok(())
}

/// Packages that were fetched from one mirror are not taken for those of another.
fn no_base(rig: &Rig) -> anyhow::Result<()> {
    let nobody = ["--mirror", "http://127.0.0.1:1/debian"];
    let (code, manifest, samples) = short(rig, "no-base", &[&ON_BASE[..], &nobody].concat())?;
    ensure!(code == Some(3), "exit status {code:?}");
    let reason = manifest["not_measured"][0]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("the base of the image `native-on-base` can not be had"), "the reason is {reason:?}");
    ensure!(samples.iter().all(|sample| sample.case.starts_with("native/runc")), "something else ran");
    ensure!(samples.iter().filter(|sample| sample.reason.is_none()).count() == 6, "runc was not measured: {samples:?}");
    Ok(())
}

fn absent(rig: &Rig) -> anyhow::Result<()> {
    let folder = with_runtime(rig, "absent", "no-such-runtime")?;
    let args = ["--matrix", &folder.to_string_lossy(), "--case", "native/runc", "--case", "native/absent"];
    let (code, manifest, samples) = short(rig, "absent-run", &args)?;
    ensure!(code == Some(3), "exit status {code:?}");
    let reason = manifest["not_measured"][0]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("no-such-runtime"), "the reason is {reason:?}");
    ensure!(samples.iter().all(|sample| sample.case.starts_with("native/runc")), "something else ran");
    ensure!(samples.iter().filter(|sample| sample.reason.is_none()).count() == 6, "runc was not measured: {samples:?}");
    expect_code(&rig.xtask(&["report"]).arg(rig.scratch.join("absent-run")).output()?, 0)
}
