//! The ratio of two lines of a sweep against size: a curve per pair on one side of the container wall, with its band. Where a
//! band leaves 1, one of the two is slower.
//!
//! Not here: the fits, and what follows from them (they come with the summary).

use super::axis::{Axis, tick_label};
use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::Run;
use crate::view::{self, Side};
use results::break_even::{BreakEvenRow, PairReason};

const WIDTH: f64 = 420.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 230.0;

/// The figure of a sweep on one side; nothing where no pair has a curve.
pub fn figure(run: &Run, (sweep, side): (&str, Side), id: &str) -> Option<Drawing> {
    let rows: Vec<&BreakEvenRow> = rows(run, sweep, side);
    let points = || rows.iter().flat_map(|row| &row.curve).filter(|point| point.n > 0.0);
    points().next()?;
    let top = 14.0 * rows.len() as f64 + 8.0;
    let sizes = Axis::log(points().map(|point| point.n), (LEFT, WIDTH - 6.0));
    let ratios = points().flat_map(|point| [point.ratio.low, point.ratio.high]);
    let ratios = Axis::log(ratios.chain([1.0]), (BOTTOM, top));
    let words: Vec<String> = rows.iter().map(|row| row.sentence()).collect();
    let title = format!("{sweep}: time as a multiple of native against n, {}", side.title());
    let frame = Frame { id, title: &title, description: &words.join(" "), size: (WIDTH, BOTTOM + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        sizes.draw_grid(canvas, (top, BOTTOM));
        sizes.draw_values(canvas, BOTTOM, "n");
        for tick in ratios.ticks(5.0) {
            let y = ratios.at(tick);
            canvas.line(((LEFT, y), (WIDTH, y)), Ink::Grid, 1.0);
            canvas.text((LEFT - 5.0, y), &tick_label(tick), (Ink::Muted, Anchor::End));
        }
        canvas.text((LEFT - 5.0, top - 8.0), "×", (Ink::Muted, Anchor::End));
        for row in &rows {
            band(canvas, row, (&sizes, &ratios));
        }
        canvas.line(((LEFT, ratios.at(1.0)), (WIDTH, ratios.at(1.0))), Ink::Rule, 1.2);
        for (index, row) in rows.iter().enumerate() {
            curve(canvas, (run, row), (&sizes, &ratios));
            let ink = Ink::of(view::mode(run, &row.case));
            let y = 14.0 * index as f64 + 7.0;
            canvas.line(((LEFT + 2.0, y), (LEFT + 16.0, y)), ink, 2.0);
            canvas.text((LEFT + 21.0, y), &format!("{} / {}", row.case, row.baseline), (ink, Anchor::Start));
        }
    }))
}

/// The pairs to native of this side that have a curve.
fn rows<'a>(run: &'a Run, sweep: &str, side: Side) -> Vec<&'a BreakEvenRow> {
    let pairs = run.summary.break_even.iter().flat_map(|found| &found.pairs);
    let of_side = pairs.filter(|row| row.sweep == sweep && view::side(run, &row.case) == side);
    of_side.filter(|row| row.why == PairReason::Baseline && row.curve.iter().any(|point| point.n > 0.0)).collect()
}

/// From point to point the wider of the two intervals.
fn band(canvas: &mut Canvas, row: &BreakEvenRow, (sizes, ratios): (&Axis, &Axis)) {
    for pair in row.curve.windows(2).filter(|pair| pair[0].n > 0.0) {
        let high = pair[0].ratio.high.max(pair[1].ratio.high);
        let low = pair[0].ratio.low.min(pair[1].ratio.low);
        let (upper, lower) = (ratios.at(high), ratios.at(low));
        canvas.bar(((sizes.at(pair[0].n), upper), (sizes.at(pair[1].n), lower)), Ink::Band);
    }
}

fn curve(canvas: &mut Canvas, (run, row): (&Run, &BreakEvenRow), (sizes, ratios): (&Axis, &Axis)) {
    let ink = Ink::of(view::mode(run, &row.case));
    let points = row.curve.iter().filter(|point| point.n > 0.0);
    let points: Vec<(f64, f64)> = points.map(|point| (sizes.at(point.n), ratios.at(point.ratio.value))).collect();
    canvas.path(&points, ink, 1.6);
}
