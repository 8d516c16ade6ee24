//! What to know before believing a number, grouped by what it does to the numbers: warnings, what was not measured, what
//! failed, what stays open.
//!
//! Not here: finding it out (it comes with the summary).

use crate::document::{Block, Note, Section, Severity, Text};
use crate::{Run, view};
use results::Effect;

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("warnings", "Before believing it");
    let groups = [
        ("What may change a conclusion", conclusion(run)),
        ("What could not be measured", not_measured(run)),
        ("What makes intervals wide, and leaves differences undecided", intervals(run)),
        ("Good to know", warnings(run, Effect::Background)),
    ];
    for (title, notes) in groups {
        if !notes.is_empty() {
            section.blocks.extend([Block::heading(title), Block::notes(notes)]);
        }
    }
    if section.blocks.is_empty() {
        let nothing = "Nothing stands in the way: no warning, no failure, no missing row, no open verdict.";
        section.push(Block::paragraph(nothing));
    }
    section
}

fn note(severity: Severity, what: &str, advice: Option<&str>) -> Note {
    Note { severity, what: Text::prose(what), advice: advice.map(Text::prose) }
}

fn warnings(run: &Run, effect: Effect) -> Vec<Note> {
    let warnings = run.summary.warnings.iter().filter(|warning| warning.effect == effect);
    warnings.map(|warning| note(Severity::Warning, &warning.what, Some(&warning.advice))).collect()
}

fn conclusion(run: &Run) -> Vec<Note> {
    let unfinished = view::unfinished(run);
    let advice = Some("what was measured until then is shown");
    let mut notes: Vec<Note> = unfinished.map(|end| note(Severity::Warning, end, advice)).into_iter().collect();
    notes.extend(warnings(run, Effect::Conclusion));
    notes.extend(view::failures(run).into_iter().map(|failure| {
        let runs = if failure.runs == 1 { "1 run".to_owned() } else { format!("{} runs", failure.runs) };
        let what = format!("{} {}: {runs}, the first with {}", failure.bench, failure.case, failure.first);
        Note { severity: Severity::Failed, what: what.into(), advice: None }
    }));
    notes
}

fn not_measured(run: &Run) -> Vec<Note> {
    let rows = view::not_measured(run).into_iter();
    let note = |(reason, names): (String, Vec<String>)| {
        let what = Text::plain(&names.join(", ")).and(": ").and(Text::prose(&reason));
        Note { severity: Severity::NotMeasured, what, advice: None }
    };
    rows.map(note).collect()
}

fn intervals(run: &Run) -> Vec<Note> {
    let mut notes = warnings(run, Effect::Intervals);
    notes.extend(view::undetermined(run).into_iter().map(|(word, names)| {
        let what = format!("{}: {word}", names.join(", "));
        Note { severity: Severity::Undecided, what: what.into(), advice: None }
    }));
    notes
}
