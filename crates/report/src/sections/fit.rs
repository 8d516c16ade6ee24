//! Fixed and marginal cost of each sweep.
//!
//! Not here: the fit (it comes with the summary), and what is drawn of it (`chart::fit`).

use crate::Run;
use crate::chart::fit;
use crate::document::{Arrangement, Block, Column, Row, Section, Table, Text};
use crate::view::{self, Side};

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("fit", "Fixed and marginal cost");
    let sweeps = view::sweeps(run);
    if sweeps.is_empty() {
        return section;
    }
    let key = Text::plain("A run takes a + b·n: ")
        .and(Text::emphasis("a"))
        .and(" is delivery and start-up, ")
        .and(Text::emphasis("b"))
        .and(" execution. How to read it: where a line is flat, starting costs more than computing; where it rises, computing does.");
    section.push(Block::key(key));
    let samples = &view::samples_by_cell(run);
    for (index, sweep) in sweeps.into_iter().enumerate() {
        let figures = Side::ALL.into_iter().filter_map(|side| {
            let id = format!("fit-{index}-{}", side.id());
            Block::figure(fit::figure((run, samples), (sweep, side), &id), format!("{sweep}, {}", side.title()))
        });
        section.push(Block::group(Arrangement::Panels, figures.collect()));
        section.push(Block::table(table(run, sweep)));
    }
    section
}

fn table(run: &Run, sweep: &str) -> Table {
    let fits: Vec<_> = view::fits(run).filter(|fit| fit.sweep == sweep).collect();
    let method = fits.first().map_or("", |fit| fit.method.as_str());
    let columns = [
        Column::left("case"),
        Column::right("a [low, high]").unit("ms"),
        Column::right("b [low, high]").unit("ns per n"),
    ];
    let rows = fits.iter().map(|fit| {
        let a = view::estimate(fit.a, 1e-6).with_brackets();
        Row::of([fit.case.clone(), a, view::estimate(fit.b_per_n, 1.0).with_brackets()])
    });
    Table::new(format!("{sweep}: fixed cost a and cost per unit b; {method}"), columns).with(rows)
}
