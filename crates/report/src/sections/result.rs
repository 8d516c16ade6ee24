//! The central table: sizes and times per kind, what else executes it, published figures beside them.
//!
//! Not here: what stands in its rows (`view::central`).

use super::mark;
use super::origin::{self, Measure};
use crate::document::{Block, Cell, Column, Form, Row, Section, Table, Text, Tone};
use crate::number::confidence;
use crate::view::{self, central};
use crate::{Run, findings, picture};
use results::BenchRecord;

const BARS: &str = "How to read it: each panel begins at zero, so a bar twice as long is twice the bytes or twice the time. The \
                    whisker is the interval of the median, × the ratio to native on the same side of the container wall.";
const DRAWN: &str = "it explains a drawing";

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("result", "Result");
    let Some(bench) = view::headline(run) else { return section.with(Block::paragraph("The run has no bench.")) };
    let rows = view::central(run);
    let has_interval = rows.iter().any(|row| row.times.iter().any(|time| time.interval.is_some()));
    let caption = if has_interval {
        let sure = confidence(view::level(run));
        format!("{}: median, its {sure} interval, ratio to native by round", bench.name)
    } else {
        format!("{}: median, ratio to native", bench.name)
    };
    let columns = [
        Column::left(""),
        Column::right("binary").unit("kB"),
        Column::right("image pulled").unit("kB"),
        Column::right("image unpacked").unit("kB"),
        Column::right("direct").unit("ms"),
        Column::right("container").unit("ms"),
    ];
    let sources = view::sources(run);
    let published = (!sources.is_empty()).then(|| {
        let sources = sources.join("; ");
        let text = format!("Published: {sources}. The image sizes there do not say whether compressed or unpacked.");
        Block::key(text)
    });
    let bars = Block::figure(picture::drawing(run), "").filter(|_| !run.summary.cases.is_empty());
    section
        .with(Block::table(Table::new(caption, columns).with(rows.iter().map(|found| row(run, bench, found)))))
        .with(mark(run, [bench.name.as_str()]))
        .with(published)
        .with(Block::heading("In numbers"))
        .with(Block::list(findings::points(run).iter().map(|text| Text::prose(text)).collect()))
        .with(bars.is_some().then(|| Block::key(BARS).not_in(Form::Terminal, DRAWN).not_in(Form::Markdown, DRAWN)))
        .with(bars)
}

fn row(run: &Run, bench: &BenchRecord, row: &central::Row) -> Row {
    let strong = |text: &str| Cell::from(Text::plain(text)).tone(Tone::Strong);
    let name = std::iter::once(Cell::from(&row.name));
    let size = |(size, measure): (&central::SizeCell, Measure)| {
        let cell = strong(&size.kb).beneath(size.ratio.as_ref());
        Cell { origin: size.kind.and_then(|kind| origin::of_size(run, (&bench.program, kind), measure)), ..cell }
    };
    let time = |time: &central::TimeCell| {
        let cell = strong(&time.median).beneath(time.interval.as_ref()).beneath(time.ratio.as_ref());
        let measured = time.case.as_ref().and_then(|case| view::case(run, &bench.name, case)).filter(|row| row.n > 0);
        Cell { origin: measured.map(|row| origin::of_case(run, row)), ..cell }
    };
    Row::of(name.chain(row.sizes.iter().zip(Measure::ALL).map(size)).chain(row.times.iter().map(time)))
}
