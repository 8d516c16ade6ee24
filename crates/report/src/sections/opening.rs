//! What stands before every section: what was run, the three sentences, the picture.
//!
//! Not here: how the sentences come about (`findings`), and what is drawn (`picture`).

use crate::document::{Block, Form, Text};
use crate::{Run, findings, picture, view};

/// All of it.
pub fn blocks(run: &Run) -> Vec<Block> {
    let mut blocks = vec![circumstances(run)];
    blocks.extend(workload(run));
    blocks.extend(blocks_with_picture(run));
    blocks
}

/// The sentences, then the picture.
pub fn blocks_with_picture(run: &Run) -> Vec<Block> {
    let mut blocks = sentences(run);
    if !run.summary.cases.is_empty() {
        blocks.push(Block::figure_of_file(picture::drawing(run), "", "result.svg"));
    }
    blocks
}

/// The three sentences.
pub fn sentences(run: &Run) -> Vec<Block> {
    findings::sentences(run).iter().map(|text| Block::finding(Text::prose(text))).collect()
}

fn circumstances(run: &Run) -> Block {
    let manifest = &run.manifest;
    let machine = &manifest.machine;
    let cpu = machine.cpu_model.as_deref().unwrap_or("processor not known");
    let cpus = machine.cpus.map_or_else(String::new, |cpus| format!("{cpus} × "));
    let text = format!(
        "{} · {} rounds after {} of warm-up · seed {} · {cpus}{cpu}",
        manifest.run, manifest.rounds, manifest.warmup_rounds, manifest.seed
    );
    Block::key(text)
}

fn workload(run: &Run) -> Option<Block> {
    let bench = view::headline(run)?;
    let text = Text::plain("The workload: ")
        .and(Text::strong(&bench.name))
        .and(", one Rust program built for each kind. ")
        .and(Text::prose(&bench.why));
    Some(Block::paragraph(text).not_in(Form::Terminal, "whoever typed the command knows the workload"))
}
