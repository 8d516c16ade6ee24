//! `toolbox`: the programs that the host lacks.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::{Exit, Format, ToolboxArgs};
use crate::toolbox::manifest::Check;
use crate::toolbox::talk::Stderr;
use crate::toolbox::{self, Group, Toolbox};
use crate::workspace::Workspace;
use crate::{commands, lock, setup};
use results::PackageRecord;

#[derive(Serialize)]
struct Document {
    programs: BTreeMap<String, String>,
    packages: Vec<PackageRecord>,
}

/// Makes or repairs it, and prints what is in it.
pub fn run(workspace: &Workspace, args: &ToolboxArgs) -> anyhow::Result<Exit> {
    let _lock = lock::build(workspace)?;
    let check = if args.verify { Check::Full } else { Check::Quick };
    let groups = if args.tests { &[Group::Run, Group::Tests][..] } else { &[Group::Run][..] };
    let mut document = Document { programs: BTreeMap::new(), packages: Vec::new() };
    let options = setup::options(&args.programs)?;
    for group in groups {
        let made = toolbox::ensure_checked(workspace, *group, &options, check, &mut Stderr::default())?;
        add(&mut document, &made, *group)?;
    }
    document.packages.sort_by(|a, b| a.name.cmp(&b.name));
    document.packages.dedup();
    match args.format.format {
        Format::Json => commands::print_json(&document)?,
        Format::Text => commands::print(&text(&document))?,
    }
    Ok(Exit::Done)
}

fn add(document: &mut Document, toolbox: &Toolbox, group: Group) -> anyhow::Result<()> {
    for name in group.programs() {
        document.programs.insert(name.to_owned(), toolbox.program(name)?.to_string_lossy().into_owned());
    }
    document.packages.extend(toolbox.packages());
    Ok(())
}

fn text(document: &Document) -> String {
    let mut table = commands::table(&["package", "version", "sha256"]);
    for package in &document.packages {
        table.add_row([package.name.clone(), package.version.clone(), package.sha256.chars().take(16).collect()]);
    }
    let programs: Vec<String> = document.programs.iter().map(|(name, path)| format!("{name:16} {path}")).collect();
    format!("{table}\n{}\n", programs.join("\n"))
}
