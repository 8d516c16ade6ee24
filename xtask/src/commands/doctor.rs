//! `doctor`: what this machine has and lacks.

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
    let mut lines = Vec::new();
    for finding in findings {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warn => "warning",
            Status::Missing => "MISSING",
        };
        lines.push(format!("{status:8} {:width$}  {}", finding.what, finding.detail));
        if !finding.remedy.is_empty() {
            lines.push(format!("{:8} {:width$}  → {}", "", "", finding.remedy));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}
