//! The central table: sizes and times per kind, the control arm, and published figures beside them.
//!
//! Not here: layout.

use std::collections::BTreeMap;

use super::{
    Side, case, cases, central_case, comparison, headline, median_ms, mode_name, modes, runtimes, size, three_sizes,
};
use crate::Run;
use crate::number::{NONE, Rounded, kb, published as as_published, size_ratio};
use results::Quantity;
use results::case::{Case, Kind, Mode};

/// One line of the central table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `native`, `wasm-interpreter`, `wasm-aot`, or a published row.
    pub name: String,
    /// Binary, image as pulled, image unpacked: kB.
    pub sizes: [SizeCell; 3],
    /// Direct, container: ms.
    pub times: [TimeCell; 2],
}

/// A size and what it is to the native one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeCell {
    /// kB.
    pub kb: String,
    /// To native.
    pub ratio: Option<String>,
    /// The form that it is of, where it was made in this run.
    pub kind: Option<Kind>,
}

/// A median, its interval, and the paired ratio to native.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeCell {
    /// ms.
    pub median: String,
    /// `[low, high]`, ms.
    pub interval: Option<String>,
    /// `1.31× to 1.38×`; absent in the native row.
    pub ratio: Option<String>,
    /// The case, where it is one of this run.
    pub case: Option<String>,
}

/// The form of file that a mode executes, where the run does not say.
const fn form_of(mode: Mode) -> Kind {
    match mode {
        Mode::Native => Kind::Native,
        Mode::Interpreter | Mode::Jit => Kind::Wasm,
        Mode::Aot => Kind::WasmAot,
    }
}

/// The form of file that a mode's own row is about.
fn central_form(run: &Run, mode: Mode) -> Kind {
    let case = Side::ALL.into_iter().find_map(|side| central_case(run, mode, side));
    case.map_or(form_of(mode), |case| case.form)
}

/// The rows of the central table: one per mode, behind each what else executes that mode in this run; then the published
/// ones.
pub fn central(run: &Run) -> Vec<Row> {
    let Some(bench) = headline(run) else { return Vec::new() };
    let mut rows: Vec<Row> = Vec::new();
    for mode in modes(run) {
        let time = |side| central_case(run, mode, side).map_or_else(no_time, |case| time_cell(run, &bench.name, case));
        rows.push(Row {
            name: mode_name(run, mode),
            sizes: size_cells(run, &bench.program, central_form(run, mode)),
            times: Side::ALL.map(time),
        });
        rows.extend(Side::ALL.into_iter().flat_map(|side| further(run, &bench.name, (mode, side))));
    }
    rows.extend(published(run));
    rows
}

/// The cases of a mode that are not in its own row. Other images of the same program have a section of their own
/// (`sections::packaging`): here their rows would look alike.
fn further(run: &Run, bench: &str, (mode, side): (Mode, Side)) -> Vec<Row> {
    let blank = || TimeCell { median: String::new(), interval: None, ratio: None, case: None };
    let row = |found: &Case| Row {
        name: format!("{mode}, {}", by(run, found)),
        // Where files and images are those of the row above, they are not said again.
        sizes: if found.form == central_form(run, mode) {
            std::array::from_fn(|_| SizeCell { kb: String::new(), ratio: None, kind: None })
        } else {
            size_cells(run, &headline(run).map_or_else(String::new, |bench| bench.program.clone()), found.form)
        },
        times: match side {
            Side::Direct => [time_cell(run, bench, found), blank()],
            Side::Container => [blank(), time_cell(run, bench, found)],
        },
    };
    let measured = |found: &&Case| case(run, bench, &found.name).is_some() && !found.has_own_image();
    cases(run, mode, side).skip(1).filter(measured).map(row).collect()
}

/// What tells a case from another one of its mode and side.
pub fn by(run: &Run, case: &Case) -> String {
    let first = central_case(run, case.mode, Side::of(case));
    match &case.engine {
        Some(engine) if first.is_some_and(|first| first.runtime.name == case.runtime.name) => {
            format!("by {}", engine.name)
        }
        _ => format!("in {}", case.runtime.name),
    }
}

fn no_time() -> TimeCell {
    TimeCell { median: NONE.to_owned(), interval: None, ratio: None, case: None }
}

fn size_cells(run: &Run, program: &str, kind: Kind) -> [SizeCell; 3] {
    let ours = size(run, program, kind).map_or([None; 3], three_sizes);
    let native = size(run, program, Kind::Native).map_or([None; 3], three_sizes);
    std::array::from_fn(|index| SizeCell {
        kb: ours[index].map_or_else(|| NONE.to_owned(), kb),
        ratio: match (kind, ours[index], native[index]) {
            (Kind::Wasm | Kind::WasmAot | Kind::Cwasm, Some(ours), Some(native)) => {
                Some(size_ratio(ours as f64 / native as f64))
            }
            _ => None,
        },
        kind: ours[index].map(|_| kind),
    })
}

fn time_cell(run: &Run, bench: &str, found: &Case) -> TimeCell {
    let name = found.name.as_str();
    let median = case(run, bench, name).map_or_else(|| Rounded::new(None, None), median_ms);
    let interval = median.ends.is_some().then(|| median.brackets());
    let ratio = comparison(run, bench, name).map(runtimes::marked_ratio).filter(|ratio| ratio != NONE);
    TimeCell { median: median.value, interval, ratio, case: Some(name.to_owned()) }
}

/// A line per kind that has published figures. Of several figures for one place the last counts: it corrects
/// those before it. Images as published are one number, which stands under "pulled".
fn published(run: &Run) -> Vec<Row> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut figures: BTreeMap<(&str, Quantity), f64> = BTreeMap::new();
    for claim in &run.summary.claims {
        if let Some((place, published)) = claim.place.as_ref().zip(claim.published) {
            if !kinds.contains(&place.kind.as_str()) {
                kinds.push(&place.kind);
            }
            figures.insert((&place.kind, place.quantity), published);
        }
    }
    kinds
        .into_iter()
        .map(|kind| {
            let figure =
                |quantity| figures.get(&(kind, quantity)).map_or_else(|| NONE.to_owned(), |&value| as_published(value));
            let size = |kb| SizeCell { kb, ratio: None, kind: None };
            let time = |median| TimeCell { median, interval: None, ratio: None, case: None };
            Row {
                name: format!("{kind} published"),
                sizes: [size(figure(Quantity::BinarySize)), size(figure(Quantity::ImageSize)), size(NONE.to_owned())],
                times: [time(figure(Quantity::DirectTime)), time(figure(Quantity::ContainerTime))],
            }
        })
        .collect()
}

/// Who published the figures of the central table, each once.
pub fn sources(run: &Run) -> Vec<&str> {
    let mut sources = Vec::new();
    for claim in run.summary.claims.iter().filter(|claim| claim.place.is_some()) {
        if !sources.contains(&claim.source.as_str()) {
            sources.push(claim.source.as_str());
        }
    }
    sources
}
