//! The stage on programs of somebody's own: the examples, a program that is given everything, and programs that can not be
//! measured, or not everywhere.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Named, Rig};
use results::Sample;
use results::store::parse_samples;

mod chosen;
mod given;
mod installed;
mod languages;
mod refused;
pub mod trial;

pub use languages::languages;

/// The examples that there are.
const EXAMPLES: [&str; 3] = ["json-filter", "markdown", "compress"];

/// Every check.
pub fn own_program(rig: &Rig) -> Vec<Check> {
    let checks: [Named; 16] = [
        ("every example is measured by its file", examples),
        ("arguments, input, variables and folders reach every case as they were given", given::everything),
        (
            "`--bin`, `--example`, features and profile choose what is built, and `--expect` what is right",
            chosen::as_cargo_does,
        ),
        ("a sweep of one's own has a bench per number", given::sweep),
        ("one's own program that waits is counted by `density`, and one that ends is told apart", given::idle),
        ("`init` writes a file that `plan`, `build`, `run`, `bench` and `report` take", given::by_file),
        ("a file that is wrong is refused with its name and line", refused::wrong_file),
        (
            "a package that can not be built for WASI: the native rows, and three lines with the way out",
            refused::not_for_wasi,
        ),
        ("a pair whose outputs differ", refused::other_outputs),
        ("a file that is not there", refused::missing_file),
        ("a program that prints 1 GB", refused::flood),
        ("a program that never ends", refused::endless),
        ("a program that wants a network", refused::network),
        ("a program that prints something else each time is told apart, with advice", refused::nondeterministic),
        ("the installed program, in a folder that knows of no checkout", installed::elsewhere),
        ("what is named and not there is refused before anything is built", refused::not_there),
    ];
    checks.iter().map(|(name, check)| Check::of(*name, check(rig))).collect()
}

/// A short run: its exit status, what it said, its manifest and its samples.
struct Short {
    code: Option<i32>,
    stderr: String,
    manifest: Value,
    samples: Vec<Sample>,
    folder: PathBuf,
}

/// Of every kind a row; without containers where there can be none.
fn cases(rig: &Rig) -> &'static [&'static str] {
    let all = &["native/process", "wasm-aot/process", "native/runc", "wasm-aot/wasmedge"];
    if rig.no_containers().is_some() { &all[..2] } else { all }
}

/// One counted round of every case. `args` end with the program's own, behind `--`.
fn short(rig: &Rig, name: &str, args: &[&str]) -> anyhow::Result<Short> {
    short_of(rig, name, cases(rig), args)
}

/// The same without containers, for what has nothing to do with them.
fn direct(rig: &Rig, name: &str, args: &[&str]) -> anyhow::Result<Short> {
    short_of(rig, name, &cases(rig)[..2], args)
}

fn short_of(rig: &Rig, name: &str, cases: &[&str], args: &[&str]) -> anyhow::Result<Short> {
    let folder = rig.scratch.join(name);
    let chosen = cases.iter().flat_map(|case| ["--case", case]);
    let output = rig.xtask(&["bench", "--rounds", "1", "--warmup", "0", "--out"]).arg(&folder).args(chosen).args(args);
    let output = output.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let manifest = std::fs::read(folder.join("manifest.json")).with_context(|| format!("no run was made: {stderr}"))?;
    let samples = parse_samples(&std::fs::read(folder.join("samples.jsonl"))?).0;
    Ok(Short { code: output.code, stderr, manifest: serde_json::from_slice(&manifest)?, samples, folder })
}

impl Short {
    /// The reason of a case: that of its row, or of its first run that failed.
    fn reason(&self, case: &str) -> String {
        let row = self.manifest["not_measured"].as_array().into_iter().flatten().find(|row| row["case"] == case);
        let sample = || self.samples.iter().find(|sample| sample.case == case && sample.reason.is_some());
        match row {
            Some(row) => row["reason"].as_str().unwrap_or_default().to_owned(),
            None => sample().and_then(|sample| sample.reason.as_ref()).map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Fails unless this case was measured.
    fn measured(&self, case: &str) -> anyhow::Result<()> {
        let good = self.samples.iter().any(|sample| sample.case == case && sample.reason.is_none());
        ensure!(good, "`{case}` was not measured: {}\n{}", self.reason(case), self.stderr);
        Ok(())
    }

    /// Fails unless this case has a reason that says this.
    fn says(&self, case: &str, words: &str) -> anyhow::Result<()> {
        let reason = self.reason(case);
        ensure!(reason.contains(words), "the reason of `{case}` does not say {words:?}: {reason}\n{}", self.stderr);
        Ok(())
    }
}

fn examples(rig: &Rig) -> anyhow::Result<()> {
    for name in EXAMPLES {
        let file = rig.workspace.root().join("examples").join(name).join("wasm-bench.toml");
        let run = short(rig, &format!("example-{name}"), &["--file", path(&file)?]).context(name)?;
        ensure!(run.code == Some(0), "`{name}` ended with {:?}: {}", run.code, run.stderr);
        cases(rig).iter().try_for_each(|case| run.measured(case).context(name))?;
        let record = &run.manifest["own_program"];
        ensure!(record["package"] == name && record["lock_sha256"].is_string(), "it is recorded as {record}");
    }
    Ok(())
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("`{}` is not UTF-8", path.display()))
}
