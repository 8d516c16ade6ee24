//! Tidy CSV: one row per observation, units in the names of columns, quoting by RFC 4180 (lines end in CRLF,
//! fields with comma, quote or line break are quoted). An empty field is "no such number". Text that a spreadsheet would
//! compute has a `'` before it, what can not be seen is escaped: `samples.jsonl` holds the text itself.
//!
//! Not here: what the columns mean (`results/README.md`).

use std::borrow::Cow;
use std::io::Write;

use anyhow::Result;
use csv::{Terminator, Writer, WriterBuilder};

use super::{Run, view};
use crate::visible::visible;
use results::CaseSummary;
use results::metric;

/// The columns of `summary.csv`.
pub const SUMMARY_COLUMNS: [&str; 31] = [
    "bench",
    "case",
    "metric",
    "n",
    "failed",
    "median",
    "ci_low",
    "ci_high",
    "confidence",
    "mean",
    "stddev",
    "mad",
    "min",
    "max",
    "p90",
    "p95",
    "p99",
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

/// The columns of `exports/samples.csv`. Those of further metrics stand behind `wall_ns`.
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
pub const COMPARISON_COLUMNS: [&str; 13] = [
    "bench",
    "case",
    "metric",
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

/// `summary.csv`: a row per bench, cell and metric, with its comparison to native where there is one.
///
/// # Errors
/// When memory can not be written to, which means a bug; likewise below.
pub fn summary(run: &Run) -> Result<String> {
    let rows = run.summary.cases.iter().map(|row| case_row(run, row));
    table(SUMMARY_COLUMNS.map(str::to_owned).into(), rows)
}

fn case_row(run: &Run, row: &CaseSummary) -> Vec<String> {
    let comparison = view::comparison_in(run, &row.metric, (&row.bench, &row.case));
    let mut fields = vec![row.bench.clone(), row.case.clone(), row.metric.clone()];
    fields.extend([row.n, row.failed].map(|count| count.to_string()));
    let numbers = [
        row.median,
        row.ci_low,
        row.ci_high,
        row.confidence,
        row.mean,
        row.stddev,
        row.mad,
        row.min,
        row.max,
        row.p90,
        row.p95,
        row.p99,
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
///
/// # Errors
/// As [`summary`].
pub fn comparisons(run: &Run) -> Result<String> {
    let rows = run.summary.comparisons.iter().map(|row| {
        vec![
            row.bench.clone(),
            row.case.clone(),
            row.metric.clone(),
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
        ]
    });
    table(COMPARISON_COLUMNS.map(str::to_owned).into(), rows)
}

/// `exports/samples.csv`: a row per run of a cell, warm-up rounds and failures included, with a column per metric.
///
/// # Errors
/// When `out` can not be written to.
pub fn samples(run: &Run, out: &mut dyn Write) -> Result<()> {
    let metrics = metric::stored(&run.samples);
    let further = || metrics.iter().filter(|metric| !metric.is_headline());
    let mut columns: Vec<String> = Vec::new();
    for column in SAMPLE_COLUMNS {
        columns.push(column.to_owned());
        if column == metric::HEADLINE {
            columns.extend(further().map(|metric| metric.name.to_string()));
        }
    }
    out.write_all(table(columns, std::iter::empty())?.as_bytes())?;
    let names: Vec<&str> = metrics.iter().map(|metric| &*metric.name).collect();
    Ok(samples::table::rows(&run.samples, &names, &field, out)?)
}

/// A text as it stands between two commas. Beside another field, because alone an empty one is quoted.
fn field(text: &str) -> String {
    let alone = table(vec![text.to_owned(), String::new()], std::iter::empty()).unwrap_or_default();
    alone.trim_end_matches("\r\n").strip_suffix(',').unwrap_or_default().to_owned()
}

/// The shortest text that reads back as the same number; empty where there is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

/// A spreadsheet takes a field that begins with one of these for a formula, whatever its quoting; numbers are none.
fn guarded(field: Cow<'_, str>) -> Cow<'_, str> {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\n']) && field.parse::<f64>().is_err();
    if formula { format!("'{field}").into() } else { field }
}

/// Quotes, and refuses rows of another length than the first.
fn writer<W: Write>(out: W) -> Writer<W> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out)
}

fn write<'a, W: Write>(writer: &mut Writer<W>, row: impl Iterator<Item = &'a str>) -> Result<()> {
    for field in row {
        write_text(writer, field)?;
    }
    Ok(writer.write_record(None::<&[u8]>)?)
}

fn write_text<W: Write>(writer: &mut Writer<W>, field: &str) -> csv::Result<()> {
    writer.write_field(guarded(visible(field)).as_bytes())
}

/// The text of a table.
fn table(columns: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let mut writer = writer(Vec::new());
    for row in std::iter::once(columns).chain(rows) {
        write(&mut writer, row.iter().map(String::as_str))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn parse(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn samples(run: &Run) -> String {
        let mut out = Vec::new();
        super::samples(run, &mut out).unwrap();
        String::from_utf8(out).unwrap()
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
        let rows = parse(&comparisons(&run).unwrap());
        assert_eq!(rows.len(), run.summary.comparisons.len() + 1);
        assert!(rows.iter().all(|row| row.len() == COMPARISON_COLUMNS.len()));
        let rows = parse(&summary(&run).unwrap());
        assert_eq!(rows.len(), run.summary.cases.len() + 1);
        assert!(rows.iter().all(|row| row.len() == SUMMARY_COLUMNS.len()));
    }

    #[test]
    fn a_spreadsheet_computes_nothing_of_it() {
        let mut run = fixture::complete();
        let reasons = ["=1+1", "+x", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\u{1b}]0;x\u{7}", "plain"];
        run.samples.truncate(reasons.len());
        for (sample, reason) in run.samples.iter_mut().zip(reasons) {
            sample.reason = Some(reason.into());
        }
        let rows = parse(&samples(&run));
        let shown: Vec<&str> = rows[1..].iter().map(|row| row[9].as_str()).collect();
        let expected = ["'=1+1", "'+x", "'-cmd|' /C calc'!A0", "'@SUM(A1)", "'\t=1", "\\u{1b}]0;x\\u{7}", "plain"];
        assert_eq!(shown, expected);
        run.summary.cases[0].drift = Some(results::Drift { spearman: -0.41, p_value: 0.5 });
        assert!(summary(&run).unwrap().contains(",-0.41,"), "a number below zero is no formula");
    }

    #[test]
    fn numbers_read_back_exactly() {
        let run = fixture::complete();
        let rows = parse(&summary(&run).unwrap());
        for (row, case) in rows[1..].iter().zip(&run.summary.cases) {
            assert_eq!(row[9].parse::<f64>().ok(), case.mean);
        }
    }

    #[test]
    fn no_number_is_an_empty_field() {
        let rows = parse(&summary(&fixture::five_rounds()).unwrap());
        let column = |name| SUMMARY_COLUMNS.iter().position(|column| *column == name).unwrap();
        assert!(rows[1..].iter().all(|row| row[column("ci_low")].is_empty() && !row[column("median")].is_empty()));
    }
}
