//! Faults of stored runs: doubled, halved, damaged, empty, from elsewhere. The recorded run is what is damaged: no
//! check here measures anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{Check, Named, Rig, expect_code, expect_error};
use results::store::parse_samples;
use results::{Manifest, NotMeasured, Sample};
use xtask::cmd::Cmd;
use xtask::commands::report;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 6] = [
        ("lines that are there twice or ten times count once, and are reported", repeated),
        ("half of the lines deleted: how many, and exit status 3", halved),
        ("no lines at all: not a success", empty),
        ("a damaged line is named, and the others are reported", damaged),
        ("a greater binary closes the gate on sizes, and Markdown says so", greater),
        ("a run that was cut off is reported with exit status 3", cut_off),
    ];
    let mut checks: Vec<Check> = anywhere.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    let name = "on a read-only disk `report` shows the run, then says that it could not be kept";
    checks.push(match rig.no_containers() {
        Some(reason) => Check::skipped(name, reason),
        None => Check::of(name, read_only(rig)),
    });
    checks.push(Check::of("runs of two checkouts with the same software compare", two_checkouts(rig)));
    checks
}

/// A copy of the recorded run with other samples.
struct Copy {
    dir: PathBuf,
    lines: Vec<String>,
}

impl Copy {
    fn new(rig: &Rig, name: &str) -> anyhow::Result<Self> {
        let recorded = report::recorded(&rig.workspace)?;
        let dir = rig.scratch.join(format!("record-{name}"));
        std::fs::create_dir(&dir).with_context(|| format!("can not make `{}`", dir.display()))?;
        crate::rig::copy_facts(recorded.path(), &dir)?;
        let text = std::fs::read_to_string(recorded.samples_path())?;
        Ok(Self { dir, lines: text.lines().map(str::to_owned).collect() })
    }

    fn write<'a>(&self, lines: impl IntoIterator<Item = &'a String>) -> anyhow::Result<()> {
        let text: String = lines.into_iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        std::fs::write(self.dir.join("samples.jsonl"), text).context("can not write the samples")
    }

    /// The runs of rows that could be measured: how often one that was refused was to be tried, only its lines tell.
    fn planned(&self) -> anyhow::Result<usize> {
        let manifest: Manifest = serde_json::from_slice(&std::fs::read(self.dir.join("manifest.json"))?)?;
        let (samples, _) = parse_samples(self.lines.join("\n").as_bytes());
        let is_refused = |sample: &&Sample| {
            let is_it = |row: &NotMeasured| row.bench == *sample.bench && row.case == *sample.case;
            manifest.not_measured.iter().any(is_it)
        };
        Ok(samples.len() - samples.iter().filter(is_refused).count())
    }

    fn name(&self) -> String {
        self.dir.to_string_lossy().into_owned()
    }

    fn summary(&self) -> anyhow::Result<Value> {
        summary(&self.dir)
    }
}

fn summary(dir: &Path) -> anyhow::Result<Value> {
    let path = dir.join("summary.json");
    serde_json::from_slice(&std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?)
        .with_context(|| format!("`{}` is not JSON", path.display()))
}

/// Reports a damaged copy, and expects these words in the error output, in the page and in the comment.
fn expect_told(rig: &Rig, copy: &Copy, words: &str) -> anyhow::Result<()> {
    expect_error(&rig.xtask(&["report", &copy.name()]).output()?, 3, &[words])?;
    for file in ["README.md", "report.html", "exports/pull-request.md", "summary.json"] {
        let text = std::fs::read_to_string(copy.dir.join(file))?;
        ensure!(text.contains(words), "`{file}` does not say {words:?}");
    }
    let compared = rig.xtask(&["compare", &copy.name(), &copy.name()]).output()?;
    expect_error(&compared, 3, &[words])
}

fn repeated(rig: &Rig) -> anyhow::Result<()> {
    let whole = Copy::new(rig, "whole")?;
    whole.write(&whole.lines)?;
    rig.xtask(&["report", &whole.name()]).run()?;
    let expected = whole.summary()?;
    for (name, copies) in [("twice", 2), ("ten-times", 10)] {
        let copy = Copy::new(rig, name)?;
        let lines: Vec<&String> = std::iter::repeat_n(&copy.lines, copies).flatten().collect();
        copy.write(lines)?;
        let repeated = (copies - 1) * copy.lines.len();
        expect_told(rig, &copy, &format!("{repeated} lines are of a run that has a line already"))?;
        let found = copy.summary()?;
        for field in ["cases", "comparisons", "resolutions", "fits"] {
            ensure!(found[field] == expected[field], "`{field}` is not that of the whole run");
        }
    }
    Ok(())
}

fn halved(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "halved")?;
    let all = copy.lines.len();
    copy.write(&copy.lines[..all / 2])?;
    expect_told(rig, &copy, &format!("{} of {all} planned runs have no line", all - all / 2))
}

fn empty(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "empty")?;
    copy.write([])?;
    expect_told(rig, &copy, &format!("{0} of {0} planned runs have no line", copy.planned()?))
}

fn damaged(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "damaged")?;
    let mut lines = copy.lines.clone();
    lines[4].truncate(20);
    copy.write(&lines)?;
    expect_told(rig, &copy, "line 5 is damaged")
}

fn greater(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "greater")?;
    copy.write(&copy.lines)?;
    let path = copy.dir.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let size = manifest.pointer_mut("/artifacts/0/size_bytes").context("it has no artifact")?;
    let grown = size.as_u64().context("its size is no number")? * 110 / 100;
    *size = grown.into();
    std::fs::write(&path, manifest.to_string())?;
    let recorded = report::recorded(&rig.workspace)?;
    let (before, after) = (recorded.path().to_string_lossy(), copy.name());
    let compare = |limit: &str| {
        rig.xtask(&["compare", &before, &after, "--format", "markdown", "--fail-size-above", limit]).output()
    };
    let closed = compare("5%")?;
    expect_code(&closed, 4)?;
    let text = String::from_utf8_lossy(&closed.stdout);
    ensure!(text.contains("greater: ") && text.contains("| 1.1000× |"), "it does not say what grew:\n{text}");
    expect_code(&compare("15%")?, 0)?;
    let strict = rig.xtask(&["compare", &before, &after, "--fail-above", "0.1%", "--strict"]).output()?;
    expect_code(&strict, 4)?;
    let text = String::from_utf8_lossy(&strict.stdout);
    ensure!(text.contains("rows are undecided") && text.contains("could have seen"), "it does not say why:\n{text}");
    Ok(())
}

fn cut_off(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "cut-off")?;
    copy.write(&copy.lines[..100])?;
    let path = copy.dir.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    manifest.as_object_mut().context("the manifest is no object")?.remove("finished");
    std::fs::write(&path, manifest.to_string())?;
    let output = rig.xtask(&["report", &copy.name()]).output()?;
    expect_code(&output, 3)?;
    ensure!(String::from_utf8_lossy(&output.stdout).contains("cut off"), "it does not say that it was cut off");
    Ok(())
}

/// Root may write where the mode forbids it: the folder is mounted read-only, in a mount namespace of its own.
fn read_only(rig: &Rig) -> anyhow::Result<()> {
    let copy = Copy::new(rig, "read-only")?;
    copy.write(&copy.lines)?;
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && exec \"$2\" report \"$1\"";
    let command = Cmd::new("unshare").args(["--mount", "--", "sh", "-c", script, "sh"]).arg(&copy.dir);
    let output = command.arg(rig.program()).dir(rig.workspace.root()).output()?;
    expect_error(&output, 1, &["could not be kept", &copy.name(), "Read-only file system"])?;
    let shown = String::from_utf8_lossy(&output.stdout);
    ensure!(shown.contains("native/process") && shown.contains("array-sum"), "it showed nothing:\n{shown}");
    Ok(())
}

/// A second `target` folder is what a second checkout is: a toolbox that was patched for another path. The packages are
/// those of the first; the runs need no container and no shim.
fn two_checkouts(rig: &Rig) -> anyhow::Result<()> {
    rig.xtask(&["toolbox"]).run()?;
    let target = rig.second_target("second-checkout")?;
    let mut runs = Vec::new();
    for (name, target) in [("first", rig.workspace.target()), ("second", target.as_path())] {
        let out = rig.scratch.join(format!("checkout-{name}"));
        let cases = ["--case", "native/process", "--case", "wasm-interpreter/process"];
        let bench = rig.xtask(&["bench", "--bench", "noop", "--rounds", "6", "--out"]).arg(&out).args(cases);
        bench.env("CARGO_TARGET_DIR", target).run()?;
        runs.push(out);
    }
    let engines: Vec<Value> = runs.iter().map(|run| engine(run)).collect::<anyhow::Result<_>>()?;
    ensure!(engines[0]["sha256"] != engines[1]["sha256"], "both toolboxes are one: this check could not fail");
    let names = runs.iter().map(|run| run.to_string_lossy()).collect::<Vec<_>>();
    let compared = rig.xtask(&["compare", &names[0], &names[1], "--format", "json"]).run()?;
    let compared: Value = serde_json::from_slice(&compared.stdout).context("the comparison is not JSON")?;
    let differences = compared["differences"].as_array().context("it has no `differences`")?;
    let programs: Vec<&Value> = differences
        .iter()
        .filter(|each| each["what"].as_str().is_some_and(|what| what.starts_with("program")))
        .collect();
    ensure!(programs.is_empty(), "the same programs differ: {programs:?}");
    let recorded = report::recorded(&rig.workspace)?;
    rig.xtask(&["compare", &recorded.path().to_string_lossy(), &names[1], "--unlike"]).run().map(|_| ())
}

fn engine(run: &Path) -> anyhow::Result<Value> {
    let manifest: Value = serde_json::from_slice(&std::fs::read(run.join("manifest.json"))?)?;
    let programs = manifest["programs"].as_array().context("it has no `programs`")?;
    programs.iter().find(|program| program["name"] == "wasmedge").cloned().context("it has no `wasmedge`")
}
