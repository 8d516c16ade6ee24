//! Cargo, started so that what it makes depends on this project's files and the toolchain alone, and followed while it works.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use launcher::CargoLine;

use super::toolchain;
use crate::cmd;
use crate::progress::{Amount, Progress, Unit};
use crate::workspace::Workspace;

/// So many lines from the first error on are looked at for what has to be said.
const SAID_LINES: usize = 400;
/// Cargo counts build scripts too.
const COMPILING: &str = "compiling crates and build scripts";

/// Runs a command of Cargo in the checkout, through `env`, which takes away what would leak in and adds `settings`
/// (`NAME=value`). Returns its stdout.
///
/// # Errors
/// When it fails, with its own first error.
pub fn run(
    workspace: &Workspace,
    settings: &[OsString],
    command: &[OsString],
    progress: &mut dyn Progress,
) -> anyhow::Result<String> {
    let (result, followed) = follow((workspace.root(), toolchain::cargo()), settings, command, progress);
    result.with_context(|| match followed.error {
        Some(error) => format!("Cargo says `{error}` (what else it said is above)"),
        None => "what Cargo and the compiler said is above".to_owned(),
    })
}

/// The same in a folder of somebody else's, by this Cargo.
///
/// # Errors
/// When it fails: in three lines what it said.
pub fn run_in(
    place: (&Path, OsString),
    settings: &[OsString],
    command: &[OsString],
    progress: &mut dyn Progress,
) -> Result<String, String> {
    let (result, followed) = follow(place, settings, command, progress);
    result.map_err(|error| match three_lines(&followed.said) {
        said if said.is_empty() => format!("{error:#}"),
        said => said.join("\n"),
    })
}

/// `env` with the arguments that take away what would leak into a build.
pub fn clean_environment() -> Vec<OsString> {
    let leaking = toolchain::leaking(std::env::vars_os().map(|(name, _)| name));
    leaking.into_iter().flat_map(|name| ["-u".into(), name]).collect()
}

fn follow(
    (folder, cargo): (&Path, OsString),
    settings: &[OsString],
    command: &[OsString],
    progress: &mut dyn Progress,
) -> (anyhow::Result<String>, Followed) {
    let mut args = clean_environment();
    args.extend_from_slice(settings);
    args.push(cargo);
    args.extend_from_slice(command);
    let mut followed = Followed::default();
    let result = cmd::build_step(folder, "env".as_ref(), &args, |line| followed.take(line, progress));
    if followed.crates > 0 {
        // Cargo does not draw its end.
        progress.advance(COMPILING, Amount { done: followed.crates, total: followed.crates, unit: Unit::Items });
    }
    (result, followed)
}

/// What a person has to know of an error: its first line, where it is, and what could not be made because of it.
fn three_lines(said: &[String]) -> Vec<String> {
    let mut lines: Vec<&str> = said.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    // What a build script says of the tool that it lacks stands far below, and is the reason of all above.
    if let Some(at) = lines.iter().position(|line| TOOL_MISSING.iter().any(|words| line.contains(words))) {
        let tool = lines.remove(at);
        lines.truncate(1);
        lines.push(tool);
    }
    let last = lines.iter().skip(2).find(|line| line.starts_with("error: could not compile"));
    let shown = lines.iter().take(2).chain(last.or_else(|| lines.get(2)));
    shown.map(|line| (*line).to_owned()).collect()
}

/// Words of the crate `cc` and of CMake's, of which many build scripts are made.
const TOOL_MISSING: [&str; 2] = ["error occurred in cc-rs", "is `cmake` not installed"];

#[derive(Debug, Default)]
struct Followed {
    crates: u64,
    waits: String,
    error: Option<String>,
    /// The first error, and what came after it.
    said: Vec<String>,
}

impl Followed {
    fn take(&mut self, said: CargoLine, progress: &mut dyn Progress) {
        match said {
            CargoLine::Built { done, total } if done < total => {
                self.crates = total;
                progress.advance(COMPILING, Amount { done, total, unit: Unit::Items });
            }
            CargoLine::Waits(text) if text != self.waits => {
                progress.note(&format!("cargo: {text}"));
                self.waits = text;
            }
            CargoLine::Waits(_) | CargoLine::Built { .. } | CargoLine::Status => {}
            CargoLine::Other(line) => {
                if (line.starts_with("error") || !self.said.is_empty()) && self.said.len() < SAID_LINES {
                    self.said.push(line.clone());
                }
                if let Some(error) = line.strip_prefix("error: ") {
                    self.error.get_or_insert_with(|| error.to_owned());
                }
                progress.note(&line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn said(lines: &[&str]) -> Vec<String> {
        let mut followed = Followed::default();
        for line in lines {
            followed.take(CargoLine::Other((*line).to_owned()), &mut Silent);
        }
        three_lines(&followed.said)
    }

    #[test]
    fn an_error_of_the_compiler_is_three_lines() {
        let lines = ["warning: x", "error[E0433]: no `unix` in `os`", " --> src/sys.rs:3:9", "  |", "error[E0432]: y"];
        let lines = [&lines[..], &["error: could not compile `mio` (lib) due to 2 previous errors"]].concat();
        let found = said(&lines);
        assert_eq!(found[..2], ["error[E0433]: no `unix` in `os`", "--> src/sys.rs:3:9"]);
        assert_eq!(found[2], "error: could not compile `mio` (lib) due to 2 previous errors");
        assert_eq!(said(&["error: no matching package named `x` found", "location searched: y"]).len(), 2);
    }

    #[test]
    fn a_tool_that_a_build_script_lacks_is_named() {
        let lines = ["error: failed to run custom build command for `z-sys`", "", "Caused by:", "  exit status: 1"];
        let lines =
            [&lines[..], &["  --- stderr", "  error occurred in cc-rs: failed to find tool \"musl-gcc\""]].concat();
        let found = said(&lines);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("`z-sys`") && found[1].contains("musl-gcc"), "{found:?}");
    }

    #[test]
    fn the_first_error_is_kept_for_the_reason() {
        let mut followed = Followed::default();
        for line in ["warning: x", "error: no network", "  cause", "error: could not compile"] {
            followed.take(CargoLine::Other(line.to_owned()), &mut Silent);
        }
        assert_eq!(followed.error.as_deref(), Some("no network"));
    }
}
