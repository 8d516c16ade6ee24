//! The phases of every traced case as a bar each, on one axis from zero, so that what takes longer is longer.
//!
//! Bars are medians of phases, one behind the other: their sum need not be the median of the wall time, which is the number
//! behind the bar.

use super::axis::Axis;
use super::{Anchor, Drawing, Frame, Ink};
use crate::number::{NONE, Rounded};
use results::timeline::{ArmTimeline, Phase};

const WIDTH: f64 = 760.0;
const ROW: f64 = 40.0;
const BAR: f64 = 16.0;
const RIGHT: f64 = WIDTH - 70.0;

/// The figure of one bench; nothing when none of it was traced.
pub fn figure(rows: &[&ArmTimeline], bench: &str, id: &str) -> Option<Drawing> {
    let total = |row: &ArmTimeline| row.phases.iter().map(|phase| phase.ns.median / 1e6).sum::<f64>();
    let most = rows.iter().map(|row| total(row)).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let axis = Axis::from_zero(most, (4.0, RIGHT));
    let bottom = ROW * rows.len() as f64;
    let legend = Phase::ALL.into_iter().filter(|phase| {
        rows.iter().any(|row| row.phases.iter().any(|found| found.phase == *phase && found.ns.median > 0.0))
    });
    let legend: Vec<Phase> = legend.collect();
    let words: Vec<String> = rows.iter().map(|row| describe(row)).collect();
    let title = format!("Where the time of {bench} goes, in ms");
    let height = bottom + 34.0 + 18.0 * legend.len().div_ceil(3) as f64;
    let frame = Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, height) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, row) in rows.iter().enumerate() {
            let top = ROW * index as f64;
            canvas.bold((4.0, top + 9.0), &row.case, (Ink::Text, Anchor::Start));
            let mut from = 0.0;
            for phase in &row.phases {
                let to = from + phase.ns.median / 1e6;
                let (left, right) = (axis.at(from), axis.at(to));
                canvas.bar(((left, top + 18.0), (right, top + 18.0 + BAR)), Ink::phase(phase.phase));
                from = to;
            }
            let wall = row.wall_ns.map_or_else(|| NONE.to_owned(), |wall| Rounded::ms(Some(wall.median), None).value);
            let shown = format!("{wall} ms");
            canvas.text((axis.at(from) + 5.0, top + 18.0 + BAR / 2.0), &shown, (Ink::Text, Anchor::Start));
        }
        axis.draw_values(canvas, bottom, "ms");
        for (index, phase) in legend.iter().enumerate() {
            let (column, line) = (index % 3, index / 3);
            let (x, y) = (4.0 + column as f64 * (WIDTH / 3.0), bottom + 40.0 + line as f64 * 18.0);
            canvas.bar(((x, y - 5.0), (x + 10.0, y + 5.0)), Ink::phase(*phase));
            canvas.text((x + 15.0, y), phase.title(), (Ink::Text, Anchor::Start));
        }
    }))
}

fn describe(row: &ArmTimeline) -> String {
    let part = |phase: &results::timeline::PhaseRow| {
        format!("{} {}", phase.phase.title(), Rounded::ms(Some(phase.ns.median), None).value)
    };
    let parts: Vec<String> = row.phases.iter().filter(|phase| phase.ns.median > 0.0).map(part).collect();
    format!("{}: {}", row.case, parts.join(", "))
}
