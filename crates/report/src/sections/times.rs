//! The times of every bench: what is drawn of them, and a table with a row for each cell; then what was measured beside
//! the time.
//!
//! Not here: what is drawn (`chart::times`).

use super::{first_use, mark, origin, parts, shown};
use crate::Run;
use crate::chart::{self, times};
use crate::document::{Arrangement, Block, Cell, Column, Facet, Form, Row, Section, Table, Text, Tone};
use crate::number::confidence;
use crate::view::{self, Side};
use results::{CaseSummary, Comparison, Verdict};

const COLD: &str = "How to read it: the ring is the warm run, the square the one where something was not there yet, each with its \
                    interval; what lies between them is what that costs.";

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("times", "Times").with(key(run));
    let samples = view::samples_by_cell(run);
    for (index, bench) in shown(run).enumerate() {
        section.push(Block::only(Facet::Bench, index, blocks((run, &samples), bench, index)));
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
        Cell::from(view::median(row)).origin(origin::of_case(run, row)),
        comparison.map_or_else(|| Cell::from(""), |row| ratio(run, row)),
        verdict,
    ])
    .note(comparison.map_or_else(Text::default, |comparison| parts::beside(run, comparison)))
}

/// A ratio with what is behind it.
pub fn ratio(run: &Run, row: &Comparison) -> Cell {
    Cell::from(view::runtimes::marked_ratio(row)).origin(origin::of_ratio(run, row))
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

fn blocks((run, samples): (&Run, &view::SamplesByCell), bench: &str, index: usize) -> Vec<Block> {
    let rows: Vec<&CaseSummary> = view::rows(run).filter(|row| row.bench == bench).collect();
    if rows.is_empty() {
        return vec![Block::paragraph(format!("{bench}: nothing was measured"))];
    }
    let figures = Side::ALL.into_iter().filter_map(|side| {
        let on_side = rows.iter().copied().filter(|row| view::side(run, &row.case) == side);
        let caption = format!("{bench}, {}: {}", side.title(), view::counts(&on_side.collect::<Vec<_>>()));
        let id = format!("time-{index}-{}", side.id());
        Block::figure(times::figure((run, samples), (bench, side), &id), caption)
    });
    let caption = format!("{bench}: {}", view::counts(&rows));
    let figures = Block::group(Arrangement::Panels, figures.collect());
    let table = Block::table(table(caption, rows.into_iter().map(|row| line(run, row))));
    // Warm is what every run of the plan is; other starts have a figure of their own.
    let mut shown: Vec<Block> = Block::only(Facet::Start, 0, figures.into_iter().collect()).into_iter().collect();
    for (place, class) in first_use::classes(run).into_iter().enumerate().skip(1) {
        let id = format!("start-{index}-{place}");
        let caption = format!("{bench}: {}, beside warm", class.name());
        let figure = Block::figure(chart::first_use::figure(run, (bench, class), &id), caption);
        let figure = Block::group(Arrangement::Panels, figure.into_iter().collect());
        let key = figure.is_some().then(|| only_with_figures(Block::key(COLD)));
        shown.extend(Block::only(Facet::Start, place, key.into_iter().chain(figure).collect()));
    }
    shown.into_iter().chain([table]).chain(mark(run, [bench])).collect()
}

fn key(run: &Run) -> Block {
    let sure = confidence(view::level(run));
    let mut key = format!(
        "How to read it: each mark is one fresh process or container, further right is longer; the line is the median, the \
         bar its {sure} interval. Height within a row means nothing. Where marks of two rows overlap, single runs could \
         have come out either way."
    );
    let most = view::rows(run).map(|row| row.n).max().unwrap_or(0);
    let drawn = times::dots(run);
    if most > drawn {
        let thinned = format!(
            " Of each cell {drawn} dots are drawn, evenly by rank with the fastest and the slowest; medians and intervals come \
             from all {most}."
        );
        key.push_str(&thinned);
    }
    only_with_figures(Block::key(Text::from(key)))
}

fn only_with_figures(key: Block) -> Block {
    let only_figures = "it explains the figures";
    key.not_in(Form::Terminal, only_figures).not_in(Form::Markdown, only_figures)
}
