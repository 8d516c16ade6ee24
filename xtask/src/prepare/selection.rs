//! What a run measures: benches and cases that were asked for, and can be measured here.

use std::path::Path;

use anyhow::Context as _;

use super::own::{self, Own};
use super::{images, programs, registry};
use crate::bench::{self, Bench};
use crate::cli::{BenchArgs, MatrixArgs};
use crate::clock::now_utc;
use crate::matrix::{self, Matrix};
use crate::plan::{Plan, Rounds, plan};
use crate::session::privileges::Privileges;
use crate::toolbox;
use crate::workspace::Workspace;
use results::NotMeasured;
use results::case::{Case, names};
use results::store::ensure_new;

#[cfg(test)]
mod tests;

/// The rows of this project.
///
/// # Errors
/// When a file is refused.
pub fn defined(workspace: &Workspace) -> anyhow::Result<Matrix> {
    matrix::load(&workspace.matrix(), &images::definitions(workspace)?)
}

/// The rows that there are: those of a folder, and those of runtimes that were named. Each of these is asked who it is.
///
/// # Errors
/// When a file of the folder is refused, or a runtime is none.
pub fn matrix(workspace: &Workspace, args: &MatrixArgs) -> anyhow::Result<Matrix> {
    let folder = args.matrix.clone().unwrap_or_else(|| workspace.matrix());
    let mut matrix = matrix::load(&folder, &images::definitions(workspace)?)?;
    for own in &args.runtimes {
        let context = || format!("`{own}` can not be used");
        let path = std::path::absolute(&own.file).with_context(context)?;
        let made = toolbox::identity::runtime(&path).with_context(context)?;
        matrix.add_runtime(own, &path, made).with_context(context)?;
    }
    Ok(matrix)
}

/// What is measured, and what is not for lack of root.
pub struct Selected {
    /// What its cases are made of.
    pub matrix: Matrix,
    /// The plan of what can be measured here.
    pub plan: Plan,
    /// Whose program it is, when not this project's.
    pub own: Option<Own>,
    /// The rest, with the reason.
    pub not_measured: Vec<NotMeasured>,
    /// How to become root.
    pub privileges: Privileges,
}

/// What can be measured here of what was asked for. Nothing is built, fetched or written.
///
/// # Errors
/// When a definition, a name or an option is wrong, or nothing can be measured.
pub fn select(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<Selected> {
    if let Some(out) = &args.folders.out {
        ensure_new(out)?;
    }
    let own = own::resolve(workspace, (&args.origin, &args.input))?;
    let benches = benches(workspace, own.as_ref(), args.benches_file.as_deref(), &args.select.benches)?;
    let matrix = matrix(workspace, &args.select.rows.of)?;
    let cases = matrix.select(&args.select.rows.cases, &args.select.rows.sets)?;
    registry::destination(&args.registry)?;
    // Before its address is recorded with the command.
    programs::options(&args.programs)?;
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
    let seed = args.rounds.seed.seed.unwrap_or_else(|| now_utc().seed());
    let rounds = Rounds { warmup: args.rounds.warmup, counted: args.rounds.counted(), seed };
    let calibration = bench::calibration::load(&workspace.calibration_toml())?;
    let mut plan = plan(benches, (&matrix, &cases), rounds)?.looking(calibration);
    if args.first_use.first_use {
        plan = plan.with_modules(&matrix);
    }
    if args.measures.timeline {
        plan = plan.with_traces()?;
    }
    Ok(Selected { matrix, plan, own, not_measured, privileges })
}

/// The benches that patterns select: of somebody's own program, of the file that is named, or of this project.
///
/// # Errors
/// When the definitions are wrong, or a pattern matches none.
pub fn benches(
    workspace: &Workspace,
    own: Option<&Own>,
    file: Option<&Path>,
    patterns: &[String],
) -> anyhow::Result<Vec<Bench>> {
    if let Some(own) = own {
        return Ok(bench::select(&own.benches, patterns)?);
    }
    let all = bench::load(&file.map_or_else(|| workspace.benches_toml(), Path::to_path_buf))?;
    Ok(bench::select(&all, patterns)?)
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
        metric: None,
        reason: reason.clone(),
    };
    benches.iter().flat_map(|bench| barred.iter().map(move |case| row(bench, case))).collect()
}
