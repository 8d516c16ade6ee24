//! `push`: the images to a registry. Without `--registry` the embedded one takes them, which proves that they
//! can be pushed and is gone afterwards.

use serde::Serialize;

use crate::cli::{Exit, Format, PushArgs};
use crate::measure::clock::Stopwatch;
use crate::measure::stop::Stop;
use crate::toolbox::talk::Steps;
use crate::workspace::Workspace;
use crate::{commands, lock, setup};

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
    setup::destination(&args.registry)?;
    let _lock = lock::build(workspace)?;
    let mut steps = Steps::of(2);
    let toolbox = setup::toolbox(workspace, &args.programs, &mut steps.next(setup::PROGRAMS))?;
    let builds = setup::default_builds(workspace)?;
    let artifacts = setup::artifacts(workspace, &builds, Some(&toolbox), &mut steps.next(setup::WORKLOAD))?;
    let clock = Stopwatch::start();
    let images = setup::images(workspace, &artifacts)?;
    let registry = setup::registry(&args.registry)?;
    let pushed = setup::push(&images, &registry, &Stop::never()?)?;
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
    Ok(Exit::Done)
}
