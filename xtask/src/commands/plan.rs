//! `plan`: what `bench` would do, in order. Needs no root and changes nothing.

use serde::Serialize;

use crate::cli::{Exit, Format, PlanArgs};
use crate::plan::{Plan, Rounds, plan};
use crate::workspace::Workspace;
use crate::{commands, prepare};

/// Shows the plan.
pub fn run(workspace: &Workspace, args: &PlanArgs) -> anyhow::Result<Exit> {
    let own = prepare::own::resolve(workspace, (&args.origin, &args.input))?;
    let benches = prepare::selection::benches(workspace, own.as_ref(), None, &args.select.benches)?;
    let matrix = prepare::selection::matrix(workspace, &args.select.rows.of)?;
    let cases = matrix.select(&args.select.rows.cases, &args.select.rows.sets)?;
    let rounds =
        Rounds { warmup: args.rounds.warmup, counted: args.rounds.counted(), seed: args.rounds.seed.seed.unwrap_or(0) };
    let calibration = crate::bench::calibration::load(&workspace.calibration_toml())?;
    let plan = plan(benches, (&matrix, &cases), rounds)?.looking(calibration);
    match args.format.format {
        Format::Json => commands::print_json(&document(&plan))?,
        Format::Text => commands::print(&text(&plan))?,
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Document {
    benches: Vec<String>,
    cells: Vec<String>,
    builds: Vec<String>,
    images: Vec<String>,
    rounds: Vec<Vec<String>>,
}

fn document(plan: &Plan) -> Document {
    let rounds = plan.schedule.rounds();
    let slot =
        |slot: &crate::plan::Slot| format!("{} {}", plan.benches[slot.place.bench].name, plan.cells[slot.place.cell]);
    Document {
        benches: plan.benches.iter().map(|bench| bench.name.clone()).collect(),
        cells: plan.cells.iter().map(ToString::to_string).collect(),
        builds: plan.all_builds().iter().map(|build| format!("{} {}", build.program, build.kind)).collect(),
        images: plan
            .builds
            .iter()
            .flat_map(|build| {
                let of_kind = plan.images_to_run().into_iter().filter(|(kind, _)| *kind == build.kind);
                of_kind.map(|(_, name)| format!("{}:{name}", build.program)).collect::<Vec<_>>()
            })
            .collect(),
        rounds: (0..rounds.warmup + rounds.counted)
            .map(|round| plan.schedule.round(round).iter().map(slot).collect())
            .collect(),
    }
}

fn text(plan: &Plan) -> String {
    let document = document(plan);
    let rounds = plan.schedule.rounds();
    let mut out = Vec::new();
    let mut list = |title: &str, items: &[String]| {
        out.push(title.to_owned());
        out.extend(items.iter().map(|item| format!("  {item}")));
    };
    list("benches", &document.benches);
    list("build", &document.builds);
    list("assemble, push and pull", &document.images);
    list("cells of every round (`#2` is the A/A twin)", &document.cells);
    let first = document.rounds.get(rounds.warmup as usize).cloned().unwrap_or_default();
    list(
        &format!(
            "{} warm-up rounds and {} counted ones of {} runs each; with seed {}, the first counted one is",
            rounds.warmup,
            rounds.counted,
            plan.schedule.slots_per_round(),
            rounds.seed
        ),
        &first,
    );
    out.push(String::new());
    out.join("\n")
}
