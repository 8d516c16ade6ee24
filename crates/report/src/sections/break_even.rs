//! From which size of work on one way is slower than another, and what that means for three kinds of use.
//!
//! Not here: the fits, and the sentences (they come with the summary).

use crate::Run;
use crate::chart::break_even;
use crate::document::{Arrangement, Block, Cell, Column, Form, Row, Section, Table, Text};
use crate::number::{NONE, Rounded};
use crate::view::{self, Side};
use results::Estimate;
use results::break_even::{BreakEvenRow, Example};

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("break-even", "From which size on");
    let Some(found) = &run.summary.break_even else { return section };
    let sentences = found.pairs.iter().map(|row| Text::prose(&row.sentence())).collect();
    let figures = view::sweeps(run).into_iter().enumerate().flat_map(|(index, sweep)| {
        Side::ALL.into_iter().filter_map(move |side| {
            let id = format!("break-even-{index}-{}", side.id());
            Block::figure(break_even::figure(run, (sweep, side), &id), format!("{sweep}, {}", side.title()))
        })
    });
    let key = "How to read it: where a line crosses 1, the other of the two becomes the faster one. Two lines a + b·n of one sweep, held against each other round by round, so that the speed of the machine \
               cancels; below 1 the first is faster. Nothing is said of sizes that were not measured.";
    section
        .with(Block::key(key))
        .with(Block::list(sentences))
        .with(Block::group(Arrangement::Panels, figures.collect()))
        .with(Block::table(pairs(&found.pairs)).not_in(Form::Terminal, "the sentences say what follows from it"))
        .with(Block::heading("Three kinds of use, with the numbers of this run"))
        .with(Block::table(examples(&found.examples)))
}

fn pairs(rows: &[BreakEvenRow]) -> Table {
    let columns = [
        Column::left("case"),
        Column::left("against"),
        Column::right("a / a"),
        Column::right("b / b"),
        Column::right("least n"),
        Column::right("greatest n"),
    ];
    let row = |row: &BreakEvenRow| {
        let mark = if row.across_runtimes { " †" } else { "" };
        let ratios = [row.fixed_ratio, row.marginal_ratio, row.ratio_at_least, row.ratio_at_greatest];
        let words = [row.case.clone() + mark, row.baseline.clone()];
        Row::of(words.into_iter().map(Cell::from).chain(ratios.map(times)))
    };
    Table::new("Ratios of fixed and marginal costs, and of the lines at the ends", columns).with(rows.iter().map(row))
}

/// A ratio with its interval beneath.
fn times(ratio: Option<Estimate>) -> Cell {
    ratio.map_or_else(
        || Cell::from(NONE),
        |ratio| {
            let shown = Rounded::new(Some(ratio.value), Some((ratio.low, ratio.high)));
            Cell::from(format!("{}×", shown.value)).beneath(Some(shown.brackets()))
        },
    )
}

fn examples(examples: &[Example]) -> Table {
    let columns = [
        Column::left("use, case"),
        Column::right("of it before the run").unit("ms"),
        Column::right("all of it").unit("ms"),
        Column::right("to native"),
    ];
    let mut table = Table::new("What one use takes; for the task every minute, a day of it", columns);
    for example in examples {
        for (index, row) in example.rows.iter().enumerate() {
            let total = Rounded::ms(Some(row.total.value), Some((row.total.low, row.total.high)));
            let before =
                if row.before_ns > 0.0 { Rounded::ms(Some(row.before_ns), None).value } else { NONE.to_owned() };
            let cells = [
                Cell::from(format!("{} {}", example.name, row.case)),
                Cell::from(before),
                Cell::from(total.value.clone()).beneath(Some(total.brackets())),
                times(row.ratio),
            ];
            let line = Row::of(cells);
            let last = index + 1 == example.rows.len();
            table.push(if last { line.note(Text::prose(&example.what)) } else { line });
        }
    }
    table
}
