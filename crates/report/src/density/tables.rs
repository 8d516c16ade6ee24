//! The tables of a density run.

use super::DensityRun;
use crate::document::{Cell, Column, Row, Table, Text};
use crate::number::{NONE, Rounded, fixed, interval};
use results::density::metric::{self, CGROUP, CPU, FILES, MOUNTS, PROCESSES, PSS, THREADS, Unit, WAKEUPS};
use results::density::{Arm, Spread};

/// The columns of memory: metric and heading.
const MEMORY: [(&str, &str); 6] = [
    (CGROUP, "charged"),
    ("cgroup_anonymous_bytes", "anonymous"),
    ("cgroup_kernel_bytes", "kernel"),
    (PSS, "PSS"),
    ("private_dirty_bytes", "private dirty"),
    ("host_used_bytes", "machine"),
];

/// The columns of everything else.
const PROCESS: [(&str, &str); 6] = [
    (PROCESSES, "processes"),
    (THREADS, "threads"),
    (FILES, "open files"),
    (MOUNTS, "mounts"),
    (WAKEUPS, "wake-ups per s"),
    (CPU, "CPU ms per s"),
];

/// A spread in this unit: the median, its interval beneath.
fn cell(spread: Option<&Spread>, factor: f64) -> Cell {
    let Some(spread) = spread else { return Cell::from(NONE) };
    let ends = interval(spread.low, spread.high).map(|(low, high)| (low * factor, high * factor));
    let rounded = Rounded::new(Some(spread.value * factor), ends);
    let brackets = rounded.ends.is_some().then(|| rounded.brackets());
    Cell::from(rounded.value).beneath(brackets)
}

fn by_instance(run: &DensityRun, caption: &str, columns: [(&str, &str); 6], unit: Option<&'static str>) -> Table {
    let heads = columns.iter().map(|(_, head)| match unit {
        Some(unit) => Column::right(*head).unit(unit),
        None => Column::right(*head),
    });
    let rows = run.summary.arms.iter().filter(|arm| !arm.per_instance.is_empty()).map(|arm| {
        let slope = |name: &str| arm.per_instance.iter().find(|row| row.metric == name).map(|row| &row.slope);
        let cells = columns.iter().map(|(name, _)| cell(slope(name), factor(name)));
        Row { cells: std::iter::once(Cell::from(Text::plain(&arm.case))).chain(cells).collect(), note: None }
    });
    Table::new(caption, std::iter::once(Column::left("case")).chain(heads)).with(rows)
}

/// From a metric's unit to that of its column.
fn factor(name: &str) -> f64 {
    match metric::unit(name) {
        Unit::Bytes | Unit::NanosecondsPerSecond => 1e-6,
        Unit::Count | Unit::PerSecond => 1.0,
    }
}

/// Memory of one more instance.
pub fn memory(run: &DensityRun) -> Table {
    by_instance(run, "memory of one more instance, [low, high]", MEMORY, Some("MB"))
}

/// Processes, threads, files, mounts, wake-ups and CPU of one more instance.
pub fn processes(run: &DensityRun) -> Table {
    by_instance(run, "what else one more instance takes while idle, [low, high]", PROCESS, None)
}

/// Starts one after the other.
pub fn starts(run: &DensityRun) -> Table {
    let columns = [
        Column::left("case"),
        Column::right("first").unit("ms"),
        Column::right("last").unit("ms"),
        Column::right("more per waiting instance").unit("ms"),
        Column::right("instances"),
    ];
    let rows = run.summary.arms.iter().filter_map(|arm| {
        let starts = arm.starts.as_ref()?;
        Some(Row::of([
            Cell::from(Text::plain(&arm.case)),
            cell(Some(&starts.first_ns), 1e-6),
            cell(Some(&starts.last_ns), 1e-6),
            cell(Some(&starts.per_instance_ns), 1e-6),
            Cell::from(arm.instances_max.to_string()),
        ]))
    });
    Table::new("start time, one after the other, while the others wait", columns).with(rows)
}

/// Starts at once.
pub fn at_once(run: &DensityRun) -> Table {
    let columns = [
        Column::left("case"),
        Column::right("at once"),
        Column::right("starts per s"),
        Column::right("latency p50").unit("ms"),
        Column::right("latency p95").unit("ms"),
        Column::right("starts"),
    ];
    let rows = run.summary.arms.iter().flat_map(|arm| {
        arm.at_once.iter().map(|row| {
            let p95 = row.latency_p95_ns.map_or_else(|| NONE.to_owned(), |ns| Rounded::ms(Some(ns), None).value);
            Row::of([
                Cell::from(Text::plain(&arm.case)),
                Cell::from(row.at_once.to_string()),
                cell(Some(&row.per_second), 1.0),
                cell(Some(&row.latency_ns), 1e-6),
                Cell::from(p95),
                Cell::from(row.latency_ns.n.to_string()),
            ])
        })
    });
    Table::new("several starts at once", columns).with(rows)
}

/// How many a node holds, in a sentence.
pub fn holds(arm: &Arm) -> Option<String> {
    let capacity = arm.capacity.as_ref()?;
    let about = |instances: u64, low: Option<u64>, high: Option<u64>| {
        let ends = low.zip(high).map_or_else(String::new, |(low, high)| format!(" [{}, {}]", count(low), count(high)));
        format!("{}{ends}", count(instances))
    };
    let memory = capacity.limits.iter().find(|limit| limit.what == "memory" && capacity.limited_by != "memory");
    let memory = memory.map_or_else(String::new, |limit| {
        format!(", and memory alone would do for {}", about(limit.instances, limit.low, limit.high))
    });
    Some(format!(
        "A node with 16 GiB holds about {} of `{}` while they are idle: the limit is {}{memory}.",
        about(capacity.instances, capacity.low, capacity.high),
        arm.case,
        title(&capacity.limited_by)
    ))
}

fn count(instances: u64) -> String {
    fixed(instances as f64, 0)
}

fn title(what: &str) -> &str {
    match what {
        "pids" => "process ids (`kernel.pid_max`)",
        "threads" => "threads (`kernel.threads-max`)",
        "files" => "open files (`fs.file-max`)",
        "mounts" => "mounts (`fs.mount-max`)",
        "processors" => "processor time",
        other => other,
    }
}

/// The same without the kernel's name for it.
fn short(what: &str) -> &str {
    match what {
        "pids" => "process ids",
        "files" => "open files",
        "processors" => "processor time",
        other => other,
    }
}

/// What limits them, and what would next.
pub fn node(run: &DensityRun) -> Table {
    let columns = [
        Column::left("case"),
        Column::right("instances"),
        Column::left("limited by"),
        Column::right("the next limit allows"),
        Column::left("which is"),
    ];
    let rows = run.summary.arms.iter().filter_map(|arm| {
        let capacity = arm.capacity.as_ref()?;
        let ends = capacity.low.zip(capacity.high).map(|(low, high)| format!("[{}, {}]", count(low), count(high)));
        let next = capacity.limits.get(1);
        Some(Row::of([
            Cell::from(Text::plain(&arm.case)),
            Cell::from(count(capacity.instances)).beneath(ends),
            Cell::from(short(&capacity.limited_by)),
            Cell::from(next.map_or_else(|| NONE.to_owned(), |limit| count(limit.instances))),
            Cell::from(next.map_or(NONE, |limit| short(&limit.what))),
        ]))
    });
    Table::new("how many idle instances fit, [low, high]", columns).with(rows)
}

/// What grows per container that comes and goes.
pub fn churn(run: &DensityRun) -> Table {
    let columns = [
        Column::left("case"),
        Column::left("what"),
        Column::right("per container"),
        Column::right("first"),
        Column::right("last"),
        Column::right("containers"),
    ];
    let rows = run.summary.arms.iter().flat_map(|arm| {
        arm.churn.iter().map(|row| {
            let (unit, factor, whole) = match metric::unit(&row.metric) {
                Unit::Bytes => (" kB", 1e-3, 1e-6),
                _ => ("", 1.0, 1.0),
            };
            let total = |value: u64| match unit {
                "" => value.to_string(),
                _ => format!("{} MB", fixed(value as f64 * whole, 1)),
            };
            let spread = &row.per_container;
            let ends = interval(spread.low, spread.high).map(|(low, high)| (low * factor, high * factor));
            let rounded = Rounded::new(Some(spread.value * factor), ends);
            let brackets = rounded.ends.is_some().then(|| rounded.brackets());
            Row::of([
                Cell::from(Text::plain(&arm.case)),
                Cell::from(Text::plain(metric::title(&row.metric))),
                Cell::from(format!("{}{unit}", rounded.value)).beneath(brackets),
                Cell::from(total(row.first)),
                Cell::from(total(row.last)),
                Cell::from(row.containers.to_string()),
            ])
        })
    });
    Table::new("growth per container, [low, high]", columns).with(rows)
}

/// What was left after everything was stopped.
pub fn left(run: &DensityRun) -> Table {
    let names = ["processes", "cgroups", "mounts", "containers"];
    let heads = names.map(Column::right);
    let rows = run.summary.arms.iter().filter(|arm| !arm.left.is_empty()).map(|arm| {
        let cells = names.iter().map(|name| {
            Cell::from(arm.left.get(*name).map_or_else(|| NONE.to_owned(), std::string::ToString::to_string))
        });
        Row { cells: std::iter::once(Cell::from(Text::plain(&arm.case))).chain(cells).collect(), note: None }
    });
    Table::new(
        "the most that was left after everything of a case was stopped",
        std::iter::once(Column::left("case")).chain(heads),
    )
    .with(rows)
}
