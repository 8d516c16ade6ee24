//! Several runs on one page: every row of every bench in each of them, and what is not the same about them.
//!
//! Not here: whether two of them may be compared (`cargo xtask compare` judges, and refuses where it has to). Nothing is
//! computed across runs here.

use super::times::verdict;
use crate::Run;
use crate::chart;
use crate::document::{Arrangement, Block, Cell, Column, Document, Form, Row, Section, Table, Text};
use crate::number::NONE;
use crate::view::{self, Side};
use results::compare::differences::differences;

const KEY: &str = "How to read it: below each case a line for each run, the oldest on top; the square is the median, the line \
                   its interval. A step from one line to the next is a change of program, stack or machine: what is not \
                   the same is listed below.";

/// The runs beside each other, the oldest first. The rows are those of the newest.
pub fn document(runs: &[Run]) -> Document {
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by(|a, b| a.manifest.started_utc.cmp(&b.manifest.started_utc));
    let names: Vec<&str> = runs.iter().map(|run| run.manifest.run.as_str()).collect();
    let note = "Each figure is of its own run, with the interval of that run. Two intervals from two runs are not a \
                comparison: machines and stacks change between them. `cargo xtask compare A B` makes one, or says why not.";
    Document {
        name: Text::plain(&names.join(", ")),
        title: Text::plain(&format!("{} runs, the oldest first", runs.len())),
        opening: vec![Block::paragraph(Text::prose(note))],
        choices: Vec::new(),
        sections: vec![history(&runs), machines(&runs)],
    }
}

fn history(runs: &[&Run]) -> Section {
    let mut section = Section::new("history", "Median and ratio by run");
    let Some(newest) = runs.last() else { return section };
    let names = runs.iter().enumerate().map(|(index, run)| format!("{} is {}", index + 1, run.manifest.run));
    let key = format!("{KEY} {}.", names.collect::<Vec<_>>().join(", "));
    let only_figures = "it explains the figures";
    section.push(Block::key(key).not_in(Form::Terminal, only_figures).not_in(Form::Markdown, only_figures));
    for (index, bench) in super::shown(newest).enumerate() {
        let figures = Side::ALL.into_iter().filter_map(|side| {
            let id = format!("history-{index}-{}", side.id());
            Block::figure(chart::history::figure(runs, (bench, side), &id), format!("{bench}, {}", side.title()))
        });
        section.push(Block::group(Arrangement::Panels, figures.collect()));
        let columns = [
            Column::left("case"),
            Column::left("run"),
            Column::right("median [low, high]"),
            Column::right("ratio to native"),
            Column::left("verdict"),
        ];
        let mut table = Table::new(bench, columns);
        for row in view::rows(newest).filter(|row| row.bench == bench) {
            let lines = runs.iter().enumerate().map(|(index, run)| line(run, (bench, &row.case), index));
            lines.for_each(|line| table.push(line));
        }
        section.push(Block::table(table));
    }
    section
}

/// One row of one run; the case is named in the first of them.
fn line(run: &Run, (bench, case): (&str, &str), index: usize) -> Row {
    let name = if index == 0 { case } else { "" };
    let row = view::case(run, bench, case).filter(|row| row.n > 0);
    let comparison = view::comparison(run, bench, case).filter(|_| row.is_some());
    Row::of([
        Cell::from(name),
        Cell::from(&run.manifest.run),
        Cell::from(row.map_or_else(|| NONE.to_owned(), view::median)),
        Cell::from(comparison.map_or_else(String::new, view::runtimes::marked_ratio)),
        comparison.map_or_else(|| Cell::from(if row.is_some() { "" } else { "not measured" }), verdict),
    ])
}

/// What is not the same in one run and the one after it.
fn machines(runs: &[&Run]) -> Section {
    let mut section = Section::new("machines", "What is not the same");
    for pair in runs.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let columns = [Column::left("what"), Column::left("before"), Column::left("after")];
        let caption = format!("{} and {}", a.manifest.run, b.manifest.run);
        let or_none = |value: Option<String>| value.unwrap_or_else(|| NONE.to_owned());
        let rows = differences([&a.manifest, &b.manifest]).into_iter();
        let rows = rows.map(|found| Row::of([found.what, or_none(found.a), or_none(found.b)]));
        let table = Table::new(caption.clone(), columns).with(rows);
        if table.rows.is_empty() {
            section.push(Block::paragraph(format!("{caption}: machine, stack and programs are the same.")));
        } else {
            section.push(Block::table(table));
        }
    }
    section
}
