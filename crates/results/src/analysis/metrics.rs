//! Runs of two metrics, through analysis and comparison: what holds for the first holds for the second.

use super::fixture::{manifest, samples, slow, with_second};
use super::*;
use crate::case::{Pod, PodLife};
use crate::compare::gate::{GateOutcome, Limits, Threshold};
use crate::compare::{self, Runs, Wanted};
use crate::metric::{Better, job};
use crate::{CaseSummary, OnNode, PULLING};
use crate::{Resolution, Verdict};

const SECOND: &str = "waited_ns";

fn of<'a>(rows: &'a [Comparison], metric: &str) -> Vec<&'a Comparison> {
    rows.iter().filter(|row| row.metric == metric).collect()
}

#[test]
fn a_second_metric_has_every_row_that_the_first_has() {
    let manifest = manifest(30);
    let samples = with_second(samples(&manifest), SECOND, 0.5);
    let summary = analyse(&manifest, &samples, &[]);
    let (first, second): (Vec<&CaseSummary>, Vec<&CaseSummary>) =
        summary.cases.iter().partition(|row| row.metric == HEADLINE);
    assert_eq!((first.len(), second.len()), (45, 45));
    for (first, second) in first.iter().zip(second) {
        assert_eq!((&second.bench, &second.case, second.n), (&first.bench, &first.case, 30));
        assert!(second.ci_low <= second.median && second.median <= second.ci_high);
        let ratio = second.median.unwrap() / first.median.unwrap();
        assert!((ratio - 0.5).abs() < 1e-3, "{second:?}");
    }
    let (first, second) = (of(&summary.comparisons, HEADLINE), of(&summary.comparisons, SECOND));
    assert_eq!(first.len(), second.len());
    for (first, second) in first.iter().zip(second) {
        assert!(second.ci_low.is_some());
        assert_eq!((second.verdict, second.n), (first.verdict, first.n), "{second:?}");
    }
    let resolved = |row: &&Resolution| row.metric == SECOND && row.resolution.is_some();
    assert_eq!(summary.resolutions.iter().filter(resolved).count(), 10);
    assert_eq!(summary.fits.iter().filter(|fit| fit.metric == SECOND && fit.a.is_some()).count(), 7);
    let said = |warning: &&crate::Warning| warning.what.starts_with("waited_ns: ");
    let told = summary.warnings.iter().filter(|warning| warning.what.contains("undetermined"));
    assert!(told.clone().count() == 2 && told.filter(said).count() == 1, "{:?}", summary.warnings);
}

/// A value that is not there was taken for a failed run, or would be taken for zero.
#[test]
fn a_value_that_is_not_there_is_left_out_and_a_row_without_any_is_not_measured() {
    let manifest = manifest(10);
    let mut samples = with_second(samples(&manifest), SECOND, 0.5);
    let of_noop = samples.iter_mut().filter(|sample| sample.bench == "noop");
    for sample in of_noop {
        let is_some = sample.case == "native/process" && sample.round < 4;
        if is_some || sample.case == "native/runc" {
            sample.values.remove(SECOND);
        }
    }
    let summary = analyse(&manifest, &samples, &[]);
    let row = |case: &str| {
        let is_it = |row: &&CaseSummary| row.bench == "noop" && row.case == case && row.metric == SECOND;
        summary.cases.iter().find(is_it).unwrap()
    };
    assert_eq!((row("native/process").n, row("native/process").failed), (7, 0));
    assert_eq!((row("native/runc").n, row("native/runc").median, row("native/runc").min), (0, None, None));
    let missing: Vec<_> = summary.not_measured.iter().map(|row| (&*row.case, row.metric.as_deref())).collect();
    assert_eq!(missing, [("native/runc", Some(SECOND))]);
    assert_eq!(summary.not_measured[0].reason, "none of its 10 good runs has a value of `waited_ns`");
    let told = summary.warnings.iter().find(|warning| warning.what.contains("lacks")).unwrap();
    assert!(told.what.contains("`native/process` on `noop` lacks 3 of 10"), "{told:?}");
    let first = summary.cases.iter().filter(|row| row.metric == HEADLINE);
    assert!(first.clone().count() == 45 && first.into_iter().all(|row| row.n == 10));
}

/// A reader of a page with seven metrics had the same two warnings seven times.
#[test]
fn what_all_other_metrics_lack_is_told_once_and_names_them() {
    let manifest = manifest(30);
    let samples = with_second(with_second(samples(&manifest), SECOND, 0.5), "idle_ns", 0.25);
    let summary = analyse(&manifest, &samples, &[]);
    let told = |words: &str| -> Vec<&str> {
        summary.warnings.iter().map(|warning| &*warning.what).filter(|what| what.contains(words)).collect()
    };
    let [of_headline, of_others] = told("undetermined")[..] else { panic!("{:?}", summary.warnings) };
    assert!(!of_headline.contains("_ns"), "{of_headline}");
    assert!(of_others.starts_with("idle_ns, waited_ns: "), "{of_others}");
    let open = |headline: bool| {
        let of = summary.comparisons.iter().filter(|row| (row.metric == HEADLINE) == headline);
        of.filter(|row| row.verdict == Verdict::Undetermined).count().to_string()
    };
    assert!(of_headline.contains(&open(true)) && of_others.contains(&open(false)), "{of_headline}\n{of_others}");
}

/// Every row of a run with pulls was "not measured", because the Jobs beside it pull nothing.
#[test]
fn the_time_of_a_pull_is_missed_only_where_there_was_to_be_one() {
    let mut manifest = manifest(10);
    manifest.benches.truncate(2);
    let on_node = |bench: String| Some(OnNode { bench, node: "n1".to_owned() });
    manifest.benches[0].on_node = on_node("array-sum".to_owned());
    manifest.benches[1].on_node = on_node(format!("noop{PULLING}"));
    for cell in &mut manifest.cells {
        cell.case.runtime.pod = Some(Pod { handler: "runc".to_owned(), life: PodLife::Job });
    }
    let mut samples = samples(&manifest);
    for sample in samples.iter_mut().filter(|sample| sample.bench == "noop" && sample.case == "native/runc") {
        sample.values.insert(job::PULLED, 7);
    }
    let summary = analyse(&manifest, &samples, &[]);
    let missed = || summary.not_measured.iter().filter(|row| row.metric.as_deref() == Some(job::PULLED));
    assert!(
        missed().count() > 0 && missed().all(|row| row.bench == "noop" && row.case != "native/runc"),
        "{missed:?}",
        missed = missed().collect::<Vec<_>>()
    );
}

#[test]
fn two_runs_are_compared_in_every_metric_and_a_step_in_one_is_not_one_in_the_other() {
    let manifest = manifest(30);
    let old = with_second(samples(&manifest), SECOND, 0.5);
    let mut new = samples(&manifest);
    new.iter_mut().filter(|sample| sample.case.starts_with("wasm-aot/process")).for_each(|sample| slow(sample, 2.0));
    let mut new = with_second(new, SECOND, 0.5);
    for (sample, before) in new.iter_mut().zip(&old) {
        sample.values.insert(HEADLINE, before.wall_ns().unwrap());
    }
    let run = |samples| compare::Run { manifest: &manifest, samples, lost: &[] };
    let gate = Limits { time: Threshold::new(0.05), ..Limits::default() };
    let runs = Runs { a: run(&old), b: run(&new) };
    let found = compare::compare(runs, &Wanted { margin: None, gate: Some(gate) });
    assert_eq!(found.rows.len(), 2 * 35);
    let slower: Vec<String> =
        found.rows.iter().filter(|row| row.ratio.unwrap().verdict == Verdict::Slower).map(compare::Row::name).collect();
    assert_eq!(slower.len(), 5);
    assert!(slower.contains(&"noop wasm-aot/process waited_ns".to_owned()), "{slower:?}");
    let gate = found.gate.unwrap();
    assert_eq!((gate.outcome, gate.rows), (GateOutcome::Passed, 35), "what is worse of it is not known here");
}

#[test]
fn where_more_is_better_less_closes_the_gate() {
    assert_eq!(compare::gate::worse(Better::Lower, (1.1, 1.2)), (1.1, 1.2));
    assert_eq!(compare::gate::worse(Better::Higher, (0.5, 0.8)), (1.25, 2.0));
}
