//! Each case over each other one: for a reader who has another baseline in mind than the run had.
//!
//! Not here: verdicts. What is compared is stated before it is measured (`ratios`); of every pair some differ by chance.

use super::Level;
use super::cells::Cells;
use crate::metric::{HEADLINE, Metric};
use crate::{Manifest, Sample};
use stats::PairedRatio;
use stats::paired::{Logs, ratio_of_logs};

/// The ratio of two cases on a bench.
#[derive(Clone, Debug, PartialEq)]
pub struct Quotient<'a> {
    /// The bench.
    pub bench: &'a str,
    /// Above the line.
    pub case: &'a str,
    /// Below it.
    pub baseline: &'a str,
    /// Median over rounds of the paired ratio of times, as everywhere.
    pub ratio: PairedRatio,
}

/// Every ordered pair of cases of every bench in which both have samples of one round, by bench and then in the order of the
/// run.
pub fn every_pair<'a>(manifest: &'a Manifest, samples: &[Sample]) -> Vec<Quotient<'a>> {
    let headline = Metric::named(HEADLINE);
    let cells = Cells::new(manifest, samples, &headline);
    let confidence = Level::of(manifest).confidence;
    let names: Vec<&str> =
        manifest.cells.iter().filter(|cell| !cell.is_twin()).map(|cell| cell.case.name.as_str()).collect();
    let mut found = Vec::new();
    for bench in &manifest.benches {
        let logs = |name: &&'a str| cells.get(&bench.name, name).map(|runs| (*name, Logs::new(&runs.ok)));
        let logs: Vec<(&str, Logs)> = names.iter().filter_map(logs).collect();
        for (place, (case, above)) in logs.iter().enumerate() {
            for (baseline, below) in &logs[place + 1..] {
                let ratio = ratio_of_logs(above.over(below), confidence);
                if ratio.ratio.is_some() {
                    let inverse = ratio.inverse();
                    found.push(Quotient { bench: &bench.name, case, baseline, ratio });
                    found.push(Quotient { bench: &bench.name, case: baseline, baseline: case, ratio: inverse });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::analyse;
    use super::super::fixture::{manifest, samples};
    use super::*;

    #[test]
    fn what_the_run_compares_is_among_every_pair_with_the_same_numbers() {
        let manifest = manifest(30);
        let samples = samples(&manifest);
        let all = every_pair(&manifest, &samples);
        let cases = manifest.cells.iter().filter(|cell| !cell.is_twin()).count();
        assert_eq!(all.len(), manifest.benches.len() * cases * (cases - 1));
        for row in analyse(&manifest, &samples, &[]).comparisons {
            let same =
                |each: &&Quotient<'_>| [each.bench, each.case, each.baseline] == [&row.bench, &row.case, &row.baseline];
            let found = all.iter().find(same).unwrap().ratio;
            let near = |ours: f64, theirs: Option<f64>| (ours / theirs.unwrap() - 1.0).abs() < 1e-12;
            assert!(
                near(found.ratio.unwrap(), row.ratio) && near(found.interval.unwrap().high, row.ci_high),
                "{row:?}"
            );
            assert_eq!(found.n, row.n);
        }
    }

    #[test]
    fn a_case_without_samples_is_in_no_pair() {
        let manifest = manifest(6);
        let mut few = samples(&manifest);
        few.retain(|sample| sample.case != "native/runc" || sample.bench != "noop");
        let all = every_pair(&manifest, &few);
        let names = |each: &&Quotient<'_>| each.bench == "noop" && [each.case, each.baseline].contains(&"native/runc");
        assert_eq!(all.iter().filter(names).count(), 0);
    }
}
