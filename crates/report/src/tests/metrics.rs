//! A run of two metrics in every form.

use super::{forms, text};
use crate::{csv, files, fixture};

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
