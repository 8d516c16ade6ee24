//! Tidy CSV: one row per observation, units in the names of columns, quoting by RFC 4180 (lines end in CRLF,
//! fields with comma, quote or line break are quoted). An empty field is "no such number". Text that a spreadsheet would
//! compute has a `'` before it, what can not be seen is escaped: `samples.jsonl` holds the text itself.
//!
//! Not here: what the columns mean (`results/README.md`).

use super::{Run, view};
use crate::visible::visible;
use results::{CaseSummary, Sample};

/// The columns of `summary.csv`.
pub const SUMMARY_COLUMNS: [&str; 30] = [
    "bench",
    "case",
    "n",
    "failed",
    "median_ns",
    "ci_low_ns",
    "ci_high_ns",
    "confidence",
    "mean_ns",
    "stddev_ns",
    "mad_ns",
    "min_ns",
    "max_ns",
    "p90_ns",
    "p95_ns",
    "p99_ns",
    "outliers",
    "drift_spearman",
    "drift_p_value",
    "first_run_ratio",
    "baseline",
    "ratio",
    "ratio_n",
    "ratio_ci_low",
    "ratio_ci_high",
    "ratio_confidence",
    "delta",
    "verdict",
    "more_rounds",
    "across_runtimes",
];

/// The columns of `exports/samples.csv`.
pub const SAMPLE_COLUMNS: [&str; 11] = [
    "bench",
    "case",
    "round",
    "position",
    "warmup",
    "wall_ns",
    "user_ns",
    "system_ns",
    "outcome",
    "reason",
    "output_sha256",
];

/// The columns of `exports/comparisons.csv`.
pub const COMPARISON_COLUMNS: [&str; 12] = [
    "bench",
    "case",
    "baseline",
    "n",
    "ratio",
    "ci_low",
    "ci_high",
    "confidence",
    "delta",
    "verdict",
    "more_rounds",
    "across_runtimes",
];

/// `summary.csv`: a row per bench and cell, with its comparison to native where there is one.
pub fn summary(run: &Run) -> String {
    let mut out = String::new();
    push_row(&mut out, SUMMARY_COLUMNS.map(str::to_owned));
    for row in &run.summary.cases {
        push_row(&mut out, case_row(run, row));
    }
    out
}

fn case_row(run: &Run, row: &CaseSummary) -> Vec<String> {
    let comparison = view::comparison(run, &row.bench, &row.case);
    let mut fields = vec![row.bench.clone(), row.case.clone(), row.n.to_string(), row.failed.to_string()];
    let numbers = [
        row.median_ns,
        row.ci_low_ns,
        row.ci_high_ns,
        row.confidence,
        row.mean_ns,
        row.stddev_ns,
        row.mad_ns,
        row.min_ns,
        row.max_ns,
        row.p90_ns,
        row.p95_ns,
        row.p99_ns,
    ];
    fields.extend(numbers.map(number));
    fields.push(row.outliers.to_string());
    fields.push(number(row.drift.map(|drift| drift.spearman)));
    fields.push(number(row.drift.map(|drift| drift.p_value)));
    fields.push(number(row.first_run_ratio));
    fields.push(comparison.map_or_else(String::new, |c| c.baseline.clone()));
    fields.push(number(comparison.and_then(|c| c.ratio)));
    fields.push(comparison.map_or_else(String::new, |c| c.n.to_string()));
    fields.push(number(comparison.and_then(|c| c.ci_low)));
    fields.push(number(comparison.and_then(|c| c.ci_high)));
    fields.push(number(comparison.and_then(|c| c.confidence)));
    fields.push(number(comparison.map(|c| c.delta)));
    fields.push(comparison.map_or_else(String::new, |c| view::verdict_name(c.verdict).to_owned()));
    fields.push(comparison.and_then(|c| c.more_rounds).map_or_else(String::new, |rounds| rounds.to_string()));
    fields.push(comparison.map_or_else(String::new, |c| c.across_runtimes.to_string()));
    fields
}

/// `exports/comparisons.csv`: a row per comparison, those that are not with native included.
pub fn comparisons(run: &Run) -> String {
    let mut out = String::new();
    push_row(&mut out, COMPARISON_COLUMNS.map(str::to_owned));
    for row in &run.summary.comparisons {
        let fields = [
            row.bench.clone(),
            row.case.clone(),
            row.baseline.clone(),
            row.n.to_string(),
            number(row.ratio),
            number(row.ci_low),
            number(row.ci_high),
            number(row.confidence),
            number(Some(row.delta)),
            view::verdict_name(row.verdict).to_owned(),
            row.more_rounds.map_or_else(String::new, |rounds| rounds.to_string()),
            row.across_runtimes.to_string(),
        ];
        push_row(&mut out, fields);
    }
    out
}

/// `exports/samples.csv`: a row per run of a cell, warm-up rounds and failures included.
pub fn samples(run: &Run) -> String {
    let mut out = String::new();
    push_row(&mut out, SAMPLE_COLUMNS.map(str::to_owned));
    for sample in &run.samples {
        push_row(&mut out, sample_row(sample));
    }
    out
}

fn sample_row(sample: &Sample) -> [String; 11] {
    let count = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    [
        sample.bench.clone(),
        sample.case.clone(),
        sample.round.to_string(),
        sample.position.to_string(),
        sample.warmup.to_string(),
        count(sample.wall_ns),
        count(sample.user_ns),
        count(sample.system_ns),
        view::outcome(sample.outcome).to_owned(),
        sample.reason.clone().unwrap_or_default(),
        sample.output_sha256.clone().unwrap_or_default(),
    ]
}

/// The shortest text that reads back as the same number; empty where there is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

/// A spreadsheet takes a field that begins with one of these for a formula, whatever its quoting; numbers are none.
fn guarded(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\n']) && field.parse::<f64>().is_err();
    if formula { format!("'{field}") } else { field.to_owned() }
}

fn push_row(out: &mut String, fields: impl IntoIterator<Item = String>) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let field = guarded(&visible(&field));
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// Reads RFC 4180.
    fn parse(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
        let mut letters = text.chars().peekable();
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            match (quoted, letter) {
                (true, '"') if letters.peek() == Some(&'"') => {
                    letters.next();
                    field.push('"');
                }
                (_, '"') => quoted = !quoted,
                (false, ',') => row.push(std::mem::take(&mut field)),
                (false, '\r') => {}
                (false, '\n') => {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                (_, other) => field.push(other),
            }
        }
        assert!(!quoted && row.is_empty() && field.is_empty());
        rows
    }

    #[test]
    fn every_row_has_every_column_and_odd_text_survives() {
        let run = fixture::complete();
        let rows = parse(&samples(&run));
        assert_eq!(rows.len(), run.samples.len() + 1);
        assert!(rows.iter().all(|row| row.len() == SAMPLE_COLUMNS.len()));
        let reason = run.samples.iter().find_map(|sample| sample.reason.clone()).unwrap();
        assert!(reason.contains(',') && reason.contains('"'));
        assert!(rows.iter().any(|row| row[9] == reason));
        let rows = parse(&comparisons(&run));
        assert_eq!(rows.len(), run.summary.comparisons.len() + 1);
        assert!(rows.iter().all(|row| row.len() == COMPARISON_COLUMNS.len()));
        let rows = parse(&summary(&run));
        assert_eq!(rows.len(), run.summary.cases.len() + 1);
        assert!(rows.iter().all(|row| row.len() == SUMMARY_COLUMNS.len()));
    }

    #[test]
    fn a_spreadsheet_computes_nothing_of_it() {
        let mut run = fixture::complete();
        let reasons = ["=1+1", "+x", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\u{1b}]0;x\u{7}", "plain"];
        run.samples.truncate(reasons.len());
        for (sample, reason) in run.samples.iter_mut().zip(reasons) {
            sample.reason = Some(reason.to_owned());
        }
        let rows = parse(&samples(&run));
        let shown: Vec<&str> = rows[1..].iter().map(|row| row[9].as_str()).collect();
        let expected = ["'=1+1", "'+x", "'-cmd|' /C calc'!A0", "'@SUM(A1)", "'\t=1", "\\u{1b}]0;x\\u{7}", "plain"];
        assert_eq!(shown, expected);
        run.summary.cases[0].drift = Some(results::Drift { spearman: -0.41, p_value: 0.5 });
        assert!(summary(&run).contains(",-0.41,"), "a number below zero is no formula");
    }

    #[test]
    fn numbers_read_back_exactly() {
        let run = fixture::complete();
        let rows = parse(&summary(&run));
        for (row, case) in rows[1..].iter().zip(&run.summary.cases) {
            assert_eq!(row[8].parse::<f64>().ok(), case.mean_ns);
        }
    }

    #[test]
    fn no_number_is_an_empty_field() {
        let rows = parse(&summary(&fixture::five_rounds()));
        let column = |name| SUMMARY_COLUMNS.iter().position(|column| *column == name).unwrap();
        assert!(
            rows[1..].iter().all(|row| row[column("ci_low_ns")].is_empty() && !row[column("median_ns")].is_empty())
        );
    }
}
