//! A run as table, Markdown, HTML and exports. Pure: the same run gives the same bytes.
//!
//! Not here: statistics (`stats`, `analysis`), reading and writing of files (`results`), the comparison of two
//! runs (`compare`).

use anyhow::Result;

use crate::results::{Manifest, Sample, Summary};

pub mod chart;
pub mod csv;
pub mod exports;
pub mod findings;
pub mod html;
pub mod markdown;
pub mod number;
pub mod picture;
pub mod terminal;
pub mod view;

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

/// What `cargo xtask report` writes into a run's folder, beside the manifest and the samples: name and content.
///
/// # Errors
/// When a number can not be written as JSON.
pub fn files(run: &Run) -> Result<Vec<(&'static str, Vec<u8>)>> {
    Ok(vec![
        ("summary.json", (serde_json::to_string_pretty(&run.summary)? + "\n").into_bytes()),
        ("summary.csv", csv::summary(run).into_bytes()),
        ("README.md", markdown::readme(run).into_bytes()),
        ("report.html", html::render(run)?.into_bytes()),
        ("result.svg", picture::result(run)?.into_bytes()),
        ("exports/pull-request.md", markdown::pull_request(run).into_bytes()),
        ("exports/samples.csv", csv::samples(run).into_bytes()),
        ("exports/hyperfine.json", exports::hyperfine(run)?.into_bytes()),
        ("exports/bencher.json", exports::bencher(run)?.into_bytes()),
        ("exports/github-action-benchmark.json", exports::github_action_benchmark(run)?.into_bytes()),
    ])
}

/// The ids of the sections of `report.html`, in their order.
pub const SECTIONS: [&str; 0] = [];
