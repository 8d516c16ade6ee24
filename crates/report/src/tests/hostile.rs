//! Runs whose text was written by somebody else: what acts or hides is shown in every form of the report.

use serde_json::Value;

use super::super::terminal::{self, ColourChoice};
use super::super::{Run, files, fixture};
use crate::visible::is_hidden;

/// Colour, a title for the window, a C1 control, right-to-left override, markup, a formula.
const HOSTILE: &str = "=1\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{200b}\r|<b>`_``\t@x";
/// What the stored format takes from a list, so that no other text can stand there.
const CLOSED: [&str; 10] =
    ["effect", "verdict", "outcome", "status", "quantity", "role", "mode", "form", "seen", "shape"];
/// What ties rows to each other.
const NAMES: [&str; 9] = ["bench", "case", "name", "twin_of", "program", "kind", "baseline", "control", "sweep"];

/// The value with this text after every string but those under such a key.
fn hostile(value: Value, key: &str, spared: &[&str]) -> Value {
    match value {
        Value::String(text) if !spared.contains(&key) => Value::String(format!("{text}{HOSTILE}")),
        Value::Array(items) => items.into_iter().map(|item| hostile(item, key, spared)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key.clone(), hostile(value, &key, spared))).collect()
        }
        other => other,
    }
}

fn hostile_run(spared: &[&str]) -> Run {
    let run = fixture::complete();
    let change = |value: Value| hostile(value, "", spared);
    Run {
        manifest: serde_json::from_value(change(serde_json::to_value(run.manifest).unwrap())).unwrap(),
        samples: serde_json::from_value(change(serde_json::to_value(run.samples).unwrap())).unwrap(),
        summary: serde_json::from_value(change(serde_json::to_value(run.summary).unwrap())).unwrap(),
    }
}

#[test]
fn nothing_that_acts_or_hides_reaches_a_reader() {
    let with_names: Vec<&str> = CLOSED.iter().chain(&NAMES).copied().collect();
    for run in [hostile_run(&CLOSED), hostile_run(&with_names)] {
        let mut shown = vec![("terminal".to_owned(), terminal::render(&run, ColourChoice::Plain))];
        for (name, bytes) in files(&run).unwrap() {
            shown.push((name, String::from_utf8(bytes).unwrap()));
        }
        for (name, text) in shown {
            // Lines of CSV end in CR LF.
            let text = text.replace("\r\n", "\n");
            let hidden = text.char_indices().find(|(_, letter)| is_hidden(*letter));
            assert_eq!(hidden, None, "{name}: {:?}", hidden.map(|(at, _)| &text[at.saturating_sub(40)..]));
            if name.rsplit('.').next() == Some("json") {
                serde_json::from_str::<Value>(&text).unwrap();
            }
        }
    }
}

#[test]
fn the_greatest_round_is_drawn() {
    let mut run = fixture::complete();
    run.samples.iter_mut().find(|sample| sample.bench == "noop").unwrap().round = u32::MAX;
    let (_, page) = files(&run).unwrap().into_iter().find(|(name, _)| name == "report.html").unwrap();
    assert!(String::from_utf8(page).unwrap().contains("over 4294967296 rounds"));
}

/// It took 10.6 s, optimised, and four times as long for twice the length. The limit is for a busy machine and a program
/// that is not optimised.
#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is this program, not a case")]
fn a_word_of_any_length_is_shown_at_once() {
    let mut run = fixture::complete();
    run.summary.not_measured[0].reason = "x".repeat(3_000_000);
    let start = std::time::Instant::now();
    let text = terminal::render(&run, ColourChoice::Plain);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert!(text.len() > 3_000_000);
}
