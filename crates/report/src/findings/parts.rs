//! What a module's time differs from native's by, taken apart in words: whose each part is, with its interval, or that it is
//! not known.
//!
//! Not here: the numbers (they come with the summary), and ratios.

use super::list;
use crate::Run;
use crate::number::{Rounded, interval};
use crate::view::{self, Side};
use results::case::Mode;
use results::{Attribution, AttributionPart, PartOfTime};

/// A clause for each module of the central table in a container; nothing where the run's summary has none of them.
pub fn clauses(run: &Run, bench: &str, modes: &[Mode]) -> Vec<String> {
    let rows = modes.iter().filter_map(|mode| {
        let case = view::central_case(run, *mode, Side::Container)?;
        let row = run.summary.attributions.iter().find(|row| row.bench == bench && row.case == case.name)?;
        Some((view::mode_words(run, *mode), row))
    });
    let rows: Vec<(String, &Attribution)> = rows.collect();
    // What is unknown of all for one reason is said once.
    let unknown = |row: &Attribution| row.parts.iter().map(|part| part.unknown.clone()).collect::<Vec<_>>();
    if let [(_, first), rest @ ..] = &rows[..]
        && first.parts.iter().all(|part| part.difference.is_none())
        && rest.iter().all(|(_, row)| unknown(row) == unknown(first))
    {
        return vec![format!(
            "how much of that is the runtime, the engine's start and execution is not known: {}",
            why(first)
        )];
    }
    rows.iter().map(|(words, row)| clause(words, row)).collect()
}

fn clause(words: &str, row: &Attribution) -> String {
    let parts: Vec<String> = row.parts.iter().map(part).collect();
    format!("of what {words} takes beyond native in a container, {}", list(&parts))
}

fn part(part: &AttributionPart) -> String {
    let whose = whose(part.part);
    match ends(part) {
        Some((low, high)) => format!("{low} to {high} ms are {whose}"),
        None => format!("how much is {whose} is not known ({})", part.unknown.as_deref().unwrap_or("no interval")),
    }
}

/// Both ends of a part's interval, in ms.
pub fn ends(part: &AttributionPart) -> Option<(String, String)> {
    let found = part.difference?;
    Rounded::ms(Some(found.value), interval(Some(found.low), Some(found.high))).ends
}

fn why(row: &Attribution) -> String {
    let reason = row.parts.iter().find_map(|part| part.unknown.clone());
    reason.unwrap_or_else(|| "no part has an interval".to_owned())
}

/// Whose a part is.
pub const fn whose(part: PartOfTime) -> &'static str {
    match part {
        PartOfTime::Runtime => "the runtime's",
        PartOfTime::EngineStart => "the engine's start",
        PartOfTime::Execution => "execution",
    }
}
