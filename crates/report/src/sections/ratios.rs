//! Ratios: to native, what the A/A rows leave open, and those that are not to native.
//!
//! Not here: what is drawn of them (`chart::ratios`).

use super::times::{ratio, verdict};
use super::{mark, parts, shown};
use crate::chart::ratios;
use crate::document::{Arrangement, Block, Cell, Column, Facet, Form, Row, Section, Table};
use crate::number::{NONE, confidence, percent};
use crate::view::relations::{Relation, relations};
use crate::{Run, view};
use results::Comparison;

const KEY: &str = "How to read it: a square right of the line at 1 took longer than what it is held against, one left of it \
                   less; the scale is log, so that twice as long and half as long are equally far. The \
                   whisker is the interval of the median of the ratios within a round. The grey band is what this run \
                   calls no difference. An A/A row is one case measured twice: it should hold 1.";

/// The section.
pub fn section(run: &Run) -> Section {
    let figures = figures(run);
    let only_figures = "it explains the figures";
    let key = (!figures.is_empty())
        .then(|| Block::key(KEY).not_in(Form::Terminal, only_figures).not_in(Form::Markdown, only_figures));
    let none = figures.is_empty().then(|| Block::paragraph("No ratio to native is in this run."));
    let marked = "the tables of the times explain it already";
    let mark = mark(run, shown(run)).map(|note| note.not_in(Form::Terminal, marked).not_in(Form::Markdown, marked));
    let mut section = Section::new("ratios", "Ratios").with(key);
    figures.into_iter().chain(none).chain(mark).chain([resolutions(run)]).for_each(|block| section.push(block));
    for block in others(run) {
        section.push(block);
    }
    section
}

/// A figure of each bench, for each of what ratios are formed to.
fn figures(run: &Run) -> Vec<Block> {
    let mut found = Vec::new();
    for (place, (relation, _)) in relations(run).into_iter().enumerate() {
        let mut figures = Vec::new();
        for (index, bench) in shown(run).enumerate() {
            let id = format!("ratio-{place}-{index}");
            let caption = format!("{bench}, to {}", relation.title());
            let figure = Block::figure(ratios::figure(run, (bench, relation), &id), caption);
            figures.extend(Block::only(Facet::Bench, index, figure.into_iter().collect()));
        }
        let figures = Block::group(Arrangement::Panels, figures);
        found.extend(Block::only(Facet::Baseline, place, figures.into_iter().collect()));
    }
    found
}

fn resolutions(run: &Run) -> Block {
    let rows = view::resolutions(run);
    if rows.is_empty() {
        return Block::paragraph("No cell was measured twice, so the resolution of this run is not known.");
    }
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let rows = rows.into_iter().map(|row| {
        Row::of([
            row.bench.clone(),
            row.case.clone(),
            row.n.to_string(),
            view::twin_ratio(row).times(),
            or_none(row.confidence.map(confidence)),
            or_none(row.resolution.map(percent)),
        ])
    });
    let columns = [
        Column::left("bench"),
        Column::left("measured twice"),
        Column::right("n"),
        Column::right("twin / first"),
        Column::right("confidence"),
        Column::right("resolution"),
    ];
    Block::table(Table::new("A/A rows: what this run can not tell apart", columns).with(rows))
}

/// The ratios that are not to native, a table for each of what they are formed to.
fn others(run: &Run) -> Vec<Block> {
    let others = relations(run).into_iter().filter(|(relation, _)| *relation != Relation::Native);
    others.map(|(relation, rows)| other(run, (relation, &rows))).collect()
}

fn other(run: &Run, (relation, rows): (Relation, &[&Comparison])) -> Block {
    let rows = rows.iter().map(|row| {
        let cells = [&row.bench, &row.case, &row.baseline].map(Cell::from);
        Row::of(cells.into_iter().chain([ratio(run, row), verdict(row)])).note(parts::beside(run, row))
    });
    let columns = [
        Column::left("bench"),
        Column::left("case"),
        Column::left("divided by"),
        Column::right("ratio"),
        Column::left("verdict"),
    ];
    Block::table(
        Table::new(format!("Where the difference comes from: ratios to {}", relation.title()), columns).with(rows),
    )
}
