//! What the difference of each module to native is made of, and where the containers of two compared rows isolate
//! differently.
//!
//! Not here: the numbers (they come with the summary).

use crate::Run;
use crate::document::{Block, Cell, Column, Row, Section, Table, Text};
use crate::number::{NONE, Rounded, interval};
use results::isolation::IsolationDifference;
use results::{Attribution, Comparison, Estimate, PartOfTime};

const KEY: &str = "A part of below 0 ms is what the module gains there. The runtime: the native program in the module's \
                   runtime less native in the baseline's. The engine's start: a module that does nothing less a native \
                   program that does nothing. Execution: the rest. The parts of a round add up to its difference; their \
                   medians do so nearly.";

/// The section.
pub fn section(run: &Run) -> Section {
    let rows: Vec<Row> = run.summary.attributions.iter().map(row).collect();
    let columns = [
        Column::left("bench"),
        Column::left("case"),
        Column::right("beyond native").unit("ms"),
        Column::right("the runtime").unit("ms"),
        Column::right("engine start").unit("ms"),
        Column::right("execution").unit("ms"),
    ];
    let key = (!rows.is_empty()).then(|| Block::key(KEY));
    let table = Table::new("What a module takes beyond native, and whose it is", columns).with(rows);
    Section::new("parts", "What the difference is made of").with(Block::table(table)).with(key).with(isolation(run))
}

fn row(row: &Attribution) -> Row {
    let part = |what: PartOfTime| row.parts.iter().find(|part| part.part == what);
    let cell = |what: PartOfTime| match part(what) {
        None => Cell::from(NONE),
        Some(part) => part.difference.map_or_else(|| Cell::from("not known"), estimate),
    };
    let mut reasons: Vec<&str> = row.parts.iter().filter_map(|part| part.unknown.as_deref()).collect();
    reasons.dedup();
    let whole = row.difference.map_or_else(|| Cell::from("not known"), estimate);
    let parts = [PartOfTime::Runtime, PartOfTime::EngineStart, PartOfTime::Execution].map(cell);
    let cells = [Cell::from(&row.bench), Cell::from(&row.case), whole].into_iter().chain(parts);
    Row::of(cells).note(Text::prose(&reasons.join("; ")))
}

fn estimate(found: Estimate) -> Cell {
    let shown = Rounded::ms(Some(found.value), interval(Some(found.low), Some(found.high)));
    Cell::from(shown.value.clone()).beneath(Some(shown.brackets()))
}

/// What does less is faster: said beside the ratios, pair by pair.
fn isolation(run: &Run) -> Option<Block> {
    let items: Vec<Text> = run.summary.isolation.iter().map(difference).collect();
    (!items.is_empty()).then(|| {
        let heading = Block::heading("Where compared containers isolate differently");
        Block::details("A runtime that does less is faster", vec![heading, Block::list(items)])
    })
}

fn difference(row: &IsolationDifference) -> Text {
    let text = Text::code(&row.case).and(" beside ").and(Text::code(&row.baseline)).and(": ");
    text.and(Text::prose(&in_words(row)))
}

/// What stands below a ratio: what isolates the case's container less than the one that it is compared with, or otherwise.
/// What isolates it more is no excuse for being fast, and stands in the section alone.
pub fn beside(run: &Run, row: &Comparison) -> Text {
    let is_it = |other: &&IsolationDifference| other.case == row.case && other.baseline == row.baseline;
    let found = run.summary.isolation.iter().find(is_it);
    let less = found.map(|found| IsolationDifference { more: Vec::new(), ..found.clone() });
    less.map_or_else(Text::default, |less| Text::prose(&in_words(&less)))
}

/// `does less: no seccomp filter; does more: a kernel of its own`.
fn in_words(row: &IsolationDifference) -> String {
    let part = |lead: &str, what: &[String]| (!what.is_empty()).then(|| format!("{lead}: {}", what.join("; ")));
    let parts = [part("does less", &row.less), part("does more", &row.more), part("differs", &row.other)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(". ")
}
