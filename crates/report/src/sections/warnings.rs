//! What to know before believing a number: warnings, what was not measured, what failed, what stays open.
//!
//! Not here: finding it out (it comes with the summary).

use crate::document::{Block, Note, Section, Severity, Text};
use crate::{Run, view};

/// The section.
pub fn section(run: &Run) -> Section {
    let notes = notes(run);
    let block = if notes.is_empty() {
        Block::paragraph("Nothing stands in the way: no warning, no failure, no missing row, no open verdict.")
    } else {
        Block::notes(notes)
    };
    Section::new("warnings", "Before believing it").with(block)
}

fn notes(run: &Run) -> Vec<Note> {
    let note = |severity, what: &str, advice: Option<&str>| Note {
        severity,
        what: Text::prose(what),
        advice: advice.map(Text::prose),
    };
    let mut notes = Vec::new();
    if let Some(end) = view::unfinished(run) {
        notes.push(note(Severity::Warning, end, Some("what was measured until then is shown")));
    }
    for warning in &run.summary.warnings {
        notes.push(note(Severity::Warning, &warning.what, Some(&warning.advice)));
    }
    for (reason, names) in view::not_measured(run) {
        let what = Text::plain(&names.join(", ")).and(": ").and(Text::prose(&reason));
        notes.push(Note { severity: Severity::NotMeasured, what, advice: None });
    }
    for failure in view::failures(run) {
        let runs = if failure.runs == 1 { "1 run".to_owned() } else { format!("{} runs", failure.runs) };
        let text = format!("{} {}: {runs}, the first with {}", failure.bench, failure.case, failure.first);
        notes.push(Note { severity: Severity::Failed, what: text.into(), advice: None });
    }
    for (word, names) in view::undetermined(run) {
        let what = format!("{}: {word}", names.join(", "));
        notes.push(Note { severity: Severity::Undecided, what: what.into(), advice: None });
    }
    notes
}
