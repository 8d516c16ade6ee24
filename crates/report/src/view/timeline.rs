//! The timeline in words: which phase is the largest.
//!
//! Not here: the table and the drawing of it (`sections::timeline`, `chart::timeline`).

use crate::Run;
use crate::number::Rounded;
use results::timeline::{ArmTimeline, MedianRow, Phase};

/// The phase that takes longest, whoever's it is.
pub fn largest(row: &ArmTimeline) -> Option<(Phase, MedianRow)> {
    let found = row.phases.iter().filter(|row| row.phase != Phase::Unattributed && row.ns.median > 0.0);
    found.max_by(|a, b| a.ns.median.total_cmp(&b.ns.median)).map(|row| (row.phase, row.ns))
}

/// For each container of a bench, in the order of the run: its name, its largest phase, how long that is and all of it.
pub fn largest_of_containers(run: &Run, bench: &str) -> Vec<String> {
    let is_container = |case: &str| run.manifest.cell(case).is_some_and(|cell| cell.case.is_container());
    let rows = run.summary.timeline.iter().filter(|row| row.bench == bench && is_container(&row.case));
    rows.filter_map(|row| {
        let (phase, part) = largest(row)?;
        let ms = |ns: f64| Rounded::ms(Some(ns), None).value;
        Some(format!("of {} “{}” ({} of {} ms)", row.case, phase.title(), ms(part.median), ms(row.wall_ns?.median)))
    })
    .collect()
}
