//! Several runs beside each other: of each case of a bench the median and its interval in each run, the oldest on top.
//!
//! Not here: any comparison of them, which takes more than two intervals.

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::number::{Rounded, interval};
use crate::view::{self, Side};
use crate::{Run, push};

const WIDTH: f64 = 420.0;
/// The name of a case.
const NAME: f64 = 18.0;
/// A run of it.
const LINE: f64 = 13.0;
const GAP: f64 = 6.0;

/// A median of a run in ms, with its interval; absent where the run has none.
type Mark = Option<(f64, Option<(f64, f64)>)>;

/// A case in every run.
struct Line<'a> {
    case: &'a str,
    marks: Vec<Mark>,
    ink: Ink,
}

/// The figure of the cases of the newest run on one side; nothing where none has a median.
pub fn figure(runs: &[&Run], (bench, side): (&str, Side), id: &str) -> Option<Drawing> {
    let newest = runs.last()?;
    let rows = view::rows(newest).filter(|row| row.bench == bench && view::side(newest, &row.case) == side);
    let lines: Vec<Line> = rows
        .filter(|row| !view::is_twin(newest, &row.case))
        .map(|row| Line {
            case: &row.case,
            marks: runs.iter().map(|run| mark(run, bench, &row.case)).collect(),
            ink: Ink::of(view::mode(newest, &row.case)),
        })
        .collect();
    let ends = lines.iter().flat_map(|line| line.marks.iter().flatten());
    let ends: Vec<f64> = ends.flat_map(|(value, ends)| ends.map_or([*value; 2], |(low, high)| [low, high])).collect();
    if ends.is_empty() {
        return None;
    }
    let axis = Axis::covering(ends.into_iter(), (22.0, WIDTH - 8.0));
    let height = NAME + LINE * runs.len() as f64 + GAP;
    let bottom = height * lines.len() as f64;
    let title = format!("{bench}, {}: medians by run", side.title());
    let frame = Frame { id, title: &title, description: &describe(runs, &lines), size: (WIDTH, bottom + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, line) in lines.iter().enumerate() {
            draw(canvas, line, (&axis, height * index as f64));
        }
        axis.draw_values(canvas, bottom, "ms");
    }))
}

fn mark(run: &Run, bench: &str, case: &str) -> Mark {
    let row = view::case(run, bench, case).filter(|row| row.n > 0)?;
    let ends = interval(row.ci_low, row.ci_high).map(|(low, high)| (low / 1e6, high / 1e6));
    Some((row.median? / 1e6, ends))
}

fn describe(runs: &[&Run], lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let marks = line.marks.iter().zip(runs).map(|(mark, run)| {
            let shown = mark.map(|(value, ends)| Rounded::new(Some(value), ends).with_unit("ms"));
            format!("{} in {}", shown.as_deref().unwrap_or("not measured"), run.manifest.run)
        });
        push(&mut text, format_args!("{}: {}. ", line.case, marks.collect::<Vec<_>>().join(", ")));
    }
    text.trim_end().to_owned()
}

fn draw(canvas: &mut Canvas, line: &Line, (axis, top): (&Axis, f64)) {
    let from = top + NAME;
    let to = from + LINE * line.marks.len() as f64;
    axis.draw_grid(canvas, (from, to));
    canvas.bold((4.0, top + 9.0), line.case, (line.ink, Anchor::Start));
    for (index, mark) in line.marks.iter().enumerate() {
        let y = from + LINE * (index as f64 + 0.5);
        canvas.text((4.0, y), &(index + 1).to_string(), (Ink::Muted, Anchor::Start));
        let Some((value, ends)) = mark else {
            canvas.text((22.0, y), "not measured", (Ink::Muted, Anchor::Start));
            continue;
        };
        if let Some((low, high)) = ends {
            canvas.line(((axis.at(*low), y), (axis.at(*high), y)), line.ink, 2.0);
        }
        let x = axis.at(*value);
        canvas.bar(((x - 3.0, y - 3.0), (x + 3.0, y + 3.0)), line.ink);
    }
}
