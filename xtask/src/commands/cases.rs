//! `cases`: every row that can be asked for, what it is, why it is worth anybody's time, and what it lacks here.

use clap::ValueEnum as _;
use serde::Serialize;

use oci::definition::Definition;
use report::terminal::push_wrapped;
use results::case::Case;

use crate::cli::{CasesArgs, Exit, Format};
use crate::commands;
use crate::compile::shims::Shim;
use crate::matrix::Matrix;
use crate::prepare::{self, selection};
use crate::programs::Programs;
use crate::session::privileges::Privileges;
use crate::workspace::Workspace;

/// One row.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    case: Case,
    /// Whether `bench` could measure it here.
    available: bool,
    /// What is missing, or what `bench` would do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Lists them. Nothing is fetched or built.
pub fn run(workspace: &Workspace, args: &CasesArgs) -> anyhow::Result<Exit> {
    let matrix = selection::matrix(workspace, &args.select.of)?;
    let chosen = matrix.matching(&args.select.cases, &args.select.sets)?;
    let (programs, privileges) =
        (Programs::load(workspace)?, Privileges::find(crate::session::privileges::Namespaces::Private));
    let images = prepare::images::definitions(workspace)?;
    let row = |case: Case| {
        let (available, reason) = availability((workspace, &matrix), &case, (&programs, &images, &privileges))?;
        Ok(Row { case, available, reason })
    };
    let rows = chosen.into_iter().map(row).collect::<anyhow::Result<Vec<_>>>()?;
    match args.format.format {
        Format::Json => commands::print_json(&rows)?,
        Format::Text => commands::print(&text(&rows, &matrix))?,
    }
    Ok(Exit::Done)
}

/// Whether a case could be measured here, and what there is to be said about it.
fn availability(
    (workspace, matrix): (&Workspace, &Matrix),
    case: &Case,
    (programs, images, privileges): (&Programs, &[Definition], &Privileges),
) -> anyhow::Result<(bool, Option<String>)> {
    if let (true, Privileges::Denied(reason)) = (case.is_container(), privileges) {
        return Ok((false, Some(reason.clone())));
    }
    if let Some(image) = case.image.as_ref().and_then(|name| images.iter().find(|image| image.name == *name))
        && !prepare::bases::are_there(workspace, image)
    {
        return Ok((true, Some(format!("the first run fetches the packages of the image `{}`", image.name))));
    }
    let behaviour = &matrix.runtime(case)?.behaviour;
    let engine = matrix.engine(case).filter(|_| !case.is_container());
    let needed = behaviour.program().or(engine.map(|engine| engine.program.as_str()));
    let Some(program) = needed else { return Ok((true, None)) };
    let shim = Shim::value_variants().iter().find(|shim| shim.binary() == program);
    if let Some(shim) = shim.filter(|_| !workspace.artifacts().join(program).is_file()) {
        return Ok((true, Some(format!("the first run builds {}, which takes minutes", shim.step()))));
    }
    let is_on_request = programs.definitions().iter().any(|definition| definition.name == program);
    if !is_on_request || programs.find(program).is_ok() {
        return Ok((true, None));
    }
    Ok((true, Some(format!("the first run gets `{program}`, as {}", programs.how_to_get(program)))))
}

fn text(rows: &[Row], matrix: &Matrix) -> String {
    let mut out = String::new();
    for row in rows {
        let case = &row.case;
        let by = case.engine_name().map_or_else(String::new, |engine| format!(" by {engine}"));
        let against = case.baseline.as_ref().map_or_else(String::new, |name| format!(", compared with {name}"));
        let what = format!("{}{by} in {}{against}; {}", case.mode, case.runtime.title, sets(case));
        push_wrapped(&mut out, &what, (&format!("{:<26}", case.name), "    "));
        push_wrapped(&mut out, &case.why, ("    ", "    "));
        if let Some(reason) = &row.reason {
            let lead = if row.available { "    " } else { "    not here: " };
            push_wrapped(&mut out, reason, (lead, "    "));
        }
        out.push('\n');
    }
    let sets = results::case::names(&matrix.sets());
    push_wrapped(&mut out, &format!("`cargo xtask bench --set SET` measures a set: {sets}."), ("", ""));
    out
}

fn sets(case: &Case) -> String {
    if case.sets.is_empty() { "in no set".to_owned() } else { format!("set {}", case.sets.join(", ")) }
}
