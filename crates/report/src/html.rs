//! A document as `report.html`: the whole run in one file that loads nothing from anywhere and runs no script. It reads
//! in light and dark, on a phone, printed, and by a screen reader.
//!
//! Not here: what is said (`sections`), and what is drawn (`chart`). Escaping is maud's, for everything that is not
//! markup itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::document::{
    Align, Arrangement, Block, Cell, Column, Content, Document, Figure, Form, Note, Row, Section, Span, Style, Table,
    Target, Text, Tone, Voice,
};
use crate::{Run, sections};

mod choice;

const STYLE: &str = include_str!("html/style.css");

/// The page of a run.
pub fn render(run: &Run) -> String {
    page(&sections::document(run))
}

/// A document as a page.
pub fn page(document: &Document) -> String {
    let shown: Vec<&Section> = document.sections.iter().filter(|section| section.is_in(Form::Page)).collect();
    let name = document.name.words();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Native and Wasm: " (name) }
                style { "\n" (PreEscaped(STYLE)) (PreEscaped(choice::style(&document.choices))) }
            }
            body {
                header {
                    h1 { (text(&document.title)) }
                    (blocks(&document.opening))
                }
                nav aria-label="Sections" {
                    ul { @for section in &shown { li { a href={ "#" (section.id) } { (text(&section.title)) } } "\n" } }
                }
                (choice::links(&document.choices))
                main { @for shown in &shown { (section(shown)) "\n" } }
            }
        }
    };
    page.into_string() + "\n"
}

fn section(section: &Section) -> Markup {
    let heading = format!("{}-h", section.id);
    html! {
        section id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (text(&section.title)) }
            (blocks(&section.blocks))
        }
    }
}

fn blocks(blocks: &[Block]) -> Markup {
    html! { @for shown in blocks.iter().filter(|block| block.is_in(Form::Page)) { (block(shown)) "\n" } }
}

fn block(block: &Block) -> Markup {
    match &block.content {
        Content::Heading(title) => html! { h3 { (text(title)) } },
        Content::Paragraph(words, voice) => html! { p class=[class_of(*voice)] { (text(words)) } },
        Content::List(items) => html! { ul { @for item in items { li { (text(item)) } } } },
        Content::Notes(notes) => html! { ul class="notes" { @for shown in notes { li { (note(shown)) } "\n" } } },
        Content::Table(shown) => table(shown),
        Content::Figure(shown) => figure(shown),
        Content::Command(lines) => html! { pre { code { (lines) } } },
        Content::Group(Arrangement::Panels, inner) => html! { div class="panels" { (blocks(inner)) } },
        Content::Group(Arrangement::SmallPanels, inner) => html! { div class="small-panels" { (blocks(inner)) } },
        Content::Only(facet, index, inner) => {
            let class = choice::class(*facet);
            html! { div class=(format!("only-{class} {class}{index}")) { (blocks(inner)) } }
        }
        Content::OneOf(names, inner) => choice::one_of(names, inner),
        Content::Details(summary, inner) => html! { details { summary { (text(summary)) } (blocks(inner)) } },
    }
}

const fn class_of(voice: Voice) -> Option<&'static str> {
    match voice {
        Voice::Finding => Some("finding"),
        Voice::Plain => None,
        Voice::Key => Some("key"),
    }
}

fn note(note: &Note) -> Markup {
    html! {
        b { (note.severity.word()) } ": " (text(&note.what))
        @if let Some(advice) = &note.advice { "; " i { (text(advice)) } }
    }
}

fn figure(figure: &Figure) -> Markup {
    if figure.file.is_some() {
        // Wider than a phone, so it scrolls by itself.
        return html! {
            div class="picture scroll" role="region" tabindex="0" aria-label=(figure.drawing.title) {
                (figure.drawing.element())
            }
        };
    }
    html! { figure { figcaption { (text(&figure.caption)) } (figure.drawing.element()) } }
}

fn text(text: &Text) -> Markup {
    html! { @for shown in text.spans() { (span(shown)) } }
}

fn span(span: &Span) -> Markup {
    let words = span.text();
    match span.style() {
        Style::Plain => html! { (words) },
        Style::Code | Style::Link(Target::File(_)) => html! { code { (words) } },
        Style::Strong => html! { b { (words) } },
        Style::Emphasis => html! { i { (words) } },
        Style::Link(Target::Section(id)) => html! { a href={ "#" (id) } { (words) } },
    }
}

/// A table in a box that scrolls by itself where the screen is narrow. The first cell of a row is its header.
fn table(table: &Table) -> Markup {
    let caption = table.caption.words();
    html! {
        div class="scroll" role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (text(&table.caption)) }
                thead { tr { @for column in &table.columns { (head(column)) } } }
                tbody { "\n" @for shown in &table.rows { (row(shown, &table.columns)) "\n" } }
            }
        }
    }
}

const fn align(column: &Column) -> Option<&'static str> {
    match column.align {
        Align::Left => None,
        Align::Right => Some("r"),
    }
}

fn head(column: &Column) -> Markup {
    html! {
        th scope="col" class=[align(column)] {
            (text(&column.heading))
            @if let Some(unit) = column.unit { br; (unit) }
        }
    }
}

fn row(row: &Row, columns: &[Column]) -> Markup {
    html! {
        tr class=[row.note.as_ref().map(|_| "noted")] {
            @for (index, (shown, column)) in row.cells.iter().zip(columns).enumerate() {
                @if index == 0 {
                    th scope="row" class=[align(column)] { (cell(shown)) }
                } @else {
                    td class=[align(column)] { (cell(shown)) }
                }
            }
        }
        @if let Some(note) = &row.note {
            tr class="note" { td colspan=(columns.len()) { (text(note)) } }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    html! {
        @if let Some(origin) = &cell.origin {
            details class="origin" {
                summary { (value(cell)) }
                dl { @for (name, fact) in &origin.facts { dt { (name) } dd { (text(fact)) } } }
                code { (text(&origin.command)) }
            }
        } @else {
            (value(cell))
        }
        @for line in &cell.beneath { small { (text(line)) } }
    }
}

fn value(cell: &Cell) -> Markup {
    let main = text(&cell.main);
    html! {
        @match cell.tone {
            Tone::Strong => b { (main) },
            Tone::Better => span class="better" { (main) },
            Tone::Worse => span class="worse" { (main) },
            Tone::Open => span class="open" { (main) },
            Tone::Plain => (main),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, view};

    #[test]
    fn the_first_screen_has_the_workload_and_the_picture() {
        let run = fixture::complete();
        let page = render(&run);
        let (head, _) = page.split_once("<nav").unwrap();
        let why = text(&Text::prose(&view::headline(&run).unwrap().why)).into_string();
        assert!(head.contains(&why) && head.contains("<svg"), "{head}");
        assert!(!head.contains('`'));
    }

    #[test]
    fn what_a_run_does_not_have_has_no_section() {
        let has = |run: &Run, id: &str| render(run).contains(&format!("#{id}\""));
        assert!(has(&fixture::complete(), "fit") && has(&fixture::complete(), "claims"));
        assert!(!has(&fixture::five_rounds(), "fit"));
        assert!(!has(&fixture::empty(), "claims") && !has(&fixture::empty(), "sequence"));
    }
}
