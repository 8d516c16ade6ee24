//! `run CASE`: one run, its output shown. Nothing is kept.

use anyhow::Context as _;

use crate::bench;
use crate::cli::{Exit, RunArgs};
use crate::lock;
use crate::plan::{Build, Plan, Rounds, Schedule, plan};
use crate::prepare::starts::{self, Parts};
use crate::prepare::{self, Needs, Shipping};
use crate::progress::Steps;
use crate::session;
use crate::session::process::Privileges;
use crate::session::request::{ComparedOutput, Session};
use crate::stop::Stop;
use crate::workspace::Workspace;
use results::Outcome;
use results::case::{Case, Cell};
use results::store::parse_samples;

/// Sets up what the case needs, runs it once, and says how it ended.
pub fn run(workspace: &Workspace, args: &RunArgs) -> anyhow::Result<Exit> {
    prepare::destination(&args.registry)?;
    let matrix = prepare::matrix(workspace, &args.of)?;
    let case = matrix.case(&args.case)?;
    let bench = bench::select_one(&bench::load(&workspace.benches_toml())?, &args.bench)?;
    let privileges = Privileges::find(args.programs.namespaces());
    if let (true, Privileges::Denied(reason)) = (case.is_container(), &privileges) {
        anyhow::bail!("`{case}` can not be run: {reason}");
    }
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let cases = std::slice::from_ref(case);
    let plan = plan(vec![bench.clone()], (&matrix, cases), Rounds { warmup: 0, counted: 1, seed: 0 })?;
    let needs = Needs::of(workspace, &plan)?;
    let mut steps = Steps::of(2 + needs.steps());
    let toolbox = prepare::toolbox(workspace, &args.programs, &mut steps.next(prepare::PROGRAMS))?;
    let build = Build { program: bench.program.clone(), kind: case.form };
    let artifacts = prepare::artifacts(workspace, &[build], Some(&toolbox), &mut steps.next(prepare::WORKLOAD))?;
    let further = needs.get(workspace, &toolbox, &args.programs, &mut steps)?;
    let shipping = if plan.has_containers() { Shipping::Push(&args.registry, &stop) } else { Shipping::AssembleOnly };
    let shipped = prepare::ship(workspace, &artifacts, shipping)?;
    let parts = Parts {
        toolbox: Some(&toolbox),
        further: &further,
        registry: shipped.registry.as_ref(),
        scratch: None,
        containerd_address: args.programs.containerd_address.clone(),
    };
    let samples = tempfile::NamedTempFile::new().context("can not make a temporary file")?;
    // The plan's has a twin, and one run is asked for.
    let plan = Plan { cells: vec![Cell::of(case.clone())], ..plan };
    let session = Session {
        benches: vec![starts::bench(&bench, &artifacts, Some(&shipped))],
        schedule: Schedule::new(1, plan.cells.clone(), plan.schedule.rounds()),
        until: None,
        timeout_ms: args.timeout * 1000,
        starts: starts::starts(workspace, &matrix, &plan, &parts)?,
        containers: if plan.has_containers() { Some(starts::containers(workspace, &parts)?) } else { None },
        samples: samples.path().to_path_buf(),
        measured: std::path::PathBuf::new(),
        output: ComparedOutput::Shown,
    };
    let measured = session::run(workspace, session, (&privileges, parts.registry), &stop)?;
    if let Some(reason) = measured.reason {
        anyhow::bail!("`{case}` could not be run: {reason}");
    }
    if let Some(row) = measured.not_measured.first() {
        anyhow::bail!("`{case}` could not be run: {}", row.reason);
    }
    show_end(&parse_samples(&std::fs::read(samples.path())?).0, case)
}

fn show_end(samples: &[results::Sample], case: &Case) -> anyhow::Result<Exit> {
    let Some(sample) = samples.first() else { return Ok(Exit::Interrupted) };
    let wall_ms = sample.wall_ns.unwrap_or(0) as f64 / 1e6;
    if sample.outcome == Outcome::Ok {
        crate::console::note(format_args!("`{case}` took {wall_ms:.1} ms (one run: no measurement)"));
        return Ok(Exit::Done);
    }
    anyhow::bail!("`{case}` failed: {}", sample.reason.clone().unwrap_or_default())
}
