//! `toolbox`: the programs that the host lacks, and those that are had on request.

use std::collections::BTreeMap;

use results::{PackageRecord, ProgramRecord};
use serde::Serialize;

use crate::cli::{Exit, Format, ToolboxArgs};
use crate::programs::definition::{Cost, Definition};
use crate::programs::{Identity, Programs};
use crate::progress::Stderr;
use crate::toolbox::manifest::Verification;
use crate::toolbox::{self, Group, Toolbox};
use crate::workspace::Workspace;
use crate::{commands, lock, prepare};

#[derive(Serialize)]
struct Document {
    programs: BTreeMap<String, String>,
    packages: Vec<PackageRecord>,
    on_request: Vec<OnRequest>,
}

/// A program that is had on request, whether it is there or not.
#[derive(Serialize)]
struct OnRequest {
    name: String,
    why: String,
    cost: Cost,
    how_to_get: String,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<There>,
    /// Why nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct There {
    path: String,
    record: ProgramRecord,
    made_of: Identity,
}

/// Makes or repairs them, and prints what is there.
pub fn run(workspace: &Workspace, args: &ToolboxArgs) -> anyhow::Result<Exit> {
    let _lock = lock::build(workspace)?;
    let check = if args.verify { Verification::Full } else { Verification::Quick };
    let groups = if args.tests { &[Group::Run, Group::Tests][..] } else { &[Group::Run][..] };
    let on_request = Programs::load(workspace)?;
    let wanted = on_request.select(&args.with)?;
    let mut document = Document { programs: BTreeMap::new(), packages: Vec::new(), on_request: Vec::new() };
    let options = prepare::programs::options(&args.programs)?;
    for group in groups {
        let tree = toolbox::ensure_checked(workspace, *group, &options, check, &mut Stderr::default())?;
        add(&mut document, &tree, *group)?;
    }
    for definition in on_request.definitions() {
        let there = || on_request.find(&definition.name).is_ok();
        if wanted.contains(&definition) || (check == Verification::Full && there()) {
            on_request.ensure(&definition.name, &options, check, &mut Stderr::default())?;
        }
    }
    document.packages.sort_by(|a, b| a.name.cmp(&b.name));
    document.packages.dedup();
    document.on_request = on_request.definitions().iter().map(|definition| look(definition, &on_request)).collect();
    match args.format.format {
        Format::Json => commands::print_json(&document)?,
        Format::Text => commands::print(&text(&document))?,
    }
    Ok(Exit::Done)
}

fn add(document: &mut Document, toolbox: &Toolbox, group: Group) -> anyhow::Result<()> {
    for name in group.programs() {
        let path = toolbox.program(&name)?.to_string_lossy().into_owned();
        document.programs.insert(name, path);
    }
    document.packages.extend(toolbox.packages());
    Ok(())
}

fn look(definition: &Definition, programs: &Programs) -> OnRequest {
    let (available, reason) = match programs.find(&definition.name) {
        Ok(found) => {
            let (path, record) = (found.path.to_string_lossy().into_owned(), found.record());
            (Some(There { path, record, made_of: found.identity }), None)
        }
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    OnRequest {
        name: definition.name.clone(),
        why: definition.why.clone(),
        cost: definition.cost,
        how_to_get: programs.how_to_get(&definition.name),
        available,
        reason,
    }
}

fn text(document: &Document) -> String {
    let mut table = commands::table(&["package", "version", "sha256"]);
    for package in &document.packages {
        table.add_row([package.name.clone(), package.version.clone(), package.sha256.chars().take(16).collect()]);
    }
    let programs: Vec<String> = document.programs.iter().map(|(name, path)| format!("{name:16} {path}")).collect();
    let on_request: Vec<String> = document.on_request.iter().map(line).collect();
    format!("{table}\n{}\n\non request:\n{}\n", programs.join("\n"), on_request.join("\n"))
}

fn line(program: &OnRequest) -> String {
    let path = program.available.as_ref().map(|there| there.path.as_str());
    format!("{:16} {}", program.name, path.or(program.reason.as_deref()).unwrap_or_default())
}
