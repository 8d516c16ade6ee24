//! The lines of a sweep held against each other, pair by pair, and what that means for three kinds of use.
//!
//! Not here: the lines themselves (`sweeps`), and the sentences (`crate::break_even`).

use std::collections::{BTreeMap, BTreeSet};

use super::Level;
use super::cells::Cells;
use crate::break_even::{
    BreakEven, BreakEvenOutcome, BreakEvenRow, CrossingSize, CurvePoint, Example, ExampleRow, PairReason,
};
use crate::case::{Case, Mode};
use crate::{BenchRecord, CaseSummary, Estimate};
use stats::fit::REPLICATES;
use stats::fit::pair::{Estimated, PairFit, PairedRound, SweepPair};
use stats::{Pair, Timed, paired_ratio};

/// The link over which a job's image comes: a usual one of a machine in a data centre's pool.
const CI_LINK_BITS_PER_SECOND: f64 = 100e6;
/// Minutes of a day.
const RUNS_PER_DAY: f64 = 1440.0;

/// What the run's sweeps say; `None` where it has none.
pub fn break_even(cells: &Cells<'_>, cases: &[CaseSummary], level: Level) -> Option<BreakEven> {
    let sweeps: BTreeSet<&str> = points(cells).map(|(sweep, _, _)| sweep).collect();
    let first = *sweeps.first()?;
    let pairs = pairs(&cells.cases());
    let row = |sweep| pairs.iter().map(move |pair| row(cells, sweep, *pair, level));
    Some(BreakEven {
        pairs: sweeps.iter().flat_map(|sweep| row(sweep)).collect(),
        examples: examples(cells, (first, cases), level),
    })
}

/// The points of all sweeps: sweep, size, bench.
fn points<'a>(cells: &Cells<'a>) -> impl Iterator<Item = (&'a str, u64, &'a BenchRecord)> {
    let benches = cells.manifest.benches.iter();
    benches.filter_map(|bench| bench.sweep.as_ref().map(|point| (point.name.as_str(), point.n, bench)))
}

/// Each case with its baseline; a module with the native program in the same runtime; and of two modes of one engine in
/// the same runtime the one that prepares less with the one that prepares more.
fn pairs<'a>(cases: &[&'a Case]) -> Vec<(&'a Case, &'a Case, PairReason)> {
    let mut pairs: Vec<(&Case, &Case, PairReason)> = Vec::new();
    let mut add = |case: &'a Case, other: Option<&&'a Case>, why| {
        let Some(other) = other else { return };
        if other.name != case.name
            && !pairs.iter().any(|(known, than, _)| [&known.name, &than.name] == [&case.name, &other.name])
        {
            pairs.push((case, other, why));
        }
    };
    let named = |name: &Option<String>| cases.iter().find(|other| Some(&other.name) == name.as_ref());
    for case in cases {
        add(case, named(&case.baseline), PairReason::Baseline);
    }
    for case in cases {
        add(case, named(&case.control), PairReason::Control);
    }
    for case in cases {
        for (mode, prepared) in [(Mode::Interpreter, Mode::Aot), (Mode::Interpreter, Mode::Jit), (Mode::Jit, Mode::Aot)]
        {
            let is_beside = |other: &&&Case| {
                case.mode == mode
                    && other.mode == prepared
                    && other.runtime.name == case.runtime.name
                    && other.engine_name() == case.engine_name()
            };
            add(case, cases.iter().find(is_beside), PairReason::Modes);
        }
    }
    pairs
}

fn row(
    cells: &Cells<'_>,
    sweep: &str,
    (case, baseline, why): (&Case, &Case, PairReason),
    level: Level,
) -> BreakEvenRow {
    let common = Common::of(cells, sweep, [&case.name, &baseline.name]);
    let sizes: Vec<f64> = common.sizes.iter().map(|n| *n as f64).collect();
    let fit = SweepPair::new(&sizes, &common.rounds).and_then(|pair| pair.fit(level.confidence, cells.manifest.seed));
    let crossing = fit.as_ref().and_then(|fit| fit.crossing);
    BreakEvenRow {
        sweep: sweep.to_owned(),
        case: case.name.clone(),
        baseline: baseline.name.clone(),
        why,
        rounds: common.rounds.len(),
        n_least: common.sizes.iter().copied().min().unwrap_or(0),
        n_greatest: common.sizes.iter().copied().max().unwrap_or(0),
        fixed_ratio: fit.as_ref().and_then(|fit| fit.fixed_ratio).map(estimate),
        marginal_ratio: fit.as_ref().and_then(|fit| fit.marginal_ratio).map(estimate),
        ratio_at_least: fit.as_ref().map(|fit| estimate(fit.at_least)),
        ratio_at_greatest: fit.as_ref().map(|fit| estimate(fit.at_greatest)),
        outcome: fit.as_ref().map_or(BreakEvenOutcome::Undetermined, outcome),
        crossing: crossing.map(|at| CrossingSize { n: at.n, low: at.low, high: at.high }),
        curve: fit
            .iter()
            .flat_map(|fit| &fit.curve)
            .map(|(n, at)| CurvePoint { n: *n, ratio: estimate(*at) })
            .collect(),
        across_runtimes: case.is_across_runtimes(baseline),
        method: format!(
            "lines through the medians by size of values over the round's level; percentile bootstrap of whole rounds, both \
             lines of the same rounds, {REPLICATES} replicates"
        ),
    }
}

fn estimate(found: Estimated) -> Estimate {
    Estimate { value: found.value, low: found.interval.low, high: found.interval.high }
}

fn outcome(fit: &PairFit) -> BreakEvenOutcome {
    let side = |ratio: Estimated| {
        if ratio.interval.low > 1.0 {
            Some(true)
        } else if ratio.interval.high < 1.0 {
            Some(false)
        } else {
            None
        }
    };
    match (side(fit.at_least), side(fit.at_greatest)) {
        (Some(false), Some(true)) => BreakEvenOutcome::SlowerFrom,
        (Some(true), Some(false)) => BreakEvenOutcome::FasterFrom,
        (Some(true), Some(true)) => BreakEvenOutcome::SlowerThroughout,
        (Some(false), Some(false)) => BreakEvenOutcome::FasterThroughout,
        _ => BreakEvenOutcome::Undetermined,
    }
}

/// What two cases have in common of a sweep: the sizes that both have, and the rounds in which each has all of them.
struct Common {
    sizes: Vec<u64>,
    rounds: Vec<PairedRound>,
}

impl Common {
    fn of(cells: &Cells<'_>, sweep: &str, [case, baseline]: [&str; 2]) -> Self {
        let by_round = |bench: &str, case: &str| -> BTreeMap<u32, f64> {
            cells
                .get(bench, case)
                .map(|runs| runs.ok.iter().map(|timed| (timed.round, timed.value)).collect())
                .unwrap_or_default()
        };
        let columns: Vec<(u64, [BTreeMap<u32, f64>; 2])> = points(cells)
            .filter(|(name, _, _)| *name == sweep)
            .map(|(_, n, bench)| (n, [case, baseline].map(|case| by_round(&bench.name, case))))
            .filter(|(_, columns)| columns.iter().all(|column| !column.is_empty()))
            .collect();
        let rounds: BTreeSet<u32> = columns.iter().flat_map(|(_, [case, _])| case.keys().copied()).collect();
        let side = |index: usize, round: u32| {
            columns.iter().map(|(_, column)| column[index].get(&round).copied()).collect::<Option<Vec<f64>>>()
        };
        let whole = |round| Some(PairedRound { case: side(0, round)?, baseline: side(1, round)? });
        Self {
            sizes: columns.iter().map(|(n, _)| *n).collect(),
            rounds: rounds.into_iter().filter_map(whole).collect(),
        }
    }
}

/// Three kinds of use, by the least, the middle and the greatest size of a sweep.
fn examples(cells: &Cells<'_>, (sweep, cases): (&str, &[CaseSummary]), level: Level) -> Vec<Example> {
    let mut of_sweep: Vec<(u64, &BenchRecord)> =
        points(cells).filter(|(name, _, _)| *name == sweep).map(|(_, n, bench)| (n, bench)).collect();
    of_sweep.sort_by_key(|(n, _)| *n);
    let (Some((_, least)), Some((_, middle)), Some((_, greatest))) =
        (of_sweep.first(), of_sweep.get(of_sweep.len() / 2), of_sweep.last())
    else {
        return Vec::new();
    };
    let rows = |bench: &BenchRecord, use_of: &dyn Fn(&Case) -> Option<Use>| {
        let known = |name: &str| cases.iter().find(|row| row.bench == bench.name && row.case == name);
        let row = |case: &&Case| example_row((cells, &bench.name), (known(&case.name)?, case), use_of, level);
        cells.cases().iter().filter_map(row).collect::<Vec<_>>()
    };
    let example = |name: &str, what: &str, bench: &BenchRecord, use_of: &dyn Fn(&Case) -> Option<Use>| Example {
        name: name.to_owned(),
        what: what.to_owned(),
        bench: bench.name.clone(),
        unit: "ns".to_owned(),
        rows: rows(bench, use_of),
    };
    let examples = [
        example(
            "ci-job",
            "A job on a fresh machine: the image is pulled over a link of 100 Mbit/s (its bytes by that speed, and the pull as \
             measured from the local registry), then runs once, with the greatest size of work.",
            greatest,
            &|case| Some(Use { before_ns: pull_ns(cells, greatest, case)?, runs: 1.0 }),
        ),
        example(
            "cron",
            "A task every minute, for a day: 1,440 runs of the middle size of work, the image being there already.",
            middle,
            &|_| Some(Use { before_ns: 0.0, runs: RUNS_PER_DAY }),
        ),
        example(
            "request",
            "A handler that is started for one request, with the least size of work: what the request waits for it.",
            least,
            &|_| Some(Use { before_ns: 0.0, runs: 1.0 }),
        ),
    ];
    examples.into_iter().filter(|example| !example.rows.is_empty()).collect()
}

/// What one use is made of.
struct Use {
    before_ns: f64,
    runs: f64,
}

/// The pull of a case's image: as measured from the local registry, and its bytes over the link of a job. `None` for a
/// process, and for an image that was not pulled.
fn pull_ns(cells: &Cells<'_>, bench: &BenchRecord, case: &Case) -> Option<f64> {
    let name = case.image.as_deref()?;
    let image = cells.manifest.images.iter().find(|image| image.program == bench.program && image.name() == name)?;
    Some(image.pull_ns? as f64 + image.transfer_bytes as f64 * 8.0 / CI_LINK_BITS_PER_SECOND * 1e9)
}

fn example_row(
    (cells, bench): (&Cells<'_>, &str),
    (summary, case): (&CaseSummary, &Case),
    use_of: &dyn Fn(&Case) -> Option<Use>,
    level: Level,
) -> Option<ExampleRow> {
    let of = use_of(case)?;
    let all = |one: f64| of.before_ns + of.runs * one;
    let (median, low, high) = (summary.median?, summary.ci_low?, summary.ci_high?);
    let series = |name: &str, of: &Use| -> Vec<Timed> {
        let runs = cells.get(bench, name).map_or(&[][..], |runs| &runs.ok);
        runs.iter().map(|timed| Timed { value: of.before_ns + of.runs * timed.value, ..*timed }).collect()
    };
    let baseline = cells.cases().into_iter().find(|other| Some(&other.name) == case.baseline.as_ref());
    let ratio = baseline.and_then(|baseline| {
        let (above, below) = (series(&case.name, &of), series(&baseline.name, &use_of(baseline)?));
        let paired = paired_ratio(Pair { case: &above, baseline: &below }, level.confidence);
        let interval = paired.interval?;
        Some(Estimate { value: paired.ratio?, low: interval.low, high: interval.high })
    });
    Some(ExampleRow {
        case: case.name.clone(),
        before_ns: of.before_ns,
        total: Estimate { value: all(median), low: all(low), high: all(high) },
        ratio,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analyse;
    use crate::analysis::fixture::{manifest, samples};

    fn found(rounds: u32) -> BreakEven {
        let manifest = manifest(rounds);
        analyse(&manifest, &samples(&manifest), &[]).break_even.unwrap()
    }

    fn pair<'a>(found: &'a BreakEven, case: &str, baseline: &str) -> &'a BreakEvenRow {
        found.pairs.iter().find(|row| row.case == case && row.baseline == baseline).unwrap()
    }

    /// The fixture's lines: native/runc 1.6e8 + 2n, wasm-interpreter/wasmedge 1.8e8 + 60n, native/wasmedge 1.5e8 + 2n.
    #[test]
    fn what_is_slower_everywhere_never_crosses() {
        let found = found(30);
        let interpreted = pair(&found, "wasm-interpreter/wasmedge", "native/runc");
        assert_eq!((interpreted.outcome, interpreted.crossing), (BreakEvenOutcome::SlowerThroughout, None));
        assert_eq!((interpreted.rounds, interpreted.n_least, interpreted.n_greatest), (30, 1_000, 10_000_000));
        let ratio = interpreted.marginal_ratio.unwrap();
        assert!(ratio.low < 30.0 && 30.0 < ratio.high, "{ratio:?}");
        let control = pair(&found, "native/wasmedge", "native/runc");
        assert_eq!(control.outcome, BreakEvenOutcome::FasterThroughout);
        assert!(control.across_runtimes);
    }

    #[test]
    fn lines_that_cross_do_so_where_they_do() {
        let (manifest, mut all) = (manifest(30), samples(&manifest(30)));
        // 1.28e8 + 1.6·…: four fifths of native/runc's start, and 13 times its cost per number.
        for sample in all.iter_mut().filter(|sample| sample.case == "wasm-aot/wasmedge") {
            let n: f64 = sample.bench.split_once('/').map_or(0.0, |(_, n)| n.parse().unwrap());
            crate::analysis::fixture::slow(sample, (1.28e8 + 26.0 * n) / (1.8e8 + 2.6 * n));
        }
        let found = analyse(&manifest, &all, &[]).break_even.unwrap();
        let row = pair(&found, "wasm-aot/wasmedge", "native/runc");
        assert_eq!(row.outcome, BreakEvenOutcome::SlowerFrom);
        let at = row.crossing.unwrap();
        // 0.32e8 / 24.
        assert!(at.low.unwrap() < 1_333_333.0 && 1_333_333.0 < at.high.unwrap(), "{at:?}");
        assert!(row.sentence().contains("is slower than `native/runc` from n = 1,"), "{}", row.sentence());
    }

    #[test]
    fn modes_and_controls_are_pairs_and_a_container_with_a_process_is_none() {
        let found = found(6);
        assert_eq!(pair(&found, "wasm-interpreter/process", "wasm-aot/process").why, PairReason::Modes);
        assert_eq!(pair(&found, "wasm-aot/wasmedge", "native/runc").why, PairReason::Baseline);
        assert!(!found.pairs.iter().any(|row| row.case == "native/runc"));
    }

    #[test]
    fn examples_have_the_pull_where_one_belongs_to_them() {
        let mut manifest = manifest(10);
        for image in &mut manifest.images {
            image.pull_ns = Some(50_000_000);
        }
        let found = analyse(&manifest, &samples(&manifest), &[]).break_even.unwrap();
        let names: Vec<&str> = found.examples.iter().map(|example| example.name.as_str()).collect();
        assert_eq!(names, ["ci-job", "cron", "request"]);
        let native = found.examples[0].rows.iter().find(|row| row.case == "native/runc").unwrap();
        // 50 ms, and 208,000 bytes by 100 Mbit/s.
        assert!((native.before_ns - (50e6 + 16.64e6)).abs() < 1.0, "{native:?}");
        assert!(native.ratio.is_none() && native.total.low <= native.total.value);
        assert!(!found.examples[0].rows.iter().any(|row| row.case.ends_with("/process")));
        let cron = found.examples[1].rows.iter().find(|row| row.case == "native/runc").unwrap();
        assert!(cron.total.value > 1440.0 * 1.5e8 && cron.before_ns.abs() < 1.0);
    }

    #[test]
    fn without_a_sweep_there_is_none() {
        let mut manifest = manifest(10);
        manifest.benches.retain(|bench| bench.sweep.is_none());
        assert_eq!(analyse(&manifest, &samples(&manifest), &[]).break_even, None);
    }
}
