//! The central table: sizes and times per kind, what else executes it, published figures beside them.
//!
//! Not here: what stands in its rows (`view::central`).

use super::{mark, origin};
use crate::document::{Block, Cell, Column, Row, Section, Table, Text, Tone};
use crate::number::confidence;
use crate::view::{self, central};
use crate::{Run, findings, picture};

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
        .with(Block::table(Table::new(caption, columns).with(rows.iter().map(|found| row(run, &bench.name, found)))))
        .with(mark(run, [bench.name.as_str()]))
        .with(published)
        .with(Block::heading("In numbers"))
        .with(Block::list(findings::sentences(run).iter().map(|text| Text::prose(text)).collect()))
        .with(bars)
}

fn row(run: &Run, bench: &str, row: &central::Row) -> Row {
    let strong = |text: &str| Cell::from(Text::plain(text)).tone(Tone::Strong);
    let name = std::iter::once(Cell::from(&row.name));
    let sizes = row.sizes.iter().map(|size| strong(&size.kb).beneath(size.ratio.as_ref()));
    let time = |time: &central::TimeCell| {
        let cell = strong(&time.median).beneath(time.interval.as_ref()).beneath(time.ratio.as_ref());
        let measured = time.case.as_ref().and_then(|case| view::case(run, bench, case)).filter(|row| row.n > 0);
        Cell { origin: measured.map(|row| origin::of_case(run, row)), ..cell }
    };
    Row::of(name.chain(sizes).chain(row.times.iter().map(time)))
}
