//! A document in Markdown, and the place in a README where one is put.
//!
//! Not here: what is said (`sections`), which file is read or written.

use anyhow::{Context as _, Result, ensure};

use super::push;
use crate::document::{
    Align, Block, Cell, Column, Content, Document, Form, Note, Row, Section, Span, Style, Table, Target, Text, Voice,
};
use crate::visible::visible;
use crate::{Run, sections};

pub use crate::sections::Origin;

/// The line before the result in the project's README.
pub const BEGIN: &str = "<!-- result:begin -->";
/// The line after it.
pub const END: &str = "<!-- result:end -->";

/// `results/<run>/README.md`.
pub fn readme(run: &Run) -> String {
    whole(&sections::document(run))
}

/// A document with the name of its run as its heading, beside that run's files.
pub fn whole(document: &Document) -> String {
    format!("# Run {}\n\n", text(&document.name)) + &body(document, "")
}

/// A comment for a pull request, of the document of the run: sentences and central table open, the rest folded.
pub fn pull_request(run: &Run, whole: &Document) -> String {
    let document = sections::pull_request(run, whole);
    format!("### {}\n\n", text(&document.name)) + &body(&document, "")
}

/// What stands between the markers of the project's README, markers not included.
pub fn result_section(run: &Run, origin: Origin) -> String {
    body(&sections::result(run, origin), &format!("{}/", origin.folder.trim_end_matches('/')))
}

/// Replaces what stands between the markers.
///
/// # Errors
/// When a marker is missing, stands twice, or the end stands before the begin; the error names it.
pub fn splice(text: &str, section: &str) -> Result<String> {
    for marker in [BEGIN, END] {
        let count = text.matches(marker).count();
        ensure!(count > 0, "the marker `{marker}` is missing: put it on a line of its own where the result belongs");
        ensure!(count == 1, "the marker `{marker}` stands {count} times: one is needed");
    }
    let (before, rest) = text.split_once(BEGIN).context("a marker that was found is gone")?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the marker `{END}` stands before `{BEGIN}`"))?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", section.trim()))
}

/// A document without its name; `folder` leads to the run's files.
fn body(document: &Document, folder: &str) -> String {
    let mut out = format!("**{}**\n\n", text(&document.title));
    blocks(&mut out, &document.opening, folder);
    for section in document.sections.iter().filter(|section| section.is_in(Form::Markdown)) {
        let Section { title, blocks: inner, .. } = section;
        push(&mut out, format_args!("## {}\n\n", text(title)));
        blocks(&mut out, inner, folder);
    }
    out
}

fn blocks(out: &mut String, blocks: &[Block], folder: &str) {
    for shown in blocks.iter().filter(|block| block.is_in(Form::Markdown)) {
        block(out, shown, folder);
    }
}

fn block(out: &mut String, block: &Block, folder: &str) {
    match &block.content {
        Content::Heading(title) => push(out, format_args!("### {}\n\n", text(title))),
        Content::Paragraph(words, Voice::Plain | Voice::Finding | Voice::Key) => {
            push(out, format_args!("{}\n\n", text(words)));
        }
        Content::List(items) => {
            let items: Vec<String> = items.iter().map(|item| format!("- {}\n", text(item))).collect();
            push(out, format_args!("{}\n", items.concat()));
        }
        Content::Notes(notes) => {
            push(out, format_args!("{}\n", notes.iter().map(note).collect::<String>()));
        }
        Content::Table(shown) => out.push_str(&captioned(shown)),
        Content::Command(lines) => push(out, format_args!("{}\n", fenced(lines))),
        Content::Group(_, inner) | Content::Only(_, _, inner) | Content::OneOf(_, inner) => blocks(out, inner, folder),
        Content::Details(summary, inner) => {
            push(out, format_args!("<details><summary>{}</summary>\n\n", text(summary)));
            blocks(out, inner, folder);
            out.push_str("</details>\n\n");
        }
        Content::Figure(figure) => {
            // Without a file the block is left out of this form, see `Block::figure`.
            let Some(file) = figure.file else { return };
            let target = link_target(&format!("{folder}{file}"));
            push(out, format_args!("![{}]({target})\n\n", escape(&figure.drawing.title)));
        }
    }
}

fn note(note: &Note) -> String {
    let advice = note.advice.as_ref().map_or_else(String::new, |advice| format!("; {}", text(advice)));
    format!("- **{}**: {}{advice}\n", note.severity.word(), text(&note.what))
}

fn text(text: &Text) -> String {
    text.spans().iter().map(span).collect()
}

fn span(span: &Span) -> String {
    let words = span.text();
    match span.style() {
        // The headings of a README are no addresses that hold.
        Style::Plain | Style::Link(Target::Section(_)) => escape(words),
        Style::Code => code(words),
        Style::Strong => format!("**{}**", escape(words)),
        Style::Emphasis => format!("*{}*", escape(words)),
        Style::Link(Target::File(path)) => format!("[{}]({})", code(words), link_target(path)),
    }
}

fn captioned(shown: &Table) -> String {
    let heads: Vec<String> = shown.columns.iter().map(heading).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let letters = shown.columns.iter().map(|column| if column.align == Align::Right { 'r' } else { 'l' });
    let rows: Vec<Vec<String>> = shown.rows.iter().map(row).collect();
    format!("{}:\n\n", text(&shown.caption)) + &table(&heads, &letters.collect::<String>(), &rows)
}

fn heading(column: &Column) -> String {
    let unit = column.unit.map_or_else(String::new, |unit| format!(" {}", escape(unit)));
    text(&column.heading) + &unit
}

/// A table has no row without columns: a note stands in the first cell, below what it is of.
fn row(row: &Row) -> Vec<String> {
    let mut cells: Vec<String> = row.cells.iter().map(cell).collect();
    if let (Some(first), Some(note)) = (cells.first_mut(), &row.note) {
        push(first, format_args!("<br><sub>{}</sub>", in_cell(note)));
    }
    cells
}

fn cell(cell: &Cell) -> String {
    let lines = std::iter::once(&cell.main).chain(&cell.beneath).map(in_cell);
    lines.collect::<Vec<_>>().join("<br>")
}

/// In a cell a bar ends it, in code too (GFM 0.29, section 4.10).
fn in_cell(words: &Text) -> String {
    let span = |shown: &Span| match shown.style() {
        Style::Code => code(shown.text()).replace('|', "\\|"),
        _ => span(shown),
    };
    words.spans().iter().map(span).collect()
}

/// Text from data within a line, letter for letter; delimited by more backticks than it holds in a row (CommonMark
/// 0.31.2, section 6.1).
fn code(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    let fence = "`".repeat(longest_backticks(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Lines for a shell, letter for letter (CommonMark 0.31.2, section 4.5: the fence is longer than any within).
fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_backticks(text) + 1).max(3));
    format!("{fence}sh\n{}\n{fence}\n", visible(text))
}

/// A relative path as the target of a link (RFC 3986, section 2).
fn link_target(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn longest_backticks(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// A table; cells are Markdown. `alignment` has a letter per column: `l` or `r`.
pub fn table(heads: &[&str], alignment: &str, rows: &[Vec<String>]) -> String {
    let rule = alignment.chars().map(|letter| if letter == 'r' { "---:" } else { "---" });
    let mut out = format!("| {} |\n|{}|\n", heads.join(" | "), rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        push(&mut out, format_args!("| {} |\n", row.join(" | ")));
    }
    out + "\n"
}

/// Text from data, as text: no markup of its own, on one line.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in visible(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splicing_replaces_what_stands_between_the_markers_and_nothing_else() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let once = splice(&text, "new\n").unwrap();
        assert_eq!(once, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(splice(&once, "new\n").unwrap(), once);
    }

    #[test]
    fn a_missing_doubled_or_swapped_marker_is_named() {
        let error = |text: &str| splice(text, "new").unwrap_err().to_string();
        assert!(error(BEGIN).contains(END));
        assert!(error(END).contains(BEGIN));
        assert!(error(&format!("{BEGIN}{BEGIN}{END}")).contains("2 times"));
        assert!(error(&format!("{END}{BEGIN}")).contains("before"));
    }

    #[test]
    fn code_from_data_ends_where_it_ends() {
        assert_eq!(code("abc"), "`abc`");
        assert_eq!(code("a``b\u{1b}"), "```a``b\\u{1b}```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(fenced("cargo 'a\n```\n# b'"), "````sh\ncargo 'a\n```\n# b'\n````\n");
    }

    #[test]
    fn a_link_leads_to_a_folder_of_any_name() {
        assert_eq!(link_target("results/recorded/2026-11-23"), "results/recorded/2026-11-23");
        assert_eq!(link_target("r/a b)é"), "r/a%20b%29%C3%A9");
    }

    #[test]
    fn text_from_data_has_no_markup_of_its_own() {
        assert_eq!(escape("a|b `c` <d>\n[e]"), r"a\|b \`c\` &lt;d&gt; \[e\]");
    }
}
