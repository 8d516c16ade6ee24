//! Sizes of every program in every kind and image.
//!
//! Not here: what is drawn of them (`chart::sizes`).

use crate::chart::sizes;
use crate::document::{Arrangement, Block, Cell, Column, Row, Section, Table};
use crate::number::{NONE, kb, size_ratio};
use crate::{Run, view};
use results::SizeRow;
use results::case::Kind;

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("sizes", "Sizes");
    let rows = &run.summary.sizes;
    if rows.is_empty() {
        return section.with(Block::paragraph("No size is in this run."));
    }
    // What was made later of a program stands behind the others: each has one figure all the same.
    let mut programs: Vec<&str> = Vec::new();
    for row in rows {
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
    }
    let figures = programs
        .iter()
        .enumerate()
        .filter_map(|(index, program)| Block::figure(sizes::figure(run, program, &format!("size-{index}")), *program));
    let figures = figures.collect();
    let columns = [
        Column::left("program"),
        Column::left("kind, image"),
        Column::right("binary").unit("kB"),
        Column::right("image pulled").unit("kB"),
        Column::right("image unpacked").unit("kB"),
    ];
    let table = Table::new("Every program, kind and image", columns).with(rows.iter().map(|row| line(run, row)));
    section
        .with(Block::key("Exact bytes in kB (1000 bytes), and their ratio to native. How to read it: a bar half as long is half the bytes; what a node transfers is the image as pulled."))
        .with(Block::group(Arrangement::Panels, figures))
        .with(Block::table(table))
}

fn line(run: &Run, row: &SizeRow) -> Row {
    let native = view::size(run, &row.program, Kind::Native).map_or([None; 3], view::three_sizes);
    let is_native = row.kind == Kind::Native.name() && row.is_default();
    let sizes = view::three_sizes(row).into_iter().zip(native).map(|(ours, native)| {
        let ratio = ours.zip(native).filter(|_| !is_native);
        let ratio = ratio.map(|(ours, native)| size_ratio(ours as f64 / native as f64));
        Cell::from(ours.map_or_else(|| NONE.to_owned(), kb)).beneath(ratio)
    });
    Row::of([Cell::from(&row.program), Cell::from(row.name())].into_iter().chain(sizes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Content;
    use crate::fixture;

    /// Rows of one program that stood apart had a figure each.
    #[test]
    fn a_program_has_one_figure_wherever_its_rows_stand() {
        let mut run = fixture::complete();
        let first = run.summary.sizes.remove(0);
        run.summary.sizes.push(first);
        let figures =
            |blocks: &[Block]| blocks.iter().filter(|block| matches!(block.content, Content::Figure(_))).count();
        let section = section(&run);
        let found: usize = section
            .blocks
            .iter()
            .map(|block| match &block.content {
                Content::Group(_, inner) => figures(inner),
                _ => 0,
            })
            .sum();
        let programs: std::collections::BTreeSet<&str> = run.summary.sizes.iter().map(|row| &*row.program).collect();
        assert_eq!(found, programs.len());
    }
}
