//! What each subcommand does, a module each, and the one way to write results.

use serde::Serialize;

use crate::console;

pub mod bench;
pub mod build;
pub mod clean;
pub mod compare;
pub mod coverage;
pub mod doctor;
pub mod image;
pub mod plan;
pub mod push;
pub mod report;
pub mod run;
pub mod toolbox;

/// Writes a result to stdout. A reader that went away (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    console::result(text.as_bytes())
}

/// Writes a result as JSON to stdout.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// A plain table without lines between rows, as every command prints one.
pub fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header.iter().copied());
    table
}

/// Colour only where a person looks at a terminal and has not declined it (no-color.org).
pub fn colour() -> crate::report::terminal::ColourChoice {
    use std::io::IsTerminal as _;
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !declined {
        crate::report::terminal::ColourChoice::Colour
    } else {
        crate::report::terminal::ColourChoice::Plain
    }
}
