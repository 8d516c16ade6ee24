//! `density`: what one more idle instance costs a node, and whether containers that come and go leave something.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::bench::{self, Bench, Expected, Input, Reads, Selection, Tracing};
use crate::cli::{DensityArgs, Exit, Format};
use crate::clock::now_utc;
use crate::density::reading::PROC;
use crate::density::{Ready, Request, counters, limits};
use crate::machine::load::Snapshot;
use crate::measure::runs::ComparedOutput;
use crate::plan::{Plan, Rounds, Schedule, plan};
use crate::prepare::node::NodeDaemon;
use crate::prepare::own::{self, Own, results_of};
use crate::prepare::selection::{self, Selected};
use crate::prepare::starts::{ResourcesWanted, SessionOptions};
use crate::prepare::{Prepared, Sources, manifest, prepare, programs, registry};
use crate::session::measured::Measured;
use crate::session::privileges::Privileges;
use crate::session::{self, leftovers};
use crate::stop::Stop;
use crate::workspace::Workspace;
use crate::{commands, lock, machine, precision};
use ::report::density::DensityRun;
use results::case::Cell;
use results::store::{RunDir, ensure_new};
use results::{Manifest, RunStatus, density};

/// How many starts are under way at once, in turn.
const AT_ONCE: [u32; 4] = [1, 2, 4, 8];
/// How many instances each of these starts, but no more than there are levels for.
const STARTS_AT_ONCE: u32 = 16;
/// What lies between the last start of a level and its first reading.
const SETTLE_MS: u64 = 500;
/// The margin that a manifest names; nothing of a density run is judged by it.
const DELTA: f64 = 0.02;
/// What the smallest instance takes at least.
const INSTANCE_MIN_BYTES: u64 = 1 << 20;

/// Measures, reports, and says how complete that was.
pub fn run(workspace: &Workspace, args: &DensityArgs) -> anyhow::Result<Exit> {
    let selected = select(workspace, args)?;
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let (started, before) = (now_utc(), Snapshot::take());
    let own = selected.own.as_ref().map(|own| &own.known);
    let sources = Sources { programs: &args.programs, registry: &args.registry, own };
    let prepared = match prepare(workspace, (&selected.matrix, &selected.plan), sources, &stop) {
        Err(error) if stop.is_requested() => {
            crate::console::note(format_args!("interrupted before anything was measured: {error:#}"));
            return Ok(Exit::Interrupted);
        }
        prepared => prepared?,
    };
    let settings = manifest::Settings {
        delta: DELTA,
        sequential: None,
        timeout_ms: args.limit.timeout_ms(),
        density: Some(density_plan(args)),
        daemon: NodeDaemon::of(&args.programs),
    };
    let manifest = manifest::begin(workspace, settings, &selected, &prepared, started)?;
    let results = results_of(args.origin.file.as_deref())?.unwrap_or_else(|| workspace.results());
    let out = args.folders.out.clone().unwrap_or_else(|| results.join(&manifest.run));
    let out = std::path::absolute(&out).with_context(|| format!("`{}` is no path", out.display()))?;
    let dir = RunDir::create(&out, &manifest)?;
    crate::console::note(format_args!("reading into `{}`", dir.path().display()));
    let mut measured =
        measure(workspace, args, (&selected, &prepared), (&manifest, &dir), &stop).with_context(|| {
            format!("the run was cut off; `cargo xtask report {}` shows the rest", dir.path().display())
        })?;
    measured.load.load_before = before.load_average();
    conclude(args, &dir, manifest, measured)
}

/// What can be measured here of what was asked for. Nothing is built, fetched or written.
fn select(workspace: &Workspace, args: &DensityArgs) -> anyhow::Result<Selected> {
    if let Some(out) = &args.folders.out {
        ensure_new(out)?;
    }
    let own = own::resolve(workspace, (&args.origin, &args.instance.input()))?;
    let bench = bench(own.as_ref(), args)?;
    let matrix = selection::matrix(workspace, &args.rows.of)?;
    let mut cases = matrix.select(&args.rows.cases, &args.rows.sets)?;
    registry::destination(&args.registry)?;
    programs::options(&args.programs)?;
    expect_memory(args)?;
    if args.churn.is_some() {
        cases.retain(results::case::Case::is_container);
        ensure!(!cases.is_empty(), "`--churn` is about containers, and none of these cases makes one");
    }
    let privileges = Privileges::find(args.programs.namespaces());
    if let Privileges::Denied(reason) = &privileges {
        anyhow::bail!("nothing can be measured: every process in sight has to be the run's own, and {reason}");
    }
    let seed = args.seed.seed.unwrap_or_else(|| now_utc().seed());
    let counted = if args.churn.is_some() { 1 } else { args.repeat };
    let rounds = Rounds { warmup: 0, counted, seed };
    let plan = plan(vec![bench], (&matrix, &cases), rounds)?;
    // A twin would tell the resolution of a comparison, and here are none.
    let cells: Vec<Cell> = cases.into_iter().map(Cell::of).collect();
    let plan = Plan { schedule: Schedule::new(1, cells.clone(), rounds), cells, ..plan };
    Ok(Selected { matrix, plan, own, not_measured: Vec::new(), privileges })
}

/// Before minutes are spent: more than there is memory for, whatever an instance is.
fn expect_memory(args: &DensityArgs) -> anyhow::Result<()> {
    let Some(available) = counters::available_bytes(Path::new(PROC)) else { return Ok(()) };
    let each = (args.dirty_mib << 20).max(INSTANCE_MIN_BYTES);
    let wanted = each.saturating_mul(args.up_to.into());
    ensure!(
        args.churn.is_some() || wanted <= available,
        "`--up-to {}` would take at least {} MB ({} MB each), and {} MB are free: say a smaller number{}",
        args.up_to,
        wanted / 1_000_000,
        each / 1_000_000,
        available / 1_000_000,
        if args.dirty_mib > 0 { ", or a smaller `--dirty-mib`" } else { "" }
    );
    Ok(())
}

/// What an instance runs: somebody's own program, or ours.
fn bench(own: Option<&Own>, args: &DensityArgs) -> anyhow::Result<Bench> {
    let Some(own) = own else { return Ok(ours(args)) };
    let bench = match &args.bench {
        Some(name) => bench::select_one(&own.benches, name)?,
        None => own.benches.first().cloned().context("the program has no bench")?,
    };
    ensure!(
        !matches!(bench.input.stdin, Reads::File(_)),
        "`{}` reads a file, which ends, and an instance is given nothing on its standard input: name another bench \
         (`--bench`), or the program and its arguments without `--file`",
        bench.name
    );
    // What it prints is thrown away, as that of a container is.
    Ok(Bench { expected: Expected::Anything, tracing: Tracing::Not, ..bench })
}

/// Of ours for the levels one that waits, for containers that come and go one that ends at once.
fn ours(args: &DensityArgs) -> Bench {
    let (program, why) = match args.churn {
        Some(_) => ("noop", "It ends at once: what is left of many is not the program's."),
        None => ("wait", "It waits until it is ended: what one more of it costs."),
    };
    let dirty = args.dirty_mib.to_string();
    let given: &[&str] = if args.dirty_mib > 0 { &["--dirty-mib", &dirty] } else { &[] };
    Bench {
        name: program.to_owned(),
        tracing: Tracing::Not,
        program: program.to_owned(),
        args: given.iter().map(|&word| word.to_owned()).collect(),
        input: Input::default(),
        expected: Expected::text(""),
        why: why.to_owned(),
        role: None,
        selection: Selection::OnRequest,
        sweep: None,
    }
}

fn density_plan(args: &DensityArgs) -> density::Plan {
    let processors = machine::read().cpus.map(u64::from);
    density::Plan {
        levels: if args.churn.is_some() { Vec::new() } else { levels(args.up_to) },
        settle_ms: SETTLE_MS,
        hold_ms: args.hold * 1000,
        at_once: if args.churn.is_some() { Vec::new() } else { AT_ONCE.to_vec() },
        starts_at_once: STARTS_AT_ONCE.min(args.up_to),
        churn: args.churn.unwrap_or(0),
        dirty_mib: args.dirty_mib,
        limits: limits::node_limits(Path::new(PROC), processors),
    }
}

/// 1, 2, 4 … and the number itself.
fn levels(up_to: u32) -> Vec<u32> {
    let mut levels: Vec<u32> =
        std::iter::successors(Some(1_u32), |level| level.checked_mul(2)).take_while(|level| *level < up_to).collect();
    levels.push(up_to);
    levels
}

fn measure(
    workspace: &Workspace,
    args: &DensityArgs,
    (selected, prepared): (&Selected, &Prepared),
    (manifest, dir): (&Manifest, &RunDir),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    let plan = manifest.density.clone().context("the manifest has no plan")?;
    let options = SessionOptions {
        until: None,
        manifest: None,
        timeout_ms: manifest.timeout_ms,
        output: ComparedOutput::Discarded,
        samples: dir.density_path(),
        resources: ResourcesWanted::No,
        traces: None,
        scratch: args.folders.scratch.clone(),
        containerd_address: args.programs.containerd_address.clone(),
    };
    let mut session = prepared.session(workspace, (&selected.matrix, &selected.plan), options)?;
    let group = session.containers.as_ref().map_or_else(leftovers::new_name, |containers| containers.namespace.clone());
    let ready = if selected.own.is_some() { Ready::AtOnce } else { Ready::Announced };
    session.density = Some(Request { plan, group, ready });
    session::run(workspace, session, (&selected.privileges, prepared.shipped.password()), stop, &precision::widest)
}

fn conclude(args: &DensityArgs, dir: &RunDir, manifest: Manifest, measured: Measured) -> anyhow::Result<Exit> {
    let (reason, status) = (measured.reason.clone(), measured.status);
    let manifest = manifest::finish(manifest, measured, now_utc());
    let whole = manifest.not_measured.is_empty();
    dir.write_manifest(&manifest)?;
    if let Some(reason) = reason {
        anyhow::bail!("the run ended early: {reason}");
    }
    report(dir, args.format.format)?;
    Ok(match status {
        RunStatus::Interrupted => Exit::Interrupted,
        RunStatus::Complete if whole => Exit::Done,
        RunStatus::Complete | RunStatus::Failed => Exit::Partial,
    })
}

/// Reads a density run, computes what follows from it, shows it and keeps it.
///
/// # Errors
/// When it can not be read, shown or kept.
pub fn report(dir: &RunDir, format: Format) -> anyhow::Result<Exit> {
    let (manifest, lines, lost) = dir.read_density()?;
    for lost in &lost {
        crate::console::note(format_args!("`{}`: {lost}", dir.density_path().display()));
    }
    let summary = density::analysis::analyse(&manifest, &lines);
    let run = DensityRun { manifest, summary };
    match format {
        Format::Json => commands::print_json(&run.summary)?,
        Format::Text => commands::print_density(&run)?,
    }
    for (name, text) in ::report::density::files(&run)? {
        dir.write(name, text.as_bytes())?;
    }
    let manifest = run.manifest;
    let complete = manifest.finished.as_ref().is_some_and(|finished| finished.status == RunStatus::Complete);
    Ok(if complete && lost.is_empty() { Exit::Done } else { Exit::Partial })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_double_until_the_number_itself() {
        assert_eq!(levels(2), [1, 2]);
        assert_eq!(levels(6), [1, 2, 4, 6]);
        assert_eq!(levels(32), [1, 2, 4, 8, 16, 32]);
    }
}
