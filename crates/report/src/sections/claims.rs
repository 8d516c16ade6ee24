//! Published figures beside ours: like beside like, crossings, and what this run has nothing of. The reason of each verdict
//! stands below its row.
//!
//! Not here: the verdicts (they come with the summary), and what is drawn (`chart::claims`).

use crate::Run;
use crate::chart::claims as chart;
use crate::document::{Arrangement, Block, Cell, Column, Form, Row, Section, Table, Text, Tone};
use crate::view::claims::{self, Group};
use results::{ClaimRow, ClaimVerdict};

const KEY: &str = "How to read it: what lies in the grey band agrees with what was published. Each published ratio beside ours, on one log axis. The grey band is what counts as reproduced, the ring \
                   in it the figure as published. Ours is a square where it is reproduced, a cross where it is not, and a \
                   ring where that is not decided; the line through it is its interval.";
const LONG: &str = "the tables are long, and the page and the run's README.md have them";

/// The section.
pub fn section(run: &Run) -> Section {
    let rows = &run.summary.claims;
    let section = Section::new("claims", "Published figures beside ours");
    if rows.is_empty() {
        return section;
    }
    let figures = figures(rows);
    let only_figures = "it explains the figures";
    let key = (!figures.is_empty())
        .then(|| Block::key(KEY).not_in(Form::Terminal, only_figures).not_in(Form::Markdown, only_figures));
    section
        .with(Block::paragraph(claims::counts(rows)))
        .with(key)
        .with(Block::group(Arrangement::Panels, figures))
        .with(table(rows, Group::Same).not_in(Form::Terminal, LONG))
        .with(table(rows, Group::Crossing).not_in(Form::Terminal, LONG))
        .with(untested(rows))
        .with(settings(rows))
}

fn of(rows: &[ClaimRow], group: Group) -> impl Iterator<Item = &ClaimRow> {
    rows.iter().filter(move |row| Group::of(row) == group)
}

fn figures(rows: &[ClaimRow]) -> Vec<Block> {
    let figure = |group: Group| {
        let rows: Vec<&ClaimRow> = of(rows, group).collect();
        Block::figure(chart::figure(&rows, (id(group), caption(group))), caption(group))
    };
    [Group::Same, Group::Crossing].into_iter().filter_map(figure).collect()
}

const fn caption(group: Group) -> &'static str {
    match group {
        Group::Same => "Like beside like",
        Group::Crossing => "Crossings: a native container against a Wasm process",
        Group::Untested => "Untested by this run, and what it would need",
    }
}

const fn id(group: Group) -> &'static str {
    match group {
        Group::Same => "claims-same",
        Group::Crossing => "claims-crossing",
        Group::Untested => "claims-untested",
    }
}

fn table(rows: &[ClaimRow], group: Group) -> Block {
    let columns = [
        Column::left("what"),
        Column::right("published"),
        Column::right("ours"),
        Column::left("unit"),
        Column::left("verdict"),
    ];
    Block::table(Table::new(caption(group), columns).with(of(rows, group).map(row)))
}

fn row(claim: &ClaimRow) -> Row {
    Row::of([
        Cell::from(&claim.what),
        Cell::from(claims::published(claim)),
        Cell::from(claims::ours(claim)),
        Cell::from(&claim.unit),
        Cell::from(claims::verdict(claim.verdict)).tone(tone(claim.verdict)),
    ])
    .note(note(claim))
}

/// What a reader looks for is strong, and what is open is faint.
const fn tone(verdict: ClaimVerdict) -> Tone {
    match verdict {
        ClaimVerdict::Reproduced | ClaimVerdict::NotReproduced => Tone::Strong,
        ClaimVerdict::NotComparable | ClaimVerdict::Untested => Tone::Open,
    }
}

fn note(claim: &ClaimRow) -> Text {
    Text::prose(&claims::reason(claim)).and(" (").and(&claim.source).and(")")
}

fn untested(rows: &[ClaimRow]) -> Option<Block> {
    let columns = [Column::left("what"), Column::right("published"), Column::left("unit")];
    let cells = |claim: &ClaimRow| {
        Row::of([claim.what.clone(), claims::published(claim), claim.unit.clone()]).note(note(claim))
    };
    let rows: Vec<Row> = of(rows, Group::Untested).map(cells).collect();
    let summary = format!("{} that this run can not test, and what each would need", rows.len());
    let table = Table::new(caption(Group::Untested), columns).with(rows);
    (!table.rows.is_empty()).then(|| Block::details(summary, vec![Block::table(table)]).not_in(Form::Terminal, LONG))
}

fn settings(rows: &[ClaimRow]) -> Option<Block> {
    let items = claims::not_published(rows);
    let of_all = rows.len();
    let line = |(item, count, sources): (&'static str, usize, Vec<&str>)| {
        Text::strong(item).and(format!(": {count} of {of_all} figures ({})", sources.join("; ")))
    };
    let lines: Vec<Text> = items.into_iter().map(line).collect();
    let list = Block::list(lines);
    let summary = "Settings that were not published";
    (!rows.iter().all(|row| row.setting.not_published().is_empty()))
        .then(|| Block::details(summary, vec![list]).not_in(Form::Terminal, LONG))
}
