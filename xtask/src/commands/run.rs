//! `run CASE`: one run, its output shown. Nothing is kept.

use anyhow::Context as _;

use crate::bench::{self, Bench};
use crate::cli::{Exit, RunArgs};
use crate::measure::runs::ComparedOutput;
use crate::plan::{Plan, Rounds, Schedule, plan};
use crate::prepare::own::{self, Own};
use crate::prepare::starts::{ResourcesWanted, SessionOptions};
use crate::prepare::{Sources, prepare, programs, registry, selection};
use crate::session::privileges::Privileges;
use crate::stop::Stop;
use crate::workspace::Workspace;
use crate::{lock, precision, session};
use results::Outcome;
use results::case::{Case, Cell};
use results::store::parse_samples;

/// The bench that is run when none is named.
const DEFAULT_BENCH: &str = "array-sum";

/// Sets up what the case needs, runs it once, and says how it ended.
pub fn run(workspace: &Workspace, args: &RunArgs) -> anyhow::Result<Exit> {
    registry::destination(&args.registry)?;
    programs::options(&args.programs)?;
    let matrix = selection::matrix(workspace, &args.of)?;
    let case = matrix.case(&args.case)?;
    let own = own::resolve(workspace, (&args.origin, &args.input))?;
    let bench = one_bench(workspace, own.as_ref(), args.bench.as_deref())?;
    let privileges = Privileges::find(args.programs.namespaces());
    if let (true, Privileges::Denied(reason)) = (case.is_container(), &privileges) {
        anyhow::bail!("`{case}` can not be run: {reason}");
    }
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let rounds = Rounds { warmup: 0, counted: 1, seed: 0 };
    let plan = plan(vec![bench], (&matrix, std::slice::from_ref(case)), rounds)?;
    // The plan's has a twin, and one run is asked for.
    let cells = vec![Cell::of(case.clone())];
    let plan = Plan { schedule: Schedule::new(1, cells.clone(), rounds), cells, ..plan };
    let own = own.as_ref().map(|own| &own.known);
    let sources = Sources { programs: &args.programs, registry: &args.registry, own };
    let prepared = prepare(workspace, (&matrix, &plan), sources, &stop)?;
    let samples = tempfile::NamedTempFile::new().context("can not make a temporary file")?;
    let options = SessionOptions {
        until: None,
        manifest: None,
        timeout_ms: args.limit.timeout_ms(),
        output: ComparedOutput::Shown,
        samples: samples.path().to_path_buf(),
        resources: ResourcesWanted::No,
        traces: None,
        scratch: None,
        containerd_address: args.programs.containerd_address.clone(),
    };
    let session = prepared.session(workspace, (&matrix, &plan), options)?;
    let measured =
        session::run(workspace, session, (&privileges, prepared.shipped.password()), &stop, &precision::widest)?;
    if let Some(reason) = measured.reason {
        anyhow::bail!("`{case}` could not be run: {reason}");
    }
    if let Some(row) = measured.not_measured.first() {
        anyhow::bail!("`{case}` could not be run: {}", row.reason);
    }
    show_end(&parse_samples(&std::fs::read(samples.path())?).0, case)
}

/// The bench that is named; without a name the first of somebody's own program, or this project's headline.
fn one_bench(workspace: &Workspace, own: Option<&Own>, name: Option<&str>) -> anyhow::Result<Bench> {
    match (own, name) {
        (Some(own), None) => own.benches.first().cloned().context("the program has no bench"),
        (Some(own), Some(name)) => Ok(bench::select_one(&own.benches, name)?),
        (None, name) => Ok(bench::select_one(&bench::load(&workspace.benches_toml())?, name.unwrap_or(DEFAULT_BENCH))?),
    }
}

fn show_end(samples: &[results::Sample], case: &Case) -> anyhow::Result<Exit> {
    let Some(sample) = samples.first() else { return Ok(Exit::Interrupted) };
    let wall_ms = sample.wall_ns().unwrap_or(0) as f64 / 1e6;
    if sample.outcome == Outcome::Ok {
        crate::console::note(format_args!("`{case}` took {wall_ms:.1} ms (one run: no measurement)"));
        return Ok(Exit::Done);
    }
    anyhow::bail!("`{case}` failed: {}", sample.reason.as_deref().unwrap_or_default())
}
