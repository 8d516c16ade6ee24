//! Binary and image sizes of a program as bars from zero, each with its exact value and its ratio to native.
//!
//! Not here: published sizes. One of them is four orders of magnitude larger and would leave no bar to see.

use super::axis::Axis;
use super::{Anchor, Drawing, Frame, Ink};
use crate::number::{kb, size_ratio};
use crate::{Run, view};
use results::case::{Kind, Mode};

const WIDTH: f64 = 420.0;
const BAR: f64 = 17.0;
const GROUP: f64 = 24.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = WIDTH - 104.0;
const GROUPS: [&str; 3] = ["binary or module", "image as pulled (compressed)", "image unpacked"];

/// The figure of a program; nothing when no size of it is known.
pub fn figure(run: &Run, program: &str, id: &str) -> Option<Drawing> {
    let known: Vec<(Kind, [Option<u64>; 3])> = Kind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, view::three_sizes(view::size(run, program, kind)?))))
        .collect();
    let most = known.iter().flat_map(|(_, sizes)| sizes).flatten().max()?;
    let axis = Axis::from_zero(*most as f64, (LEFT, RIGHT));
    let native = known.iter().find(|(kind, _)| *kind == Kind::Native).map_or([None; 3], |(_, sizes)| *sizes);
    let groups: Vec<usize> = (0..3).filter(|&group| known.iter().any(|(_, sizes)| sizes[group].is_some())).collect();
    let height = groups.len() as f64 * (GROUP + BAR * known.len() as f64) + 4.0;
    let title = format!("Sizes of {program} in kB (1000 bytes)");
    let words: Vec<String> = known.iter().map(|(kind, sizes)| describe(*kind, sizes)).collect();
    let frame = Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, height) };
    Some(Drawing::new(&frame, |canvas| {
        let mut y = 0.0;
        for &group in &groups {
            canvas.bold((0.0, y + 13.0), GROUPS[group], (Ink::Text, Anchor::Start));
            y += GROUP;
            for (kind, sizes) in &known {
                let middle = y + BAR / 2.0;
                canvas.text((LEFT - 6.0, middle), kind.name(), (Ink::Muted, Anchor::End));
                if let Some(bytes) = sizes[group] {
                    let end = axis.at(bytes as f64).max(LEFT + 0.5);
                    canvas.hatched(((LEFT, y + 2.5), (end, y + BAR - 2.5)), ink(*kind));
                    let text = with_ratio(*kind, bytes, native[group]);
                    canvas.text((end + 5.0, middle), &text, (Ink::Text, Anchor::Start));
                } else {
                    canvas.text((LEFT + 3.0, middle), "not in this run", (Ink::Muted, Anchor::Start));
                }
                y += BAR;
            }
        }
    }))
}

fn with_ratio(kind: Kind, bytes: u64, native: Option<u64>) -> String {
    match (kind, native) {
        (Kind::Wasm | Kind::WasmAot | Kind::Cwasm, Some(native)) => {
            format!("{} kB, {}", kb(bytes), size_ratio(bytes as f64 / native as f64))
        }
        _ => format!("{} kB", kb(bytes)),
    }
}

fn describe(kind: Kind, sizes: &[Option<u64>; 3]) -> String {
    let parts: Vec<String> = GROUPS
        .iter()
        .zip(sizes)
        .filter_map(|(name, bytes)| bytes.map(|bytes| format!("{name} {} kB", kb(bytes))))
        .collect();
    format!("{kind}: {}", parts.join(", "))
}

/// The ink of a kind.
pub const fn ink(kind: Kind) -> Ink {
    match kind {
        Kind::Native => Ink::of(Some(Mode::Native)),
        Kind::Wasm => Ink::of(Some(Mode::Interpreter)),
        Kind::WasmAot | Kind::Cwasm => Ink::of(Some(Mode::Aot)),
    }
}
