//! What stands before every section: the answer, for somebody who reads nothing else, and what was run.
//!
//! Not here: how the sentences come about (`answer`), and what is drawn (`chart::square`).

use crate::chart::square;
use crate::document::{Block, Form, Text};
use crate::{Run, answer, view};

/// All of it.
pub fn blocks(run: &Run) -> Vec<Block> {
    let mut blocks = answer(run);
    blocks.extend(workload(run));
    blocks.push(circumstances(run));
    blocks
}

/// The sentences, then the picture.
pub fn answer(run: &Run) -> Vec<Block> {
    let mut blocks = sentences(run);
    let drawing = square::drawing(run).filter(|_| !run.summary.cases.is_empty());
    blocks.extend(drawing.map(|drawing| Block::figure_of_file(drawing, "", "result.svg")));
    blocks
}

/// The three sentences.
pub fn sentences(run: &Run) -> Vec<Block> {
    answer::sentences(run).iter().map(|text| Block::finding(Text::prose(text))).collect()
}

fn circumstances(run: &Run) -> Block {
    let manifest = &run.manifest;
    let text = format!(
        "{} · {} rounds after {} of warm-up · seed {}",
        manifest.run, manifest.rounds, manifest.warmup_rounds, manifest.seed
    );
    Block::key(text)
}

fn workload(run: &Run) -> Option<Block> {
    let bench = view::headline(run)?;
    // A reason may be a sentence, or go on as part of this one.
    let is_sentence = bench.why.starts_with(char::is_uppercase);
    let text = Text::plain("The workload: ")
        .and(Text::strong(&bench.name))
        .and(if is_sentence { ", one program built for each kind. " } else { ", one program built for each kind; " })
        .and(Text::prose(&bench.why));
    Some(Block::paragraph(text).not_in(Form::Terminal, "whoever typed the command knows the workload"))
}
