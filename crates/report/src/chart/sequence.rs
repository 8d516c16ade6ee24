//! One cell's samples in the order in which they came: drift and steps become visible. Warm-up rounds are
//! open, failures crossed; the median is a line and its interval a band.
//!
//! Not here: the test for drift (it comes with the summary).

use anyhow::Result;

use super::axis::{Axis, tick_label};
use super::{Anchor, Canvas, Frame, Ink, svg, thinned};
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
pub fn figure(run: &Run, row: &CaseSummary, id: &str) -> Result<Option<String>> {
    let samples: Vec<&Sample> = run
        .samples
        .iter()
        .filter(|sample| sample.bench == row.bench && sample.case == row.case && sample.wall_ns().is_some())
        .collect();
    if samples.is_empty() {
        return Ok(None);
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
    let frame = Frame { id, title: &title, description: &description, size: (WIDTH, HEIGHT) };
    let drawn = svg(&frame, |canvas| {
        level(canvas, &values)?;
        center(canvas, row, &values)?;
        for sample in chosen(&samples) {
            let at = (rounds.at(f64::from(sample.round)), values.at(ms(sample)));
            if ms(sample) > edge { beyond_edge(canvas, (run, sample), at.0)? } else { mark(canvas, (run, sample), at)? }
        }
        canvas.text((LEFT + 4.0, BOTTOM + 12.0), "0", (Ink::Muted, Anchor::Middle))?;
        canvas.text((f64::midpoint(LEFT, WIDTH), BOTTOM + 12.0), "round", (Ink::Muted, Anchor::Middle))?;
        canvas.text((WIDTH - 4.0, BOTTOM + 12.0), &last.to_string(), (Ink::Muted, Anchor::End))
    })?;
    Ok(Some(drawn))
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

fn level(canvas: &Canvas, values: &Axis) -> Result<()> {
    for tick in values.ticks(3.5) {
        let y = values.at(tick);
        canvas.line(((LEFT, y), (WIDTH, y)), Ink::Grid, 1.0)?;
        canvas.text((LEFT - 4.0, y), &tick_label(tick), (Ink::Muted, Anchor::End))?;
    }
    Ok(())
}

fn center(canvas: &Canvas, row: &CaseSummary, values: &Axis) -> Result<()> {
    if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
        let (bottom, top) = (values.at(low / 1e6), values.at(high / 1e6));
        canvas.bar(((LEFT, top), (WIDTH, bottom.max(top + 0.6))), Ink::Band)?;
    }
    if let Some(median) = row.median {
        let y = values.at(median / 1e6);
        canvas.line(((LEFT, y), (WIDTH, y)), Ink::Rule, 1.0)?;
    }
    Ok(())
}

/// Where the drawing ends, ms: a spike would press everything else flat, so that no drift could be seen.
fn edge(row: &CaseSummary) -> f64 {
    match (row.median, row.mad) {
        (Some(median), Some(mad)) if mad > 0.0 => (median + EDGE_MADS * mad) / 1e6,
        _ => f64::MAX,
    }
}

/// A triangle at the upper edge: how far beyond it does not say.
fn beyond_edge(canvas: &Canvas, (run, sample): (&Run, &Sample), x: f64) -> Result<()> {
    let ink = if sample.outcome == Outcome::Ok { Ink::of(view::mode(run, &sample.case)) } else { Ink::Failed };
    canvas.path(&[(x - 2.5, TOP + 1.0), (x, TOP - 3.5), (x + 2.5, TOP + 1.0), (x - 2.5, TOP + 1.0)], ink, 1.0)
}

fn mark(canvas: &Canvas, (run, sample): (&Run, &Sample), at: (f64, f64)) -> Result<()> {
    let mode = view::mode(run, &sample.case);
    if sample.outcome != Outcome::Ok {
        canvas.cross(at, 3.0, Ink::Failed)
    } else if sample.warmup {
        canvas.ring(at, 1.9, Ink::of(mode))
    } else {
        canvas.dot(at, 1.8, Ink::dot(mode))
    }
}
