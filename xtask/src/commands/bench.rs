//! `bench`: the main job. Set-up, then rounds, then the report, each step with the value of the one before.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::{BenchArgs, Exit, Format, OriginArgs};
use crate::clock::now_utc;
use crate::machine::load::Snapshot;
use crate::measure::runs::{ComparedOutput, Until};
use crate::plan::Plan;
use crate::prepare::own::results_of;
use crate::prepare::selection::{Selected, select};
use crate::prepare::starts::{ResourcesWanted, SessionOptions};
use crate::prepare::{Prepared, Sources, manifest, prepare};
use crate::session::measured::Measured;
use crate::stop::Stop;
use crate::workspace::Workspace;
use crate::{lock, precision, session};
use results::store::RunDir;
use results::{CaseSummary, Manifest, RunStatus};

/// Measures, reports, and says how complete that was.
pub fn run(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<Exit> {
    let selected = select(workspace, args)?;
    // Before signals are caught: whoever waits for the lock can be interrupted.
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let started = now_utc();
    // Before anything is built: our own work is not what a reader wants to know about.
    let before = Snapshot::take();
    let own = selected.own.as_ref().map(|own| &own.known);
    let sources = Sources { programs: &args.programs, registry: &args.registry, own };
    let prepared = match prepare(workspace, (&selected.matrix, &selected.plan), sources, &stop) {
        Err(error) if stop.is_requested() => {
            crate::console::note(format_args!("interrupted before anything was measured: {error:#}"));
            return Ok(Exit::Interrupted);
        }
        prepared => prepared?,
    };
    let manifest = manifest::begin(workspace, manifest::Settings::of(args)?, &selected, &prepared, started)?;
    let out = out_dir(workspace, (args.folders.out.as_deref(), &args.origin), &manifest)?;
    let dir = RunDir::create(&out, &manifest)?;
    crate::console::note(format_args!("measuring {} runs into `{}`", runs(&selected.plan), dir.path().display()));
    let measured = measure(workspace, args, &selected, &prepared, (&manifest, &dir), &stop);
    let mut measured = measured.with_context(|| {
        format!("the run was cut off; `cargo xtask report {}` shows the samples until then", dir.path().display())
    })?;
    measured.load.load_before = before.load_average();
    conclude(workspace, args.format.format, &dir, manifest, measured)
}

fn runs(plan: &Plan) -> usize {
    let rounds = plan.schedule.rounds();
    (rounds.warmup + rounds.counted) as usize * plan.schedule.slots_per_round()
}

/// The folder of a run: the one that was named, or a new one where runs go.
pub(super) fn out_dir(
    workspace: &Workspace,
    (out, origin): (Option<&Path>, &OriginArgs),
    manifest: &Manifest,
) -> anyhow::Result<PathBuf> {
    let folder =
        || anyhow::Ok(results_of(origin.file.as_deref())?.unwrap_or_else(|| workspace.results()).join(&manifest.run));
    let dir = out.map(Path::to_path_buf).map_or_else(folder, Ok)?;
    std::path::absolute(&dir).with_context(|| format!("`{}` is no path", dir.display()))
}

fn measure(
    workspace: &Workspace,
    args: &BenchArgs,
    selected: &Selected,
    prepared: &Prepared,
    (manifest, dir): (&Manifest, &RunDir),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    let of = (&selected.matrix, &selected.plan);
    let first_use = prepared.first_use(of, &args.first_use, dir.first_use_path());
    if first_use.is_some() {
        dir.create_first_use()?;
    }
    let options = SessionOptions {
        until: until(args, manifest),
        manifest: args.until.is_some().then(|| manifest.clone()),
        timeout_ms: args.limit.timeout_ms(),
        output: ComparedOutput::Discarded,
        samples: dir.samples_path(),
        resources: if args.measures.no_resources { ResourcesWanted::No } else { ResourcesWanted::Yes },
        traces: args.measures.timeline.then(|| dir.traces_path()),
        scratch: args.folders.scratch.clone(),
        containerd_address: args.programs.containerd_address.clone(),
    };
    let mut session = prepared.session(workspace, of, options)?;
    session.first_use = first_use;
    session::run(workspace, session, (&selected.privileges, prepared.shipped.password()), stop, &precision::widest)
}

fn until_sentence(manifest: &Manifest) -> Option<String> {
    let wanted = manifest.sequential.as_ref()?.until_percent;
    let end = manifest.finished.as_ref()?.until.as_ref();
    Some(end.map_or_else(
        || format!("`--until {wanted}%` was not reached: the run was interrupted"),
        |end| end.sentence(wanted),
    ))
}

fn until(args: &BenchArgs, manifest: &Manifest) -> Option<Until> {
    manifest.sequential.as_ref().map(|sequential| Until {
        relative_width: sequential.until_percent / 100.0,
        looks: sequential.looks.clone(),
        budget_ms: args.budget.map(|minutes| minutes * 60_000),
    })
}

/// Writes what a run came to, reports it, and says how complete it is.
pub(super) fn conclude(
    workspace: &Workspace,
    format: Format,
    dir: &RunDir,
    manifest: Manifest,
    measured: Measured,
) -> anyhow::Result<Exit> {
    let reason = measured.reason.clone();
    let status = measured.status;
    let manifest = manifest::finish(manifest, measured, now_utc());
    let complete = manifest.not_measured.iter().all(|row| manifest.is_expected(row));
    if let Some(reason) = reason {
        // A full disk refuses the manifest as well: what failed first is what has to be said.
        if let Err(error) =
            dir.write_manifest(&manifest).and_then(|()| super::report::write(workspace, dir).map(|_| ()))
        {
            crate::console::note(format_args!("the run could not be reported: {error:#}"));
        }
        anyhow::bail!("the run ended early: {reason}");
    }
    dir.write_manifest(&manifest)?;
    let until = until_sentence(&manifest);
    let reported = super::report::write(workspace, dir)?;
    super::report::show(&reported, format)
        .with_context(|| format!("the run is whole in `{}`, but", dir.path().display()))?;
    if let Some(sentence) = until {
        crate::console::note(sentence);
    }
    crate::console::note(super::report::page(dir));
    let summary = &reported.run.summary;
    let failed = summary.cases.iter().any(|case| case.failed > 0 && !is_expected(&manifest, case))
        || summary.timeline.iter().any(|row| row.failed > 0);
    Ok(match status {
        RunStatus::Interrupted => Exit::Interrupted,
        RunStatus::Complete if complete && !failed && reported.is_whole() => Exit::Done,
        RunStatus::Complete | RunStatus::Failed => Exit::Partial,
    })
}

/// Whether a cell failed as it is known to.
fn is_expected(manifest: &Manifest, case: &CaseSummary) -> bool {
    let mut rows = manifest.not_measured.iter().filter(|row| row.bench == case.bench && row.case == case.case);
    rows.any(|row| manifest.is_expected(row))
}
