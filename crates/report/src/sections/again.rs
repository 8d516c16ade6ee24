//! How to measure the same once more.
//!
//! Not here: how a command is written for a shell (`view::command`).

use crate::document::{Block, Form, Section, Text};
use crate::{Run, view};

/// The section.
pub fn section(run: &Run) -> Section {
    let source = &run.manifest.source;
    let mut lines = String::new();
    if source.revision != "unknown" {
        lines = format!("git checkout {}\n", view::shell_word(&source.revision));
    }
    lines.push_str(&view::command(run));
    let dirty = match source.dirty {
        Some(true) => Some("Tracked files differed from that revision, so this is not quite the same source."),
        Some(false) => None,
        None => Some("Whether the source was changed is not known."),
    };
    let text = "The seed fixes the order of the runs, not their times. This report is made by `cargo xtask report` from \
                `manifest.json` and `samples.jsonl` alone.";
    Section::new("again", "The same again")
        .with(Block::command(&lines))
        .with(dirty.map(Block::paragraph))
        .with(Block::paragraph(Text::prose(text)))
        .not_in(Form::Terminal, "a line that is broken at 80 columns can not be copied")
}
