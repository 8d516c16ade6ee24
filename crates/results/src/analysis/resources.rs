//! What runs used beside time: a row per bench, cell and resource. No verdicts: they are of the headline metric.

use super::Level;
use super::cells::{Cells, Sorted};
use super::timeline::median_row;
use crate::metric::{Metric, Shown};
use crate::resources::{ResourceRatio, ResourceRow};
use stats::{Confidence, Pair, paired_ratio};

/// The rows of a run, in the order of its manifest and of the metrics.
pub fn resources(sorted: &Sorted<'_>, metrics: &[Metric], level: Level) -> Vec<ResourceRow> {
    let metrics = metrics.iter().filter(|metric| metric.shown == Shown::AsResource);
    let rows = metrics.flat_map(|metric| {
        let cells = sorted.cells(metric);
        cells
            .iter()
            .filter_map(|(bench, cell, runs)| {
                Some(ResourceRow {
                    bench: bench.name.clone(),
                    case: cell.name.clone(),
                    metric: metric.name.to_string(),
                    n: runs.ok.len(),
                    value: median_row(runs.values(), level.confidence)?,
                    over_baseline: cell
                        .case
                        .baseline
                        .as_ref()
                        .and_then(|baseline| over(&cells, [&bench.name, &cell.name, baseline], level.confidence)),
                })
            })
            .collect::<Vec<_>>()
    });
    rows.collect()
}

fn over(cells: &Cells<'_>, [bench, case, baseline]: [&str; 3], confidence: Confidence) -> Option<ResourceRatio> {
    let values = |name: &str| cells.get(bench, name).map_or(&[][..], |runs| &runs.ok);
    let found = paired_ratio(Pair { case: values(case), baseline: values(baseline) }, confidence);
    Some(ResourceRatio {
        baseline: baseline.to_owned(),
        n: found.n,
        ratio: found.ratio?,
        ci_low: found.interval.map(|interval| interval.low),
        ci_high: found.interval.map(|interval| interval.high),
    })
}

#[cfg(test)]
mod tests {
    use super::super::analyse;
    use super::super::fixture::{manifest, samples, with_second};
    use crate::metric::{CLIENT_CPU, MEMORY_PEAK};

    #[test]
    fn resources_have_rows_of_their_own_and_neither_verdicts_nor_warnings() {
        let manifest = manifest(10);
        let plain = samples(&manifest);
        let mut used = with_second(plain.clone(), MEMORY_PEAK, 0.5);
        used = with_second(used, CLIENT_CPU, 0.1);
        // Direct runs have no client, which is no lack.
        let direct = used.iter_mut().filter(|sample| sample.case.contains("/process"));
        direct.for_each(|sample| {
            sample.values.remove(CLIENT_CPU);
        });
        let found = analyse(&manifest, &used, &[]);
        let without = analyse(&manifest, &plain, &[]);
        assert_eq!((&found.cases, &found.warnings), (&without.cases, &without.warnings));
        assert_eq!((found.comparisons, found.not_measured), (without.comparisons, without.not_measured));
        assert!(without.resources.is_empty());
        let of = |metric: &str| found.resources.iter().filter(|row| row.metric == metric).collect::<Vec<_>>();
        assert_eq!(of(MEMORY_PEAK).len(), 5 * 9);
        assert!(of(CLIENT_CPU).iter().all(|row| !row.case.contains("/process")) && of(CLIENT_CPU).len() == 5 * 5);
        let row = of(MEMORY_PEAK).into_iter().find(|row| row.case == "wasm-aot/process").unwrap();
        let ratio = row.over_baseline.as_ref().unwrap();
        assert_eq!((ratio.baseline.as_str(), ratio.n, row.n), ("native/process", 10, 10));
        assert!(ratio.ci_low.unwrap() <= ratio.ratio && row.value.ci_high.unwrap() >= row.value.median);
    }
}
