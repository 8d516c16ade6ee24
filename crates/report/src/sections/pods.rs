//! Containers in pods: what the sandbox takes and what the container takes, and every call.
//!
//! Not here: what the calls are (`results::metric::pod`), and the ratios of each (the files have them).

use super::shown;
use crate::Run;
use crate::document::{Block, Column, Form, Row, Section, Table, Text};
use crate::number::Rounded;
use crate::view;
use results::CaseSummary;
use results::metric::pod;

/// The calls, in the order of a pod's life, with short headings.
const CALLS: [(&str, &str); 7] = [
    (pod::RUN_POD_SANDBOX, "run sandbox"),
    (pod::CREATE_CONTAINER, "create"),
    (pod::START_CONTAINER, "start"),
    (pod::UNTIL_EXITED, "until exited"),
    (pod::REMOVE_CONTAINER, "remove"),
    (pod::STOP_POD_SANDBOX, "stop sandbox"),
    (pod::REMOVE_POD_SANDBOX, "remove sandbox"),
];

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("pods", "Pods, call by call");
    for bench in shown(run) {
        let cells: Vec<&CaseSummary> =
            view::rows_of(run, pod::CONTAINER).filter(|row| row.bench == bench && row.n > 0).collect();
        if cells.is_empty() {
            continue;
        }
        section.push(Block::table(prices(run, bench, &cells)));
        section
            .push(Block::table(calls(run, bench, &cells)).not_in(Form::Terminal, "it is wider, and the page has it"));
    }
    if !section.blocks.is_empty() {
        let key = "The time of a pod is that of the first four calls: asked for until its container is seen to have ended. \
                   Sandbox and container are all calls, removing too, as `ctr run --rm` has it. In a warm pod the sandbox \
                   is there before.";
        section.push(Block::key(Text::prose(key)));
    }
    section
}

fn prices(run: &Run, bench: &str, cells: &[&CaseSummary]) -> Table {
    let columns =
        [Column::left("case"), Column::right("asked → exited"), Column::right("sandbox"), Column::right("container")];
    let rows = cells.iter().map(|cell| {
        let of = |metric: &str| row(run, metric, cell).map_or_else(String::new, view::median);
        Row::of([cell.case.clone(), of(results::metric::HEADLINE), of(pod::SANDBOX), of(pod::CONTAINER)])
    });
    Table::new(format!("{bench}: the price of a pod, and that of its container"), columns).with(rows)
}

fn calls(run: &Run, bench: &str, cells: &[&CaseSummary]) -> Table {
    let columns = CALLS.map(|(_, heading)| Column::right(heading).unit("ms"));
    let rows = cells.iter().map(|cell| {
        let median = |metric: &str| row(run, metric, cell).and_then(|row| row.median);
        let shown = CALLS.map(|(metric, _)| {
            median(metric).map_or_else(String::new, |ns| Rounded::new(Some(ns / 1e6), None).with_brackets())
        });
        Row::of(std::iter::once(cell.case.clone()).chain(shown))
    });
    let caption = format!("{bench}: each call, medians");
    Table::new(caption, std::iter::once(Column::left("case")).chain(columns)).with(rows)
}

fn row<'a>(run: &'a Run, metric: &str, of: &CaseSummary) -> Option<&'a CaseSummary> {
    view::rows_of(run, metric).find(|row| row.bench == of.bench && row.case == of.case && row.n > 0)
}
