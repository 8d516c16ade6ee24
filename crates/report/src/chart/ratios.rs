//! The forest plot of a bench: each paired ratio to one kind of baseline, with its interval, on one log axis; behind them the
//! margin within which a difference is called none, which the A/A rows have widened to what the run can resolve.
//!
//! Not here: verdicts (they come with the summary).

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::view::relations::Relation;
use crate::view::{self, Side};
use crate::{Run, number};
use results::Comparison;

const WIDTH: f64 = 420.0;
const ROW: f64 = 38.0;

/// A line of the plot.
struct Line {
    name: String,
    words: String,
    ratio: f64,
    ends: Option<(f64, f64)>,
    delta: Option<f64>,
    ink: Ink,
}

/// The figure; nothing when there is no such ratio.
pub fn figure(run: &Run, (bench, relation): (&str, Relation), id: &str) -> Option<Drawing> {
    let lines: Vec<Line> = Side::ALL.into_iter().flat_map(|side| lines(run, (bench, relation), side)).collect();
    if !lines.iter().any(|line| line.delta.is_some()) {
        return None;
    }
    let values = lines.iter().flat_map(|line| {
        let (low, high) = line.ends.unwrap_or((line.ratio, line.ratio));
        let delta = line.delta.unwrap_or(0.0);
        [low, high, line.ratio, 1.0 - delta, 1.0 + delta]
    });
    let axis = Axis::log(values, (8.0, WIDTH - 8.0));
    let bottom = ROW * lines.len() as f64;
    let words: Vec<String> = lines.iter().map(|line| format!("{}: {}", line.name, line.words)).collect();
    let title = format!("Time of {bench} as a multiple of {}", relation.title());
    let frame =
        Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, bottom + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, line) in lines.iter().enumerate() {
            let top = ROW * index as f64;
            margin(canvas, line, (&axis, top));
            axis.draw_grid(canvas, (top + 17.0, top + ROW));
            canvas.line(((axis.at(1.0), top + 17.0), (axis.at(1.0), top + ROW)), Ink::Rule, 1.2);
            whisker(canvas, line, (&axis, top));
        }
        axis.draw_values(canvas, bottom, relation.unit());
    }))
}

fn lines(run: &Run, (bench, relation): (&str, Relation), side: Side) -> Vec<Line> {
    let mut lines = Vec::new();
    let on_side = |case: &str| view::side(run, case) == side;
    let related = view::ratios(run).filter(|row| row.bench == bench && Relation::of(run, row) == relation);
    let related: Vec<&Comparison> = related.filter(|row| on_side(&row.case)).collect();
    for row in &related {
        let Some(ratio) = row.ratio else { continue };
        lines.push(Line {
            name: name(row, &related, relation),
            words: format!("{}, {}", view::runtimes::marked_ratio(row), view::verdict(&row.metric, row.verdict)),
            ratio,
            ends: number::interval(row.ci_low, row.ci_high),
            delta: Some(row.delta),
            ink: Ink::of(view::mode(run, &row.case)),
        });
    }
    for row in view::twins(run).filter(|row| row.bench == bench && on_side(&row.case)) {
        let Some(ratio) = row.ratio else { continue };
        lines.push(Line {
            name: format!("A/A: {} twice", row.case),
            words: view::twin_ratio(row).times(),
            ratio,
            ends: number::interval(row.ci_low, row.ci_high),
            delta: None,
            ink: Ink::Other,
        });
    }
    lines
}

/// The case; and what it is held against where that does not follow, as far as the two differ.
fn name(row: &Comparison, related: &[&Comparison], relation: Relation) -> String {
    let is_alone = related.iter().filter(|other| other.case == row.case).count() == 1;
    if is_alone && relation != Relation::Other {
        return row.case.clone();
    }
    let apart = match (row.case.split_once('/'), row.baseline.split_once('/')) {
        (Some((what, _)), Some((other, how))) if what == other => how,
        (Some((_, how)), Some((what, other))) if how == other => what,
        _ => &row.baseline,
    };
    format!("{}, to {apart}", row.case)
}

/// The band of the margin that this row's verdict used.
fn margin(canvas: &mut Canvas, line: &Line, (axis, top): (&Axis, f64)) {
    let Some(delta) = line.delta else { return };
    let (from, to) = (axis.within(1.0 - delta), axis.within(1.0 + delta));
    canvas.bar(((from, top + 17.0), (to.max(from + 1.0), top + ROW)), Ink::Band);
}

fn whisker(canvas: &mut Canvas, line: &Line, (axis, top): (&Axis, f64)) {
    let center = top + 27.5;
    canvas.bold((4.0, top + 9.0), &line.name, (line.ink, Anchor::Start));
    canvas.text((WIDTH - 4.0, top + 9.0), &line.words, (Ink::Text, Anchor::End));
    let x = axis.at(line.ratio);
    let Some((low, high)) = line.ends else { return canvas.ring((x, center), 4.0, line.ink) };
    let (from, to) = (axis.at(low), axis.at(high));
    canvas.line(((from, center), (to, center)), line.ink, 2.0);
    for end in [from, to] {
        canvas.line(((end, center - 4.0), (end, center + 4.0)), line.ink, 1.5);
    }
    canvas.bar(((x - 3.5, center - 3.5), (x + 3.5, center + 3.5)), line.ink);
}
