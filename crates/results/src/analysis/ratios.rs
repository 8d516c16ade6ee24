//! Which cells of a run are compared with which, and the A/A rows that say how far to believe it.

use super::Level;
use super::cells::Cells;
use crate::case::{Case, Mode, Runner, TWIN_SUFFIX};
use crate::{Comparison, Resolution};
use stats::verdict::{Limits, Margin, more_rounds, verdict};
use stats::{Pair, PairedRatio, paired_ratio};

/// The A/A rows: twin over case, for every bench.
pub fn resolutions(cells: &Cells<'_>, level: Level) -> Vec<Resolution> {
    let twinned = cells.twinned();
    let benches = cells.manifest.benches.iter();
    benches.flat_map(|bench| twinned.iter().map(|case| resolution(cells, &bench.name, *case, level))).collect()
}

fn resolution(cells: &Cells<'_>, bench: &str, case: Case, level: Level) -> Resolution {
    let name = case.to_string();
    let ratio = twin_ratio(cells, [bench, &name], level);
    Resolution {
        bench: bench.to_owned(),
        case: name,
        n: ratio.n,
        ratio: ratio.ratio,
        ci_low: ratio.interval.map(|interval| interval.low),
        ci_high: ratio.interval.map(|interval| interval.high),
        confidence: ratio.interval.map(|interval| interval.confidence),
        resolution: ratio.interval.map(|interval| (1.0 - interval.low).max(interval.high - 1.0)),
    }
}

/// Twin over case.
pub fn twin_ratio(cells: &Cells<'_>, [bench, case]: [&str; 2], level: Level) -> PairedRatio {
    ratio_of(cells, bench, [&format!("{case}{TWIN_SUFFIX}"), case], level)
}

fn ratio_of(cells: &Cells<'_>, bench: &str, [case, baseline]: [&str; 2], level: Level) -> PairedRatio {
    let timed = |cell: &str| cells.get(bench, cell).map_or(&[][..], |runs| &runs.ok);
    paired_ratio(Pair { case: timed(case), baseline: timed(baseline) }, level.confidence)
}

/// Every case of every bench against what it is compared with, see [`pairs`].
pub fn comparisons(cells: &Cells<'_>, resolutions: &[Resolution], level: Level) -> Vec<Comparison> {
    let pairs = pairs(&cells.cases());
    cells
        .manifest
        .benches
        .iter()
        .flat_map(|bench| {
            pairs.iter().map(|(case, baseline)| {
                let limits = limits(resolutions, &bench.name, [*case, *baseline], level);
                comparison(cells, &bench.name, [*case, *baseline], (level, limits))
            })
        })
        .collect()
}

/// What is compared, among the cases of a run: each with its baseline; a container with the process of the
/// same mode; the interpreter with compiled code on the same runner; and a module in the shim with the
/// native image in the same shim, where that control arm was run.
fn pairs(cases: &[Case]) -> Vec<(Case, Case)> {
    let find = |mode: Mode, runner: Runner| {
        cases.iter().copied().find(|other| other.mode() == mode && other.runner() == runner)
    };
    let mut pairs = Vec::new();
    let mut add = |case: Case, baseline: Option<Case>| {
        if let Some(baseline) = baseline.filter(|baseline| *baseline != case && !pairs.contains(&(case, *baseline))) {
            pairs.push((case, baseline));
        }
    };
    for case in cases {
        add(*case, cases.iter().copied().find(|other| *other == case.baseline()));
    }
    for case in cases.iter().filter(|case| case.runner().is_container()) {
        add(*case, find(case.mode(), Runner::Process));
    }
    for case in cases.iter().filter(|case| case.mode() == Mode::Interpreter) {
        add(*case, find(Mode::Aot, case.runner()));
    }
    for case in cases.iter().filter(|case| case.runner() == Runner::WasmEdge) {
        add(*case, find(Mode::Native, Runner::WasmEdge));
    }
    pairs
}

/// The margin asked for, or the worst A/A resolution of this bench on the sides of the container wall that
/// take part, whichever is greater. Where no twin is on a side, the bench's other twins stand in.
fn limits(resolutions: &[Resolution], bench: &str, sides: [Case; 2], level: Level) -> Limits {
    let of_bench: Vec<(Case, f64)> = resolutions
        .iter()
        .filter(|row| row.bench == bench)
        .filter_map(|row| Some((row.case.parse().ok()?, row.resolution?)))
        .collect();
    let near = |twin: &Case| sides.iter().any(|side| side.runner().is_container() == twin.runner().is_container());
    let relevant: Vec<f64> = of_bench.iter().filter(|(twin, _)| near(twin)).map(|(_, each)| *each).collect();
    let used = if relevant.is_empty() { of_bench.into_iter().map(|(_, each)| each).collect() } else { relevant };
    used.into_iter().fold(Limits::asked(level.margin), |limits, resolution| limits.widened(Margin::new(resolution)))
}

fn comparison(
    cells: &Cells<'_>,
    bench: &str,
    [case, baseline]: [Case; 2],
    (level, limits): (Level, Limits),
) -> Comparison {
    let across_runtimes = case.is_across_runtimes(baseline);
    let (case, baseline) = (case.to_string(), baseline.to_string());
    let ratio = ratio_of(cells, bench, [&case, &baseline], level);
    Comparison {
        bench: bench.to_owned(),
        case,
        baseline,
        n: ratio.n,
        ratio: ratio.ratio,
        ci_low: ratio.interval.map(|interval| interval.low),
        ci_high: ratio.interval.map(|interval| interval.high),
        confidence: ratio.interval.map(|interval| interval.confidence),
        delta: limits.margin().value(),
        verdict: verdict(ratio.interval, limits),
        more_rounds: more_rounds(&ratio, limits, level.confidence),
        across_runtimes,
        method: level.method(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_meets_its_baseline_its_process_and_its_mode() {
        let shown: Vec<String> =
            pairs(&Case::ALL).iter().map(|(case, baseline)| format!("{case} over {baseline}")).collect();
        expect_test::expect![[r"
            wasm-interpreter/process over native/process
            wasm-aot/process over native/process
            native/wasmedge over native/runc
            wasm-interpreter/wasmedge over native/runc
            wasm-aot/wasmedge over native/runc
            native/runc over native/process
            native/wasmedge over native/process
            wasm-interpreter/wasmedge over wasm-interpreter/process
            wasm-aot/wasmedge over wasm-aot/process
            wasm-interpreter/process over wasm-aot/process
            wasm-interpreter/wasmedge over wasm-aot/wasmedge
            wasm-interpreter/wasmedge over native/wasmedge
            wasm-aot/wasmedge over native/wasmedge"]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn a_missing_baseline_is_no_comparison() {
        assert_eq!(pairs(&Case::ALL[5..6]), []);
        assert_eq!(pairs(&[]), []);
    }
}
