//! `doctor`: what this machine has and lacks.

use std::fmt::Write as _;

use crate::cli::{Exit, Format, FormatArgs};
use crate::commands;
use crate::doctor::{Finding, Status, examine, worst};
use crate::workspace::Workspace;

/// Prints every finding; the exit status says whether something can not run here.
pub fn run(workspace: &Workspace, args: FormatArgs) -> anyhow::Result<Exit> {
    let findings = examine(workspace);
    match args.format {
        Format::Json => commands::print_json(&findings)?,
        Format::Text => commands::print(&text(&findings))?,
    }
    Ok(if worst(&findings) == Status::Missing { Exit::Partial } else { Exit::Done })
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    findings.iter().fold(String::new(), |mut out, finding| {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warn => "warning",
            Status::Missing => "MISSING",
        };
        let written = writeln!(out, "{status:8} {:width$}  {}", finding.what, finding.detail);
        debug_assert!(written.is_ok(), "writing to a string can not fail");
        if !finding.remedy.is_empty() {
            out.push_str(&format!("{:8} {:width$}  → {}\n", "", "", finding.remedy));
        }
        out
    })
}
