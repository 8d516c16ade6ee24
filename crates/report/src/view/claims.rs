//! Published figures in words: what was published, why a verdict is what it is, how many of each there are, and in how many
//! settings something was not published.
//!
//! Not here: the verdicts (`results::claims`), layout.

use crate::number::{NONE, published as as_published, significant};
use results::claims::{Bounds, Shape};
use results::{ClaimRow, ClaimVerdict};

/// How claims stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Like beside like.
    Same,
    /// A native container against a Wasm process.
    Crossing,
    /// Nothing of this run is like it.
    Untested,
}

impl Group {
    /// Every group, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Same, Self::Crossing, Self::Untested];

    /// That of a row.
    pub fn of(row: &ClaimRow) -> Self {
        match (row.verdict, row.shape) {
            (ClaimVerdict::Untested, _) => Self::Untested,
            (_, Shape::Crossing) => Self::Crossing,
            (_, Shape::Same) => Self::Same,
        }
    }
}

/// A verdict in words.
pub const fn verdict(verdict: ClaimVerdict) -> &'static str {
    match verdict {
        ClaimVerdict::Reproduced => "reproduced",
        ClaimVerdict::NotReproduced => "not reproduced",
        ClaimVerdict::NotComparable => "not comparable",
        ClaimVerdict::Untested => "untested",
    }
}

/// The figure as published; where it is a range or a direction, what counts as reproduced.
pub fn published(row: &ClaimRow) -> String {
    if let Some(value) = row.published {
        return if row.unit == "×" { significant(value, 3) } else { as_published(value) };
    }
    match row.bounds {
        Some(Bounds { low: Some(low), high: Some(high) }) => {
            format!("{} to {}", significant(low, 3), significant(high, 3))
        }
        Some(Bounds { low: Some(low), high: None }) => format!("over {}", significant(low, 3)),
        Some(Bounds { low: None, high: Some(high) }) => format!("under {}", significant(high, 3)),
        _ => NONE.to_owned(),
    }
}

/// Ours, with the ends of its interval.
pub fn ours(row: &ClaimRow) -> String {
    let Some(ours) = row.ours else { return NONE.to_owned() };
    match (row.ours_low, row.ours_high) {
        (Some(low), Some(high)) => {
            format!("{} [{}, {}]", significant(ours, 3), significant(low, 3), significant(high, 3))
        }
        _ => significant(ours, 4),
    }
}

/// What the source says where the figure is formed of it, what an untested one needs, and the reason.
pub fn reason(row: &ClaimRow) -> String {
    let wording = Some(format!("published: {}", row.wording)).filter(|_| !row.wording.is_empty());
    let needs = row.needs.as_ref().map(|needs| format!("needs {needs}"));
    let explanation = Some(row.explanation.clone()).filter(|explanation| !explanation.is_empty());
    [wording, needs, explanation].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// How many there are of each verdict, in a sentence.
pub fn counts(rows: &[ClaimRow]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    format!(
        "Of {} published figures {} are reproduced here, {} are not, {} are not comparable, and {} are untested.",
        rows.len(),
        count(ClaimVerdict::Reproduced),
        count(ClaimVerdict::NotReproduced),
        count(ClaimVerdict::NotComparable),
        count(ClaimVerdict::Untested)
    )
}

/// For each item of a setting, of how many figures it was not published, and by whom; items that all of them have are left
/// out, and so are sources of which only a part was seen.
pub fn not_published(rows: &[ClaimRow]) -> Vec<(&'static str, usize, Vec<&str>)> {
    let mut items: Vec<(&'static str, usize, Vec<&str>)> = Vec::new();
    for row in rows {
        for item in row.setting.not_published() {
            let index = items.iter().position(|(name, ..)| *name == item).unwrap_or_else(|| {
                items.push((item, 0, Vec::new()));
                items.len() - 1
            });
            items[index].1 += 1;
            if !items[index].2.contains(&row.source.as_str()) {
                items[index].2.push(&row.source);
            }
        }
    }
    items
}
