//! What one form of the report shows, all show, or the document says where it is left out.

use super::super::terminal::{self, ColourChoice};
use super::super::{Run, fixture, html, markdown, sections};
use super::runs;
use crate::document::{Block, Cell, Content, Document, Form, Text};

/// The words that a block puts before a reader, those of blocks within it not included.
fn words(block: &Block) -> Vec<String> {
    let texts: Vec<&Text> = match &block.content {
        Content::Heading(text) | Content::Paragraph(text, _) | Content::Details(text, _) => vec![text],
        Content::List(items) => items.iter().collect(),
        Content::Notes(notes) => notes.iter().flat_map(|note| [&note.what].into_iter().chain(&note.advice)).collect(),
        Content::Table(table) => {
            let cell = |cell: &Cell| [cell.main.clone()].into_iter().chain(cell.beneath.clone()).collect::<Vec<_>>();
            let heads = table.columns.iter().map(|column| column.heading.clone());
            let rows = table.rows.iter().flat_map(|row| row.cells.iter().flat_map(cell).chain(row.note.clone()));
            let texts = heads.chain(rows).chain([table.caption.clone()]);
            return texts.flat_map(|text| split(&text)).collect();
        }
        Content::Figure(figure) => return split(&Text::plain(&figure.drawing.title)),
        Content::Command(lines) => return split(&Text::plain(lines)),
        Content::OneOf(one_of, _) => one_of.names.iter().collect(),
        Content::Group(..) | Content::Only(..) => Vec::new(),
    };
    texts.into_iter().flat_map(split).collect()
}

/// By span: between two of them a form may have markup.
fn split(text: &Text) -> Vec<String> {
    let words = text.spans().iter().flat_map(|span| span.text().split_whitespace());
    words.map(|word| word.replace(['\\', '`'], "")).collect()
}

/// What a form shows, without the markup that it has.
fn shown(run: &Run, form: Form) -> String {
    let text = match form {
        Form::Terminal => terminal::render(run, ColourChoice::Plain),
        Form::Markdown => markdown::readme(run),
        Form::Page => html::render(run),
    };
    let unescaped = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    unescaped.replace(['\\', '`'], "")
}

/// What is missing in a form without a reason.
fn missing(document: &Document, text: &str, form: Form) -> Vec<String> {
    let mut missing = Vec::new();
    for (block, left_out) in document.blocks() {
        if left_out.iter().any(|left_out| left_out.form == form) {
            continue;
        }
        missing.extend(words(block).into_iter().filter(|word| !text.contains(word.as_str())));
    }
    missing
}

#[test]
fn what_one_form_shows_all_show_or_it_is_said_where_it_is_left_out() {
    let more = [("two metrics", fixture::two_metrics()), ("traced", fixture::traced())];
    for (name, run) in runs().into_iter().chain(more) {
        let document = sections::document(&run);
        for form in Form::ALL {
            let missing = missing(&document, &shown(&run, form), form);
            assert_eq!(missing, Vec::<String>::new(), "{name} in {form:?}");
        }
    }
}

#[test]
fn whatever_is_left_out_is_left_out_for_a_reason_and_of_some_forms_only() {
    for (name, run) in runs() {
        for (block, left_out) in sections::document(&run).blocks() {
            assert!(left_out.iter().all(|left_out| left_out.because.split(' ').count() > 2), "{name}: {left_out:?}");
            let is_shown = |form| left_out.iter().all(|left_out| left_out.form != form);
            assert!(Form::ALL.into_iter().any(is_shown), "{name}: nobody sees {block:?}");
        }
    }
}

/// The test above must be able to fail.
#[test]
fn a_form_that_forgets_a_block_is_found_out() {
    let run = fixture::complete();
    let mut document = sections::document(&run);
    document.sections[0].push(Block::paragraph("a sentence that no renderer was given"));
    for form in Form::ALL {
        assert!(missing(&document, &shown(&run, form), form).contains(&"sentence".to_owned()), "{form:?}");
    }
}
