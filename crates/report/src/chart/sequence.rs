//! One cell's samples in the order in which they came: drift and steps become visible. Warm-up rounds are
//! open, failures crossed; the median is a line and its interval a band.
//!
//! Not here: the test for drift (it comes with the summary).

use super::axis::{Axis, tick_label};
use super::{Anchor, Canvas, Drawing, Frame, Ink, thinned};
use crate::{Run, push, view};
use results::{CaseSummary, Outcome, Sample};

const WIDTH: f64 = 220.0;
const HEIGHT: f64 = 92.0;
const LEFT: f64 = 38.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 72.0;
/// How many median absolute deviations above the median the drawing ends.
const EDGE_MADS: f64 = 12.0;
/// Dots of one cell.
pub const DOTS: usize = 200;

/// The figure of a cell; nothing when none of its runs has a time.
pub fn figure(run: &Run, row: &CaseSummary, id: &str) -> Option<Drawing> {
    let samples: Vec<&Sample> = run
        .samples
        .iter()
        .filter(|sample| sample.bench == row.bench && sample.case == row.case && sample.wall_ns().is_some())
        .collect();
    if samples.is_empty() {
        return None;
    }
    let ms = |sample: &Sample| sample.wall_ns().unwrap_or(0) as f64 / 1e6;
    let edge = edge(row);
    let beyond = samples.iter().filter(|sample| ms(sample) > edge).count();
    let values = Axis::linear(samples.iter().map(|sample| ms(sample)).filter(|ms| *ms <= edge), (BOTTOM, TOP));
    let last = samples.iter().map(|sample| sample.round).max().unwrap_or(0);
    let rounds = Axis::from_zero(f64::from(last.max(1)), (LEFT + 4.0, WIDTH - 5.0));
    let title = format!("{} {}: time by round", row.bench, row.case);
    let drift = row.drift.map_or_else(String::new, |drift| {
        format!(" Rank correlation with the round {:.2}, p {:.3}.", drift.spearman, drift.p_value)
    });
    let mut description = format!("{} runs over {} rounds.{drift}", samples.len(), u64::from(last) + 1);
    if beyond > 0 {
        let most = row.max.map_or(edge, |ns| ns / 1e6);
        push(&mut description, format_args!(" {beyond} runs lie beyond the upper edge, the slowest at {most:.1} ms."));
    }
    let ink = Ink::of(view::mode(run, &row.case));
    let frame = Frame { id, title: &title, description: &description, size: (WIDTH, HEIGHT) };
    Some(Drawing::new(&frame, |canvas| {
        level(canvas, &values);
        center(canvas, row, &values);
        let mut plain = Vec::new();
        for sample in chosen(&samples) {
            let at = (rounds.at(f64::from(sample.round)), values.at(ms(sample)));
            match mark(sample, edge) {
                Mark::Dot => plain.push(at),
                Mark::Warmup => canvas.ring(at, 1.9, ink),
                Mark::Failed => canvas.cross(at, 3.0, Ink::Failed),
                Mark::Beyond(failed) => beyond_edge(canvas, at.0, if failed { Ink::Failed } else { ink }),
            }
        }
        canvas.dots(&plain, 1.8, ink);
        canvas.text((LEFT + 4.0, BOTTOM + 12.0), "0", (Ink::Muted, Anchor::Middle));
        canvas.text((f64::midpoint(LEFT, WIDTH), BOTTOM + 12.0), "round", (Ink::Muted, Anchor::Middle));
        canvas.text((WIDTH - 4.0, BOTTOM + 12.0), &last.to_string(), (Ink::Muted, Anchor::End));
    }))
}

/// Thinned by round, with the fastest, the slowest, and every failure.
fn chosen<'a>(samples: &[&'a Sample]) -> Vec<&'a Sample> {
    if samples.len() <= DOTS {
        return samples.to_vec();
    }
    let mut chosen = thinned(samples, DOTS);
    chosen.extend(samples.iter().copied().max_by_key(|sample| sample.wall_ns()));
    chosen.extend(samples.iter().copied().min_by_key(|sample| sample.wall_ns()));
    chosen.extend(samples.iter().copied().filter(|sample| sample.outcome != Outcome::Ok).take(DOTS));
    chosen
}

fn level(canvas: &mut Canvas, values: &Axis) {
    for tick in values.ticks(3.5) {
        let y = values.at(tick);
        canvas.line(((LEFT, y), (WIDTH, y)), Ink::Grid, 1.0);
        canvas.text((LEFT - 4.0, y), &tick_label(tick), (Ink::Muted, Anchor::End));
    }
}

fn center(canvas: &mut Canvas, row: &CaseSummary, values: &Axis) {
    if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
        let (bottom, top) = (values.at(low / 1e6), values.at(high / 1e6));
        canvas.bar(((LEFT, top), (WIDTH, bottom.max(top + 0.6))), Ink::Band);
    }
    if let Some(median) = row.median {
        let y = values.at(median / 1e6);
        canvas.line(((LEFT, y), (WIDTH, y)), Ink::Rule, 1.0);
    }
}

/// Where the drawing ends, ms: a spike would press everything else flat, so that no drift could be seen.
fn edge(row: &CaseSummary) -> f64 {
    match (row.median, row.mad) {
        (Some(median), Some(mad)) if mad > 0.0 => (median + EDGE_MADS * mad) / 1e6,
        _ => f64::MAX,
    }
}

/// How one run is drawn.
enum Mark {
    Dot,
    Warmup,
    Failed,
    /// Beyond the upper edge, and whether it failed.
    Beyond(bool),
}

fn mark(sample: &Sample, edge: f64) -> Mark {
    let failed = sample.outcome != Outcome::Ok;
    match sample.wall_ns() {
        Some(ns) if ns as f64 / 1e6 > edge => Mark::Beyond(failed),
        _ if failed => Mark::Failed,
        _ if sample.warmup => Mark::Warmup,
        _ => Mark::Dot,
    }
}

/// A triangle at the upper edge: how far beyond it does not say.
fn beyond_edge(canvas: &mut Canvas, x: f64, ink: Ink) {
    canvas.path(&[(x - 2.5, TOP + 1.0), (x, TOP - 3.5), (x + 2.5, TOP + 1.0), (x - 2.5, TOP + 1.0)], ink, 1.0);
}
