//! Size sweeps of a run: fixed and marginal cost of each case.

use std::collections::BTreeMap;

use super::Level;
use super::cells::Cells;
use crate::claims::evidence::Question;
use crate::{CaseSummary, Effect, Estimate, Fit, Warning};
use stats::fit::{REPLICATES, Sweep, SweepFit, marginal_ratio};
use stats::{Interval, PairedRatio};

/// Beyond this relative distance of a median from its line, the line is not the answer.
const MISFIT_MAX: f64 = 0.15;

/// A fit per sweep and case, and a warning for each that a straight line does not describe.
pub fn fits(cells: &Cells<'_>, cases: &[CaseSummary], level: Level) -> (Vec<Fit>, Vec<Warning>) {
    let mut sweeps: Vec<&str> = Vec::new();
    for point in cells.manifest.benches.iter().filter_map(|bench| bench.sweep.as_ref()) {
        if !sweeps.contains(&point.name.as_str()) {
            sweeps.push(&point.name);
        }
    }
    let (mut fits, mut warnings) = (Vec::new(), Vec::new());
    for sweep in sweeps {
        for case in cells.cases() {
            let (fit, warning) = fit(cells, [sweep, &case.name], cases, level);
            fits.push(fit);
            warnings.extend(warning);
        }
    }
    (fits, warnings)
}

fn fit(cells: &Cells<'_>, [sweep, case]: [&str; 2], cases: &[CaseSummary], level: Level) -> (Fit, Option<Warning>) {
    let points = points(cells, [sweep, case], cases);
    let rounds = complete_rounds(cells, &points, case);
    let sizes = points.iter().map(|point| point.size as f64).collect();
    let found = Sweep::new(sizes, rounds.into_values().collect())
        .and_then(|sweep| sweep.fit(level.confidence, cells.manifest.seed));
    let fit = Fit {
        sweep: sweep.to_owned(),
        case: case.to_owned(),
        metric: cells.metric.name.to_string(),
        a: found.as_ref().map(|fit| estimate(fit.line.fixed, fit.fixed)),
        b_per_n: found.as_ref().map(|fit| estimate(fit.line.marginal, fit.marginal)),
        sizes: points.iter().map(|point| point.size).collect(),
        medians: points.iter().map(|point| point.median).collect(),
        method: format!(
            "least squares of relative errors through the medians by size; percentile bootstrap of whole rounds, \
             {REPLICATES} replicates"
        ),
    };
    (fit, found.and_then(|found| bent(cells, [sweep, case], &found)))
}

/// One size of one case that has samples.
struct Point<'a> {
    bench: &'a str,
    size: u64,
    median: f64,
}

fn points<'a>(cells: &Cells<'a>, [sweep, case]: [&str; 2], cases: &[CaseSummary]) -> Vec<Point<'a>> {
    let of_sweep = |bench: &&'a crate::BenchRecord| bench.sweep.as_ref().is_some_and(|point| point.name == sweep);
    cells
        .manifest
        .benches
        .iter()
        .filter(of_sweep)
        .filter_map(|bench| {
            let row = cases.iter().find(|row| row.bench == bench.name && row.case == case)?;
            Some(Point { bench: &bench.name, size: bench.sweep.as_ref()?.n, median: row.median? })
        })
        .collect()
}

/// The rounds in which every size has a sample: a resampled round must be whole.
fn complete_rounds(cells: &Cells<'_>, points: &[Point<'_>], case: &str) -> BTreeMap<u32, Vec<f64>> {
    let mut columns = points.iter().filter_map(|point| cells.get(point.bench, case));
    let Some(first) = columns.next() else { return BTreeMap::new() };
    let rest: Vec<_> = columns.map(|runs| by_round(&runs.ok)).collect();
    by_round(&first.ok)
        .into_iter()
        .filter_map(|(round, value)| {
            let others: Option<Vec<f64>> = rest.iter().map(|column| column.get(&round).copied()).collect();
            Some((round, std::iter::once(value).chain(others?).collect()))
        })
        .collect()
}

/// The ratio of the slopes of two cases over a sweep, in the rounds that are complete for both; n = 0 where there is none.
pub fn slope_ratio(cells: &Cells<'_>, question: Question<'_>, cases: &[CaseSummary], level: Level) -> PairedRatio {
    let headline: Vec<CaseSummary> = cases.iter().filter(|row| row.metric == question.metric).cloned().collect();
    let of = |case: &str| {
        let points = points(cells, [question.bench, case], &headline);
        let rounds = complete_rounds(cells, &points, case);
        (points.iter().map(|point| point.size as f64).collect::<Vec<f64>>(), rounds)
    };
    let ((sizes, mut above), (sizes_below, mut below)) = (of(question.case), of(question.baseline));
    above.retain(|round, _| below.contains_key(round));
    below.retain(|round, _| above.contains_key(round));
    let sweep = |sizes: Vec<f64>, rounds: BTreeMap<u32, Vec<f64>>| Sweep::new(sizes, rounds.into_values().collect());
    let same = sizes == sizes_below;
    let both = sweep(sizes, above).zip(sweep(sizes_below, below)).filter(|_| same);
    both.map_or(PairedRatio { n: 0, ratio: None, interval: None }, |(above, below)| {
        marginal_ratio(&above, &below, level.confidence, cells.manifest.seed)
    })
}

fn by_round(runs: &[stats::Timed]) -> BTreeMap<u32, f64> {
    runs.iter().map(|timed| (timed.round, timed.value)).collect()
}

fn estimate(value: f64, interval: Interval) -> Estimate {
    Estimate { value, low: interval.low, high: interval.high }
}

fn bent(cells: &Cells<'_>, [sweep, case]: [&str; 2], fit: &SweepFit) -> Option<Warning> {
    (fit.misfit > MISFIT_MAX).then(|| Warning {
        what: format!(
            "the {} of `{case}` over the sizes of `{sweep}` are not on a line: it misses a median by {:.0} %",
            cells.metric.plural(),
            fit.misfit * 100.0
        ),
        advice: "read the medians by size, not fixed and marginal cost; sizes that fit in the cache and sizes that \
                 do not are two lines"
            .to_owned(),
        effect: Effect::Conclusion,
    })
}
