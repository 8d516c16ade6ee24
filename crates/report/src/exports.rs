//! The run in formats that other programs read: hyperfine's JSON, Bencher's BMF, github-action-benchmark's
//! custom JSON. Cells without a single sample are left out: none of the formats has a way to say "not measured".
//!
//! Not here: CSV (`csv`), and the meaning of our own files (`results/README.md`).

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use serde::Serialize;

use super::number::{Rounded, interval};
use super::visible::VisibleJson;
use super::{Content, Run, view};
use results::CaseSummary;
use results::metric::{Better, HEADLINE};
use samples::table::array;

const NS_PER_S: f64 = 1e9;

/// hyperfine's JSON export. Source: `BenchmarkResult` in hyperfine's `src/benchmark/benchmark_result.rs`
/// (1.20): times in seconds; `stddev` null after a single run; `times` and `exit_codes` one entry per run. Its
/// plot scripts read `command`, `times`, `mean`, `stddev`, `median`, and `parameters`. No `memory_usage_byte`: the
/// rusage of a spawned `ctr` is not that of the container.
#[derive(Serialize)]
struct Hyperfine {
    results: Vec<HyperfineResult>,
}

/// What stands in the place of an array that is written piece by piece.
type Later = [u8; 0];

#[derive(Serialize)]
struct HyperfineResult {
    #[serde(skip)]
    seconds: Vec<f64>,
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    user: f64,
    system: f64,
    min: f64,
    max: f64,
    times: Later,
    exit_codes: Later,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
}

/// The files of hyperfine's format, by name. First every cell of the benches that are no points of a sweep, for its
/// `plot_whisker.py` and its like: the "command" is bench and case, `user` and `system` are means, as hyperfine's are. Then
/// one file per sweep and cell, with the size as the only parameter, `n`: `plot_parametrized.py` wants exactly one in each
/// file, and draws a line per file.
pub fn each_hyperfine(run: &Run, mut take: impl FnMut(&str, Content<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let cells = view::samples_by_cell(run);
    let mut results = Vec::new();
    for bench in view::plain_benches(run) {
        for row in view::rows(run).filter(|row| row.bench == bench.name) {
            results.extend(hyperfine_result(row, &cells, BTreeMap::new()));
        }
    }
    let whole = Hyperfine { results };
    take("hyperfine.json", &|out| written(&whole, out))?;
    drop(whole);
    for (name, sweep) in hyperfine_sweeps(run, &cells) {
        take(&name, &|out| written(&sweep, out))?;
    }
    Ok(())
}

/// The arrays have a number for each sample, and there may be a million: they are put into the rest, which is text already.
fn written(file: &Hyperfine, out: &mut dyn Write) -> anyhow::Result<()> {
    // So far in are the fields of a result.
    const INDENT: usize = 6;
    let text = serde_json::to_string_pretty(file)?;
    let mut out = VisibleJson(BufWriter::new(out));
    // Within a string of JSON no quote is without its backslash.
    let mut pieces = text.split("\"times\": [],\n      \"exit_codes\": []");
    out.write_all(pieces.next().unwrap_or_default().as_bytes())?;
    for (result, piece) in file.results.iter().zip(pieces) {
        let zeros = vec!["0"; result.seconds.len()].join(",\n        ");
        let codes = if zeros.is_empty() { "[]".to_owned() } else { format!("[\n        {zeros}\n      ]") };
        out.write_all(b"\"times\": ")?;
        out.write_all(&array(&result.seconds, INDENT)?)?;
        write!(out, ",\n      \"exit_codes\": {codes}")?;
        out.write_all(piece.as_bytes())?;
    }
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn hyperfine_sweeps(run: &Run, cells: &Cells) -> Vec<(String, Hyperfine)> {
    let mut sweeps: BTreeMap<(&str, &str), Vec<HyperfineResult>> = BTreeMap::new();
    for row in view::rows(run) {
        let bench = run.manifest.benches.iter().find(|bench| bench.name == row.bench);
        let Some(point) = bench.and_then(|bench| bench.sweep.as_ref()) else { continue };
        let parameters = BTreeMap::from([("n".to_owned(), point.n.to_string())]);
        let result = hyperfine_result(row, cells, parameters);
        sweeps.entry((&point.name, &row.case)).or_default().extend(result);
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let files = sweeps.into_iter().filter(|(_, results)| !results.is_empty()).map(|((sweep, case), results)| {
        let name: String = format!("hyperfine-{sweep}-{case}.json").chars().map(plain).collect();
        (name, Hyperfine { results })
    });
    files.collect()
}

type Cells<'a> = view::SamplesByCell<'a>;

fn hyperfine_result(row: &CaseSummary, cells: &Cells, parameters: BTreeMap<String, String>) -> Option<HyperfineResult> {
    let of_cell = cells.get(&(row.bench.as_str(), row.case.as_str()))?;
    let [times, user, system] = samples::seconds(&samples::counted(of_cell));
    // hyperfine has no word for "unknown" here, and 0 is what it writes where it can not measure.
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    Some(HyperfineResult {
        command: format!("{} {}", row.bench, row.case),
        mean: row.mean? / NS_PER_S,
        stddev: row.stddev.map(|ns| ns / NS_PER_S),
        median: row.median? / NS_PER_S,
        user: mean(&user),
        system: mean(&system),
        min: row.min? / NS_PER_S,
        max: row.max? / NS_PER_S,
        times: [],
        exit_codes: [],
        seconds: times,
        parameters,
    })
}

/// A metric of Bencher.
#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// Bencher Metric Format. Source: "Bencher Metric Format (BMF)" in Bencher's reference, with its JSON schema:
/// benchmark → measure → `value`, `lower_value`, `upper_value`; the built-in measure `latency` is in nanoseconds,
/// `file-size` in bytes. Latency is the median
/// with its interval, `image-size` what a pull transfers; every further metric is a measure of its own name.
pub fn bencher(run: &Run) -> anyhow::Result<String> {
    let mut benchmarks: BTreeMap<String, BTreeMap<&str, Metric>> = BTreeMap::new();
    for row in &run.summary.cases {
        let Some(value) = row.median else { continue };
        let measured = Metric { value, lower_value: row.ci_low, upper_value: row.ci_high };
        let measure = if row.metric == HEADLINE { "latency" } else { &row.metric };
        benchmarks.entry(format!("{} {}", row.bench, row.case)).or_default().insert(measure, measured);
    }
    let exact = |bytes: u64| Metric { value: bytes as f64, lower_value: None, upper_value: None };
    for row in &run.summary.sizes {
        let measures = benchmarks.entry(format!("{} {}", row.program, row.name())).or_default();
        measures.insert("file-size", exact(row.binary_bytes));
        if let Some(bytes) = row.image_bytes_compressed {
            measures.insert("image-size", exact(bytes));
        }
    }
    pretty(&benchmarks)
}

/// An entry of github-action-benchmark.
#[derive(Serialize)]
struct Entry {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// github-action-benchmark's `customSmallerIsBetter`. Source: "Examples" in that project's README: an array of
/// `name`, `unit`, `value`, with optional strings `range` and `extra`. The range is the median's interval.
pub fn github_action_benchmark(run: &Run) -> anyhow::Result<String> {
    let mut entries = Vec::new();
    for row in &run.summary.cases {
        let metric = results::metric::Metric::named(&row.metric);
        // One array has one direction; what is better of a metric that is not known here nobody can say.
        let is_less_better = metric.better == Some(Better::Lower);
        let Some(median) = row.median.filter(|_| is_less_better) else { continue };
        let (unit, factor) = view::scale(&metric);
        let ends = interval(row.ci_low, row.ci_high).map(|(low, high)| (low / factor, high / factor));
        let shown = Rounded::new(Some(median / factor), ends);
        let suffix = view::suffix(&row.metric);
        entries.push(Entry {
            name: format!("{} {}{suffix}", row.bench, row.case),
            unit,
            value: median / factor,
            range: shown.ends.map(|(low, high)| format!("{low} to {high}")),
            extra: format!("median of {} runs, run {}", row.n, run.manifest.run),
        });
    }
    for row in &run.summary.sizes {
        let sizes = [("binary", Some(row.binary_bytes)), ("image, as pulled", row.image_bytes_compressed)];
        entries.extend(sizes.into_iter().filter_map(|(what, bytes)| {
            Some(Entry {
                name: format!("{} {} {what}", row.program, row.name()),
                unit: "bytes",
                value: bytes? as f64,
                range: None,
                extra: format!("run {}", run.manifest.run),
            })
        }));
    }
    pretty(&entries)
}

fn pretty<T: Serialize>(value: &T) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fixture;

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn assert_hyperfine(results: &[Value], rows: &[&CaseSummary]) {
        assert_eq!(results.len(), rows.len());
        for (result, row) in results.iter().zip(rows) {
            let times = result["times"].as_array().unwrap();
            assert_eq!(times.len(), row.n);
            assert_eq!(result["exit_codes"].as_array().unwrap().len(), row.n);
            assert!(result["command"].as_str().unwrap().ends_with(&row.case));
            for field in ["mean", "stddev", "median", "user", "system", "min", "max"] {
                assert!(result[field].is_f64(), "{field}");
            }
            let seconds: Vec<f64> = times.iter().map(|time| time.as_f64().unwrap()).collect();
            let least = seconds.iter().copied().fold(f64::MAX, f64::min);
            assert!((least - result["min"].as_f64().unwrap()).abs() < 1e-12);
            assert!((row.median.unwrap() / 1e9 - result["median"].as_f64().unwrap()).abs() < 1e-12);
        }
    }

    fn hyperfine(run: &Run) -> Vec<(String, String)> {
        let files = crate::files(run).unwrap().into_iter().filter(|(name, _)| name.starts_with("exports/hyperfine"));
        let text = |(name, bytes): (String, Vec<u8>)| (name.replace("exports/", ""), String::from_utf8(bytes).unwrap());
        let mut files: Vec<(String, String)> = files.map(text).collect();
        // The one of all that is no sweep comes first.
        files.sort_by_key(|(name, _)| name != "hyperfine.json");
        files
    }

    #[test]
    fn hyperfine_has_what_its_scripts_read_in_seconds() {
        let run = fixture::complete();
        let json = parsed(&hyperfine(&run)[0].1);
        let plain: Vec<&CaseSummary> = run.summary.cases.iter().filter(|row| !row.bench.contains('/')).collect();
        assert_hyperfine(json["results"].as_array().unwrap(), &plain);
        assert!(json["results"][0].get("parameters").is_none());
    }

    #[test]
    fn a_sweep_has_a_file_per_cell_with_one_numeric_parameter() {
        let run = fixture::complete();
        let files = hyperfine(&run);
        assert_eq!(files.len(), 1 + run.manifest.cells.len());
        for (name, text) in &files[1..] {
            assert!(!name.contains(['/', '#']), "{name}");
            let json = parsed(text);
            let results = json["results"].as_array().unwrap();
            let sizes = results.iter().map(|result| {
                let parameters = result["parameters"].as_object().unwrap();
                assert_eq!(parameters.len(), 1);
                parameters["n"].as_str().unwrap().parse::<f64>().unwrap()
            });
            assert_eq!(sizes.collect::<Vec<_>>(), [1e3, 1e4, 1e5, 1e6]);
            let case = results[0]["command"].as_str().unwrap().split_once(' ').unwrap().1;
            let rows = run.summary.cases.iter().filter(|row| row.case == case && row.bench.contains('/'));
            assert_hyperfine(results, &rows.collect::<Vec<_>>());
        }
        assert_eq!(hyperfine(&fixture::five_rounds()).len(), 1);
    }

    #[test]
    fn bencher_follows_the_schema() {
        let run = fixture::five_rounds();
        let json = parsed(&bencher(&run).unwrap());
        for measures in json.as_object().unwrap().values() {
            for metric in measures.as_object().unwrap().values() {
                let metric = metric.as_object().unwrap();
                assert!(metric["value"].is_number());
                assert!(metric.keys().all(|key| ["value", "lower_value", "upper_value"].contains(&key.as_str())));
                assert!(metric.values().all(Value::is_number));
            }
        }
        let json = parsed(&bencher(&fixture::complete()).unwrap());
        let latency = &json["array-sum native/process"]["latency"];
        assert!(latency["lower_value"].as_f64() < latency["value"].as_f64());
        assert_eq!(json["array-sum wasm"]["file-size"]["value"], 73_871.0);
    }

    #[test]
    fn github_action_benchmark_has_names_units_and_values() {
        let json = parsed(&github_action_benchmark(&fixture::complete()).unwrap());
        let entries = json.as_array().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for entry in entries {
            assert!(names.insert(entry["name"].as_str().unwrap()), "a name stands once: it is the key of the series");
            assert!(entry["unit"].is_string() && entry["value"].is_number() && entry["extra"].is_string());
            assert!(entry.get("range").is_none_or(Value::is_string));
        }
        assert!(names.contains("array-sum native binary"));
    }
}
