//! The long tables at the end of the page: every statistic of every cell, every sample by round.
//!
//! Not here: nanoseconds. Tables show ms to the microsecond; `samples.jsonl` holds the exact values.

use std::collections::BTreeMap;

use super::escape;
use super::tables::{note, table};
use crate::number::{NONE, confidence, fixed, significant};
use crate::{Run, push, view};
use results::case::Cell;
use results::{CaseSummary, Comparison, Outcome, Sample};

pub fn tables(run: &Run) -> String {
    let mut out = String::new();
    out.push_str("<details>\n<summary>Statistics of every cell</summary>\n");
    out.push_str(&statistics(run));
    out.push_str("</details>\n<details>\n<summary>Every sample by round</summary>\n");
    let mut benches: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in &run.samples {
        benches.entry(&sample.bench).or_default().push(sample);
    }
    for bench in &run.manifest.benches {
        if let Some(samples) = benches.get(bench.name.as_str()) {
            out.push_str(&rounds(&bench.name, samples, &run.manifest.cells));
        }
    }
    push(&mut out, format_args!("</details>\n"));
    out
}

fn statistics(run: &Run) -> String {
    let heads = [
        "bench and case",
        "n",
        "failed",
        "median",
        "low",
        "high",
        "confidence",
        "mean",
        "σ",
        "MAD",
        "min",
        "max",
        "p90",
        "p95",
        "p99",
        "outliers",
        "first run / median",
    ];
    let mut out = String::new();
    for metric in view::metrics(run) {
        let (unit, factor) = view::scale(&metric);
        let what = match (metric.is_headline(), unit) {
            (true, unit) => format!("times in {unit}"),
            (false, "") => escape(&metric.name),
            (false, unit) => format!("{} in {unit}", escape(&metric.name)),
        };
        let caption = format!(
            "Statistics of every cell; {what}. σ with n − 1, MAD unscaled, outliers by modified z-score over 3.5"
        );
        let rows: Vec<Vec<String>> = view::rows_of(run, &metric.name).map(|row| statistics_row(row, factor)).collect();
        out.push_str(&table(&caption, &heads, "lrrrrrrrrrrrrrrrr", &rows));
    }
    let rows: Vec<Vec<String>> = run
        .summary
        .comparisons
        .iter()
        .map(|row| {
            vec![
                format!("{} {}{}", escape(&row.bench), escape(&row.case), escape(&view::suffix(&row.metric))),
                escape(&row.baseline),
                row.n.to_string(),
                row.ratio.map_or_else(|| NONE.to_owned(), |ratio| significant(ratio, 5) + mark(row)),
                row.ci_low.map_or_else(|| NONE.to_owned(), |ratio| significant(ratio, 5)),
                row.ci_high.map_or_else(|| NONE.to_owned(), |ratio| significant(ratio, 5)),
                row.confidence.map_or_else(|| NONE.to_owned(), confidence),
                view::runtimes::marked_verdict(row),
                escape(&row.method),
            ]
        })
        .collect();
    let heads = ["bench and case", "baseline", "rounds", "ratio", "low", "high", "confidence", "verdict", "method"];
    out.push_str(&table("Every comparison", &heads, "llrrrrrll", &rows));
    out + &note(run, run.manifest.benches.iter().map(|bench| bench.name.as_str()))
}

fn mark(row: &Comparison) -> &'static str {
    if row.across_runtimes { "†" } else { "" }
}

fn statistics_row(row: &CaseSummary, factor: f64) -> Vec<String> {
    let scaled = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| fixed(value / factor, 3));
    vec![
        format!("{} {}", escape(&row.bench), escape(&row.case)),
        row.n.to_string(),
        row.failed.to_string(),
        scaled(row.median),
        scaled(row.ci_low),
        scaled(row.ci_high),
        row.confidence.map_or_else(|| NONE.to_owned(), confidence),
        scaled(row.mean),
        scaled(row.stddev),
        scaled(row.mad),
        scaled(row.min),
        scaled(row.max),
        scaled(row.p90),
        scaled(row.p95),
        scaled(row.p99),
        row.outliers.to_string(),
        row.first_run_ratio.map_or_else(|| NONE.to_owned(), |ratio| fixed(ratio, 2)),
    ]
}

fn rounds(bench: &str, samples: &[&Sample], cells: &[Cell]) -> String {
    let mut grid: BTreeMap<u32, BTreeMap<&str, &Sample>> = BTreeMap::new();
    for sample in samples {
        grid.entry(sample.round).or_default().insert(&sample.case, sample);
    }
    let cells: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    let cells: Vec<&str> = cells.into_iter().filter(|cell| samples.iter().any(|sample| sample.case == *cell)).collect();
    let rows: Vec<Vec<String>> = grid
        .iter()
        .map(|(round, row)| {
            let warmup = row.values().any(|sample| sample.warmup);
            let mut line = vec![if warmup { format!("{round}, warm-up") } else { round.to_string() }];
            line.extend(cells.iter().map(|cell| row.get(cell).map_or_else(|| NONE.to_owned(), |s| shown(s))));
            line
        })
        .collect();
    let mut heads = vec!["round".to_owned()];
    heads.extend(cells.iter().map(|cell| escape(cell)));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let caption = format!("{}: every run, ms", escape(bench));
    table(&caption, &heads, &"r".repeat(heads.len()), &rows)
}

fn shown(sample: &Sample) -> String {
    match (sample.outcome, sample.wall_ns()) {
        (Outcome::Ok, Some(ns)) => fixed(ns as f64 / 1e6, 3),
        (Outcome::Ok, None) => NONE.to_owned(),
        (outcome, _) => view::outcome(outcome).to_owned(),
    }
}
