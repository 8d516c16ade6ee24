//! A run as table, Markdown, HTML and exports. Pure: the same run gives the same bytes.
//!
//! Not here: statistics (`stats`, `analysis`), reading and writing of files (`results`), the comparison of two
//! runs (`compare`).

use std::path::Path;

use anyhow::Result;

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
    out.push_str(&text.to_string());
}

/// What `cargo xtask report` writes into a run's folder, beside the manifest and the samples: path within the folder,
/// and content.
///
/// # Errors
/// When JSON, CSV or a drawing can not be written to memory, which means a bug.
pub fn files(run: &Run) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![
        ("summary.json".to_owned(), serde_json::to_string_pretty(&run.summary)? + "\n"),
        ("summary.csv".to_owned(), csv::summary(run)?),
        ("README.md".to_owned(), markdown::readme(run)),
        ("report.html".to_owned(), html::render(run)),
        ("result.svg".to_owned(), picture::result(run)),
        ("exports/pull-request.md".to_owned(), markdown::pull_request(run)),
        ("exports/samples.csv".to_owned(), csv::samples(run)?),
        ("exports/comparisons.csv".to_owned(), csv::comparisons(run)?),
        ("exports/hyperfine.json".to_owned(), exports::hyperfine(run)?),
        ("exports/bencher.json".to_owned(), exports::bencher(run)?),
        ("exports/github-action-benchmark.json".to_owned(), exports::github_action_benchmark(run)?),
    ];
    let sweeps = exports::hyperfine_sweeps(run)?;
    files.extend(sweeps.into_iter().map(|(name, text)| (format!("exports/{name}"), text)));
    let is_json = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "json");
    let shown = |name: &str, text: String| if is_json(name) { visible_json(&text) } else { text };
    Ok(files.into_iter().map(|(name, text)| (name.clone(), shown(&name, text).into_bytes())).collect())
}
