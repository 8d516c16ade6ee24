//! Ratios of two containers that different runtimes made: how they are marked wherever they stand, and what the mark
//! says. Such a ratio holds what the runtimes cost.
//!
//! Not here: which comparisons these are (they come with the summary).

use super::{Side, cell, central_case, comparison_of, ratio, verdict};
use crate::Run;
use crate::number::{NONE, Rounded};
use results::case::{Case, Mode};
use results::{Comparison, Verdict};

/// What stands behind such a ratio.
pub const MARK: &str = "†";

/// A ratio as it stands in every table: `1.31× to 1.38×`, with the mark where two runtimes are in it.
pub fn marked_ratio(row: &Comparison) -> String {
    let text = ratio(row).times();
    if row.across_runtimes && text != NONE { format!("{text}{MARK}") } else { text }
}

/// A verdict as it stands in every table: a ratio across two runtimes alone makes no program faster. A verdict that says
/// nothing needs no mark.
pub fn marked_verdict(row: &Comparison) -> String {
    let text = verdict(&row.metric, row.verdict);
    let says = matches!(row.verdict, Verdict::Faster | Verdict::Slower | Verdict::Same);
    if row.across_runtimes && says { format!("{text} {MARK}") } else { text.to_owned() }
}

/// The control arm and its baseline: the native image in the runtime of the modules, which shows what the runtimes alone
/// make of the difference.
pub fn control_cases(run: &Run) -> Option<[&Case; 2]> {
    let arm = &cell(run, control_name(run)?)?.case;
    let baseline = &cell(run, arm.baseline.as_ref()?)?.case;
    Some([arm, baseline])
}

/// The control arm of the central table's modules, whether it was measured or not.
fn control_name(run: &Run) -> Option<&str> {
    let modes = [Mode::Interpreter, Mode::Jit, Mode::Aot];
    let mut modules = modes.into_iter().filter_map(|mode| central_case(run, mode, Side::Container));
    modules.find_map(|case| case.control.as_deref())
}

/// What would tell the runtime's part from the engine's.
pub fn advice(run: &Run) -> Option<String> {
    Some(format!("`--case {}` would tell", control_name(run)?))
}

/// The control arm of a bench, with its ratio.
pub fn control_arm<'a>(run: &'a Run, bench: &str) -> Option<([&'a Case; 2], Rounded)> {
    let cases = control_cases(run)?;
    let ratio = comparison_of(run, bench, cases).map(ratio).filter(|ratio| ratio.value != NONE)?;
    Some((cases, ratio))
}

/// The runtimes whose difference is in the marked ratios of these benches, by what sentences call them.
pub fn titles<'a>(run: &'a Run, benches: &[&str]) -> Vec<&'a str> {
    let mut titles: Vec<&str> = Vec::new();
    let marked = super::ratios(run).filter(|row| row.across_runtimes && row.ratio.is_some());
    let rows: Vec<&Comparison> = marked.filter(|row| benches.contains(&row.bench.as_str())).collect();
    // The baseline's before those that are compared with it.
    let names = rows.iter().map(|row| &row.baseline).chain(rows.iter().map(|row| &row.case));
    for title in names.filter_map(|name| Some(cell(run, name)?.case.runtime.title.as_str())) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles
}

/// `a and b`, `a, b and c`.
pub fn list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `two runtimes, a and b`; nothing when no ratio of these benches is across runtimes.
pub fn named(run: &Run, benches: &[&str]) -> Option<String> {
    let titles = titles(run, benches);
    let count = match titles.len() {
        0 | 1 => return None,
        2 => "two runtimes",
        _ => "runtimes",
    };
    Some(format!("{count}, {}", list(&titles)))
}

/// What the mark means, for a table with rows of these benches; nothing when none of them bears it.
pub fn note<'a>(run: &Run, benches: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let benches: Vec<&str> = benches.into_iter().collect();
    let named = named(run, &benches)?;
    let arms: Vec<([&Case; 2], String)> = benches
        .iter()
        .filter_map(|bench| {
            let (cases, ratio) = control_arm(run, bench)?;
            Some((cases, format!("{} as long on {bench}", ratio.times())))
        })
        .collect();
    let told = match (arms.first(), advice(run)) {
        (Some(([arm, baseline], _)), _) => {
            let times: Vec<&str> = arms.iter().map(|(_, text)| text.as_str()).collect();
            let (arm, baseline) = (&arm.runtime.title, &baseline.runtime.title);
            format!(": the native image takes {} in {arm} as with {baseline}", times.join(", "))
        }
        (None, Some(advice)) => format!("; {advice} how much of it"),
        (None, None) => String::new(),
    };
    Some(format!("{MARK} Across {named}, whose difference is a part of the ratio{told}."))
}
