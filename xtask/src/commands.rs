//! What each subcommand does, a module each, and the one way to write results.

use std::ffi::OsString;

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Exit;
use crate::console;
use ::report::terminal::{self, ColourChoice};
use ::report::visible::{visible, visible_json};

pub mod bench;
pub mod build;
pub mod cases;
pub mod clean;
pub mod cluster;
pub mod compare;
pub mod coverage;
pub mod density;
pub mod doctor;
pub mod image;
pub mod init;
pub mod plan;
pub mod push;
pub mod report;
pub mod run;
pub mod toolbox;

/// The exit status of a program whose work came to this. An error is shown.
pub fn exit_code(result: anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::note(format_args!("error: {error:#}"));
            if error.is::<results::names::Misnamed>() { Exit::Usage.into() } else { Exit::Failed.into() }
        }
    }
}

/// Writes a result to stdout, what can not be seen in it escaped.
pub fn print(text: &str) -> anyhow::Result<()> {
    console::result(visible(&console::by_name(text)).as_bytes())
}

/// Writes a result as JSON to stdout.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = visible_json(&serde_json::to_string_pretty(value)?);
    text.push('\n');
    console::result(text.as_bytes())
}

/// Writes the report on a density run to stdout.
pub fn print_density(run: &::report::density::DensityRun) -> anyhow::Result<()> {
    console::result(::report::density::shown(run, colour()).as_bytes())
}

/// Writes a document to stdout, with the colours that it brings.
pub fn print_document(document: &::report::document::Document) -> anyhow::Result<()> {
    console::result(terminal::document(document, colour()).as_bytes())
}

/// A plain table without lines between rows, as every command prints one.
pub fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header.iter().copied());
    table
}

/// Colour only where a person looks at a terminal that has it, and has not declined it (no-color.org).
fn colour() -> ColourChoice {
    use std::io::IsTerminal as _;
    if !std::io::stdout().is_terminal() {
        return ColourChoice::Plain;
    }
    let set = |name: &str| std::env::var_os(name).unwrap_or_default();
    colour_on(&Terminal { no_color: set("NO_COLOR"), term: set("TERM") })
}

/// What the environment says about a terminal; empty where it says nothing.
struct Terminal {
    no_color: OsString,
    term: OsString,
}

fn colour_on(terminal: &Terminal) -> ColourChoice {
    let dumb = terminal.term.is_empty() || terminal.term == "dumb";
    if dumb || !terminal.no_color.is_empty() { ColourChoice::Plain } else { ColourChoice::Colour }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_colour_gets_none() {
        let choice = |no_color: &str, term: &str| colour_on(&Terminal { no_color: no_color.into(), term: term.into() });
        assert_eq!(choice("", "xterm-256color"), ColourChoice::Colour);
        for (no_color, term) in [("", "dumb"), ("", ""), ("1", "xterm"), ("0", "xterm")] {
            assert_eq!(choice(no_color, term), ColourChoice::Plain, "{no_color} {term}");
        }
    }
}
