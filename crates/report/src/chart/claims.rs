//! The forest plot of published ratios: what counts as reproduced, the figure as published, and ours with its interval, on
//! one log axis.
//!
//! Not here: verdicts (they come with the summary).

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::view::claims::{ours, published, verdict};
use results::{ClaimRow, ClaimVerdict};

const WIDTH: f64 = 420.0;
const ROW: f64 = 50.0;
/// Where the lines of a row are, from its top.
const MARKS: f64 = 40.0;

/// The figure of the ratios among these rows that have one of ours; nothing when there is none.
pub fn figure(rows: &[&ClaimRow], (id, title): (&str, &str)) -> Option<Drawing> {
    let rows: Vec<&ClaimRow> = rows.iter().copied().filter(|row| row.unit == "×" && row.ours.is_some()).collect();
    if rows.is_empty() {
        return None;
    }
    let axis = Axis::log(rows.iter().flat_map(|row| values(row)), (8.0, WIDTH - 8.0));
    let bottom = ROW * rows.len() as f64;
    let words: Vec<String> = rows.iter().map(|row| format!("{}: {}", row.what, words(row))).collect();
    let title = format!("Published ratios and ours: {title}");
    let frame =
        Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, bottom + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, row) in rows.iter().enumerate() {
            line(canvas, row, (&axis, ROW * index as f64));
        }
        axis.draw_values(canvas, bottom, "×");
    }))
}

fn words(row: &ClaimRow) -> String {
    format!("published {}, ours {}, {}", published(row), ours(row), verdict(row.verdict))
}

/// What the axis has to hold.
fn values(row: &ClaimRow) -> impl Iterator<Item = f64> {
    let bounds = row.bounds.map(|bounds| [bounds.low, bounds.high]).unwrap_or_default();
    [row.published, row.ours, row.ours_low, row.ours_high].into_iter().chain(bounds).flatten().chain([1.0])
}

fn line(canvas: &mut Canvas, row: &ClaimRow, (axis, top): (&Axis, f64)) {
    let (from, to, center) = (top + 30.0, top + ROW, top + MARKS);
    if let Some(bounds) = row.bounds {
        let end = |end: Option<f64>, open: f64| end.map_or(open, |end| axis.within(end));
        let (left, right) = (end(bounds.low, 4.0), end(bounds.high, WIDTH - 4.0));
        canvas.bar(((left, from), (right.max(left + 1.0), to)), Ink::Band);
    }
    axis.draw_grid(canvas, (from, to));
    canvas.line(((axis.at(1.0), from), (axis.at(1.0), to)), Ink::Rule, 1.2);
    canvas.bold((4.0, top + 9.0), &row.what, (Ink::Text, Anchor::Start));
    canvas.text((4.0, top + 22.0), &words(row), (Ink::Muted, Anchor::Start));
    if let Some(published) = row.published {
        canvas.ring((axis.at(published), center), 5.0, Ink::Text);
    }
    if let Some((low, high)) = row.ours_low.zip(row.ours_high) {
        canvas.line(((axis.at(low), center), (axis.at(high), center)), Ink::Aot, 2.0);
    }
    let Some(x) = row.ours.map(|ours| axis.at(ours)) else { return };
    match row.verdict {
        ClaimVerdict::Reproduced => canvas.bar(((x - 3.5, center - 3.5), (x + 3.5, center + 3.5)), Ink::Aot),
        ClaimVerdict::NotReproduced => canvas.cross((x, center), 4.0, Ink::Aot),
        ClaimVerdict::NotComparable | ClaimVerdict::Untested => canvas.ring((x, center), 3.5, Ink::Aot),
    }
}
