//! The times of a bench: every counted sample as a dot, the median as a line, its interval as a bar.
//!
//! Not here: warm-up rounds and failures (`sequence` draws them).

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink, thinned};
use crate::Run;
use crate::view::{self, Side};
use results::{CaseSummary, Outcome, Sample};

const WIDTH: f64 = 420.0;
const ROW: f64 = 38.0;
/// Dots of one row; more can not be told apart on a strip of this size.
pub const DOTS: usize = 300;

/// The figure of a bench on one side of the container wall, so that each side has a scale of its own; nothing when
/// it has no sample there. A cell that the run does not describe counts as direct.
pub fn figure(run: &Run, (bench, side): (&str, Side), id: &str) -> Option<Drawing> {
    let shown = |row: &&CaseSummary| row.bench == bench && row.median.is_some() && view::side(run, &row.case) == side;
    let rows: Vec<&CaseSummary> = view::rows(run).filter(shown).collect();
    if rows.is_empty() {
        return None;
    }
    let ends = rows.iter().flat_map(|row| [row.min, row.max]).flatten().map(|ns| ns / 1e6);
    let axis = Axis::covering(ends, (4.0, WIDTH - 4.0));
    let bottom = ROW * rows.len() as f64;
    let words: Vec<String> =
        rows.iter().map(|row| format!("{} {} ms", row.case, view::median_ms(row).with_brackets())).collect();
    let title = format!("Times of {bench}, {}", side.title());
    let description = format!("Medians with intervals: {}.", words.join("; "));
    let frame = Frame { id, title: &title, description: &description, size: (WIDTH, bottom + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, row) in rows.iter().enumerate() {
            strip(canvas, (run, row), (&axis, ROW * index as f64));
        }
        axis.draw_values(canvas, bottom, "ms");
    }))
}

fn strip(canvas: &mut Canvas, (run, row): (&Run, &CaseSummary), (axis, top): (&Axis, f64)) {
    let ink = Ink::of(view::mode(run, &row.case));
    let center = top + 27.0;
    axis.draw_grid(canvas, (top + 16.0, top + ROW));
    canvas.bold((4.0, top + 9.0), &row.case, (ink, Anchor::Start));
    let shown = format!("{} ms", view::median_ms(row).with_brackets());
    canvas.text((WIDTH - 4.0, top + 9.0), &shown, (Ink::Text, Anchor::End));
    let dots = sorted_dots(run, row).into_iter().enumerate();
    let centers: Vec<(f64, f64)> = dots.map(|(index, ms)| (axis.at(ms), center + spread(index) * 7.0)).collect();
    canvas.dots(&centers, 2.0, ink);
    if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
        let (from, to) = (axis.at(low / 1e6), axis.at(high / 1e6));
        canvas.bar(((from, center - 2.0), (to.max(from + 0.6), center + 2.0)), ink);
    }
    if let Some(median) = row.median {
        let x = axis.at(median / 1e6);
        canvas.line(((x, center - 10.0), (x, center + 10.0)), ink, 2.0);
    }
}

/// Sorted, so that thinning keeps the extremes.
fn sorted_dots(run: &Run, row: &CaseSummary) -> Vec<f64> {
    let mut values: Vec<f64> =
        counted(run, &row.bench, &row.case).filter_map(results::Sample::wall_ns).map(|ns| ns as f64 / 1e6).collect();
    values.sort_by(f64::total_cmp);
    thinned(&values, DOTS)
}

/// The counted samples of a cell.
pub fn counted<'a>(run: &'a Run, bench: &'a str, case: &'a str) -> impl Iterator<Item = &'a Sample> {
    run.samples.iter().filter(move |sample| {
        !sample.warmup && sample.outcome == Outcome::Ok && sample.case == case && sample.bench == bench
    })
}

/// −1 to 1, far from those just before: keeps neighbouring dots apart without chance (bit reversal).
fn spread(index: usize) -> f64 {
    let reversed = u32::try_from(index % 1024).unwrap_or(0).reverse_bits() >> 22;
    f64::from(reversed) / 512.0 - 1.0
}
