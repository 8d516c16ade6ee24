//! `compare`: two runs, case by case. The numbers are `compare`'s; here they are shown, and become an exit status.

use anyhow::Context as _;

use super::report::{Reported, read};
use crate::cli::{CompareArgs, CompareFormat, Exit};
use crate::commands;
use crate::workspace::Workspace;
use results::compare::gate::{GateOutcome, Limits, Threshold, Undecided};
use results::compare::{Run, RunComparison, Runs, Wanted, compare};
use results::store::RunDir;
use stats::verdict::Margin;

mod shown;

/// Compares, unless the runs are unlike and nobody asked for it.
pub fn run(workspace: &Workspace, args: &CompareArgs) -> anyhow::Result<Exit> {
    let find = |name: &str| read(workspace, &RunDir::find(&workspace.results(), name)?);
    let (a, b) = (find(&args.run_a)?, find(&args.run_b)?);
    let comparison = compare(Runs { a: view(&a), b: view(&b) }, &wanted(args)?);
    let refusals = comparison.refusals();
    if !refusals.is_empty() && !args.unlike {
        let list: Vec<String> = refusals.iter().map(|difference| shown::describe(difference)).collect();
        let list = list.join("\n  ");
        anyhow::bail!(
            "the runs are unlike, a ratio would be of the circumstances:\n  {list}\nmeasure both on one machine and stack, or \
             compare all the same with `--unlike`"
        );
    }
    match args.format {
        CompareFormat::Json => commands::print_json(&comparison)?,
        CompareFormat::Text => commands::print(&shown::text(&comparison))?,
        CompareFormat::Markdown => commands::print(&shown::markdown(&comparison))?,
    }
    Ok(exit(&comparison))
}

fn wanted(args: &CompareArgs) -> anyhow::Result<Wanted> {
    let threshold = |fraction: Option<f64>, option: &str| match fraction {
        Some(fraction) => Threshold::new(fraction).map(Some).with_context(|| format!("`{option}` is no percentage")),
        None => Ok(None),
    };
    let limits = Limits {
        time: threshold(args.fail_above, "--fail-above")?,
        size: threshold(args.fail_size_above, "--fail-size-above")?,
        undecided: if args.strict { Undecided::Fails } else { Undecided::Passes },
    };
    let gate = (limits.time.is_some() || limits.size.is_some()).then_some(limits);
    Ok(Wanted { margin: args.delta.map(Margin::new), gate })
}

fn view(reported: &Reported) -> Run<'_> {
    Run { manifest: &reported.run.manifest, samples: &reported.run.samples, lost: &reported.lost }
}

fn exit(comparison: &RunComparison) -> Exit {
    match comparison.gate.as_ref().map(|gate| gate.outcome) {
        None | Some(GateOutcome::Passed) if !comparison.lost.is_empty() => Exit::Partial,
        None | Some(GateOutcome::Passed) => Exit::Done,
        Some(GateOutcome::Failed | GateOutcome::Undecided) => Exit::Slower,
        Some(GateOutcome::Incomplete) => Exit::Partial,
    }
}
