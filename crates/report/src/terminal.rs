//! The report on a terminal: lines of at most 80 columns.
//!
//! Not here: what is said (`sections`), how a table is laid out (`terminal::layout`), and finding out whether there is a
//! terminal; the caller says so with [`ColourChoice`].

use crate::document::{Block, Content, Document, Form, Note, Section, Severity, Table, Voice};
use crate::visible::visible;
use crate::{Run, sections};

mod layout;

/// The widest line.
const WIDTH: usize = 80;

/// Whether verdicts are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourChoice {
    /// The output is a terminal and `NO_COLOR` is not set.
    Colour,
    /// Anything else.
    Plain,
}

/// The whole report of a run.
pub fn render(run: &Run, colour: ColourChoice) -> String {
    document(&sections::document(run), colour)
}

/// A document.
pub fn document(document: &Document, colour: ColourChoice) -> String {
    let mut out = String::new();
    push_wrapped(&mut out, &document.title.words(), ("", ""));
    out.push('\n');
    blocks(&mut out, &document.opening, colour);
    for section in document.sections.iter().filter(|section| section.is_in(Form::Terminal)) {
        heading(&mut out, section);
        blocks(&mut out, &section.blocks, colour);
    }
    out.truncate(out.trim_end_matches('\n').len());
    out + "\n"
}

fn heading(out: &mut String, section: &Section) {
    let title = section.title.words();
    let rest = WIDTH.saturating_sub(layout::width(&title) + 4);
    push_wrapped(out, &format!("── {title} {}", "─".repeat(rest)), ("", ""));
    out.push('\n');
}

fn blocks(out: &mut String, blocks: &[Block], colour: ColourChoice) {
    for shown in blocks.iter().filter(|block| block.is_in(Form::Terminal)) {
        block(out, shown, colour);
    }
}

fn block(out: &mut String, block: &Block, colour: ColourChoice) {
    match &block.content {
        Content::Heading(text) | Content::Paragraph(text, Voice::Plain | Voice::Finding) => {
            push_wrapped(out, &text.words(), ("", ""));
        }
        // Close below what it explains.
        Content::Paragraph(text, Voice::Key) => push_wrapped(out, &text.words(), ("", "  ")),
        Content::List(items) => items.iter().for_each(|item| push_wrapped(out, &item.words(), ("- ", "  "))),
        Content::Notes(notes) => notes.iter().for_each(|shown| note(out, shown)),
        Content::Table(shown) => table(out, shown, colour),
        Content::Command(lines) => lines.lines().for_each(|line| out.extend(["    ", line, "\n"])),
        Content::Group(_, inner) | Content::Only(_, _, inner) | Content::OneOf(_, inner) => {
            return blocks(out, inner, colour);
        }
        Content::Details(summary, inner) => {
            push_wrapped(out, &summary.words(), ("", ""));
            return blocks(out, inner, colour);
        }
        // Left out of this form, see `Block::figure`.
        Content::Figure(_) => return,
    }
    out.push('\n');
}

fn note(out: &mut String, note: &Note) {
    let word = match note.severity {
        Severity::Warning => "warning",
        Severity::NotMeasured => "not measured",
        Severity::Failed => "failed",
        Severity::Undecided => "undecided",
    };
    let advice = note.advice.as_ref().map_or_else(String::new, |advice| format!("; {}", advice.words()));
    push_wrapped(out, &format!("{word}: {}{advice}", note.what.words()), ("", "  "));
}

fn table(out: &mut String, table: &Table, colour: ColourChoice) {
    push_wrapped(out, &table.caption.words(), ("", "  "));
    for line in layout::lines(table, WIDTH, colour) {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Words in lines of at most 80 characters; `indent` of the first line and of the others. A longer word has a
/// line of its own and stays whole: a path that is broken can not be copied.
pub fn push_wrapped(out: &mut String, text: &str, (first, rest): (&str, &str)) {
    let text = visible(text);
    out.push_str(first);
    let (mut used, mut empty) = (layout::width(first), true);
    for word in text.split_whitespace() {
        let length = layout::width(word);
        if !empty && used + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(rest);
            (used, empty) = (layout::width(rest), true);
        }
        if !empty {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        (used, empty) = (used + length, false);
    }
    out.push('\n');
}
