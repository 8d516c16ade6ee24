//! The words and units of the report, each explained once.
//!
//! Not here: how things are measured (METHODOLOGY.md).

use crate::document::{Block, Column, Form, Row, Section, Table, Text};

const WORDS: [(&str, &str); 13] = [
    ("ms, µs", "thousandths and millionths of a second"),
    ("kB", "1000 bytes; sizes are exact"),
    ("×", "times: 2× is twice as long or as large as what it is compared with"),
    ("case", "a row: what is run, native or Wasm, and by which engine and runtime, as `what/how`"),
    ("round", "every case once, in an order drawn anew; ratios are formed within a round"),
    ("median", "the middle one of all runs of a case: half took longer, half did not"),
    (
        "[low, high]",
        "the interval that holds the median with the confidence that is stated; two such are not to be compared by eye, ratios are",
    ),
    ("A/A row", "one case measured twice under two names: what it shows as a difference is none"),
    ("undetermined", "the interval holds both a difference and none: nothing is claimed"),
    ("†", "between two container runtimes: what these cost is a part of the ratio"),
    ("interpreted", "an engine executes the module instruction by instruction"),
    (
        "compiled ahead of time",
        "an engine has made machine code of the module before it was shipped (aot); made at the start it is jit",
    ),
    ("direct, process", "started like any program; a container starts it in namespaces of its own, from an image"),
];

/// The section.
pub fn section() -> Section {
    let columns = [Column::left("word"), Column::left("means")];
    let rows = WORDS.map(|(word, meaning)| Row::of([Text::plain(word), Text::prose(meaning)]));
    let table = Table::new("Words and units of this report", columns).with(rows);
    Section::new("glossary", "Words and units")
        .with(Block::table(table))
        .not_in(Form::Terminal, "METHODOLOGY.md explains them, and the page does")
}
