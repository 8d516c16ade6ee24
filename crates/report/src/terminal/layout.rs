//! A table as lines of a bounded width: columns as wide as they need to be where all fit, the widest ones wrapped where
//! not; a note of a row below it, across all columns.
//!
//! Not here: what stands in it.

use unicode_width::UnicodeWidthStr as _;

use super::{ColourChoice, push_wrapped};
use crate::document::{Align, Cell, Column, Row, Table, Tone};

/// Between two columns, where that fits.
const GAP: usize = 3;
/// No column is made narrower than this.
const NARROW: usize = 6;

/// The columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    // Most text is plain, and counting letters takes long where a text is.
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The lines of a table, at most `most` wide.
pub fn lines(table: &Table, most: usize, colour: ColourChoice) -> Vec<String> {
    let heads: Vec<Vec<String>> = table.columns.iter().map(head).collect();
    let rows: Vec<Vec<Vec<String>>> = table.rows.iter().map(|row| row.cells.iter().map(cell).collect()).collect();
    let mut widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            let cells = rows.iter().map(|row| &row[column]).chain([&heads[column]]);
            cells.flatten().map(|line| width(line)).max().unwrap_or(0)
        })
        .collect();
    let gap = fit(&mut widths, most, &floors(table, &heads, &rows));
    let rule = "─".repeat(widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1));
    let layout = Layout { columns: &table.columns, widths: &widths, gap };
    let mut out = layout.row(&heads, None, ColourChoice::Plain);
    out.push(rule.clone());
    let last = table.rows.len().saturating_sub(1);
    for (index, (row, cells)) in table.rows.iter().zip(&rows).enumerate() {
        let lines = layout.row(cells, Some(row), colour);
        let is_tall = lines.len() > 2 || row.note.is_some();
        out.extend(lines);
        if let Some(note) = &row.note {
            let mut text = String::new();
            push_wrapped(&mut text, &note.words(), ("    ", "    "));
            out.extend(text.lines().map(str::to_owned));
        }
        // A blank line sets rows of several lines apart.
        if is_tall && index < last {
            out.push(String::new());
        }
    }
    out.push(rule);
    out
}

fn head(column: &Column) -> Vec<String> {
    let heading = column.heading.words();
    // Two short lines instead of a long one, where a unit makes two of it anyway.
    match column.unit {
        Some(unit) if width(&heading) <= 9 => vec![heading, unit.to_owned()],
        Some(unit) => match heading.split_once(' ').filter(|_| !heading.contains('[')) {
            Some((first, rest)) => vec![first.to_owned(), format!("{rest} {unit}")],
            None => vec![format!("{heading} {unit}")],
        },
        None => vec![heading],
    }
}

fn cell(cell: &Cell) -> Vec<String> {
    std::iter::once(&cell.main).chain(&cell.beneath).map(|text| text.words().replace(['\n', '\t'], " ")).collect()
}

/// How narrow each column may become, what hurts least first: words between words, and numbers not at all; then numbers
/// between words too; then everything.
fn floors(table: &Table, heads: &[Vec<String>], rows: &[Vec<Vec<String>>]) -> [Vec<usize>; 3] {
    let widest = |column: usize, of: fn(&str) -> usize| {
        let cells = rows.iter().map(|row| &row[column]).chain([&heads[column]]);
        cells.flatten().map(|line| of(line)).max().unwrap_or(0)
    };
    let columns = || 0..table.columns.len();
    let pieces = |column| widest(column, widest_piece).max(NARROW);
    let words = |column: usize| match table.columns[column].align {
        Align::Left => pieces(column),
        Align::Right => widest(column, width),
    };
    [columns().map(words).collect(), columns().map(pieces).collect(), columns().map(|_| NARROW).collect()]
}

/// Makes the widest columns narrower until all fit; gives the gap between them.
fn fit(widths: &mut [usize], most: usize, floors: &[Vec<usize>]) -> usize {
    let between = widths.len().saturating_sub(1);
    let total = |widths: &[usize], gap: usize| widths.iter().sum::<usize>() + gap * between;
    if let Some(gap) = (2..=GAP).rev().find(|gap| total(widths, *gap) <= most) {
        return gap;
    }
    // One more is nothing to wrap for.
    if total(widths, 1) <= most {
        return 1;
    }
    for floor in floors {
        while total(widths, 2) > most {
            let wide = widths.iter_mut().zip(floor).filter(|(width, floor)| **width > **floor);
            let Some((widest, _)) = wide.max() else { break };
            *widest -= 1;
        }
        // Before anything is broken that need not be.
        if total(widths, 1) <= most {
            break;
        }
    }
    if total(widths, 2) <= most { 2 } else { 1 }
}

struct Layout<'a> {
    columns: &'a [Column],
    widths: &'a [usize],
    gap: usize,
}

impl Layout<'_> {
    fn row(&self, cells: &[Vec<String>], row: Option<&Row>, colour: ColourChoice) -> Vec<String> {
        let wrapped: Vec<Vec<String>> = cells
            .iter()
            .zip(self.widths)
            .map(|(lines, most)| lines.iter().flat_map(|line| wrap(line, *most)).collect())
            .collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let line = |index: usize| {
            let parts = wrapped.iter().enumerate().map(|(column, lines)| {
                let text = lines.get(index).map_or("", String::as_str);
                let pad = " ".repeat(self.widths[column].saturating_sub(width(text)));
                let tone =
                    row.filter(|_| colour == ColourChoice::Colour).map_or(Tone::Plain, |row| row.cells[column].tone);
                let text = painted(text, tone);
                match self.columns[column].align {
                    Align::Left => format!("{text}{pad}"),
                    Align::Right => format!("{pad}{text}"),
                }
            });
            parts.collect::<Vec<_>>().join(&" ".repeat(self.gap))
        };
        (0..height).map(line).collect()
    }
}

/// After the layout, which counts letters.
fn painted(text: &str, tone: Tone) -> String {
    let tint = match tone {
        Tone::Better => 32,
        Tone::Worse => 31,
        Tone::Open => 33,
        Tone::Plain | Tone::Strong => return text.to_owned(),
    };
    if text.is_empty() { String::new() } else { format!("\u{1b}[{tint}m{text}\u{1b}[0m") }
}

/// The widest part of a text that is not broken without need.
fn widest_piece(text: &str) -> usize {
    text.split_whitespace().flat_map(pieces).map(width).max().unwrap_or(0)
}

/// The parts of a word between which a line may end: behind what joins the parts of a name, `wasm-` `interpreter/`
/// `process`. A sign is none: `-40`.
fn pieces(word: &str) -> Vec<&str> {
    let (mut found, mut from, mut before) = (Vec::new(), 0, ' ');
    for (at, letter) in word.char_indices() {
        let after = at + letter.len_utf8();
        let joins = "/-_,:".contains(letter) && before.is_alphanumeric();
        if joins && word[after..].starts_with(char::is_alphanumeric) {
            found.push(&word[from..after]);
            from = after;
        }
        before = letter;
    }
    found.push(&word[from..]);
    found
}

/// Words in lines of a width; what is wider than a line is broken, between the parts of a name where it has some.
fn wrap(text: &str, most: usize) -> Vec<String> {
    if width(text) <= most {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut gap = usize::from(used > 0);
        if used > 0 && used + gap + width(word) > most {
            lines.push(String::new());
            (used, gap) = (0, 0);
        }
        push(&mut lines, &" ".repeat(gap));
        used += gap;
        for piece in pieces(word) {
            if used > 0 && used + width(piece) > most {
                lines.push(String::new());
                used = 0;
            }
            for letter in piece.chars() {
                let length = width(letter.encode_utf8(&mut [0; 4]));
                if used + length > most && used > 0 {
                    lines.push(String::new());
                    used = 0;
                }
                push(&mut lines, letter.encode_utf8(&mut [0; 4]));
                used += length;
            }
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in 80 columns had `wasm-interprete` above `r`.
    #[test]
    fn the_parts_of_a_name_stay_whole_as_long_as_there_is_room() {
        assert_eq!(pieces("wasm-interpreter/shim-engine"), ["wasm-", "interpreter/", "shim-", "engine"]);
        assert_eq!((pieces("-40"), pieces("[-3.0,"), pieces("a--b")), (vec!["-40"], vec!["[-3.0,"], vec!["a--b"]));
        let mut table = Table::new("", [Column::left("case"), Column::left("divided by"), Column::right("ratio")]);
        table.push(Row::of(["wasm-interpreter/shim-engine", "wasm-interpreter/process", "1.331× to 1.361×"]));
        let lines = lines(&table, 54, ColourChoice::Plain);
        let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
        for whole in ["engine", "process", "1.331×"] {
            assert!(words.iter().any(|word| word.ends_with(whole)), "{whole} in {lines:#?}");
        }
        assert!(lines.iter().any(|line| line.ends_with("1.331× to 1.361×")), "{lines:#?}");
    }

    #[test]
    fn what_does_not_fit_is_wrapped_and_nothing_is_lost() {
        let mut table = Table::new("", [Column::left("a"), Column::right("b").unit("ms"), Column::left("c")]);
        table.push(
            Row::of(["name", "12", "eight words that are too many for this"]).note("a reason ".repeat(4).as_str()),
        );
        table.push(Row::of(["漢字", "3", "averyveryverylongwordwithoutanyplacetobreak"]));
        let lines = lines(&table, 30, ColourChoice::Plain);
        let text: String = lines.concat().split_whitespace().collect();
        assert!(text.contains("averyvery") && text.contains("areasonareason"), "{lines:#?}");
        for line in lines.iter().filter(|line| !line.starts_with("    ")) {
            assert!(width(line) <= 30, "{line}");
        }
    }
}
