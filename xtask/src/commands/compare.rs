//! `compare`: two runs, case by case. The numbers are `compare`'s; here they are shown, and become an exit status.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::report::{Reported, read};
use crate::cli::{CompareArgs, Exit, Format};
use crate::commands;
use crate::compare::differences::Difference;
use crate::compare::{Canary, Gate, GateOutcome, Ratio, Run, RunComparison, Runs, Threshold, compare};
use crate::results::Verdict;
use crate::results::store::RunDir;
use crate::workspace::Workspace;

/// Compares, unless the runs are unlike and nobody asked for it.
pub fn run(workspace: &Workspace, args: &CompareArgs) -> anyhow::Result<Exit> {
    let find = |name: &str| read(workspace, &RunDir::find(&workspace.results(), name)?);
    let (a, b) = (find(&args.run_a)?, find(&args.run_b)?);
    let threshold = match args.fail_above {
        Some(fraction) => Some(Threshold::percent(fraction * 100.0).context("`--fail-above` is no percentage")?),
        None => None,
    };
    let comparison = compare(Runs { a: view(&a), b: view(&b) }, threshold);
    let refusals = comparison.refusals();
    if !refusals.is_empty() && !args.unlike {
        let list: Vec<String> = refusals.iter().map(|difference| describe(difference)).collect();
        let list = list.join("\n  ");
        anyhow::bail!(
            "the runs are unlike, a ratio would be of the circumstances:\n  {list}\nmeasure both on one machine and stack, or \
             compare all the same with `--unlike`"
        );
    }
    match args.format.format {
        Format::Json => commands::print_json(&comparison)?,
        Format::Text => commands::print(&text(&comparison))?,
    }
    Ok(exit(&comparison))
}

fn view(reported: &Reported) -> Run<'_> {
    Run { manifest: &reported.run.manifest, samples: &reported.run.samples, lost: &reported.lost }
}

fn exit(comparison: &RunComparison) -> Exit {
    match comparison.gate.as_ref().map(|gate| gate.outcome) {
        None | Some(GateOutcome::Passed) if !comparison.lost.is_empty() => Exit::Partial,
        None | Some(GateOutcome::Passed) => Exit::Done,
        Some(GateOutcome::Failed) => Exit::Slower,
        Some(GateOutcome::Incomplete) => Exit::Partial,
    }
}

fn describe(difference: &Difference) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} in A, {} in B", difference.what, side(&difference.a), side(&difference.b))
}

fn text(comparison: &RunComparison) -> String {
    let mut out =
        format!("A: {}\nB: {}\nB over A, unpaired; {}\n\n", comparison.run_a, comparison.run_b, comparison.method);
    let mut table = commands::table(&["bench", "case", "A ms", "B ms", "B / A", "", "verdict"]);
    for row in &comparison.rows {
        let ms = |ns: Option<f64>| ns.map_or("—".to_owned(), |ns| format!("{:.3}", ns / 1e6));
        let (value, interval, verdict) = cells(row.ratio.as_ref());
        table.add_row([
            row.bench.clone(),
            row.case.clone(),
            ms(row.median_a_ns),
            ms(row.median_b_ns),
            value,
            interval,
            verdict.to_owned(),
        ]);
        if row.normalised.is_some() {
            let (value, interval, verdict) = cells(row.normalised.as_ref());
            let label = "  over the canary's".to_owned();
            let none = String::new;
            table.add_row([none(), label, none(), none(), value, interval, verdict.to_owned()]);
        }
    }
    line(&mut out, format_args!("{table}\n"));
    canary(&mut out, &comparison.canary);
    for lost in &comparison.lost {
        line(&mut out, format_args!("samples of {lost}"));
    }
    for difference in &comparison.differences {
        line(&mut out, format_args!("differs: {}", describe(difference)));
    }
    for row in &comparison.not_compared {
        let case = row.case.as_deref().unwrap_or("every case");
        line(&mut out, format_args!("not compared: {} {case}: {}", row.bench, row.reason));
    }
    if let Some(gate) = &comparison.gate {
        gate_lines(&mut out, gate);
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok(), "writing to a string can not fail");
}

fn cells(ratio: Option<&Ratio>) -> (String, String, &'static str) {
    let Some(ratio) = ratio else { return ("—".to_owned(), String::new(), "") };
    let interval = match (ratio.ci_low, ratio.ci_high) {
        (Some(low), Some(high)) => format!("{low:.3}× to {high:.3}×"),
        _ => "too few samples".to_owned(),
    };
    let verdict = match ratio.verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "same",
        Verdict::Undetermined => "undetermined",
        Verdict::TooNoisy => "too noisy to tell",
    };
    (format!("{:.3}×", ratio.value), interval, verdict)
}

fn canary(out: &mut String, canary: &Canary) {
    match canary {
        Canary::Steady(witness) => {
            line(out, format_args!("canary {} {}: steady", witness.bench, witness.case));
        }
        Canary::Stepped(witness) => {
            let (value, interval, _) = cells(Some(&witness.ratio));
            line(
                out,
                format_args!(
                    "canary {} {}: {value} ({interval}): the machine itself changed its speed; the rows over the canary's \
                     show what is left",
                    witness.bench, witness.case
                ),
            );
            if let Some(caveat) = &witness.caveat {
                line(out, format_args!("  {caveat}"));
            }
        }
        Canary::Unknown { reason } => line(out, format_args!("no canary: {reason}")),
    }
}

fn gate_lines(out: &mut String, gate: &Gate) {
    let percent = gate.threshold * 100.0;
    let verdict = match gate.outcome {
        GateOutcome::Passed => "passed",
        GateOutcome::Failed => "failed",
        GateOutcome::Incomplete => "incomplete",
    };
    line(out, format_args!("gate at {percent} %: {verdict}"));
    for (what, rows) in [("above", &gate.above), ("undecided", &gate.undecided), ("missing", &gate.missing)] {
        for row in rows {
            line(out, format_args!("  {what}: {row}"));
        }
    }
}
