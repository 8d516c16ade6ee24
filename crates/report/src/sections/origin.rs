//! What is behind a number: how many samples, where they are, what ran, and the command that measures exactly this once more.
//!
//! Not here: where it is folded away (the renderers).

use crate::document::{Origin, Text};
use crate::number::{NONE, confidence};
use crate::{Run, view};
use results::{CaseSummary, Comparison};

/// Of a median.
pub fn of_case(run: &Run, row: &CaseSummary) -> Origin {
    let mut facts = facts(run, row.n.to_string(), row.confidence);
    facts.push(("samples", Text::prose("`samples.jsonl`, the lines of this bench and case")));
    facts.extend(view::digest(run, &row.bench, &row.case).map(|digest| ("what ran", Text::code(digest))));
    Origin { facts, command: view::command_of_cells(run, &row.bench, &[&row.case]).into() }
}

/// Of a ratio.
pub fn of_ratio(run: &Run, row: &Comparison) -> Origin {
    let mut facts = facts(run, format!("{} rounds", row.n), row.confidence);
    facts.push(("samples", Text::prose("`samples.jsonl`, the lines of this bench and both cases")));
    for (name, case) in [("above the line", &row.case), ("below it", &row.baseline)] {
        let digest = view::digest(run, &row.bench, case).unwrap_or(NONE);
        facts.push((name, Text::plain(case).and(" ").and(Text::code(digest))));
    }
    Origin { facts, command: view::command_of_cells(run, &row.bench, &[&row.case, &row.baseline]).into() }
}

fn facts(run: &Run, n: String, sure: Option<f64>) -> Vec<(&'static str, Text)> {
    let sure = sure.map_or_else(|| NONE.to_owned(), confidence);
    vec![("n", n.into()), ("confidence", sure.into()), ("seed", run.manifest.seed.to_string().into())]
}
