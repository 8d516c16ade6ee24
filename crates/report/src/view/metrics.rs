//! The rows of a summary by metric. Sentences, figures and the central table are of the headline metric; what else a run
//! measured has tables of its own.
//!
//! Not here: which metrics there are (`results::metric`).

use super::{comparison_in, runtimes, shown_benches};
use crate::Run;
use crate::number::{Rounded, interval};
use results::metric::{HEADLINE, Metric, Unit, pod};
use results::{CaseSummary, Comparison, Resolution, Verdict};

/// What a run has values of, the headline first.
pub fn metrics(run: &Run) -> Vec<Metric> {
    let mut names: Vec<&str> = vec![HEADLINE];
    for row in &run.summary.cases {
        if !names.contains(&row.metric.as_str()) {
            names.push(&row.metric);
        }
    }
    names.into_iter().map(Metric::named).collect()
}

/// What a run has values of beside the headline.
pub fn further_metrics(run: &Run) -> Vec<Metric> {
    metrics(run).into_iter().filter(|metric| !metric.is_headline()).collect()
}

/// What stands behind a cell's name where rows of several metrics stand together: nothing for the headline.
pub fn suffix(metric: &str) -> String {
    if metric == HEADLINE { String::new() } else { format!(" {metric}") }
}

/// The rows of a metric.
pub fn rows_of<'a>(run: &'a Run, metric: &str) -> impl Iterator<Item = &'a CaseSummary> {
    run.summary.cases.iter().filter(move |row| row.metric == metric)
}

/// The rows of the headline metric.
pub fn rows(run: &Run) -> impl Iterator<Item = &CaseSummary> {
    rows_of(run, HEADLINE)
}

/// The ratios of a metric.
pub fn ratios_of<'a>(run: &'a Run, metric: &str) -> impl Iterator<Item = &'a Comparison> {
    run.summary.comparisons.iter().filter(move |row| row.metric == metric)
}

/// The ratios of the headline metric.
pub fn ratios(run: &Run) -> impl Iterator<Item = &Comparison> {
    ratios_of(run, HEADLINE)
}

/// The A/A rows of the headline metric.
pub fn twins(run: &Run) -> impl Iterator<Item = &Resolution> {
    run.summary.resolutions.iter().filter(|row| row.metric == HEADLINE)
}

/// A verdict in words: a smaller value of time is faster, one of anything else is less.
pub fn verdict(metric: &str, verdict: Verdict) -> &'static str {
    let words = Metric::named(metric).direction();
    match verdict {
        Verdict::Faster => words.below,
        Verdict::Slower => words.above,
        Verdict::Same => "same",
        Verdict::Undetermined => "undetermined",
        Verdict::TooNoisy => "too noisy",
    }
}

/// A value of a metric with its unit, and its interval where there is one: `118 ms [114, 123]`, `32.0 kB`.
pub fn amount(metric: &str, value: Option<f64>, ends: Option<(f64, f64)>) -> String {
    let scaled = |factor: f64| {
        Rounded::new(value.map(|value| value / factor), ends.map(|(low, high)| (low / factor, high / factor)))
    };
    match Metric::named(metric).unit {
        Unit::Nanoseconds => Rounded::time(value, ends),
        Unit::Bytes => scaled(1e3).with_unit("kB"),
        Unit::Count => scaled(1.0).with_brackets(),
    }
}

/// The median of a row with its unit and its interval.
pub fn median(row: &CaseSummary) -> String {
    amount(&row.metric, row.median, interval(row.ci_low, row.ci_high))
}

/// What the numbers of a table of this metric are in, and what a value is divided by for it.
pub fn scale(metric: &Metric) -> (&'static str, f64) {
    match metric.unit {
        Unit::Nanoseconds => ("ms", 1e6),
        Unit::Bytes => ("kB", 1e3),
        Unit::Count => ("", 1.0),
    }
}

/// The table of one bench and one further metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherTable {
    /// Bench and metric.
    pub title: String,
    /// In the order of the run: case, n, median with its interval, ratio to native, verdict.
    pub rows: Vec<[String; 5]>,
}

/// What was measured beside the headline, of the benches that are shown; but for the calls of pods, which have a section.
pub fn further(run: &Run) -> Vec<FurtherTable> {
    let mut tables = Vec::new();
    let has_section = |metric: &Metric| pod::KNOWN.iter().any(|known| known.name == metric.name);
    for metric in further_metrics(run).into_iter().filter(|metric| !has_section(metric)) {
        for bench in shown_benches(run) {
            let rows = rows_of(run, &metric.name).filter(|row| row.bench == bench.name);
            let rows = rows.map(|row| further_row(run, row)).collect();
            tables.push(FurtherTable { title: format!("{}: {}", bench.name, metric.title), rows });
        }
    }
    tables
}

fn further_row(run: &Run, row: &CaseSummary) -> [String; 5] {
    let comparison = comparison_in(run, &row.metric, (&row.bench, &row.case)).filter(|_| row.n > 0);
    let verdict = match comparison {
        _ if row.n == 0 => "not measured".to_owned(),
        Some(comparison) => runtimes::marked_verdict(comparison),
        None => String::new(),
    };
    [
        row.case.clone(),
        row.n.to_string(),
        median(row),
        comparison.map_or_else(String::new, runtimes::marked_ratio),
        verdict,
    ]
}
