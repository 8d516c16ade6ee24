//! Published figures beside ours, the reason of each verdict below its row.
//!
//! Not here: the verdicts (they come with the summary).

use crate::Run;
use crate::document::{Block, Column, Row, Section, Table, Text};
use crate::number::{NONE, published, significant};
use results::{ClaimRow, ClaimVerdict};

/// The section.
pub fn section(run: &Run) -> Section {
    let claims = &run.summary.claims;
    let mut sources: Vec<&str> = claims.iter().map(|row| row.source.as_str()).collect();
    sources.dedup();
    let caption = match sources[..] {
        [one] => format!("What {one} says, and whether it came out again here"),
        _ => "Published figures, and whether they came out again here".to_owned(),
    };
    let columns = [
        Column::left("what"),
        Column::right("published"),
        Column::right("ours"),
        Column::left("unit"),
        Column::left("verdict"),
    ];
    let several = sources.len() > 1;
    let table = Table::new(caption, columns).with(claims.iter().map(|claim| row(claim, several)));
    Section::new("claims", "Published figures beside ours").with(Block::table(table))
}

fn row(claim: &ClaimRow, several_sources: bool) -> Row {
    let mut note = Text::prose(&claim.explanation);
    if several_sources {
        note = note.and(" (").and(&claim.source).and(")");
    }
    Row::of([
        claim.what.clone(),
        published(claim.published),
        claim.ours.map_or_else(|| NONE.to_owned(), |ours| significant(ours, 4)),
        claim.unit.clone(),
        verdict(claim.verdict).to_owned(),
    ])
    .note(note)
}

/// A claim's verdict in words.
const fn verdict(verdict: ClaimVerdict) -> &'static str {
    match verdict {
        ClaimVerdict::Reproduced => "reproduced",
        ClaimVerdict::NotReproduced => "not reproduced",
        ClaimVerdict::NotComparable => "not comparable",
    }
}
