//! The ledger of bytes: from the file that was built to the disk of a node.
//!
//! Not here: the sums, and the sentences (they come with the summary).

use crate::Run;
use crate::document::{Block, Cell, Column, Form, Row, Section, Table, Text};
use crate::number::{NONE, kb, significant};
use results::ledger::{LedgerArm, LedgerNode};
use results::node::NodePart;

/// Why a terminal has the sentences alone.
const WIDE: &str = "it is wider than a terminal, and the page has it";

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("ledger", "Where the bytes go");
    let Some(ledger) = &run.summary.ledger else { return section };
    let disk = ledger.disk.iter().map(|row| Text::prose(&row.sentence())).collect();
    section
        .with(Block::list(disk))
        .with(Block::table(arms(&ledger.arms)).not_in(Form::Terminal, WIDE))
        .with(Block::table(nodes(&ledger.nodes)).not_in(Form::Terminal, WIDE))
}

fn arms(arms: &[LedgerArm]) -> Table {
    let columns = [
        Column::left("program, case"),
        Column::right("file"),
        Column::right("layers"),
        Column::right("unpacked"),
        Column::right("manifest, config"),
        Column::right("to pull"),
        Column::right("on the node"),
    ];
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| NONE.to_owned(), kb);
    let row = |arm: &LedgerArm| {
        let documents = arm.manifest_bytes.zip(arm.config_bytes).map(|(manifest, config)| manifest + config);
        Row::of([
            format!("{} {}", arm.program, arm.case),
            kb(arm.file_bytes),
            bytes(arm.layers_compressed_bytes),
            bytes(arm.layers_unpacked_bytes),
            bytes(documents),
            bytes(arm.transfer_bytes),
            bytes(arm.on_node_bytes()),
        ])
    };
    let caption = "Every arm in kB; on the node: blocks of content store and snapshot after the pull";
    Table::new(caption, columns).with(arms.iter().map(row))
}

fn nodes(nodes: &[LedgerNode]) -> Table {
    let parts = NodePart::ALL.map(|part| Column::right(part.title()));
    let columns =
        std::iter::once(Column::left("case")).chain(parts).chain([Column::right("all"), Column::right("without LLVM")]);
    let megabytes = |bytes: u64| significant(bytes as f64 / 1e6, 3);
    let row = |node: &LedgerNode| {
        let of = |part: NodePart| node.parts.iter().find(|found| found.part == part).map(|found| found.size_bytes);
        let parts = NodePart::ALL.map(|part| of(part).map_or_else(|| NONE.to_owned(), megabytes));
        let sums = [node.total_bytes, node.without_compiler_bytes].map(megabytes);
        Row::of(std::iter::once(node.case.clone()).chain(parts).chain(sums).map(Cell::from))
    };
    Table::new("Once per node, in MB: programs and the libraries that they load", columns)
        .with(nodes.iter().filter(|node| node.total_bytes > 0).map(row))
}
