//! What runs used beside time: memory and processor time, and where these were read.
//!
//! Not here: statistics (they come with the summary).

use super::shown;
use crate::document::{Block, Cell, Column, Row, Section, Table, Text};
use crate::number::{NONE, Rounded};
use crate::{Run, push};
use results::metric::{CLIENT_CPU, CLIENT_MEMORY, CONTAINERD_CPU, CONTAINERD_MEMORY, CPU, CPU_SYSTEM, MEMORY_PEAK};
use results::resources::ResourceRow;

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("resources", "Memory and processor time");
    for bench in shown(run) {
        section.push(Block::table(table(run, bench)));
    }
    let from = run.manifest.resources.as_ref().map(|_| Block::key(Text::prose(&sources(run))));
    section.push(from);
    section
}

fn table(run: &Run, bench: &str) -> Table {
    let columns = [
        Column::left("case"),
        Column::right("peak of memory").unit("MB"),
        Column::right("processor time").unit("ms"),
        Column::right("of it in the kernel").unit("ms"),
        Column::right("client").unit("ms"),
        Column::right("containerd, shims").unit("ms"),
    ];
    let mut table =
        Table::new(format!("{bench}: memory and processor time, medians with intervals; × is over native"), columns);
    for cell in run.manifest.cells.iter().filter(|cell| !cell.is_twin()) {
        let of = |metric: &str| {
            run.summary.resources.iter().find(|row| row.bench == bench && row.case == cell.name && row.metric == metric)
        };
        let metrics = [MEMORY_PEAK, CPU, CPU_SYSTEM, CLIENT_CPU, CONTAINERD_CPU];
        if metrics.iter().all(|metric| of(metric).is_none()) {
            continue;
        }
        let cells = metrics.iter().zip([true, true, false, false, false]);
        let cells = cells.map(|(metric, compared)| {
            let memory = match *metric {
                CLIENT_CPU => of(CLIENT_MEMORY),
                CONTAINERD_CPU => of(CONTAINERD_MEMORY),
                _ => None,
            };
            let memory = memory.map(|row| format!("{} MB", Rounded::new(Some(row.value.median / 1e6), None).value));
            of(metric).map_or_else(|| Cell::from(NONE), |row| amount(row, compared)).beneath(memory)
        });
        table.push(Row::of(std::iter::once(Cell::from(cell.name.as_str())).chain(cells)));
    }
    table
}

fn amount(row: &ResourceRow, compared: bool) -> Cell {
    let scale = 1e6;
    let ends = row.value.ci_low.zip(row.value.ci_high).map(|(low, high)| (low / scale, high / scale));
    let value = Rounded::new(Some(row.value.median / scale), ends);
    let ratio = row.over_baseline.as_ref().filter(|_| compared);
    let ratio = ratio.map(|over| format!("{}×", Rounded::new(Some(over.ratio), None).value));
    Cell::from(value.value.clone()).beneath(value.ends.is_some().then(|| value.brackets())).beneath(ratio)
}

/// Which files were read, and what could not be.
fn sources(run: &Run) -> String {
    let Some(record) = &run.manifest.resources else { return String::new() };
    let file =
        |name: &Option<String>| name.as_ref().map_or_else(|| "not measured".to_owned(), |name| format!("`{name}`"));
    let mut text = format!(
        "Peak of memory: {} of a cgroup made for the run{}. Processor time of a container: {}; of a direct run and of the \
         client: {}; of containerd and its shims: {}. Below these times are peaks of memory: of the client, and of containerd and \
         its shims beyond what containerd held before the run. MB is 1,000,000 bytes.",
        file(&record.memory),
        record.tree.as_ref().map_or_else(String::new, |tree| format!(" ({tree})")),
        file(&record.container_cpu),
        record.direct_cpu,
        file(&record.containerd_cpu),
    );
    if let Some(reason) = &record.reason {
        push(&mut text, format_args!(" Not all of it could be measured: {reason}."));
    }
    if record.tree.as_deref() == Some("v1") {
        text.push_str(" Version 1 divides processor time between user and kernel by what was running when it looked.");
    }
    text
}
