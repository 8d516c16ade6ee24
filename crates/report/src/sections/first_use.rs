//! First use: what a run costs when not everything is there yet.
//!
//! Not here: how a class is brought about, and the sentences (they come with the summary).

use crate::Run;
use crate::document::{Block, Cell, Column, Row, Section, Table, Text};
use crate::number::{NONE, Rounded, significant};
use results::Estimate;
use results::first_use::{Class, FirstUseRow, LinkRow, PULL, WALL};

const KEY: &str = "Beside the warm rows, in samples of their own: the image not pulled, pulled and not unpacked, its files out of \
                   the page cache, the first container after containerd was started. Each is held against the warm run \
                   of the same round.";

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("first-use", "First use");
    let Some(found) = &run.summary.first_use else { return section };
    let paid = found.paid_off.iter().map(|row| Text::prose(&row.sentence())).collect();
    section
        .with(Block::key(KEY))
        .with(Block::table(table(&found.rows)))
        .with(Block::table(links(&found.links)))
        .with(Block::list(paid))
}

/// What was not there when a run began, warm first, as far as all of a use was timed; nothing where first use was not asked
/// for.
pub fn classes(run: &Run) -> Vec<Class> {
    let rows = || run.summary.first_use.iter().flat_map(|found| &found.rows).filter(|row| row.value == WALL);
    let is_there = |class: &Class| *class == Class::Warm || rows().any(|row| row.class == *class && row.link.is_none());
    let others = Class::ALL.into_iter().filter(|class| !matches!(class, Class::Warm | Class::Compile));
    if rows().next().is_none() {
        return Vec::new();
    }
    [Class::Warm].into_iter().chain(others).filter(is_there).collect()
}

fn milliseconds(estimate: Option<Estimate>) -> Cell {
    estimate.map_or_else(
        || Cell::from(NONE),
        |found| {
            let shown = Rounded::ms(Some(found.value), Some((found.low, found.high)));
            Cell::from(shown.value.clone()).beneath(Some(shown.brackets()))
        },
    )
}

fn times(ratio: Option<Estimate>) -> Cell {
    let shown = ratio.map(|ratio| Rounded::new(Some(ratio.value), Some((ratio.low, ratio.high))));
    shown.map_or_else(
        || Cell::from(NONE),
        |shown| Cell::from(format!("{}×", shown.value)).beneath(Some(shown.brackets())),
    )
}

fn table(rows: &[FirstUseRow]) -> Table {
    let columns = [
        Column::left("case"),
        Column::left("class"),
        Column::right("n"),
        Column::right("pull").unit("ms"),
        Column::right("all").unit("ms"),
        Column::right("to warm"),
    ];
    let row = |row: &FirstUseRow| {
        let is_pull = |other: &&FirstUseRow| {
            other.value == PULL && other.link.is_none() && other.class == row.class && other.case == row.case
        };
        let pull = rows.iter().find(is_pull).and_then(|pull| pull.median);
        Row::of([
            Cell::from(&row.case),
            Cell::from(row.class.name()),
            Cell::from(row.n.to_string()),
            milliseconds(pull),
            milliseconds(row.median),
            times(row.ratio_to_warm),
        ])
    };
    let shown = rows.iter().filter(|row| row.value == WALL && row.link.is_none());
    Table::new("What is not there yet, and what that costs", columns).with(shown.map(row))
}

fn links(rows: &[LinkRow]) -> Table {
    let columns = [
        Column::left("link"),
        Column::left("case"),
        Column::right("over it").unit("kB"),
        Column::right("round trips"),
        Column::right("computed").unit("ms"),
        Column::right("tried").unit("ms"),
        Column::right("to native"),
    ];
    let row = |row: &LinkRow| {
        Row::of([
            Cell::from(row.link.to_string()),
            Cell::from(&row.case),
            Cell::from(significant(row.transferred_bytes / 1e3, 4)),
            Cell::from(significant(row.round_trips, 2)),
            Cell::from(significant(row.computed_ns / 1e6, 3)),
            milliseconds(Some(row.tried_ns)),
            times(row.ratio),
        ])
    };
    Table::new("Pulls over links of given speed and delay, before this run's registry", columns)
        .with(rows.iter().map(row))
}
