//! The long tables at the end of the page: every statistic of every cell, every sample by round.
//!
//! Not here: nanoseconds. Tables show ms to the microsecond; `samples.jsonl` holds the exact values.

use std::collections::BTreeMap;

use super::mark;
use crate::chart::thinned;
use crate::document::{Block, Cell, Column, Form, Row, Section, Table};
use crate::number::{NONE, confidence, fixed, significant};
use crate::{Run, view};
use results::{CaseSummary, Comparison, Outcome, Sample};

const STATISTICS: [&str; 16] = [
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

/// Single values of a page; `exports/samples.csv` has the others.
const VALUES: usize = 3000;

/// The section.
pub fn section(run: &Run) -> Section {
    let files = "`summary.csv` and `exports/samples.csv` have every number";
    let mut statistics: Vec<Block> = view::metrics(run).iter().map(|metric| Block::table(table(run, metric))).collect();
    statistics.push(Block::table(comparisons(run)));
    statistics.extend(mark(run, run.manifest.benches.iter().map(|bench| bench.name.as_str())));
    Section::new("raw", "Every number")
        .with(Block::details("Statistics of every cell", statistics))
        .with(Block::details("Samples by round", rounds(run)))
        .not_in(Form::Terminal, files)
        .not_in(Form::Markdown, files)
}

fn table(run: &Run, metric: &results::metric::Metric) -> Table {
    let (unit, factor) = view::scale(metric);
    let what = match (metric.is_headline(), unit) {
        (true, unit) => format!("times in {unit}"),
        (false, "") => metric.name.to_string(),
        (false, unit) => format!("{} in {unit}", metric.name),
    };
    let caption =
        format!("Statistics of every cell; {what}. σ with n − 1, MAD unscaled, outliers by modified z-score over 3.5");
    let columns = std::iter::once(Column::left("bench and case")).chain(STATISTICS.map(Column::right));
    Table::new(caption, columns).with(view::rows_of(run, &metric.name).map(|row| statistics(row, factor)))
}

fn statistics(row: &CaseSummary, factor: f64) -> Row {
    let scaled = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| fixed(value / factor, 3));
    Row::of([
        format!("{} {}", row.bench, row.case),
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
    ])
}

fn comparisons(run: &Run) -> Table {
    let five = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |ratio| significant(ratio, 5));
    let row = |row: &Comparison| {
        let mark = if row.across_runtimes && row.ratio.is_some() { view::runtimes::MARK } else { "" };
        Row::of([
            format!("{} {}{}", row.bench, row.case, view::suffix(&row.metric)),
            row.baseline.clone(),
            row.n.to_string(),
            five(row.ratio) + mark,
            five(row.ci_low),
            five(row.ci_high),
            row.confidence.map_or_else(|| NONE.to_owned(), confidence),
            view::runtimes::marked_verdict(row),
            row.method.clone(),
        ])
    };
    let words = ["bench and case", "baseline"].map(Column::left);
    let numbers = ["rounds", "ratio", "low", "high", "confidence"].map(Column::right);
    let columns = words.into_iter().chain(numbers).chain(["verdict", "method"].map(Column::left));
    Table::new("Every comparison", columns).with(run.summary.comparisons.iter().map(row))
}

fn rounds(run: &Run) -> Vec<Block> {
    let samples = view::samples_by_cell(run);
    let benches = run.manifest.benches.iter().map(|bench| bench.name.as_str());
    let benches: Vec<(&str, Cells<'_>)> =
        benches.map(|bench| (bench, cells(run, &samples, bench))).filter(|(_, cells)| !cells.is_empty()).collect();
    // A table of this report is a page's, and a page is opened on a phone too.
    let most = VALUES / (benches.len() * run.manifest.cells.len()).max(1);
    benches.into_iter().map(|(bench, cells)| Block::table(rounds_of(bench, &cells, most.max(2)))).collect()
}

/// The cells of a bench that have samples, in their order.
type Cells<'a> = Vec<(&'a str, &'a [&'a Sample])>;

fn cells<'a>(run: &'a Run, samples: &'a view::SamplesByCell<'a>, bench: &'a str) -> Cells<'a> {
    let names = run.manifest.cells.iter().map(|cell| cell.name.as_str());
    names.filter_map(|cell| Some((cell, samples.get(&(bench, cell))?.as_slice()))).collect()
}

fn rounds_of(bench: &str, cells: &Cells<'_>, most: usize) -> Table {
    let columns = std::iter::once("round").chain(cells.iter().map(|(cell, _)| *cell)).map(Column::right);
    let all = samples::rounds(&cells.iter().map(|(_, samples)| *samples).collect::<Vec<_>>());
    let shown_rounds = thinned(&all, most);
    let mut grid: BTreeMap<u32, BTreeMap<&str, &Sample>> = BTreeMap::new();
    for (cell, samples) in cells {
        for sample in samples::of_rounds(samples, &shown_rounds) {
            grid.entry(sample.round).or_default().insert(cell, sample);
        }
    }
    let left_out = if shown_rounds.len() < all.len() {
        format!("; {} of {} rounds, evenly, the first and the last among them", shown_rounds.len(), all.len())
    } else {
        String::new()
    };
    let rows = grid.into_iter().map(|(round, row)| {
        let warmup = row.values().any(|sample| sample.warmup);
        let name = if warmup { format!("{round}, warm-up") } else { round.to_string() };
        let values =
            cells.iter().map(|(cell, _)| row.get(cell).map_or_else(|| NONE.to_owned(), |sample| shown(sample)));
        Row::of(std::iter::once(name).chain(values).map(Cell::from))
    });
    Table::new(format!("{bench}: ms by round{left_out}"), columns).with(rows)
}

fn shown(sample: &Sample) -> String {
    match (sample.outcome, sample.wall_ns()) {
        (Outcome::Ok, Some(ns)) => fixed(ns as f64 / 1e6, 3),
        (Outcome::Ok, None) => NONE.to_owned(),
        (outcome, _) => view::outcome(outcome).to_owned(),
    }
}
