//! A comparison as rows and lines of text, and both arranged for a terminal or in Markdown. Pure.

use crate::commands;
use report::markdown;
use report::number::{NONE, Rounded, fixed, interval, kb, percent};
use report::view;
use results::compare::differences::Difference;
use results::compare::gate::{Gate, GateOutcome, Undecided};
use results::compare::sizes::SizeChange;
use results::compare::{Canary, Ratio, RunComparison};
use results::metric::HEADLINE;

const TIMES: [&str; 6] = ["bench", "case", "A", "B", "B / A", "verdict"];
const SIZES: [&str; 4] = ["size", "A kB", "B kB", "B / A"];

/// For a terminal.
pub fn text(comparison: &RunComparison) -> String {
    let mut out = format!("{}\n\n", head(comparison).join("\n"));
    let tables: [(&[&str], Vec<Vec<String>>); 2] = [(&TIMES, times(comparison)), (&SIZES, sizes(comparison))];
    for (heads, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let mut table = commands::table(heads);
        table.add_rows(rows);
        out.extend([table.to_string().as_str(), "\n\n"]);
    }
    out + &notes(comparison).join("\n") + "\n"
}

/// For a pull request.
pub fn markdown(comparison: &RunComparison) -> String {
    let escape = markdown::escape;
    let mut out = format!("### {} over {}\n\n", escape(&comparison.run_b), escape(&comparison.run_a));
    let notes: Vec<String> = notes(comparison).iter().map(|note| format!("- {}\n", escape(note))).collect();
    out += &notes.concat();
    out += "\n";
    let escaped = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect()
    };
    out += &markdown::table(&TIMES, "llrrrl", &escaped(times(comparison)));
    let sizes = sizes(comparison);
    if !sizes.is_empty() {
        out += &markdown::table(&SIZES, "lrrr", &escaped(sizes));
    }
    out + &escape(&method(comparison)) + "\n"
}

fn head(comparison: &RunComparison) -> Vec<String> {
    vec![format!("A: {}", comparison.run_a), format!("B: {}", comparison.run_b), method(comparison)]
}

fn method(comparison: &RunComparison) -> String {
    format!("B over A, margin {}; {}", percent(comparison.delta), comparison.method)
}

fn times(comparison: &RunComparison) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for row in &comparison.rows {
        let [median_a, median_b] = [row.median_a, row.median_b].map(|median| view::amount(&row.metric, median, None));
        let [ratio, verdict] = cells(&row.metric, row.ratio.as_ref());
        let case = format!("{}{}", row.case, view::suffix(&row.metric));
        rows.push(vec![row.bench.clone(), case, median_a, median_b, ratio, verdict]);
        if row.normalised.is_some() {
            let [ratio, verdict] = cells(&row.metric, row.normalised.as_ref());
            let none = String::new;
            rows.push(vec![none(), "  over the canary's".to_owned(), none(), none(), ratio, verdict]);
        }
    }
    rows
}

fn cells(metric: &str, ratio: Option<&Ratio>) -> [String; 2] {
    let Some(ratio) = ratio else { return [NONE.to_owned(), "not measured in both".to_owned()] };
    let shown = Rounded::new(Some(ratio.value), interval(ratio.ci_low, ratio.ci_high)).times();
    let verdict = if ratio.ci_low.is_some() { view::verdict(metric, ratio.verdict) } else { "too few samples" };
    [shown, verdict.to_owned()]
}

/// The sizes that are not the same; `notes` counts the others.
fn sizes(comparison: &RunComparison) -> Vec<Vec<String>> {
    let kb = |bytes: Option<u64>| bytes.map_or_else(|| NONE.to_owned(), kb);
    let changed = comparison.sizes.iter().filter(|size| is_changed(size));
    changed
        .map(|size| {
            let ratio = size.ratio.map_or_else(|| NONE.to_owned(), |ratio| format!("{}×", fixed(ratio, 4)));
            vec![size.name(), kb(size.a_bytes), kb(size.b_bytes), ratio]
        })
        .collect()
}

fn is_changed(size: &SizeChange) -> bool {
    size.a_bytes != size.b_bytes
}

fn notes(comparison: &RunComparison) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(gate) = &comparison.gate {
        notes.extend(gate_notes(gate));
    }
    if let Some(seen) = &comparison.sensitivity {
        notes.push(format!(
            "the smallest slow-down that these two runs could have seen: {} ({}) to {} ({})",
            percent(seen.best),
            seen.best_row,
            percent(seen.worst),
            seen.worst_row
        ));
    }
    notes.push(match comparison.sizes.iter().filter(|size| !is_changed(size)).count() {
        0 => "no size is the same in both runs".to_owned(),
        same if same == comparison.sizes.len() => format!("all {same} sizes are the same in both runs"),
        same => format!("{same} of {} sizes are the same in both runs", comparison.sizes.len()),
    });
    notes.extend(canary(&comparison.canary));
    notes.extend(comparison.lost.iter().map(|lost| format!("samples of {lost}")));
    notes.extend(comparison.differences.iter().map(|difference| format!("differs: {}", describe(difference))));
    notes.extend(comparison.not_compared.iter().map(|row| {
        let case = row.case.as_deref().unwrap_or("every case");
        format!("not compared: {} {case}: {}", row.bench, row.reason)
    }));
    notes
}

/// A difference in words.
pub fn describe(difference: &Difference) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} in A, {} in B", difference.what, side(&difference.a), side(&difference.b))
}

fn canary(canary: &Canary) -> Vec<String> {
    match canary {
        Canary::Steady(witness) => vec![format!("canary {} {}: steady", witness.bench, witness.case)],
        Canary::Stepped(witness) => {
            let [ratio, _] = cells(HEADLINE, Some(&witness.ratio));
            let stepped = format!(
                "canary {} {}: {ratio}: the machine itself changed its speed; the rows over the canary's show what is left",
                witness.bench, witness.case
            );
            std::iter::once(stepped).chain(witness.caveat.clone()).collect()
        }
        Canary::Unknown { reason } => vec![format!("no canary: {reason}")],
    }
}

fn gate_notes(gate: &Gate) -> Vec<String> {
    let limits = [("times", gate.threshold), ("sizes", gate.size_threshold)];
    let limits: Vec<String> =
        limits.into_iter().filter_map(|(what, limit)| Some(format!("{what} at {}", percent(limit?)))).collect();
    let open = format!("{} of {} rows are undecided", gate.undecided.len(), gate.rows);
    let outcome = match (gate.outcome, gate.undecided.is_empty()) {
        (GateOutcome::Passed, true) => "passed".to_owned(),
        (GateOutcome::Passed, false) => {
            format!("passed, but {open}: a slow-down beyond the limit may hide in them (`--strict` fails on that)")
        }
        (GateOutcome::Failed, _) => "failed".to_owned(),
        (GateOutcome::Undecided, _) => format!("failed: {open}"),
        (GateOutcome::Incomplete, _) => "incomplete".to_owned(),
    };
    let strict = if gate.on_undecided == Undecided::Fails { ", strict" } else { "" };
    let mut notes = vec![format!("gate ({}{strict}): {outcome}", limits.join(", "))];
    let lists = [
        ("above", &gate.above),
        ("greater", &gate.sizes_above),
        ("undecided", &gate.undecided),
        ("missing", &gate.missing),
    ];
    for (what, rows) in lists {
        notes.extend(rows.iter().map(|row| format!("{what}: {row}")));
    }
    notes
}
