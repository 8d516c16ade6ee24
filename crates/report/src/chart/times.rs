//! The times of a bench: every counted sample as a dot, the median as a line, its interval as a bar.
//!
//! Not here: warm-up rounds and failures (`sequence` draws them).

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink, thinned};
use crate::Run;
use crate::view::{self, Side};
use results::case::Mode;
use results::{CaseSummary, Sample};

const WIDTH: f64 = 420.0;
const ROW: f64 = 38.0;
/// Dots of one row; more can not be told apart on a strip of this size.
const ROW_DOTS: usize = 300;
/// Dots of all rows: a page has to be small enough to be sent.
const ALL_DOTS: usize = 2500;

/// How many dots a row of this run has at most.
pub fn dots(run: &Run) -> usize {
    super::share(ALL_DOTS, view::rows(run).count()).min(ROW_DOTS)
}

/// The figure of a bench on one side of the container wall, so that each side has a scale of its own; nothing when
/// it has no sample there. A cell that the run does not describe counts as direct.
pub fn figure((run, samples): (&Run, &view::SamplesByCell), (bench, side): (&str, Side), id: &str) -> Option<Drawing> {
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
    let most = dots(run);
    let of = |row: &CaseSummary| counted(samples, bench, &row.case);
    Some(Drawing::new(&frame, |canvas| {
        for (index, row) in rows.iter().enumerate() {
            strip(canvas, (view::mode(run, &row.case), row, (&of(row), most)), (&axis, ROW * index as f64));
        }
        axis.draw_values(canvas, bottom, "ms");
    }))
}

type Strip<'a> = (Option<Mode>, &'a CaseSummary, (&'a [&'a Sample], usize));

fn strip(canvas: &mut Canvas, (mode, row, (samples, most)): Strip, (axis, top): (&Axis, f64)) {
    let ink = Ink::of(mode);
    let center = top + 27.0;
    axis.draw_grid(canvas, (top + 16.0, top + ROW));
    canvas.bold((4.0, top + 9.0), &row.case, (ink, Anchor::Start));
    let shown = format!("{} ms", view::median_ms(row).with_brackets());
    canvas.text((WIDTH - 4.0, top + 9.0), &shown, (Ink::Text, Anchor::End));
    let dots = sorted_dots(samples, most).into_iter().enumerate();
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
fn sorted_dots(samples: &[&Sample], most: usize) -> Vec<f64> {
    let values = samples::timed(samples).into_iter().map(|(_, ms)| ms).collect();
    stats::Samples::new(values).map_or_else(Vec::new, |values| thinned(values.ascending(), most))
}

/// The counted samples of a cell.
pub fn counted<'a>(samples: &view::SamplesByCell<'a>, bench: &str, case: &str) -> Vec<&'a Sample> {
    samples::counted(samples.get(&(bench, case)).map_or(&[][..], Vec::as_slice))
}

/// −1 to 1, far from those just before: keeps neighbouring dots apart without chance (bit reversal).
fn spread(index: usize) -> f64 {
    let reversed = u32::try_from(index % 1024).unwrap_or(0).reverse_bits() >> 22;
    f64::from(reversed) / 512.0 - 1.0
}
