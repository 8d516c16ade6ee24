//! Samples as rows of CSV, and their numbers as arrays of JSON: text of which there is a line for each of them.
//!
//! Not here: what a field of text may hold, and how it is quoted (`report::csv`).

use std::collections::HashMap;
use std::io::Write;

use super::{Sample, Values, Word};

/// Rows are handed on when they are so many bytes.
const PIECE: usize = 1 << 16;
/// The fields of so many words are kept.
const KNOWN: usize = 4096;
/// So many lists of metrics are known at a time.
const LISTS: usize = 32;

/// How a text stands in a field, quotes and all.
pub type Field<'a> = &'a dyn Fn(&str) -> String;

/// Writes a row for each sample: bench, case, round, position, whether it is of the warm-up, a column for each of these metrics,
/// user and system time, outcome, reason, digest of the output. Lines end in CRLF; a number that is not there is empty.
///
/// # Errors
/// When `out` can not be written to.
pub fn rows(samples: &[Sample], metrics: &[&str], field: Field<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut fields = Fields { field, known: HashMap::new() };
    let mut order = Order { metrics, known: Vec::new() };
    let mut text = Vec::with_capacity(2 * PIECE);
    for sample in samples {
        fields.put(&mut text, &sample.bench);
        fields.put(&mut text, &sample.case);
        number(&mut text, Some(sample.round.into()));
        number(&mut text, Some(sample.position.into()));
        text.extend(if sample.warmup { &b"true,"[..] } else { b"false," });
        for place in order.of(&sample.values) {
            number(&mut text, place.map(|place| sample.values.numbers()[place]));
        }
        number(&mut text, sample.user_ns.get());
        number(&mut text, sample.system_ns.get());
        text.extend_from_slice(sample.outcome.name().as_bytes());
        text.push(b',');
        if let Some(reason) = &sample.reason {
            text.extend(field(reason).bytes());
        }
        text.push(b',');
        if let Some(digest) = &sample.output_sha256 {
            fields.put(&mut text, digest);
            text.pop();
        }
        text.extend(b"\r\n");
        if text.len() > PIECE {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

/// The fields of words, each made once: a million samples have a few dozen.
struct Fields<'a> {
    field: Field<'a>,
    /// By where the letters are, which stay there as long as the samples do.
    known: HashMap<*const u8, String>,
}

impl Fields<'_> {
    /// With the comma behind it.
    fn put(&mut self, text: &mut Vec<u8>, word: &Word) {
        if let Some(known) = self.known.get(&word.as_ptr()) {
            text.extend_from_slice(known.as_bytes());
        } else {
            let made = (self.field)(word);
            text.extend_from_slice(made.as_bytes());
            if self.known.len() < KNOWN {
                self.known.insert(word.as_ptr(), made);
            }
        }
        text.push(b',');
    }
}

/// Where the numbers of these metrics are among the values.
struct Order<'a> {
    metrics: &'a [&'a str],
    /// For each list of names that was met: some values that have it, and the places.
    known: Vec<(&'a Values, Vec<Option<usize>>)>,
}

impl<'a> Order<'a> {
    fn of(&mut self, values: &'a Values) -> &[Option<usize>] {
        let known = self.known.iter().position(|(known, _)| known.shares_names_with(values));
        let index = known.unwrap_or_else(|| {
            // One that does not share its names is alone with them, and one of these is enough.
            self.known.truncate(LISTS);
            let places = self.metrics.iter().map(|metric| values.keys().position(|name| name == metric)).collect();
            self.known.push((values, places));
            self.known.len() - 1
        });
        &self.known[index].1
    }
}

/// With the comma behind it.
fn number(text: &mut Vec<u8>, value: Option<u64>) {
    if let Some(mut rest) = value {
        let mut digits = [0; 20];
        let mut from = digits.len();
        loop {
            from -= 1;
            digits[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        text.extend(&digits[from..]);
    }
    text.push(b',');
}

/// An array of JSON as `serde_json` writes it below other values, so far indented.
///
/// # Errors
/// When a number can not be written, which does not happen in memory.
pub fn array(values: &[f64], indent: usize) -> serde_json::Result<Vec<u8>> {
    let gap = " ".repeat(indent);
    let mut text = vec![b'['];
    for value in values {
        text.extend(if text.len() == 1 { "\n" } else { ",\n" }.bytes());
        text.extend_from_slice(gap.as_bytes());
        text.extend_from_slice(b"  ");
        serde_json::to_writer(&mut text, value)?;
    }
    if !values.is_empty() {
        text.push(b'\n');
        text.extend_from_slice(gap.as_bytes());
    }
    text.push(b']');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MaybeNs, Outcome};

    fn sample(values: Values) -> Sample {
        Sample {
            bench: "a,b".into(),
            case: "c".into(),
            round: 0,
            position: 10,
            warmup: false,
            values,
            user_ns: Some(u64::MAX - 1).into(),
            system_ns: MaybeNs::NONE,
            outcome: Outcome::TimedOut,
            reason: Some("why".into()),
            output_sha256: None,
        }
    }

    #[test]
    fn a_row_has_a_field_for_each_column_and_none_for_what_is_not_there() {
        let samples = [sample([("x_ns", 7), ("wall_ns", 1)].into()), sample(Values::default())];
        let mut out = Vec::new();
        rows(&samples, &["wall_ns", "x_ns"], &|text| format!("<{text}>"), &mut out).unwrap();
        let max = u64::MAX - 1;
        let expected = format!(
            "<a,b>,<c>,0,10,false,1,7,{max},,timed-out,<why>,\r\n<a,b>,<c>,0,10,false,,,{max},,timed-out,<why>,\r\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_array_is_what_serde_json_makes_of_it() {
        let written = |values: &[f64], indent| String::from_utf8(array(values, indent).unwrap()).unwrap();
        let values = [0.5, 1.0, 1e300, 0.000_123];
        assert_eq!(written(&values, 0), serde_json::to_string_pretty(&values).unwrap());
        let within = serde_json::json!({ "a": { "b": values } });
        let text = serde_json::to_string_pretty(&within).unwrap();
        assert!(text.contains(&format!("\"b\": {}", written(&values, 4))), "{text}");
        assert_eq!(written(&[], 4), "[]");
    }
}
