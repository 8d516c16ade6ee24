//! A row per bench and cell, and the reasons of those that have no number.

use super::cells::Cells;
use crate::case::Cell;
use crate::metric::job;
use crate::{BenchRecord, CaseSummary, Drift, NotMeasured};
use samples::Runs;
use stats::describe::Percentile;
use stats::drift::spearman;
use stats::{Confidence, Samples};

/// The metric's row of every bench × cell in the manifest's order; rows without samples have only their counts.
pub fn case_rows(cells: &Cells<'_>, confidence: Confidence) -> Vec<CaseSummary> {
    let row = |(bench, cell, runs)| case_row(cells, (bench, cell), (runs, confidence));
    cells.iter().map(row).collect()
}

fn case_row(
    cells: &Cells<'_>,
    (bench, cell): (&BenchRecord, &Cell),
    (runs, confidence): (&Runs<'_>, Confidence),
) -> CaseSummary {
    let samples = Samples::new(runs.values());
    let of = |statistic: fn(&Samples) -> f64| samples.as_ref().map(statistic);
    let percentile = |which| samples.as_ref().and_then(|samples| samples.percentile(which));
    let interval = samples.as_ref().and_then(|samples| samples.median_interval(confidence));
    CaseSummary {
        bench: bench.name.clone(),
        case: cell.name.clone(),
        metric: cells.metric.name.to_string(),
        n: runs.ok.len(),
        failed: runs.failed.len(),
        median: of(Samples::median),
        ci_low: interval.map(|interval| interval.low),
        ci_high: interval.map(|interval| interval.high),
        confidence: interval.map(|interval| interval.confidence),
        mean: of(Samples::mean),
        stddev: samples.as_ref().and_then(Samples::stddev),
        mad: of(Samples::mad),
        min: of(Samples::min),
        max: of(Samples::max),
        p90: percentile(Percentile::P90),
        p95: percentile(Percentile::P95),
        p99: percentile(Percentile::P99),
        outliers: samples.as_ref().map_or(0, Samples::outliers),
        drift: spearman(&runs.ok).map(|found| Drift { spearman: found.spearman, p_value: found.p_value }),
        first_run_ratio: samples.as_ref().zip(runs.first).and_then(|(samples, first)| samples.ratio_to_median(first)),
    }
}

/// What the manifest says was not measured, and the cases whose runs all failed, never took place, or have no value of
/// the headline metric.
pub fn not_measured(cells: &Cells<'_>) -> Vec<NotMeasured> {
    let mut rows = cells.manifest.not_measured.clone();
    for (bench, cell, runs) in cells.iter() {
        let known = rows.iter().any(|row| row.bench == bench.name && row.case == cell.name);
        if !runs.ok.is_empty() || known || cell.is_twin() {
            continue;
        }
        if runs.without > 0 {
            rows.push(without(cells, [&bench.name, &cell.name], runs));
            continue;
        }
        let reason = match runs.commonest_failure() {
            Some((reason, count)) => {
                let all = runs.failed.len();
                if count == all {
                    format!("each of {all} runs failed: {reason}")
                } else {
                    format!("all {all} runs failed, {count} of them: {reason}")
                }
            }
            None => "no run of it took place: see how the run ended".to_owned(),
        };
        rows.push(NotMeasured { bench: bench.name.clone(), case: cell.name.clone(), metric: None, reason });
    }
    rows
}

/// The cases that ran and have no value of this metric. One that did not run at all is told once, by [`not_measured`], and
/// one for which no image is pulled was not to have the time that a pull takes.
pub fn no_value(cells: &Cells<'_>) -> Vec<NotMeasured> {
    let of_pulls = cells.metric.name == job::PULLED;
    let expected = cells.iter().filter(|(bench, ..)| !of_pulls || bench.is_pulling());
    let none = expected.filter(|(_, cell, runs)| runs.ok.is_empty() && runs.without > 0 && !cell.is_twin());
    none.map(|(bench, cell, runs)| without(cells, [&bench.name, &cell.name], runs)).collect()
}

fn without(cells: &Cells<'_>, [bench, case]: [&str; 2], runs: &Runs<'_>) -> NotMeasured {
    let metric = &cells.metric.name;
    NotMeasured {
        bench: bench.to_owned(),
        case: case.to_owned(),
        metric: Some(metric.to_string()),
        reason: format!("none of its {} good runs has a value of `{metric}`", runs.without),
    }
}
