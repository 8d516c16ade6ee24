//! What a run costs when something is not there yet, beside the warm run of the same case: medians with intervals on one axis.
//!
//! Not here: how a class is brought about.

use super::axis::Axis;
use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::number::Rounded;
use crate::{Run, view};
use results::Estimate;
use results::first_use::{Class, WALL};

const WIDTH: f64 = 420.0;
const ROW: f64 = 38.0;

/// A case: warm, and as the class has it; in ms.
struct Line<'a> {
    case: &'a str,
    warm: Option<Estimate>,
    cold: Estimate,
    ink: Ink,
}

/// The figure of a bench and a class; nothing where it was not measured.
pub fn figure(run: &Run, (bench, class): (&str, Class), id: &str) -> Option<Drawing> {
    let lines = lines(run, bench, class);
    if lines.is_empty() {
        return None;
    }
    let estimates = lines.iter().flat_map(|line| [Some(line.cold), line.warm]).flatten();
    let axis = Axis::covering(estimates.flat_map(|found| [found.low, found.value, found.high]), (8.0, WIDTH - 8.0));
    let bottom = ROW * lines.len() as f64;
    let words: Vec<String> = lines.iter().map(|line| format!("{}: {}", line.case, words(line))).collect();
    let title = format!("{bench}: {class}, beside warm");
    let frame =
        Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, bottom + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        for (index, line) in lines.iter().enumerate() {
            draw(canvas, line, (&axis, ROW * index as f64));
        }
        axis.draw_values(canvas, bottom, "ms");
    }))
}

fn lines<'a>(run: &'a Run, bench: &str, class: Class) -> Vec<Line<'a>> {
    let rows = run.summary.first_use.iter().flat_map(|found| &found.rows);
    let rows = rows.filter(|row| row.bench == bench && row.value == WALL && row.link.is_none());
    let ms = |found: Estimate| Estimate { value: found.value / 1e6, low: found.low / 1e6, high: found.high / 1e6 };
    let of = |case: &str, class: Class| {
        let row = rows.clone().find(|row| row.case == case && row.class == class)?;
        row.median.map(ms)
    };
    let line = |case: &'a str| {
        let ink = Ink::of(view::mode(run, case));
        Some(Line { case, warm: of(case, Class::Warm), cold: of(case, class)?, ink })
    };
    rows.clone().filter(|row| row.class == class).filter_map(|row| line(&row.case)).collect()
}

fn words(line: &Line) -> String {
    let shown = |found: Estimate| Rounded::new(Some(found.value), Some((found.low, found.high))).with_brackets();
    let warm = line.warm.map_or_else(String::new, |warm| format!(", warm {}", shown(warm)));
    format!("{} ms{warm}", shown(line.cold))
}

fn draw(canvas: &mut Canvas, line: &Line, (axis, top): (&Axis, f64)) {
    let center = top + 27.5;
    axis.draw_grid(canvas, (top + 17.0, top + ROW));
    canvas.bold((4.0, top + 9.0), line.case, (line.ink, Anchor::Start));
    canvas.text((WIDTH - 4.0, top + 9.0), &words(line), (Ink::Text, Anchor::End));
    for (found, ink) in line.warm.map(|warm| (warm, Ink::Muted)).into_iter().chain([(line.cold, line.ink)]) {
        let (from, to, x) = (axis.at(found.low), axis.at(found.high), axis.at(found.value));
        canvas.line(((from, center), (to, center)), line.ink, 2.0);
        // Warm is open, the other one is filled.
        if ink == Ink::Muted {
            canvas.ring((x, center), 4.0, line.ink);
        } else {
            canvas.bar(((x - 3.5, center - 3.5), (x + 3.5, center + 3.5)), ink);
        }
    }
}
