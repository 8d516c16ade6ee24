//! A row per bench and cell, and the reasons of those that have no number.

use super::cells::{CellRuns, Cells};
use crate::{CaseSummary, Drift, NotMeasured};
use stats::describe::Percentile;
use stats::drift::spearman;
use stats::{Confidence, Samples};

/// Every bench × cell in the manifest's order; rows without samples have only their counts.
pub fn case_rows(cells: &Cells<'_>, confidence: Confidence) -> Vec<CaseSummary> {
    cells.iter().map(|(bench, cell, runs)| case_row([&bench.name, &cell.name], runs, confidence)).collect()
}

fn case_row([bench, case]: [&str; 2], runs: &CellRuns<'_>, confidence: Confidence) -> CaseSummary {
    let samples = Samples::new(runs.times());
    let of = |statistic: fn(&Samples) -> f64| samples.as_ref().map(statistic);
    let percentile = |which| samples.as_ref().and_then(|samples| samples.percentile(which));
    let interval = samples.as_ref().and_then(|samples| samples.median_interval(confidence));
    CaseSummary {
        bench: bench.to_owned(),
        case: case.to_owned(),
        n: runs.ok.len(),
        failed: runs.failed.len(),
        median_ns: of(Samples::median),
        ci_low_ns: interval.map(|interval| interval.low),
        ci_high_ns: interval.map(|interval| interval.high),
        confidence: interval.map(|interval| interval.confidence),
        mean_ns: of(Samples::mean),
        stddev_ns: samples.as_ref().and_then(Samples::stddev),
        mad_ns: of(Samples::mad),
        min_ns: of(Samples::min),
        max_ns: of(Samples::max),
        p90_ns: percentile(Percentile::P90),
        p95_ns: percentile(Percentile::P95),
        p99_ns: percentile(Percentile::P99),
        outliers: samples.as_ref().map_or(0, Samples::outliers),
        drift: spearman(&runs.ok).map(|found| Drift { spearman: found.spearman, p_value: found.p_value }),
        first_run_ratio: samples
            .as_ref()
            .zip(runs.first_ns)
            .and_then(|(samples, first)| samples.ratio_to_median(first)),
    }
}

/// What the manifest says was not measured, and the cases whose runs all failed or never took place.
pub fn not_measured(cells: &Cells<'_>) -> Vec<NotMeasured> {
    let mut rows = cells.manifest.not_measured.clone();
    for (bench, cell, runs) in cells.iter() {
        let known = rows.iter().any(|row| row.bench == bench.name && row.case == cell.name);
        if !runs.ok.is_empty() || known || cell.is_twin() {
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
        rows.push(NotMeasured { bench: bench.name.clone(), case: cell.name.clone(), reason });
    }
    rows
}
