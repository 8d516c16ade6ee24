//! One program in several images: sizes, pull and run side by side. There only where a row runs another image than its
//! kind's usual one.
//!
//! Not here: the ratio to native (`times`), and what could not be run (`warnings`).

use crate::document::{Block, Cell, Column, Row, Section, Table, Text};
use crate::number::{NONE, Rounded, kb};
use crate::{Run, view};
use results::case::Case;
use results::first_use::{Class, PULL, WALL};
use results::{BenchRecord, Estimate, ImageRecord};

const KEY: &str = "What a pull transfers and what it unpacks to, a pull with its unpacking, from a registry on this machine, \
                   and the run of a container that is there already. The ratio is that of the run to the same program in \
                   the same runtime from the usual image.";
const ONE_PULL: &str = "Each image was pulled once, before the first round: that number has no interval, and `--first-use` \
                        gives it one, with the first run.";

/// The section.
pub fn section(run: &Run) -> Section {
    let section = Section::new("packaging", "One program, several images");
    let cases: Vec<&Case> = run
        .manifest
        .cells
        .iter()
        .filter(|cell| !cell.is_twin() && cell.case.is_container())
        .map(|cell| &cell.case)
        .collect();
    let Some(bench) = view::headline(run) else { return section };
    if !cases.iter().any(|case| case.has_own_image()) {
        return section;
    }
    let columns = [
        Column::left("case"),
        Column::left("image"),
        Column::right("pulled").unit("kB"),
        Column::right("unpacked").unit("kB"),
        Column::right("pull").unit("ms"),
        Column::right("first run").unit("ms"),
        Column::right("run").unit("ms"),
        Column::right("to the usual"),
    ];
    let rows = cases.iter().map(|case| row(run, bench, (*case, cases.as_slice())));
    let table = Table::new(format!("Sizes, pull and run of {}", bench.name), columns).with(rows);
    let one_pull = run.summary.first_use.is_none().then(|| Block::key(Text::prose(ONE_PULL)));
    section.with(Block::key(KEY)).with(one_pull).with(Block::table(table))
}

fn row(run: &Run, bench: &BenchRecord, (case, cases): (&Case, &[&Case])) -> Row {
    let name = case.image.as_deref().unwrap_or_default();
    let is_it = |image: &&ImageRecord| image.program == bench.program && image.name() == name;
    let image = run.manifest.images.iter().find(is_it);
    let bytes = |bytes: Option<u64>| Cell::from(bytes.map_or_else(|| NONE.to_owned(), kb));
    let one = image.and_then(|image| image.pull_ns).map(|pull_ns| Rounded::ms(Some(pull_ns as f64), None).value);
    let one = || Cell::from(one.unwrap_or_else(|| NONE.to_owned()));
    let pull = not_pulled(run, [&bench.name, &case.name], PULL).map_or_else(one, milliseconds);
    let first = not_pulled(run, [&bench.name, &case.name], WALL).map_or_else(|| Cell::from(NONE), milliseconds);
    let median = view::case(run, &bench.name, &case.name).map(view::median_ms);
    let brackets = median.as_ref().filter(|median| median.ends.is_some()).map(Rounded::brackets);
    let is_usual = |other: &&&Case| {
        let alike = (other.mode, other.engine_name()) == (case.mode, case.engine_name());
        alike && other.runtime.name == case.runtime.name && !other.has_own_image()
    };
    let usual = cases.iter().find(is_usual).filter(|usual| usual.name != case.name);
    let ratio = usual.and_then(|usual| view::comparison_of(run, &bench.name, [case, usual]));
    Row::of([
        Cell::from(&case.name),
        Cell::from(name),
        bytes(image.map(|image| image.transfer_bytes)),
        bytes(image.map(|image| image.layers_unpacked_bytes)),
        pull,
        first,
        Cell::from(median.map_or_else(|| NONE.to_owned(), |median| median.value)).beneath(brackets),
        Cell::from(ratio.map_or_else(String::new, view::runtimes::marked_ratio)),
    ])
}

/// What a case took that was not pulled, from the registry itself: the median of a value.
fn not_pulled(run: &Run, [bench, case]: [&str; 2], value: &str) -> Option<Estimate> {
    let rows = run.summary.first_use.iter().flat_map(|found| &found.rows);
    let mut of_case = rows.filter(|row| row.bench == bench && row.case == case && row.value == value);
    of_case.find(|row| row.class == Class::NotPulled && row.link.is_none())?.median
}

fn milliseconds(found: Estimate) -> Cell {
    let shown = Rounded::ms(Some(found.value), Some((found.low, found.high)));
    Cell::from(shown.value.clone()).beneath(Some(shown.brackets()))
}
