//! `push`: the images to a registry. Without `--registry` the embedded one takes them, which proves that they
//! can be pushed and is gone afterwards.

use serde::Serialize;

use crate::cli::{Exit, Format, PushArgs};
use crate::clock::Stopwatch;
use crate::progress::Steps;
use crate::stop::Stop;
use crate::workspace::Workspace;
use crate::{commands, lock, prepare};

#[derive(Serialize)]
struct Document {
    pushed: Vec<Row>,
    assemble_and_push_ns: u64,
}

#[derive(Serialize)]
struct Row {
    reference: String,
    digest: String,
}

/// Assembles, pushes, and prints what the registry holds.
pub fn run(workspace: &Workspace, args: &PushArgs) -> anyhow::Result<Exit> {
    prepare::registry::destination(&args.registry)?;
    let definitions = prepare::images::matching(workspace, &args.images)?;
    let _lock = lock::build(workspace)?;
    let mut steps = Steps::of(2 + usize::from(prepare::bases::are_needed(&definitions)));
    let kinds = definitions.iter().map(|definition| definition.kind).collect();
    let (_, artifacts, missing) =
        prepare::default_artifacts(workspace, (&kinds, &args.origin), &args.programs, &mut steps)?;
    let artifacts = missing.packable(&artifacts);
    let packed = prepare::bases::all(workspace, &definitions, &args.programs, &mut steps)?;
    let clock = Stopwatch::start();
    let images = prepare::images::assemble(workspace, (&definitions, &packed.bases), &artifacts)?;
    let registry = prepare::registry::start(&args.registry)?;
    let pushed = prepare::images::push(&images, &registry, &Stop::never()?)?;
    let assemble_and_push_ns = clock.elapsed_ns();
    let rows: Vec<Row> = pushed
        .iter()
        .map(|pushed| Row { reference: pushed.reference().to_owned(), digest: pushed.digest().to_string() })
        .collect();
    crate::console::note(format_args!("assembled and pushed in {:.3} s", assemble_and_push_ns as f64 / 1e9));
    match args.format.format {
        Format::Json => commands::print_json(&Document { pushed: rows, assemble_and_push_ns })?,
        Format::Text => {
            for row in rows {
                commands::print(&format!("{} {}\n", row.reference, row.digest))?;
            }
        }
    }
    Ok(missing.exit())
}
