//! `bench`: the main job. Set-up, then rounds, then the report, each step with the value of the one before.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::bench::{self, Bench};
use crate::cli::{BenchArgs, Exit};
use crate::clock::now_utc;
use crate::compile::Artifact;
use crate::machine::load::Snapshot;
use crate::matrix::Matrix;
use crate::plan::{Plan, Rounds, plan};
use crate::prepare::starts::{self, Parts};
use crate::prepare::{ExtraPrograms, Needs, Shipped, Shipping};
use crate::progress::Steps;
use crate::session::process::Privileges;
use crate::session::request::{ComparedOutput, Measured, Session, SessionBench, Until};
use crate::stop::Stop;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use crate::{lock, prepare, session};
use results::case::{Case, names};
use results::store::{RunDir, ensure_new};
use results::{Manifest, NotMeasured, RunStatus, Sequential};
use stats::Confidence;

#[cfg(test)]
mod tests;

/// Measures, reports, and says how complete that was.
pub fn run(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<Exit> {
    let selected = select(workspace, args)?;
    // Before signals are caught: whoever waits for the lock can be interrupted.
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let started = now_utc();
    // Before anything is built: our own work is not what a reader wants to know about.
    let before = Snapshot::take();
    let prepared = match prepare(workspace, args, &selected, &stop) {
        Err(error) if stop.is_requested() => {
            crate::console::note(format_args!("interrupted before anything was measured: {error:#}"));
            return Ok(Exit::Interrupted);
        }
        prepared => prepared?,
    };
    let manifest = prepare::manifest::manifest(workspace, args, &selected, &prepared, started)?;
    let dir = RunDir::create(&out_dir(workspace, args, &manifest)?, &manifest)?;
    crate::console::note(format_args!("measuring {} runs into `{}`", runs(&selected.plan), dir.path().display()));
    let measured = measure(workspace, args, &selected, &prepared, (&manifest, &dir), &stop);
    let mut measured = measured.with_context(|| {
        format!("the run was cut off; `cargo xtask report {}` shows the samples until then", dir.path().display())
    })?;
    measured.load.load_before = before.load_average();
    conclude(workspace, args, &dir, manifest, measured)
}

/// What is measured, and what is not for lack of root.
pub struct Selected {
    /// What its cases are made of.
    pub matrix: Matrix,
    /// The plan of what can be measured here.
    pub plan: Plan,
    /// The rest, with the reason.
    pub not_measured: Vec<NotMeasured>,
    /// How to become root.
    pub privileges: Privileges,
}

fn select(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<Selected> {
    if let Some(out) = &args.out {
        ensure_new(out)?;
    }
    let file = args.benches_file.clone().unwrap_or_else(|| workspace.benches_toml());
    let benches = bench::select(&bench::load(&file)?, &args.select.benches)?;
    let matrix = prepare::matrix(workspace, &args.select.rows.of)?;
    let cases = matrix.select(&args.select.rows.cases, &args.select.rows.sets)?;
    // A definition that is broken should be told before minutes of building.
    prepare::definitions(workspace)?;
    prepare::destination(&args.registry)?;
    // Before its address is recorded with the command.
    prepare::options(&args.programs)?;
    let privileges = Privileges::find(args.programs.namespaces());
    let (cases, barred): (Vec<Case>, Vec<Case>) = match &privileges {
        Privileges::Denied(_) => cases.into_iter().partition(|case| !case.is_container()),
        Privileges::Root | Privileges::Sudo => (cases, Vec::new()),
    };
    let not_measured = not_measured(&benches, &barred, &privileges);
    if cases.is_empty() {
        anyhow::bail!(
            "nothing can be measured: {}",
            not_measured.first().map_or("no case is selected", |row| &row.reason)
        );
    }
    if args.until.is_some() {
        expect_ratio(&cases)?;
    }
    let seed = args.rounds.seed.unwrap_or_else(|| now_utc().seed());
    let rounds = Rounds { warmup: args.rounds.warmup, counted: args.rounds.counted(), seed };
    let plan = plan(benches, (&matrix, &cases), rounds)?;
    Ok(Selected { matrix, plan, not_measured, privileges })
}

/// What `--until` watches: the ratios of cases to their baselines.
fn expect_ratio(cases: &[Case]) -> anyhow::Result<()> {
    let is_ratio = |case: &Case| cases.iter().any(|other| case.baseline.as_ref() == Some(&other.name));
    if cases.iter().any(is_ratio) {
        return Ok(());
    }
    let mut baselines: Vec<&str> = cases.iter().map(|case| case.baseline.as_deref().unwrap_or(&case.name)).collect();
    baselines.dedup();
    anyhow::bail!(
        "`--until` watches the ratio of a case to its baseline, and there is none among {}: add another case beside {} \
         with `--case`, or leave out `--until`",
        names(cases),
        names(&baselines)
    )
}

fn not_measured(benches: &[Bench], barred: &[Case], privileges: &Privileges) -> Vec<NotMeasured> {
    let Privileges::Denied(reason) = privileges else { return Vec::new() };
    let row = |bench: &Bench, case: &Case| NotMeasured {
        bench: bench.name.clone(),
        case: case.to_string(),
        reason: reason.clone(),
    };
    benches.iter().flat_map(|bench| barred.iter().map(move |case| row(bench, case))).collect()
}

/// Everything that has to exist before the first round.
pub struct Prepared {
    /// The programs.
    pub toolbox: Option<Toolbox>,
    /// The built files.
    pub artifacts: Vec<Artifact>,
    /// Programs that only some cases need, the shims among them.
    pub further: ExtraPrograms,
    /// The images, and the registry that holds them.
    pub shipped: Shipped,
}

fn prepare(workspace: &Workspace, args: &BenchArgs, selected: &Selected, stop: &Stop) -> anyhow::Result<Prepared> {
    let plan = &selected.plan;
    let needs_toolbox = plan.has_containers() || plan.has_modules();
    let needs = Needs::of(workspace, plan)?;
    let mut steps = Steps::of(1 + usize::from(needs_toolbox) + needs.steps());
    let toolbox = if needs_toolbox {
        Some(prepare::toolbox(workspace, &args.programs, &mut steps.next(prepare::PROGRAMS))?)
    } else {
        None
    };
    let artifacts = prepare::artifacts(workspace, &plan.builds, toolbox.as_ref(), &mut steps.next(prepare::WORKLOAD))?;
    let further = match &toolbox {
        Some(toolbox) => needs.get(workspace, toolbox, &args.programs, &mut steps)?,
        None => ExtraPrograms::new(),
    };
    // Sizes need no root: images are assembled for every kind that was built.
    let shipping = if plan.has_containers() { Shipping::Push(&args.registry, stop) } else { Shipping::AssembleOnly };
    let shipped = prepare::ship(workspace, &artifacts, shipping)?;
    Ok(Prepared { toolbox, artifacts, further, shipped })
}

fn runs(plan: &Plan) -> usize {
    let rounds = plan.schedule.rounds();
    (rounds.warmup + rounds.counted) as usize * plan.schedule.slots_per_round()
}

fn out_dir(workspace: &Workspace, args: &BenchArgs, manifest: &Manifest) -> anyhow::Result<PathBuf> {
    let dir = args.out.clone().unwrap_or_else(|| workspace.results().join(&manifest.run));
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
    let parts = Parts {
        toolbox: prepared.toolbox.as_ref(),
        further: &prepared.further,
        registry: prepared.shipped.registry.as_ref(),
        scratch: args.scratch.clone(),
        containerd_address: args.programs.containerd_address.clone(),
    };
    let session = Session {
        benches: benches(&selected.plan, prepared),
        schedule: selected.plan.schedule.clone(),
        until: until(args, manifest, dir),
        timeout_ms: args.timeout * 1000,
        starts: starts::starts(workspace, &selected.matrix, &selected.plan, &parts)?,
        containers: if selected.plan.has_containers() { Some(starts::containers(workspace, &parts)?) } else { None },
        samples: dir.samples_path(),
        measured: PathBuf::new(),
        output: ComparedOutput::Discarded,
    };
    session::run(workspace, session, (&selected.privileges, parts.registry), stop)
}

fn benches(plan: &Plan, prepared: &Prepared) -> Vec<SessionBench> {
    plan.benches.iter().map(|bench| starts::bench(bench, &prepared.artifacts, Some(&prepared.shipped))).collect()
}

/// The looks of a run that stops on precision, as the manifest records them.
pub fn sequential(args: &BenchArgs) -> anyhow::Result<Option<Sequential>> {
    let Some(until) = args.until else { return Ok(None) };
    let looks = stats::looks::looks(args.rounds.counted());
    let confidence =
        Confidence::new(prepare::manifest::CONFIDENCE).context("the nominal confidence is no confidence")?;
    let look_confidence = stats::looks::look_confidence(confidence, looks.len()).value();
    Ok(Some(Sequential { until_percent: until * 100.0, looks, look_confidence }))
}

fn until_sentence(manifest: &Manifest) -> Option<String> {
    let wanted = manifest.sequential.as_ref()?.until_percent;
    let end = manifest.finished.as_ref()?.until.as_ref();
    Some(end.map_or_else(
        || format!("`--until {wanted}%` was not reached: the run was interrupted"),
        |end| end.sentence(wanted),
    ))
}

fn until(args: &BenchArgs, manifest: &Manifest, dir: &RunDir) -> Option<Until> {
    manifest.sequential.as_ref().map(|sequential| Until {
        relative_width: sequential.until_percent / 100.0,
        looks: sequential.looks.clone(),
        manifest: dir.path().join("manifest.json"),
        budget_ms: args.budget.map(|minutes| minutes * 60_000),
    })
}

fn conclude(
    workspace: &Workspace,
    args: &BenchArgs,
    dir: &RunDir,
    manifest: Manifest,
    measured: Measured,
) -> anyhow::Result<Exit> {
    let reason = measured.reason.clone();
    let status = measured.status;
    let manifest = prepare::manifest::finish(manifest, measured, now_utc());
    let complete = manifest.not_measured.is_empty();
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
    super::report::show(&reported, args.format.format)
        .with_context(|| format!("the run is whole in `{}`, but", dir.path().display()))?;
    if let Some(sentence) = until {
        crate::console::note(sentence);
    }
    crate::console::note(super::report::page(dir));
    let failed = reported.run.summary.cases.iter().any(|case| case.failed > 0);
    Ok(match status {
        RunStatus::Interrupted => Exit::Interrupted,
        RunStatus::Complete if complete && !failed && reported.is_whole() => Exit::Done,
        RunStatus::Complete | RunStatus::Failed => Exit::Partial,
    })
}
