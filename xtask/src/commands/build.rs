//! `build`: the workload for every target, and a shim.

use serde::Serialize;

use crate::cli::{BuildArgs, Exit, Format};
use crate::compile::{Artifact, Built, shims};
use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{commands, lock, prepare};

/// Builds, checks, and prints kind, target, bytes and digest.
pub fn run(workspace: &Workspace, args: &BuildArgs) -> anyhow::Result<Exit> {
    let _lock = lock::build(workspace)?;
    let kinds = prepare::builds::default_kinds(workspace)?;
    let mut steps = Steps::of(3);
    let (toolbox, artifacts, missing) =
        prepare::default_artifacts(workspace, (&kinds, &args.origin), &args.programs, &mut steps)?;
    let shim = shims::build(workspace, args.shim, &toolbox, &mut steps.next(args.shim.step()))?;
    match args.format.format {
        Format::Json => commands::print_json(&document(&artifacts, &shim.path))?,
        Format::Text => commands::print(&text(&artifacts, &shim))?,
    }
    Ok(missing.exit())
}

#[derive(Serialize)]
struct Document {
    artifacts: Vec<Row>,
    shim: String,
}

#[derive(Serialize)]
struct Row {
    program: String,
    kind: String,
    target: String,
    size_bytes: u64,
    sha256: String,
    path: String,
}

fn document(artifacts: &[Artifact], shim: &std::path::Path) -> Document {
    let row = |artifact: &Artifact| Row {
        program: artifact.program.clone(),
        kind: artifact.kind.to_string(),
        target: artifact.target.clone(),
        size_bytes: artifact.size_bytes,
        sha256: artifact.sha256.clone(),
        path: artifact.path.to_string_lossy().into_owned(),
    };
    Document { artifacts: artifacts.iter().map(row).collect(), shim: shim.to_string_lossy().into_owned() }
}

fn text(artifacts: &[Artifact], shim: &Built) -> String {
    let mut table = commands::table(&["program", "kind", "target", "bytes", "sha256"]);
    for artifact in artifacts {
        table.add_row([
            artifact.program.clone(),
            artifact.kind.to_string(),
            artifact.target.clone(),
            artifact.size_bytes.to_string(),
            artifact.sha256[..16].to_owned(),
        ]);
    }
    table.add_row([
        "shim".to_owned(),
        "native".to_owned(),
        "x86_64-unknown-linux-gnu".to_owned(),
        shim.size_bytes.to_string(),
        shim.sha256[..16].to_owned(),
    ]);
    format!("{table}\n")
}
