//! The times of every bench: what is drawn of them, and a table with a row for each cell; then what was measured beside
//! the time.
//!
//! Not here: what is drawn (`chart::times`).

use super::{mark, parts, shown};
use crate::Run;
use crate::chart::times;
use crate::document::{Arrangement, Block, Cell, Column, Form, Row, Section, Table, Text, Tone};
use crate::number::confidence;
use crate::view::{self, Side};
use results::{CaseSummary, Comparison, Verdict};

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("times", "Times").with(key(run));
    section.push(Block::group(Arrangement::Panels, figures(run)));
    for bench in shown(run) {
        let rows: Vec<&CaseSummary> = view::rows(run).filter(|row| row.bench == bench).collect();
        if rows.is_empty() {
            section.push(Block::paragraph(format!("{bench}: nothing was measured")));
            continue;
        }
        let caption = format!("{bench}: {}", view::counts(&rows));
        section.push(Block::table(table(caption, rows.into_iter().map(|row| line(run, row)))));
        section.push(mark(run, [bench]));
    }
    for further in view::further(run) {
        let rows = further.rows.iter().map(Row::of);
        section.push(Block::table(table(further.title.clone(), rows)));
    }
    section
}

fn table(caption: String, rows: impl Iterator<Item = Row>) -> Table {
    let columns = [
        Column::left("case"),
        Column::right("n"),
        Column::right("median [low, high]"),
        Column::right("ratio to native"),
        Column::left("verdict"),
    ];
    Table::new(caption, columns).with(rows)
}

fn line(run: &Run, row: &CaseSummary) -> Row {
    let comparison = view::comparison(run, &row.bench, &row.case).filter(|_| row.n > 0);
    let verdict = match comparison {
        _ if row.n == 0 => Cell::from("not measured"),
        Some(comparison) => verdict(comparison),
        None => Cell::from(role(run, &row.case)),
    };
    let failed = (row.failed > 0).then(|| format!("{} failed", row.failed));
    Row::of([
        Cell::from(&row.case),
        Cell::from(row.n.to_string()).beneath(failed),
        Cell::from(view::median(row)),
        Cell::from(comparison.map_or_else(String::new, view::runtimes::marked_ratio)),
        verdict,
    ])
    .note(comparison.map_or_else(Text::default, |comparison| parts::beside(run, comparison)))
}

/// A verdict, with its colour unless two runtimes are in the ratio: that alone makes no program faster.
pub fn verdict(row: &Comparison) -> Cell {
    let tone = match row.verdict {
        Verdict::Undetermined | Verdict::TooNoisy => Tone::Open,
        Verdict::Faster if !row.across_runtimes => Tone::Better,
        Verdict::Slower if !row.across_runtimes => Tone::Worse,
        _ => Tone::Plain,
    };
    Cell::from(view::runtimes::marked_verdict(row)).tone(tone)
}

/// What a row without comparison is there for.
fn role(run: &Run, case: &str) -> &'static str {
    match view::cell(run, case) {
        Some(cell) if cell.is_twin() => "A/A twin",
        Some(cell) if cell.case.is_baseline() => "baseline",
        _ => "",
    }
}

fn figures(run: &Run) -> Vec<Block> {
    let mut figures = Vec::new();
    for (index, bench) in view::shown_benches(run).into_iter().enumerate() {
        for side in Side::ALL {
            let on_side = |row: &&CaseSummary| row.bench == bench.name && view::side(run, &row.case) == side;
            let rows: Vec<&CaseSummary> = view::rows(run).filter(on_side).collect();
            let caption = format!("{}, {}: {}", bench.name, side.title(), view::counts(&rows));
            let id = format!("time-{index}-{}", side.id());
            figures.extend(Block::figure(times::figure(run, (&bench.name, side), &id), caption));
        }
    }
    figures
}

fn key(run: &Run) -> Block {
    let sure = confidence(view::level(run));
    let mut key = format!(
        "A dot is one fresh process or container; the line is the median, the bar its {sure} interval. Height within a \
         row means nothing."
    );
    let most = view::rows(run).map(|row| row.n).max().unwrap_or(0);
    if most > times::DOTS {
        let thinned = format!(
            " Of each cell {} dots are drawn, evenly by rank with the fastest and the slowest; medians and intervals come \
             from all {most}.",
            times::DOTS
        );
        key.push_str(&thinned);
    }
    let only_figures = "it explains the figures";
    Block::key(Text::from(key)).not_in(Form::Terminal, only_figures).not_in(Form::Markdown, only_figures)
}
