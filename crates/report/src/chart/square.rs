//! The answer as a square: native and Wasm beside each other, run directly and in a container one above the other, the
//! time at each corner and the ratio on each side.
//!
//! Not here: the words before it (`answer`). What would mislead is not drawn: between containers the side shows the ratio
//! within one runtime where that was measured, and says so where two runtimes are in it.

use super::{Anchor, Canvas, Drawing, Frame, Ink};
use crate::Run;
use crate::number::NONE;
use crate::view::{self, Side, Told};
use results::Comparison;
use results::case::{Case, Mode};

/// What the picture shows.
pub const TITLE: &str = "Native and Wasm, as a process and in a container: time, and how many times as long";

const WIDTH: f64 = 450.0;
const BOX: f64 = 166.0;
const RIGHT: f64 = WIDTH - BOX - 1.0;
const LINE: f64 = 16.0;
const TOP: f64 = 22.0;
const GAP: f64 = 50.0;
const MODES: [Mode; 3] = [Mode::Aot, Mode::Jit, Mode::Interpreter];

/// A line of text, and what it is about.
type Line = (String, Ink);

/// What a corner holds: a line for each way that was measured.
struct Corner {
    title: &'static str,
    lines: Vec<Line>,
}

/// What the square holds.
struct Square {
    native: [Corner; 2],
    wasm: [Corner; 2],
    /// Wasm over native: directly, in a container.
    across: [Vec<Line>; 2],
    /// Container over process: native, Wasm.
    down: [Vec<Line>; 2],
    notes: Vec<String>,
}

/// The picture; nothing without a bench.
pub fn drawing(run: &Run) -> Option<Drawing> {
    let told = view::told(run)?;
    let square = square(run, &told);
    let heights = [0, 1].map(|row| height(&square, row));
    let bottom = TOP + heights[0] + GAP + heights[1];
    let size = (WIDTH, bottom + 8.0 + LINE * square.notes.len() as f64);
    let frame = Frame { id: "square", title: TITLE, description: &describe(&told.bench.name, &square), size };
    Some(Drawing::new(&frame, |canvas| {
        canvas.bar(((0.0, 0.0), size), Ink::Paper);
        canvas.bold((BOX / 2.0, 10.0), "native", (Ink::Text, Anchor::Middle));
        canvas.bold((RIGHT + BOX / 2.0, 10.0), "Wasm", (Ink::Text, Anchor::Middle));
        let tops = [TOP, TOP + heights[0] + GAP];
        for row in [0, 1] {
            corner(canvas, &square.native[row], ((1.0, tops[row]), heights[row]), Ink::Native);
            corner(canvas, &square.wasm[row], ((RIGHT, tops[row]), heights[row]), Ink::Aot);
            side(canvas, &square.across[row], tops[row] + heights[row] / 2.0);
        }
        for (column, lines) in square.down.iter().enumerate() {
            let x = if column == 0 { BOX / 2.0 } else { RIGHT + BOX / 2.0 };
            down(canvas, lines, (x, tops[0] + heights[0]));
        }
        for (index, note) in square.notes.iter().enumerate() {
            let y = bottom + 14.0 + LINE * index as f64;
            canvas.text((1.0, y), note, (Ink::Muted, Anchor::Start));
        }
    }))
}

fn height(square: &Square, row: usize) -> f64 {
    let lines = square.native[row].lines.len().max(square.wasm[row].lines.len()).max(square.across[row].len());
    12.0 + LINE * (lines + 1) as f64
}

fn square(run: &Run, told: &Told<'_>) -> Square {
    let bench = told.bench.name.as_str();
    let arm = view::runtimes::control_cases(run).filter(|[arm, _]| told.case(arm).is_some());
    let native = Side::ALL.map(|side| native(run, told, (side, arm)));
    let wasm = Side::ALL.map(|side| wasm(run, told, side));
    let across = Side::ALL.map(|side| over_native(run, told, (side, arm)));
    let down = [vec![Mode::Native], MODES.to_vec()].map(|modes| over_process(run, told, &modes));
    let marked = across.iter().flatten().any(|(text, _)| text.contains(view::runtimes::MARK));
    let mut notes = vec![format!("{bench}: medians of {} rounds; × is how many times as long", run.manifest.rounds)];
    if told.is_of_calls() {
        notes.push("each is the kubelet's three calls to have its pod started".to_owned());
    }
    if marked && let Some(named) = view::runtimes::named(run, &[bench]) {
        // More than two names would run out of the picture; the text beside it has them.
        let named = if named.starts_with("two") { named.as_str() } else { "runtimes" };
        notes.push(format!("†: across {named}"));
    }
    Square { native, wasm, across, down, notes }
}

/// A median with its unit.
fn time(told: &Told<'_>, case: &Case) -> Option<String> {
    Some(format!("{} ms", view::median_ms(told.case(case)?).value))
}

fn native(run: &Run, told: &Told<'_>, (side, arm): (Side, Option<[&Case; 2]>)) -> Corner {
    let central = view::central_case(run, Mode::Native, side);
    let arm = arm.map(|[arm, _]| arm).filter(|_| side == Side::Container);
    let lines = central.into_iter().chain(arm).filter_map(|case| {
        let name = if side == Side::Container { format!("{}: ", case.runtime.name) } else { String::new() };
        Some((format!("{name}{}", time(told, case)?), Ink::Text))
    });
    Corner { title: side.title(), lines: or_not_measured(lines.collect()) }
}

fn wasm(run: &Run, told: &Told<'_>, side: Side) -> Corner {
    let lines = MODES.into_iter().filter_map(|mode| {
        let case = view::central_case(run, mode, side)?;
        Some((format!("{}: {}", short(mode), time(told, case)?), Ink::of(Some(mode))))
    });
    Corner { title: side.title(), lines: or_not_measured(lines.collect()) }
}

fn or_not_measured(lines: Vec<Line>) -> Vec<Line> {
    if lines.is_empty() { vec![("not measured".to_owned(), Ink::Muted)] } else { lines }
}

/// What a mode is called where there is little room.
pub const fn short(mode: Mode) -> &'static str {
    match mode {
        Mode::Native => "native",
        Mode::Interpreter => "interpreted",
        Mode::Jit => "JIT",
        Mode::Aot => "compiled",
    }
}

/// Wasm over native on one side: within one runtime where that was measured.
fn over_native(run: &Run, told: &Told<'_>, (side, arm): (Side, Option<[&Case; 2]>)) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut within = None;
    for mode in MODES {
        let Some(case) = view::central_case(run, mode, side) else { continue };
        let fair = arm.filter(|_| side == Side::Container).and_then(|[arm, _]| {
            within = Some(arm.runtime.name.as_str());
            told.comparison_of([case, arm])
        });
        lines.extend(fair.or_else(|| told.comparison(case)).and_then(|row| ratio(mode, row)).into_iter().flatten());
    }
    if let Some(runtime) = within.filter(|_| !lines.is_empty()) {
        // In one line it would be wider than the gap between the boxes.
        lines.splice(0..0, [("both in".to_owned(), Ink::Muted), (format!("{runtime}:"), Ink::Muted)]);
    }
    lines
}

/// A container over a process of the same mode: of the first mode that has both.
fn over_process(run: &Run, told: &Told<'_>, modes: &[Mode]) -> Vec<Line> {
    let row = |mode: Mode| {
        let [process, container] = Side::ALL.map(|side| view::central_case(run, mode, side));
        ratio(mode, told.comparison_of([container?, process?])?)
    };
    modes.iter().find_map(|mode| row(*mode)).map_or_else(Vec::new, |lines| lines.to_vec())
}

/// What is compared, and the ratio below it.
fn ratio(mode: Mode, row: &Comparison) -> Option<[Line; 2]> {
    let text = view::runtimes::marked_ratio(row);
    let ink = Ink::of(Some(mode));
    (text != NONE).then(|| [(short(mode).to_owned(), ink), (text, ink)])
}

fn describe(bench: &str, square: &Square) -> String {
    let list = |lines: &[Line]| lines.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ");
    let mut parts = vec![bench.to_owned()];
    for row in [0, 1] {
        let (native, wasm) = (&square.native[row], &square.wasm[row]);
        parts.push(format!("native {}: {}", native.title, list(&native.lines)));
        parts.push(format!("Wasm {}: {}", wasm.title, list(&wasm.lines)));
        parts.push(format!("Wasm over native {}: {}", native.title, list(&square.across[row])));
    }
    for (name, lines) in ["native", "Wasm"].into_iter().zip(&square.down) {
        parts.push(format!("{name} in a container over a process: {}", list(lines)));
    }
    parts.retain(|part| !part.ends_with(": "));
    format!("{}.", parts.join("; "))
}

fn corner(canvas: &mut Canvas, corner: &Corner, ((left, top), height): ((f64, f64), f64), ink: Ink) {
    let (right, bottom) = (left + BOX - 1.0, top + height);
    canvas.path(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], ink, 1.6);
    let middle = left + BOX / 2.0;
    canvas.text((middle, top + 13.0), corner.title, (Ink::Muted, Anchor::Middle));
    for (index, (text, ink)) in corner.lines.iter().enumerate() {
        canvas.bold((middle, top + 13.0 + LINE * (index + 1) as f64), text, (*ink, Anchor::Middle));
    }
}

/// The ratios between the boxes, with an arrow from native to Wasm below them.
fn side(canvas: &mut Canvas, lines: &[Line], middle: f64) {
    let x = f64::midpoint(BOX, RIGHT);
    if lines.is_empty() {
        return canvas.text((x, middle), "not compared", (Ink::Muted, Anchor::Middle));
    }
    let first = middle - LINE * (lines.len() as f64) / 2.0;
    for (index, (text, ink)) in lines.iter().enumerate() {
        canvas.text((x, first + LINE * index as f64), text, (*ink, Anchor::Middle));
    }
    let y = first + LINE * lines.len() as f64 - 2.0;
    canvas.line(((BOX + 6.0, y), (RIGHT - 6.0, y)), Ink::Rule, 1.0);
    canvas.path(&[(RIGHT - 12.0, y - 3.5), (RIGHT - 6.0, y), (RIGHT - 12.0, y + 3.5)], Ink::Rule, 1.0);
}

/// The ratios below a box, beside an arrow from process to container.
fn down(canvas: &mut Canvas, lines: &[Line], (x, top): (f64, f64)) {
    let (from, to, at) = (top + 4.0, top + GAP - 4.0, x - BOX / 2.0 + 12.0);
    canvas.line(((at, from), (at, to)), Ink::Rule, 1.0);
    canvas.path(&[(at - 3.5, to - 6.0), (at, to), (at + 3.5, to - 6.0)], Ink::Rule, 1.0);
    let middle = f64::midpoint(from, to);
    if lines.is_empty() {
        return canvas.text((at + 8.0, middle), "not compared", (Ink::Muted, Anchor::Start));
    }
    for (index, (text, ink)) in lines.iter().enumerate() {
        let y = middle + LINE * (index as f64 - (lines.len() - 1) as f64 / 2.0);
        canvas.text((at + 8.0, y), text, (*ink, Anchor::Start));
    }
}
