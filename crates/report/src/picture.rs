//! The picture of the result: image size, direct time, container time of the three kinds, as bars from zero with interval
//! and ratio; and the file for the project's README, which is the square of the first screen.
//!
//! Not here: a dark variant. An SVG inside an `<img>` sees the system's colour scheme, not the one of the page around
//! it, so the file brings its own light background and reads on both.

use super::Run;
use super::chart::axis::Axis;
use super::chart::{Anchor, Canvas, Drawing, Frame, Ink, sizes, square};
use super::number::{interval, kb, size_ratio};
use super::view::{self, Side};
use results::case::{Case, Kind, Mode};

/// What the picture shows.
pub const TITLE: &str = "Image size and time per kind, direct and in a container";

const WIDTH: f64 = 860.0;
const PANEL: f64 = 252.0;
const GAP: f64 = 28.0;
const MARGIN: f64 = 24.0;
const ROW: f64 = 42.0;
const TOP: f64 = 62.0;
const STYLE: &str = include_str!("html/picture.css");

/// A row of a panel: its name, what is drawn of it, and the bar where there is one.
struct Line {
    name: String,
    label: String,
    ink: Ink,
    bar: Option<Bar>,
}

/// A bar: value, interval, the words beside it.
struct Bar {
    value: f64,
    ends: Option<(f64, f64)>,
    words: String,
    ratio: Option<String>,
}

/// `result.svg`: the square as a file of its own, with its colours inside; without a bench the bars say that there is none.
pub fn result(run: &Run) -> String {
    square::drawing(run).unwrap_or_else(|| drawing(run)).file(STYLE)
}

/// The bars.
pub fn drawing(run: &Run) -> Drawing {
    draw(run, &panels(run))
}

type Panels = [(&'static str, Vec<Line>); 3];

fn panels(run: &Run) -> Panels {
    let bench = view::headline(run).map_or("", |bench| bench.name.as_str());
    [
        ("image to pull, kB", image_lines(run)),
        ("run directly, ms", time_lines(run, bench, Side::Direct)),
        ("in a container, ms", time_lines(run, bench, Side::Container)),
    ]
}

fn height(panels: &Panels) -> f64 {
    TOP + panels.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0) as f64 * ROW + 40.0
}

/// So many letters of the note fit below the panels.
const NOTE_LETTERS: usize = 125;

fn draw(run: &Run, panels: &Panels) -> Drawing {
    let bench = view::headline(run).map_or("", |bench| bench.name.as_str());
    let words: Vec<String> = panels.iter().map(|(name, lines)| describe(name, lines)).collect();
    let height = height(panels);
    let frame =
        Frame { id: "bars", title: TITLE, description: &format!("{}.", words.join("; ")), size: (WIDTH, height) };
    Drawing::new(&frame, |canvas| {
        canvas.bar(((0.0, 0.0), (WIDTH, height)), Ink::Paper);
        for (index, (name, lines)) in panels.iter().enumerate() {
            panel(canvas, name, (lines, MARGIN + (PANEL + GAP) * index as f64));
        }
        let mut note = format!(
            "{bench}, median of {} rounds; whiskers: {} interval; ×: ratio to native",
            run.manifest.rounds,
            super::number::confidence(view::level(run))
        );
        if let Some(all) = view::runtimes::named(run, &[bench]) {
            // Many names, or long ones, would run out of the picture; the text beside it has them.
            let fits = note.chars().count() + all.chars().count() <= NOTE_LETTERS;
            let named = if all.starts_with("two") && fits { all.as_str() } else { "runtimes" };
            super::push(&mut note, format_args!("; †: across {named}"));
        }
        canvas.text((MARGIN, height - 20.0), &note, (Ink::Muted, Anchor::Start));
    })
}

fn image_lines(run: &Run) -> Vec<Line> {
    let bytes = |kind| {
        let program = &view::headline(run)?.program;
        view::size(run, program, kind)?.image_bytes_compressed
    };
    let bar = |kind| {
        let size = bytes(kind)?;
        let ratio = (kind != Kind::Native).then(|| bytes(Kind::Native)).flatten();
        Some(Bar {
            value: size as f64,
            ends: None,
            words: kb(size),
            ratio: ratio.map(|native| size_ratio(size as f64 / native as f64)),
        })
    };
    let line =
        |kind: Kind| Line { name: kind.to_string(), label: kind.to_string(), ink: sizes::ink(kind), bar: bar(kind) };
    // What is made on request has a line only where it was made.
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::Cwasm || bytes(*kind).is_some()).map(line).collect()
}

/// A line per mode, and behind it what else executes it.
fn time_lines(run: &Run, bench: &str, side: Side) -> Vec<Line> {
    let bar = |case: &Case| {
        let row = view::case(run, bench, &case.name)?;
        let ratio = view::comparison(run, bench, &case.name).filter(|row| row.ratio.is_some());
        Some(Bar {
            value: row.median?,
            ends: interval(row.ci_low, row.ci_high),
            words: view::median_ms(row).value,
            ratio: ratio.map(view::runtimes::marked_ratio),
        })
    };
    let mut lines = Vec::new();
    for mode in view::modes(run) {
        let ink = Ink::of(Some(mode));
        let central = view::central_case(run, mode, side);
        // A mode beyond the published ones is there for the side on which it was measured.
        if central.is_some() || mode != Mode::Jit {
            let (name, label) = (view::mode_name(run, mode), mode.to_string());
            lines.push(Line { name, label, ink, bar: central.and_then(bar) });
        }
        let further = view::cases(run, mode, side).skip(1).filter(|case| !case.has_own_image());
        lines.extend(further.map(|case| Line {
            name: format!("{mode}, {}", view::by(run, case)),
            label: format!("… {}", view::by(run, case)),
            ink,
            bar: bar(case),
        }));
    }
    lines
}

fn describe(name: &str, lines: &[Line]) -> String {
    let parts = lines.iter().map(|line| match &line.bar {
        Some(bar) => format!("{} {}", line.name, bar.words),
        None => format!("{} not measured", line.name),
    });
    format!("{name}: {}", parts.collect::<Vec<_>>().join(", "))
}

fn panel(canvas: &mut Canvas, name: &str, (lines, left): (&[Line], f64)) {
    canvas.bold((left, 34.0), name, (Ink::Text, Anchor::Start));
    let bars = lines.iter().filter_map(|line| line.bar.as_ref());
    let most = bars.map(|bar| bar.ends.map_or(bar.value, |ends| ends.1.max(bar.value)));
    let axis = Axis::from_zero(most.fold(0.0, f64::max), (left, left + PANEL - 52.0));
    for (index, line) in lines.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        canvas.text((left, y), &line.label, (Ink::Muted, Anchor::Start));
        let Some(bar) = &line.bar else {
            canvas.text((left, y + 15.0), "not measured", (Ink::Muted, Anchor::Start));
            continue;
        };
        if let Some(ratio) = &bar.ratio {
            canvas.text((left + PANEL, y), ratio, (Ink::Muted, Anchor::End));
        }
        let end = axis.at(bar.value).max(left + 1.0);
        canvas.hatched(((left, y + 8.0), (end, y + 23.0)), line.ink);
        let mut edge = end;
        if let Some((low, high)) = bar.ends {
            let (from, to) = (axis.at(low), axis.at(high));
            canvas.line(((from, y + 15.5), (to, y + 15.5)), Ink::Text, 1.2);
            for x in [from, to] {
                canvas.line(((x, y + 12.0), (x, y + 19.0)), Ink::Text, 1.2);
            }
            edge = edge.max(to);
        }
        canvas.bold((edge + 6.0, y + 15.5), &bar.words, (Ink::Text, Anchor::Start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_was_not_measured_is_said_and_not_drawn() {
        let text = drawing(&fixture::without_root()).element().into_string();
        assert_eq!(text.matches("not measured<").count(), 3);
        let text = drawing(&fixture::complete()).element().into_string();
        assert!(!text.contains("not measured<") && text.contains("1.13× to 1.17×"));
    }

    /// Two Jobs of a cluster have longer names than runc and a shim.
    #[test]
    fn names_that_would_run_out_of_the_picture_are_left_to_the_text() {
        let mut run = fixture::complete();
        let note = |run: &Run| {
            let text = drawing(run).element().into_string();
            text.split('>').find(|text| text.contains("; whiskers: ")).unwrap().to_owned()
        };
        assert!(note(&run).contains("†: across two runtimes, "), "{}", note(&run));
        for cell in &mut run.manifest.cells {
            cell.case.runtime.title = format!("a Job with {}", cell.case.runtime.title);
        }
        assert!(note(&run).contains("†: across runtimes<"), "{}", note(&run));
    }
}
