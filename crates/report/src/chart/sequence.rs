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
const CELL_DOTS: usize = 200;
/// Dots of all cells.
const ALL_DOTS: usize = 2000;

/// How many dots a cell of this run has at most, beside those that are drawn for a reason.
pub fn dots(run: &Run) -> usize {
    super::share(ALL_DOTS, view::rows(run).count()).min(CELL_DOTS)
}

/// The figure of a cell with these samples; nothing when none of its runs has a time.
pub fn figure((run, samples): (&Run, &[&Sample]), row: &CaseSummary, id: &str) -> Option<Drawing> {
    // Looked up once: there may be a million.
    let samples: Vec<Timed> = samples::timed(samples);
    if samples.is_empty() {
        return None;
    }
    let edge = edge(row);
    let beyond = samples.iter().filter(|(_, ms)| *ms > edge).count();
    let values = Axis::linear(samples.iter().map(|(_, ms)| *ms).filter(|ms| *ms <= edge), (BOTTOM, TOP));
    let last = samples.iter().map(|(sample, _)| sample.round).max().unwrap_or(0);
    let rounds = Axis::from_zero(f64::from(last.max(1)), (LEFT + 4.0, WIDTH - 5.0));
    let title = format!("{} {}: time by round", row.bench, row.case);
    let drift = row.drift.map_or_else(String::new, |drift| {
        format!(" Rank correlation with the round {:.2}, p {:.3}.", drift.spearman, drift.p_value)
    });
    let median = view::median_ms(row).with_brackets();
    let mut description =
        format!("{} runs over {} rounds, median {median} ms.{drift}", samples.len(), u64::from(last) + 1);
    if beyond > 0 {
        let most = row.max.map_or(edge, |ns| ns / 1e6);
        push(&mut description, format_args!(" {beyond} runs lie beyond the upper edge, the slowest at {most:.1} ms."));
    }
    let (ink, most) = (Ink::of(view::mode(run, &row.case)), dots(run));
    let frame = Frame { id, title: &title, description: &description, size: (WIDTH, HEIGHT) };
    Some(Drawing::new(&frame, |canvas| {
        level(canvas, &values);
        center(canvas, row, &values);
        let mut plain = Vec::new();
        for (sample, ms) in chosen(&samples, most) {
            let at = (rounds.at(f64::from(sample.round)), values.at(ms));
            match mark((sample, ms), edge) {
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

/// A sample and its time in ms.
type Timed<'a> = (&'a Sample, f64);

/// Thinned by round, with the fastest, the slowest, and every failure.
fn chosen<'a>(samples: &[Timed<'a>], most: usize) -> Vec<Timed<'a>> {
    if samples.len() <= most {
        return samples.to_vec();
    }
    let mut chosen = thinned(samples, most);
    let by_time = |a: &&Timed, b: &&Timed| a.1.total_cmp(&b.1);
    chosen.extend(samples.iter().max_by(by_time));
    chosen.extend(samples.iter().min_by(by_time));
    chosen.extend(samples.iter().filter(|(sample, _)| sample.outcome != Outcome::Ok).take(most));
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

fn mark((sample, ms): Timed, edge: f64) -> Mark {
    let failed = sample.outcome != Outcome::Ok;
    match sample.warmup {
        _ if ms > edge => Mark::Beyond(failed),
        _ if failed => Mark::Failed,
        true => Mark::Warmup,
        false => Mark::Dot,
    }
}

/// A triangle at the upper edge: how far beyond it does not say.
fn beyond_edge(canvas: &mut Canvas, x: f64, ink: Ink) {
    canvas.path(&[(x - 2.5, TOP + 1.0), (x, TOP - 3.5), (x + 2.5, TOP + 1.0), (x - 2.5, TOP + 1.0)], ink, 1.0);
}
