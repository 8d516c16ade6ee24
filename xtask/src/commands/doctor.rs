//! `doctor`: what this machine has and lacks.

use crate::cli::{Exit, Format, FormatArgs};
use crate::workspace::Workspace;
use crate::{commands, doctor};

/// Prints every finding; fails when something is missing that no command of ours can provide.
pub fn run(workspace: &Workspace, args: FormatArgs) -> anyhow::Result<Exit> {
    let findings = doctor::examine(workspace);
    match args.format {
        Format::Json => commands::print_json(&findings)?,
        Format::Text => commands::print(&doctor::text(&findings))?,
    }
    let missing = findings.iter().any(|finding| finding.status == doctor::Status::Missing);
    Ok(if missing { Exit::Partial } else { Exit::Done })
}
