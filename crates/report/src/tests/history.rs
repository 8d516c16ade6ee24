//! Several runs on one page.

use super::super::{Run, fixture, html, sections};
use crate::terminal::{self, ColourChoice};

fn two() -> [Run; 2] {
    let mut older = fixture::complete();
    older.manifest.run = "2026-11-01T09-00-00Z-aaaaaaa".to_owned();
    older.manifest.started_utc = "2026-11-01T09:00:00Z".to_owned();
    older.manifest.machine.kernel = Some("Linux 5.10".to_owned());
    for row in older.summary.cases.iter_mut().filter(|row| row.case == "wasm-aot/wasmedge") {
        (row.n, row.median, row.ci_low, row.ci_high) = (0, None, None, None);
    }
    [fixture::complete(), older]
}

#[test]
fn a_history_has_a_line_per_row_and_run_and_names_what_is_not_the_same() {
    let document = sections::history::document(&two());
    let text = terminal::document(&document, ColourChoice::Plain);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    let older = text.find("2026-11-01").unwrap();
    assert!(older < text.find("2026-11-23").unwrap(), "the oldest is first: {text}");
    assert!(text.contains("not measured"), "a row that one run lacks is told: {text}");
    for what in ["machine.kernel", "Linux 5.10", "Linux 6.1.0-18-amd64"] {
        assert!(text.contains(what), "{what} is missing: {text}");
    }
    let page = html::page(&document);
    assert!(page.contains("id=\"machines\"") && page.contains("id=\"history-0-container-t\""), "{page}");
    assert!(
        page.contains("ms [") && page.contains("not measured in 2026-11-01"),
        "the drawing says its numbers: {page}"
    );
}

#[test]
fn runs_that_differ_in_nothing_say_so() {
    let [run, _] = two();
    let text = terminal::document(&sections::history::document(&[run.clone(), run]), ColourChoice::Plain);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("machine, stack and programs are the same"), "{text}");
}
