//! The stage on the main job: a short real run, what it writes, and that everything but manifest and samples
//! can be made again from these two.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Rig, tools};
use results::case::Case;
use results::store::parse_samples;
use results::{Outcome, Sample};
use xtask::cmd::Cmd;
use xtask::prepare::selection;

/// Rounds of the short run: the fewest that have a 95 % interval of a median.
const ROUNDS: u32 = 6;

/// One run and everything about it.
pub fn bench(rig: &Rig) -> Vec<Check> {
    let name = "every default case is measured";
    if let Some(reason) = rig.no_containers() {
        return vec![Check::skipped(name, reason)];
    }
    let out = rig.scratch.join("bench");
    let output = match rig.xtask(&["bench", "--rounds", &ROUNDS.to_string(), "--out", &out.to_string_lossy()]).run() {
        Ok(output) => output,
        Err(error) => return vec![Check::of(name, Err(error.context(failures(&out))))],
    };
    vec![
        Check::of(name, rows(rig, &out)),
        Check::of("every sample has the expected output and its place in the order", samples(&out)),
        Check::of("the table shows every row", table(&String::from_utf8_lossy(&output.stdout))),
        Check::of("timed regions fill the rounds", busy(&out)),
        Check::of("`report` makes every file again, byte for byte", rebuilt(rig, &out)),
        Check::of("a truncated `samples.jsonl` gives what can be saved and says what was lost", truncated(rig, &out)),
        Check::of("`compare` of a run with itself finds nothing", compared(rig, &out)),
        Check::of("`compare --fail-above` fails on a slow-down, and refuses unlike runs", gated(rig, &out)),
        Check::of("`run CASE` prints what the program prints", run_case(rig)),
        Check::of("noop measured by us and by hyperfine agree within 10 %, or 40 µs", hyperfine(rig)),
    ]
}

/// What the files of a run say about why it is not complete: samples, traces and first uses that failed, and what was not
/// measured.
pub fn failures(out: &Path) -> String {
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap_or_default();
    let files = ["samples.jsonl", "timeline.jsonl", "first-use.jsonl"];
    let lines = files.map(text).concat();
    let rows = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failed = rows.filter(|row| row["outcome"] != "ok");
    let mut all: Vec<String> = failed
        .map(|row| format!("{} {} in round {}: {}", row["bench"], row["case"], row["round"], row["reason"]))
        .collect();
    let manifest: Value = serde_json::from_str(&text("manifest.json")).unwrap_or_default();
    let absent = manifest["not_measured"].as_array().into_iter().flatten();
    all.extend(absent.map(|row| format!("{} {} not measured: {}", row["bench"], row["case"], row["reason"])));
    format!("what failed: {}", all.join("; "))
}

fn json(path: &Path) -> anyhow::Result<Value> {
    serde_json::from_slice(&std::fs::read(path).with_context(|| format!("can not read `{}`", path.display()))?)
        .with_context(|| format!("`{}` is not JSON", path.display()))
}

fn rows(rig: &Rig, out: &Path) -> anyhow::Result<()> {
    let summary = json(&out.join("summary.json"))?;
    for bench in ["array-sum", "noop"] {
        for case in default_cases(rig)? {
            let rows = summary["cases"].as_array().context("no `cases`")?;
            let row = rows.iter().find(|row| row["bench"] == bench && row["case"] == case.to_string());
            let row = row.with_context(|| format!("no row for {bench} {case}"))?;
            ensure!(row["n"] == ROUNDS && row["failed"] == 0, "{bench} {case}: {row}");
            ensure!(row["ci_low"].as_f64() <= row["median"].as_f64(), "{bench} {case}: {row}");
        }
    }
    let sizes = summary["sizes"].as_array().context("no `sizes`")?;
    ensure!(sizes.len() == 6, "{} size rows", sizes.len());
    ensure!(summary["not_measured"].as_array().is_some_and(Vec::is_empty), "not measured: {}", summary["not_measured"]);
    ensure!(
        summary["resolutions"].as_array().is_some_and(|rows| rows.len() == 4),
        "A/A rows: {}",
        summary["resolutions"]
    );
    Ok(())
}

fn read_samples(out: &Path) -> anyhow::Result<Vec<Sample>> {
    let (samples, lost) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    ensure!(lost.is_empty(), "{lost:?}");
    Ok(samples)
}

fn samples(out: &Path) -> anyhow::Result<()> {
    let samples = read_samples(out)?;
    ensure!(samples.iter().all(|sample| sample.outcome == Outcome::Ok), "some failed");
    ensure!(samples.len() == (1 + ROUNDS as usize) * 18, "{} samples", samples.len());
    let mut orders: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    for sample in samples {
        let round = orders.entry(sample.round).or_default();
        ensure!(usize::try_from(sample.position)? == round.len(), "round {}: place {}", sample.round, sample.position);
        round.push((sample.bench.to_string(), sample.case.to_string()));
    }
    ensure!(orders[&1] != orders[&2], "two rounds have one order");
    Ok(())
}

fn table(table: &str) -> anyhow::Result<()> {
    for words in ["native", "wasm", "kB", "ms", "array-sum", "noop"] {
        ensure!(table.contains(words), "the table does not say {words:?}:\n{table}");
    }
    let wide: Vec<&str> = table.lines().filter(|line| line.chars().count() > 80).collect();
    ensure!(wide.is_empty(), "wider than 80 columns: {wide:#?}");
    Ok(())
}

fn busy(out: &Path) -> anyhow::Result<()> {
    let manifest = json(&out.join("manifest.json"))?;
    let of = |field: &str| manifest["finished"][field].as_f64().with_context(|| format!("no `{field}`"));
    let fraction = of("timed_ns")? / of("rounds_wall_ns")?;
    ensure!(fraction >= 0.8, "only {:.0} % of the rounds' time is timed", fraction * 100.0);
    Ok(())
}

fn contents(dir: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(contents(&path)?);
        } else {
            files.insert(path.clone(), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

fn rebuilt(rig: &Rig, out: &Path) -> anyhow::Result<()> {
    let before = contents(out)?;
    for path in before.keys() {
        if path.extension() != Some("jsonl".as_ref()) && !path.ends_with("manifest.json") {
            std::fs::remove_file(path)?;
        }
    }
    rig.xtask(&["report", &out.to_string_lossy()]).run()?;
    let after = contents(out)?;
    let differing: Vec<_> =
        before.iter().filter(|(path, bytes)| after.get(*path) != Some(*bytes)).map(|(path, _)| path).collect();
    ensure!(differing.is_empty() && before.len() == after.len(), "differing: {differing:?}");
    ensure!(before.len() >= 8, "only {} files", before.len());
    Ok(())
}

fn truncated(rig: &Rig, out: &Path) -> anyhow::Result<()> {
    let copy = rig.scratch.join("truncated");
    std::fs::create_dir(&copy)?;
    std::fs::copy(out.join("manifest.json"), copy.join("manifest.json"))?;
    let samples = std::fs::read(out.join("samples.jsonl"))?;
    std::fs::write(copy.join("samples.jsonl"), &samples[..samples.len() - 30])?;
    let output = rig.xtask(&["report", &copy.to_string_lossy()]).output()?;
    super::expect_error(&output, 3, &["breaks off"])?;
    ensure!(copy.join("summary.json").is_file(), "nothing was saved");
    Ok(())
}

fn compared(rig: &Rig, out: &Path) -> anyhow::Result<()> {
    let out = out.to_string_lossy();
    rig.xtask(&["compare", &out, &out, "--fail-above", "5%"]).run().map(|_| ())
}

/// The same run with one case's times doubled, and the same run on another kernel.
fn gated(rig: &Rig, out: &Path) -> anyhow::Result<()> {
    let manifest = std::fs::read_to_string(out.join("manifest.json"))?;
    let slower: Vec<String> = read_samples(out)?
        .into_iter()
        .map(|mut sample| {
            if sample.case == "wasm-aot/wasmedge" {
                sample.values.values_mut().for_each(|value| *value *= 2);
            }
            Ok(serde_json::to_string(&sample)? + "\n")
        })
        .collect::<anyhow::Result<_>>()?;
    let copy = |name: &str, manifest: &str| {
        let copy = rig.scratch.join(name);
        std::fs::create_dir(&copy)?;
        std::fs::write(copy.join("manifest.json"), manifest)?;
        std::fs::write(copy.join("samples.jsonl"), slower.concat())?;
        anyhow::Ok(copy.to_string_lossy().into_owned())
    };
    let (slow, before) = (copy("slower", &manifest)?, out.to_string_lossy());
    let gate = rig.xtask(&["compare", &before, &slow, "--fail-above", "5%"]).output()?;
    super::expect_code(&gate, 4)?;
    let mut other: Value = serde_json::from_str(&manifest)?;
    other["machine"]["kernel"] = "Linux 1.2.13".into();
    let other = copy("other-kernel", &other.to_string())?;
    let refused = rig.xtask(&["compare", &before, &other]).output()?;
    super::expect_error(&refused, 1, &["machine.kernel", "Linux 1.2.13", "--unlike"])?;
    rig.xtask(&["compare", &before, &other, "--unlike"]).run().map(|_| ())
}

fn default_cases(rig: &Rig) -> anyhow::Result<Vec<Case>> {
    Ok(selection::defined(&rig.workspace)?.select(&[], &[])?)
}

fn run_case(rig: &Rig) -> anyhow::Result<()> {
    let mut printed = Vec::new();
    for case in default_cases(rig)? {
        let output = rig.xtask(&["run", &case.to_string()]).run().with_context(|| format!("{case}"))?;
        printed.push((case, output.text()));
    }
    ensure!(printed[0].1.contains("1000000"), "it printed {:?}", printed[0].1);
    for (case, text) in &printed {
        ensure!(*text == printed[0].1, "{case} printed {text:?}");
    }
    Ok(())
}

/// What our start of a program may take beyond hyperfine's, whatever the program: where a no-op takes 0.2 ms, more than a tenth
/// of it.
const FIXED_COST_US: f64 = 40.0;

/// The middle one of an odd number of values.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// In alternation, because the machine drifts, and both on one processor: whether a child is woken on the other one
/// doubles the time of a no-op. What difference is left is what happens between runs: hyperfine does next to nothing
/// there, this program compares the output and writes the sample, and returns to colder caches.
fn hyperfine(rig: &Rig) -> anyhow::Result<()> {
    let hyperfine = tools::toolbox_program(rig, "hyperfine")?;
    let noop = rig.workspace.artifacts().join("noop-native");
    let allowed = rustix::thread::sched_getaffinity(None)?;
    let processor = (0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu)).context("no processor")?;
    let processor = processor.to_string();
    let mut pairs = Vec::new();
    for turn in 0..7 {
        let out = rig.scratch.join(format!("alternation-{turn}"));
        let args =
            ["bench", "--bench", "noop", "--case", "native/process", "--rounds", "300", "--warmup", "20", "--out"];
        rig.xtask_below("taskset", ["-c", &processor]).args(args).arg(&out).run()?;
        let ours = json(&out.join("summary.json"))?["cases"][0]["median"].as_f64().context("no median")?;
        let export = rig.scratch.join(format!("hyperfine-{turn}.json"));
        let args = ["-N", "--style", "none", "--warmup", "20", "--runs", "600", "--export-json"];
        Cmd::new("taskset").args(["-c", &processor]).arg(&hyperfine).args(args).arg(&export).arg(&noop).run()?;
        let theirs = json(&export)?["results"][0]["median"].as_f64().context("no median")? * 1e9;
        pairs.push((ours, theirs));
    }
    let ratio = middle(pairs.iter().map(|(ours, theirs)| ours / theirs));
    let difference_us = middle(pairs.iter().map(|(ours, theirs)| (ours - theirs) / 1e3));
    let agree = (0.9..=1.1).contains(&ratio) || difference_us.abs() <= FIXED_COST_US;
    ensure!(agree, "ours / hyperfine's = {ratio:.3}, {difference_us:.0} µs apart (ns: {pairs:.0?})");
    Ok(())
}
