//! Where what a program printed departs from what it should have printed, in a sentence that shows it: position, both
//! sides from there, and every character that a person would not see.

use std::fmt::Write as _;

/// How many characters of either side are quoted from the difference on.
const QUOTED_CHARS: usize = 100;

/// How many characters before the difference are quoted with it.
const BEFORE_CHARS: usize = 20;

/// The difference between two outputs that are not equal.
pub fn difference(expected: &[u8], printed: &[u8]) -> String {
    if printed.is_empty() {
        return format!("it printed nothing, and not {}", quoted(expected));
    }
    if expected.is_empty() {
        return format!("it printed {}, and should have printed nothing", quoted(printed));
    }
    if expected.strip_suffix(b"\n") == Some(printed) {
        return format!("the newline at the end is missing: it printed {}", around(printed, printed.len()));
    }
    if printed.strip_suffix(b"\n") == Some(expected) {
        return format!("one newline too many at the end: it printed {}", around(printed, expected.len()));
    }
    let at = expected.iter().zip(printed).take_while(|(left, right)| left == right).count();
    let place = place(expected, at);
    let (wanted, found) = (around(expected, at), around(printed, at));
    if at == printed.len() {
        format!("it ends too early, {place}: expected {wanted}, and it printed {found}")
    } else if at == expected.len() {
        format!("it goes on after its end, {place}: expected {wanted}, and it printed {found}")
    } else {
        format!("it differs {place}: expected {wanted}, and it printed {found}")
    }
}

/// Counted from 1, as editors do; columns are bytes, as lines may hold anything.
fn place(bytes: &[u8], at: usize) -> String {
    let before = &bytes[..at];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = at - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1) + 1;
    format!("at byte {} (line {line}, column {column})", at + 1)
}

/// A quotation that begins a little before a position, at a character's start.
fn around(bytes: &[u8], at: usize) -> String {
    let mut start = at.saturating_sub(BEFORE_CHARS);
    while start > 0 && bytes.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
        start -= 1;
    }
    let lead = if start > 0 { "…" } else { "" };
    format!("{lead}{}", quoted(&bytes[start..]))
}

/// In quotation marks, with what is invisible spelt out, and cut off where it grows too long for a row.
fn quoted(bytes: &[u8]) -> String {
    // A character has at most 4 bytes: no more than these are looked at.
    let mut text = String::from("\"");
    let mut chars = 0;
    for chunk in bytes[..bytes.len().min(QUOTED_CHARS * 4)].utf8_chunks() {
        for character in chunk.valid().chars() {
            if chars >= QUOTED_CHARS {
                return text + "\"…";
            }
            match character {
                '\'' => text.push('\''),
                _ => text.extend(character.escape_debug()),
            }
            chars += 1;
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").unwrap_or_default();
            chars += 1;
        }
    }
    let cut = bytes.len() > QUOTED_CHARS * 4;
    text + if cut { "\"…" } else { "\"" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expected: &str, printed: &str) -> String {
        difference(expected.as_bytes(), printed.as_bytes())
    }

    #[test]
    fn a_newline_too_few_or_too_many_is_said_in_words() {
        assert_eq!(
            shown("20000 objects, 3 keys\n", "20000 objects, 3 keys"),
            r#"the newline at the end is missing: it printed …"0000 objects, 3 keys""#
        );
        assert_eq!(shown("3 keys", "3 keys\n"), r#"one newline too many at the end: it printed "3 keys\n""#);
    }

    #[test]
    fn the_first_difference_is_told_with_its_place() {
        assert_eq!(
            shown("one\ntwo\nthree\n", "one\ntwo\r\nthree\n"),
            r#"it differs at byte 8 (line 2, column 4): expected "one\ntwo\nthree\n", and it printed "one\ntwo\r\nthree\n""#
        );
        assert_eq!(
            shown("ab", "abc"),
            r#"it goes on after its end, at byte 3 (line 1, column 3): expected "ab", and it printed "abc""#
        );
        assert_eq!(
            shown("abc\n", "ab"),
            r#"it ends too early, at byte 3 (line 1, column 3): expected "abc\n", and it printed "ab""#
        );
    }

    #[test]
    fn what_is_invisible_is_spelt_out() {
        let text = difference(b"a b", b"a\xc2\xa0b\x1b[0m\xe2\x80\x8b\xff");
        assert_eq!(
            text,
            r#"it differs at byte 2 (line 1, column 2): expected "a b", and it printed "a\u{a0}b\u{1b}[0m\u{200b}\xff""#
        );
    }

    #[test]
    fn nothing_at_all_is_said_so() {
        assert_eq!(shown("x\n", ""), r#"it printed nothing, and not "x\n""#);
        assert_eq!(shown("", "\n"), r#"it printed "\n", and should have printed nothing"#);
    }

    #[test]
    fn a_difference_far_behind_is_shown_and_not_the_beginning() {
        let same = "same ".repeat(10_000);
        let text = shown(&format!("{same}one"), &format!("{same}two"));
        assert!(text.starts_with("it differs at byte 50001 (line 1, column 50001)"), "{text}");
        assert!(text.contains(r#"…"same same same same one", and it printed …"same same same same two""#), "{text}");
        let long = shown("y", &"x".repeat(5_000));
        assert!(long.ends_with(r#"x"…"#) && long.len() < 300, "{long}");
    }

    #[test]
    fn a_character_is_not_cut_in_two() {
        let text = shown(&format!("{}one", "é".repeat(30)), &format!("{}two", "é".repeat(30)));
        assert!(text.contains(r#"…"éééééééééé"#) && !text.contains("\\x"), "{text}");
    }
}
