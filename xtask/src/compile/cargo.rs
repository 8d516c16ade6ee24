//! Cargo, started so that what it makes depends on this project's files and the toolchain alone, and followed while it works.

use std::ffi::OsString;

use anyhow::Context as _;
use launcher::CargoLine;

use super::toolchain;
use crate::cmd;
use crate::progress::{Amount, Progress, Unit};
use crate::workspace::Workspace;

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
    let mut args: Vec<OsString> = Vec::new();
    for name in toolchain::leaking(std::env::vars_os().map(|(name, _)| name)) {
        args.extend(["-u".into(), name]);
    }
    args.extend_from_slice(settings);
    args.push(toolchain::cargo());
    args.extend_from_slice(command);
    let mut followed = Followed::default();
    let result = cmd::build_step(workspace.root(), "env".as_ref(), &args, |line| followed.take(line, progress));
    if followed.crates > 0 {
        // Cargo does not draw its end.
        progress.advance(COMPILING, Amount { done: followed.crates, total: followed.crates, unit: Unit::Items });
    }
    result.with_context(|| match followed.error {
        Some(error) => format!("Cargo says `{error}` (what else it said is above)"),
        None => "what Cargo and the compiler said is above".to_owned(),
    })
}

#[derive(Debug, Default)]
struct Followed {
    crates: u64,
    waits: String,
    error: Option<String>,
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

    #[test]
    fn the_first_error_is_kept_for_the_reason() {
        let mut followed = Followed::default();
        for line in ["warning: x", "error: no network", "  cause", "error: could not compile"] {
            followed.take(CargoLine::Other(line.to_owned()), &mut Silent);
        }
        assert_eq!(followed.error.as_deref(), Some("no network"));
    }
}
