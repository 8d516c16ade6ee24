//! Which cells of a run are compared with which, and the A/A rows that say how far to believe it.

use super::Level;
use super::cells::Cells;
use crate::case::{Case, Cell, Mode, PodLife};
use crate::claims::evidence::{Answer, Question};
use crate::{Comparison, Resolution};
use stats::verdict::{Limits, Margin, more_rounds, verdict};
use stats::{Pair, PairedRatio, paired_ratio};

/// The A/A rows: twin over case, for every bench.
pub fn resolutions(cells: &Cells<'_>, level: Level) -> Vec<Resolution> {
    let benches = cells.manifest.benches.iter();
    benches.flat_map(|bench| cells.twins().map(|twin| resolution(cells, &bench.name, twin, level))).collect()
}

fn resolution(cells: &Cells<'_>, bench: &str, twin: &Cell, level: Level) -> Resolution {
    let ratio = ratio_of(cells, bench, [&twin.name, &twin.case.name], level);
    Resolution {
        bench: bench.to_owned(),
        case: twin.case.name.clone(),
        metric: cells.metric.name.to_string(),
        n: ratio.n,
        ratio: ratio.ratio,
        ci_low: ratio.interval.map(|interval| interval.low),
        ci_high: ratio.interval.map(|interval| interval.high),
        confidence: ratio.interval.map(|interval| interval.confidence),
        resolution: ratio.interval.map(|interval| (1.0 - interval.low).max(interval.high - 1.0)),
    }
}

/// Twin over case; n = 0 where the case has no twin.
pub fn twin_ratio(cells: &Cells<'_>, [bench, case]: [&str; 2], level: Level) -> PairedRatio {
    let twin = cells.twins().find(|twin| twin.case.name == case).map_or("", |twin| &twin.name);
    ratio_of(cells, bench, [twin, case], level)
}

/// A ratio that a published figure asks for; n = 0 where a case is not of this run.
pub fn answer(cells: &Cells<'_>, resolutions: &[Resolution], question: Question<'_>, level: Level) -> Answer {
    let Question { metric, bench, case, baseline } = question;
    let of_metric: Vec<Resolution> = resolutions.iter().filter(|row| row.metric == metric).cloned().collect();
    let sides = cells.manifest.cell(case).zip(cells.manifest.cell(baseline));
    let margin = sides.map_or(level.margin, |(case, baseline)| {
        limits(cells, &of_metric, bench, ([&case.case, &baseline.case], level)).margin()
    });
    Answer { ratio: ratio_of(cells, bench, [case, baseline], level), margin: margin.value() }
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
                let limits = limits(cells, resolutions, &bench.name, ([case, baseline], level));
                comparison(cells, &bench.name, [case, baseline], (level, limits))
            })
        })
        .collect()
}

/// What is compared, among the cases of a run: each with its baseline; one with an image of its own with the same of the
/// usual image; a container with the process of the same mode and
/// engine; the interpreter with compiled code of the same engine in the same runtime; and a module with the native
/// program in the same runtime, where that control arm was run. Between pods: one of its own with a warm one, and with the
/// same container without a pod.
pub fn pairs<'a>(cases: &[&'a Case]) -> Vec<(&'a Case, &'a Case)> {
    let mut pairs: Vec<(&Case, &Case)> = Vec::new();
    let mut add = |case: &'a Case, baseline: Option<&&'a Case>| {
        let new = |baseline: &&&Case| {
            baseline.name != case.name
                && !pairs.iter().any(|(known, other)| known.name == case.name && other.name == baseline.name)
        };
        if let Some(baseline) = baseline.filter(new) {
            pairs.push((case, baseline));
        }
    };
    for case in cases {
        add(case, cases.iter().find(|other| case.baseline.as_ref() == Some(&other.name)));
    }
    let beside_the_usual_image = |case: &Case| {
        let case = case.clone();
        move |other: &&&Case| {
            other.runtime.name == case.runtime.name
                && (other.mode, other.engine_name()) == (case.mode, case.engine_name())
                && !other.has_own_image()
        }
    };
    for case in cases.iter().filter(|case| case.has_own_image()) {
        add(case, cases.iter().find(beside_the_usual_image(case)));
    }
    for case in cases.iter().filter(|case| case.is_container()) {
        let is_alike = |other: &&&Case| {
            !other.is_container() && other.mode == case.mode && other.engine_name() == case.engine_name()
        };
        cases.iter().filter(is_alike).for_each(|other| add(case, Some(other)));
    }
    let beside = |case: &Case, mode: Mode| {
        let case = case.clone();
        move |other: &&&Case| {
            other.runtime.name == case.runtime.name
                && other.mode == mode
                && (mode == Mode::Native || other.engine_name() == case.engine_name())
        }
    };
    for case in cases.iter().filter(|case| case.mode == Mode::Interpreter) {
        add(case, cases.iter().find(beside(case, Mode::Aot)));
    }
    for case in cases.iter().filter(|case| case.is_container()) {
        add(case, cases.iter().find(beside(case, Mode::Native)));
    }
    for case in cases {
        cases.iter().filter(|other| is_without_its_pod(case, other)).for_each(|other| add(case, Some(other)));
    }
    pairs
}

/// Whether the other one is the same container with less of a pod: none, or for one of its own a warm one.
fn is_without_its_pod(case: &Case, other: &Case) -> bool {
    let Some(pod) = &case.runtime.pod else { return false };
    let is_less = match &other.runtime.pod {
        None => pod.life == PodLife::Own,
        Some(less) => (pod.life, less.life) == (PodLife::Own, PodLife::Warm),
    };
    is_less
        && other.is_container()
        && other.runtime.maker() == pod.handler
        && (other.mode, other.engine_name(), &other.image) == (case.mode, case.engine_name(), &case.image)
}

/// The margin asked for, or the worst A/A resolution of this bench on the sides of the container wall that
/// take part, whichever is greater. Where no twin is on a side, the bench's other twins stand in.
fn limits(cells: &Cells<'_>, resolutions: &[Resolution], bench: &str, (sides, level): ([&Case; 2], Level)) -> Limits {
    let of_bench: Vec<(bool, f64)> = resolutions
        .iter()
        .filter(|row| row.bench == bench)
        .filter_map(|row| Some((cells.manifest.cell(&row.case)?.case.is_container(), row.resolution?)))
        .collect();
    let near = |container: bool| sides.iter().any(|side| side.is_container() == container);
    let relevant: Vec<f64> = of_bench.iter().filter(|(twin, _)| near(*twin)).map(|(_, each)| *each).collect();
    let used = if relevant.is_empty() { of_bench.into_iter().map(|(_, each)| each).collect() } else { relevant };
    used.into_iter().fold(Limits::asked(level.margin), |limits, resolution| limits.widened(Margin::new(resolution)))
}

fn comparison(
    cells: &Cells<'_>,
    bench: &str,
    [case, baseline]: [&Case; 2],
    (level, limits): (Level, Limits),
) -> Comparison {
    let across_runtimes = case.is_across_runtimes(baseline);
    let (case, baseline) = (case.name.clone(), baseline.name.clone());
    let ratio = ratio_of(cells, bench, [&case, &baseline], level);
    Comparison {
        bench: bench.to_owned(),
        case,
        metric: cells.metric.name.to_string(),
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
    use crate::case::{FirstEdition, Pod};

    #[test]
    fn each_case_meets_its_baseline_its_process_and_its_mode() {
        let cases = FirstEdition::read().cases;
        let shown: Vec<String> = pairs(&cases.iter().collect::<Vec<_>>())
            .iter()
            .map(|(case, baseline)| format!("{case} over {baseline}"))
            .collect();
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
    fn another_image_meets_the_usual_one_of_its_mode_and_runtime() {
        let usual = FirstEdition::read().cases;
        let find = |name: &str| usual.iter().find(|case| case.name == name).unwrap();
        let module = find("wasm-interpreter/wasmedge");
        let image = Some("wasm-module".to_owned());
        let other = Case { name: "wasm-module/wasmedge".to_owned(), image, ..module.clone() };
        assert!(other.has_own_image() && !module.has_own_image());
        let found = pairs(&[find("native/runc"), find("wasm-aot/wasmedge"), module, &other]);
        let of_other: Vec<&str> =
            found.iter().filter(|(case, _)| case.name == other.name).map(|(_, base)| base.name.as_str()).collect();
        assert_eq!(of_other, ["native/runc", "wasm-interpreter/wasmedge", "wasm-aot/wasmedge"]);
    }

    #[test]
    fn a_pod_meets_its_container_without_one_and_a_warm_one() {
        let runc = FirstEdition::read().cases.iter().find(|case| case.name == "native/runc").unwrap().clone();
        let pod = |life| {
            let mut case = Case { name: format!("{life:?}"), baseline: None, ..runc.clone() };
            case.runtime.name = case.name.clone();
            case.runtime.pod = Some(Pod { handler: "runc".to_owned(), life });
            case
        };
        let cases = [runc.clone(), pod(PodLife::Own), pod(PodLife::Warm)];
        let shown: Vec<String> = pairs(&cases.iter().collect::<Vec<_>>())
            .iter()
            .map(|(case, other)| format!("{case} over {other}"))
            .collect();
        assert_eq!(shown, ["Own over native/runc", "Own over Warm"]);
        assert!(!cases[1].is_across_runtimes(&runc));
    }

    #[test]
    fn a_missing_baseline_is_no_comparison() {
        assert_eq!(pairs(&[&FirstEdition::read().cases[5]]), []);
        assert_eq!(pairs(&[]), []);
    }
}
