//! A run as table, Markdown, HTML and exports. Pure: the same run gives the same bytes.
//!
//! Not here: statistics (`stats`, `analysis`), reading and writing of files (`results`), the comparison of two
//! runs (`compare`).

use std::io::Write;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use crate::document::Document;
use crate::visible::visible_json;
use results::{Manifest, Sample, Summary};

pub mod answer;
pub mod chart;
pub mod csv;
pub mod density;
pub mod document;
pub mod exports;
pub mod findings;
pub mod html;
pub mod markdown;
pub mod number;
pub mod picture;
pub mod sections;
pub mod terminal;
pub mod view;
pub mod visible;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

/// A run with what was computed from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The circumstances.
    pub manifest: Manifest,
    /// Every run of every cell, in the order in which they took place.
    pub samples: Vec<Sample>,
    /// What `analysis` made of both.
    pub summary: Summary,
}

/// Appends formatted text.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    std::fmt::Write::write_fmt(out, text).unwrap_or_default();
}

/// Writes the content of a file somewhere.
pub type Content<'a> = &'a dyn Fn(&mut dyn Write) -> Result<()>;

/// What `cargo xtask report` writes into a run's folder, beside the manifest and the samples: path within the folder,
/// and content. What has a line for each sample is never whole in memory, and two such files are written side by side. The
/// document is that of the run ([`sections::document`]), which is made once for all its forms.
///
/// # Errors
/// When `take` fails, or JSON, CSV or a drawing can not be written, which means a bug.
pub fn each_file(
    run: &Run,
    document: &Document,
    take: &(dyn Fn(&str, Content<'_>) -> Result<()> + Sync),
) -> Result<()> {
    let take_text = |name: &str, text: String| {
        let is_json = Path::new(name).extension().is_some_and(|extension| extension == "json");
        let text = if is_json { visible_json(&text) } else { text };
        take(name, &|out| Ok(out.write_all(text.as_bytes())?))
    };
    take_text("summary.json", serde_json::to_string_pretty(&run.summary)? + "\n")?;
    take_text("summary.csv", csv::summary(run)?)?;
    take_text("README.md", markdown::whole(document))?;
    take_text("report.html", html::page(document))?;
    take_text("result.svg", picture::result(run))?;
    take_text("exports/pull-request.md", markdown::pull_request(run, document))?;
    take_text("exports/comparisons.csv", csv::comparisons(run)?)?;
    take_text("exports/bencher.json", exports::bencher(run)?)?;
    take_text("exports/github-action-benchmark.json", exports::github_action_benchmark(run)?)?;
    thread::scope(|scope| {
        let samples = scope.spawn(|| take("exports/samples.csv", &|out| csv::samples(run, out)));
        let hyperfine = exports::each_hyperfine(run, |name, content| take(&format!("exports/{name}"), content));
        samples.join().unwrap_or_else(|panic| resume_unwind(panic)).and(hyperfine)
    })
}

/// The same, whole.
///
/// # Errors
/// As [`each_file`].
pub fn files(run: &Run) -> Result<Vec<(String, Vec<u8>)>> {
    let files = Mutex::new(Vec::new());
    each_file(run, &sections::document(run), &|name, content| {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        files.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), bytes));
        Ok(())
    })?;
    let mut files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort();
    Ok(files)
}
