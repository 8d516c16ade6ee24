//! A run of two metrics in every form.

use super::{forms, text};
use crate::{Run, answer, csv, files, fixture, html, view};
use results::metric::job;
use results::{CaseSummary, Comparison, Verdict};

/// Two metrics: the second has rows of its own in every form, and a case without a value is a row with a reason.
#[test]
fn a_second_metric_is_in_every_form_and_no_value_is_not_zero() {
    let run = fixture::two_metrics();
    for (name, text) in forms(&run) {
        if name == "result.svg" {
            assert!(!text.contains("page\\_faults"), "{name} is of times");
            continue;
        }
        let text = text.replace('\\', "").split_whitespace().collect::<Vec<_>>().join(" ");
        for what in ["array-sum: page_faults", "native/process", "603.0 [", "not measured", "less", "has a value of"] {
            assert!(text.contains(what), "{name} lacks {what}: {text}");
        }
    }
    let (files, complete) = (files(&run).unwrap(), files(&fixture::complete()).unwrap());
    let table = text(&files, "exports/samples.csv");
    assert!(table.starts_with("bench,case,round,position,warmup,wall_ns,page_faults,user_ns"), "{table}");
    let without = table.lines().filter(|line| line.contains("native/runc,") && line.contains(",,")).count();
    assert!(without > 30, "no value is an empty field");
    let (summary, comparisons) = (csv::summary(&run).unwrap(), csv::comparisons(&run).unwrap());
    for (text, column) in [(summary, 2), (comparisons, 2)] {
        let of_second = text.lines().filter(|line| line.split(',').nth(column) == Some("page_faults"));
        assert!(of_second.count() > 3, "{text}");
    }
    assert!(text(&files, "exports/bencher.json").contains("\"page_faults\""));
    let one_direction = text(&files, "exports/github-action-benchmark.json");
    assert!(!one_direction.contains("page_faults"), "what is better of it is not known");
    assert_eq!(text(&files, "exports/hyperfine.json"), text(&complete, "exports/hyperfine.json"));
}

/// A Job's time follows its kubelet, which looks once a second: 0.37 to 2.0 times was what the page of a real cluster began
/// with, above calls that took 0.47 to 0.59 times as long.
#[test]
fn the_first_screen_of_jobs_tells_the_kubelets_calls() {
    let mut run = fixture::complete();
    let headline = |run: &Run| answer::headline(run);
    assert!(!headline(&run).contains("pod"), "{}", headline(&run));
    let calls = |mut row: CaseSummary| {
        row.metric = job::TOGETHER.to_owned();
        (row.median, row.ci_low, row.ci_high) = (Some(7.1e6), Some(7e6), Some(7.2e6));
        row
    };
    let halved = |mut row: Comparison| {
        row.metric = job::TOGETHER.to_owned();
        (row.ratio, row.ci_low, row.ci_high, row.verdict) = (Some(0.5), Some(0.48), Some(0.52), Verdict::Faster);
        row
    };
    let cases: Vec<CaseSummary> = view::rows(&run).cloned().map(calls).collect();
    let comparisons: Vec<Comparison> = view::ratios(&run).cloned().map(halved).collect();
    run.summary.cases.extend(cases);
    run.summary.comparisons.extend(comparisons);
    let said = headline(&run);
    assert!(said.starts_with("To have its pod started by ") && said.contains("takes 48 to 52 % less time"), "{said}");
    let [times, ..] = answer::sentences(&run);
    assert!(times.contains("the kubelet's three calls") && times.contains("takes 7.10 ms with"), "{times}");
    let page = html::render(&run);
    assert!(page.contains("each is the kubelet's three calls") && page.contains("7.10 ms"));
}
