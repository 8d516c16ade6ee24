//! Text from elsewhere (programs, file names, processors, TOML, stored runs) as text that shows everything it holds.
//!
//! A control character acts on the terminal instead of being read, and one that sets the direction of writing, or has
//! no width, makes a line say something else than it holds. Not here: markup of a format (each writer's own `escape`),
//! and what a program printed that `run` shows, which is passed on as it came.

use std::borrow::Cow;
use std::io::Write;
use std::ops::RangeInclusive;

/// What acts or hides, beside the control characters (C0, C1, delete): what sets the direction of writing (Unicode
/// Standard Annex 9, section 2); line ends of other kinds; what has no width and joins nothing; tags.
const HIDDEN: [RangeInclusive<char>; 10] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e007f}',
];

/// The text with every character that can not be seen written as its escape: `\u{1b}`. Line ends and tabs stay, they
/// are layout.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !is_plain(text.as_bytes()) && text.contains(is_hidden) {
        escaped(text, |letter| letter.escape_default().to_string()).into()
    } else {
        text.into()
    }
}

/// The same for a JSON text: its own escapes, so that it reads back as the same value.
pub fn visible_json(text: &str) -> String {
    escaped(text, |letter| {
        let units: Vec<String> = letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        units.concat()
    })
}

/// Writes JSON as [`visible_json`] shows it. What writes into it must end each piece between two characters, as
/// `serde_json` does.
#[derive(Debug)]
pub struct VisibleJson<W>(pub W);

impl<W: Write> Write for VisibleJson<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if is_plain(bytes) {
            self.0.write_all(bytes)?;
        } else {
            let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
            self.0.write_all(visible_json(text).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Whether there is nothing but printable ASCII and line ends: most text of a million samples, and quickly seen.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            out.push_str(&escape(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Whether a character acts or hides instead of being seen. Line end and tab do not.
pub fn is_hidden(letter: char) -> bool {
    let acts = letter.is_control() && letter != '\n' && letter != '\t';
    acts || (letter > '\u{a0}' && HIDDEN.iter().any(|range| range.contains(&letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_is_escaped_and_everything_else_stays() {
        assert_eq!(visible("a\u{1b}[31mb\r\u{7}\u{0}"), "a\\u{1b}[31mb\\r\\u{7}\\u{0}");
        assert_eq!(visible("\u{9b}2J \u{7f} \u{202e}gpj.exe"), "\\u{9b}2J \\u{7f} \\u{202e}gpj.exe");
        for text in ["", "plain", "zwei\nZeilen\tund é 漢字 👩\u{200d}💻 \\u{1b}"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn json_reads_back_as_the_same_value() {
        let value = "\u{1b}[0m \u{9b} \u{202e} \u{e0041} \n é";
        let text = visible_json(&serde_json::to_string(value).unwrap());
        assert!(!text.contains(is_hidden), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
