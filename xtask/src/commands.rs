//! What each subcommand does, a module each, and the one way to write results.

use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;

pub mod clean;
pub mod plan;

/// Writes a result to stdout. A reader that went away (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("can not write the result to stdout"),
    }
}

/// Writes a result as JSON to stdout.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}
