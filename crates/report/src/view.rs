//! What every form of the report shows, looked up once: the headline bench, the central table (sizes and times
//! per kind, published figures beside them), the rows of a bench, the failures.
//!
//! Not here: layout. Terminal, Markdown and HTML arrange the same strings.

use std::collections::BTreeMap;

use super::Run;
use super::number::{Rounded, interval};
use results::case::{Case, Cell, Kind, Mode};
use results::metric::HEADLINE;
use results::{
    BenchRecord, CaseSummary, Comparison, Estimate, Fit, Outcome, Resolution, Role, RunStatus, SizeRow, Verdict,
};

pub use central::{by, central, sources};
pub use circumstances::circumstances;
pub use command::{command, command_of_cells, command_that_makes, shell_word};
pub use metrics::{
    amount, further, further_metrics, median, metrics, ratios, ratios_of, rows, rows_of, scale, suffix, twins, verdict,
};
pub use told::{Told, told};

pub mod central;
mod circumstances;
pub mod claims;
mod command;
mod metrics;
pub mod relations;
pub mod runtimes;
pub mod timeline;
mod told;

/// The bench that the central table shows: the headline, else the first that is no point of a sweep, else the first.
pub fn headline(run: &Run) -> Option<&BenchRecord> {
    let benches = &run.manifest.benches;
    run.manifest
        .bench_for(Role::Headline)
        .or_else(|| benches.iter().find(|bench| bench.sweep.is_none()))
        .or_else(|| benches.first())
}

/// The benches that are no points of a sweep, in the order of the run.
pub fn plain_benches(run: &Run) -> impl Iterator<Item = &BenchRecord> {
    run.manifest.benches.iter().filter(|bench| bench.sweep.is_none())
}

/// The benches whose every row is shown: those that are no points of a sweep; where all are, the one of the headline.
pub fn shown_benches(run: &Run) -> Vec<&BenchRecord> {
    let plain: Vec<&BenchRecord> = plain_benches(run).collect();
    if plain.is_empty() { headline(run).into_iter().collect() } else { plain }
}

/// How a bench is called in a sentence: a point of a sweep by its size, and as one of so many.
pub fn spoken(run: &Run, bench: &BenchRecord) -> String {
    let Some(point) = &bench.sweep else { return bench.name.clone() };
    let of_sweep = run.manifest.benches.iter().filter_map(|bench| bench.sweep.as_ref());
    let sizes: Vec<u64> = of_sweep.filter(|other| other.name == point.name).map(|other| other.n).collect();
    let rank = if sizes.iter().all(|n| *n >= point.n) { "the smallest" } else { "one" };
    format!("n = {} of {}, {rank} of {} sizes", point.n, point.name, sizes.len())
}

/// How many samples stand behind the rows that have any: `n = 30`, `n = 30, wasm-aot/wasmedge 28`.
pub fn counts(rows: &[&CaseSummary]) -> String {
    let most = rows.iter().map(|row| row.n).max().unwrap_or(0);
    let fewer = rows.iter().filter(|row| 0 < row.n && row.n < most).map(|row| format!(", {} {}", row.case, row.n));
    fewer.fold(format!("n = {most}"), |text, part| text + &part)
}

/// A side of the container wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A process, or the engine's command line.
    Direct,
    /// A container.
    Container,
}

impl Side {
    /// Both, direct first.
    pub const ALL: [Self; 2] = [Self::Direct, Self::Container];

    /// The words that stand over a figure.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Direct => "run directly",
            Self::Container => "in a container",
        }
    }

    /// What the page's addresses call it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Container => "container",
        }
    }

    /// The side of a case.
    pub fn of(case: &Case) -> Self {
        if case.is_container() { Self::Container } else { Self::Direct }
    }
}

/// A cell of the run by name.
pub fn cell<'a>(run: &'a Run, name: &str) -> Option<&'a Cell> {
    run.manifest.cell(name)
}

/// The side of a cell by name; direct for one that the run does not describe.
pub fn side(run: &Run, name: &str) -> Side {
    cell(run, name).map_or(Side::Direct, |cell| Side::of(&cell.case))
}

/// The cases of a mode on a side, in the order of the run. The first is the one of the central table.
pub fn cases(run: &Run, mode: Mode, side: Side) -> impl Iterator<Item = &Case> {
    let cells = run.manifest.cells.iter().filter(|cell| !cell.is_twin());
    cells.map(|cell| &cell.case).filter(move |case| case.mode == mode && Side::of(case) == side)
}

/// The modes that have a row: those of the published comparison always, others where they were measured.
pub fn modes(run: &Run) -> Vec<Mode> {
    let is_measured = |mode| Side::ALL.into_iter().any(|side| cases(run, mode, side).next().is_some());
    Mode::ALL.into_iter().filter(|mode| *mode != Mode::Jit || is_measured(*mode)).collect()
}

/// A mode by name, with its engine where the run has several.
pub fn mode_name(run: &Run, mode: Mode) -> String {
    engine_of(run, mode).map_or_else(|| mode.to_string(), |engine| format!("{mode}, by {engine}"))
}

/// A mode in the words of a sentence, likewise.
pub fn mode_words(run: &Run, mode: Mode) -> String {
    let words = mode.in_words();
    engine_of(run, mode).map_or_else(|| words.to_owned(), |engine| format!("{words} ({engine})"))
}

/// The engine of a mode's own row, where the run has several engines.
fn engine_of(run: &Run, mode: Mode) -> Option<&str> {
    let mut engines: Vec<&str> = run.manifest.cells.iter().filter_map(|cell| cell.case.engine_name()).collect();
    engines.sort_unstable();
    engines.dedup();
    let central = Side::ALL.into_iter().find_map(|side| central_case(run, mode, side))?;
    central.engine_name().filter(|_| engines.len() > 1)
}

/// The case of the central table for a mode and a side.
pub fn central_case(run: &Run, mode: Mode, side: Side) -> Option<&Case> {
    cases(run, mode, side).next()
}

/// The summary of a cell, of the headline metric.
pub fn case<'a>(run: &'a Run, bench: &str, case: &str) -> Option<&'a CaseSummary> {
    rows(run).find(|row| row.bench == bench && row.case == case)
}

/// The comparison of a case with its baseline, where both have samples of one round.
pub fn comparison<'a>(run: &'a Run, bench: &str, case: &str) -> Option<&'a Comparison> {
    comparison_in(run, HEADLINE, (bench, case))
}

/// The same for any metric.
pub fn comparison_in<'a>(run: &'a Run, metric: &str, (bench, case): (&str, &str)) -> Option<&'a Comparison> {
    let like = |row: &&Comparison| row.bench == bench && row.case == case && is_to_baseline(run, row);
    ratios_of(run, metric).filter(like).find(|row| row.ratio.is_some())
}

/// The comparison of two cases, where both have samples of one round.
pub fn comparison_of<'a>(run: &'a Run, bench: &str, cases: [&Case; 2]) -> Option<&'a Comparison> {
    comparison_of_in(run, HEADLINE, (bench, cases))
}

/// The same for any metric.
pub fn comparison_of_in<'a>(
    run: &'a Run,
    metric: &str,
    (bench, [case, baseline]): (&str, [&Case; 2]),
) -> Option<&'a Comparison> {
    let like = |row: &&Comparison| row.bench == bench && row.case == case.name && row.baseline == baseline.name;
    ratios_of(run, metric).filter(like).find(|row| row.ratio.is_some())
}

/// Whether a case is compared with its own baseline, the native one on its side of the container wall.
pub fn is_to_baseline(run: &Run, row: &Comparison) -> bool {
    cell(run, &row.case).is_some_and(|cell| cell.case.baseline.as_ref() == Some(&row.baseline))
}

/// The A/A rows that have samples, of the benches that are shown.
pub fn resolutions(run: &Run) -> Vec<&Resolution> {
    resolutions_in(run, HEADLINE)
}

/// The same for any metric.
pub fn resolutions_in<'a>(run: &'a Run, metric: &str) -> Vec<&'a Resolution> {
    let mut rows = Vec::new();
    for bench in shown_benches(run) {
        let of_bench = run.summary.resolutions.iter().filter(|row| row.bench == bench.name && row.n > 0);
        rows.extend(of_bench.filter(|row| row.metric == metric));
    }
    rows
}

/// The confidence that each interval was asked to have: the nominal one, or that of a look when the run had several.
pub fn level(run: &Run) -> f64 {
    run.manifest.sequential.as_ref().map_or(run.manifest.confidence, |sequential| sequential.look_confidence)
}

/// A median in milliseconds with its interval.
pub fn median_ms(row: &CaseSummary) -> Rounded {
    Rounded::ms(row.median, interval(row.ci_low, row.ci_high))
}

/// A paired ratio with its interval.
pub fn ratio(row: &Comparison) -> Rounded {
    Rounded::new(row.ratio, interval(row.ci_low, row.ci_high))
}

/// The ratio of an A/A row with its interval.
pub fn twin_ratio(row: &Resolution) -> Rounded {
    Rounded::new(row.ratio, interval(row.ci_low, row.ci_high))
}

/// A verdict as it stands in the files.
pub const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "same",
        Verdict::Undetermined => "undetermined",
        Verdict::TooNoisy => "too-noisy",
    }
}

/// An outcome as it stands in the files.
pub const fn outcome(outcome: Outcome) -> &'static str {
    outcome.name()
}

/// What a reader must be told about how the run ended; nothing when it is complete.
pub fn unfinished(run: &Run) -> Option<&'static str> {
    match run.manifest.finished.as_ref().map(|finished| finished.status) {
        Some(RunStatus::Complete) => None,
        Some(RunStatus::Interrupted) => Some("the run was interrupted"),
        Some(RunStatus::Failed) => Some("the run ended early because something beside the measured programs failed"),
        None => Some("the run was cut off before its end was recorded"),
    }
}

/// The sizes of a program in a kind.
pub fn size<'a>(run: &'a Run, program: &str, kind: Kind) -> Option<&'a SizeRow> {
    run.summary.sizes.iter().find(|row| row.program == program && row.kind == kind.name() && row.is_default())
}

/// SHA-256 of what a cell executes: the image's manifest for a container, the file for a process.
pub fn digest<'a>(run: &'a Run, bench: &str, name: &str) -> Option<&'a str> {
    let program = &run.manifest.benches.iter().find(|record| record.name == bench)?.program;
    let case = &cell(run, name)?.case;
    if case.is_container() {
        let of_case = |image: &&results::ImageRecord| {
            let name = image.image.as_ref().unwrap_or(&image.kind);
            image.program == *program && Some(name) == case.image.as_ref()
        };
        return run.manifest.images.iter().find(of_case).map(|image| image.manifest_digest.as_str());
    }
    let mut files = run.manifest.artifacts.iter();
    let file = files.find(|file| file.program == *program && file.kind == case.form.name())?;
    Some(&file.sha256)
}

/// Binary, image as pulled, image unpacked, in bytes.
pub fn three_sizes(row: &SizeRow) -> [Option<u64>; 3] {
    [Some(row.binary_bytes), row.image_bytes_compressed, row.image_bytes_unpacked]
}

/// Samples by bench and cell.
pub type SamplesByCell<'a> = samples::ByCell<'a>;

/// Every sample of each cell, in the order of the run: whoever needs more than one cell looks through them once.
pub fn samples_by_cell(run: &Run) -> SamplesByCell<'_> {
    samples::by_cell(&run.samples)
}

/// Runs of one cell that gave no sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The bench.
    pub bench: String,
    /// The cell.
    pub case: String,
    /// Failed runs, warm-up rounds included.
    pub runs: usize,
    /// The first one's outcome and reason.
    pub first: String,
}

/// Whether a cell is among what could not be measured, by its own name or that of the case which it measures again: its
/// failed runs are told there, with the reason.
pub fn is_told_as_not_measured(run: &Run, bench: &str, name: &str) -> bool {
    let case = cell(run, name).map_or(name, |cell| &cell.case.name);
    let mut rows = run.summary.not_measured.iter().filter(|row| row.metric.is_none() && row.bench == bench);
    rows.any(|row| row.case == name || row.case == case)
}

/// The cells with failed runs beside good ones, in the order of their names.
pub fn failures(run: &Run) -> Vec<Failure> {
    let mut cells: BTreeMap<(&str, &str), Failure> = BTreeMap::new();
    let failed = run.samples.iter().filter(|sample| sample.outcome != Outcome::Ok);
    for sample in failed.filter(|sample| !is_told_as_not_measured(run, &sample.bench, &sample.case)) {
        let failure = cells.entry((&sample.bench, &sample.case)).or_insert_with(|| Failure {
            bench: sample.bench.to_string(),
            case: sample.case.to_string(),
            runs: 0,
            first: match &sample.reason {
                Some(reason) => format!("{}: {reason}", outcome(sample.outcome)),
                None => outcome(sample.outcome).to_owned(),
            },
        });
        failure.runs += 1;
    }
    cells.into_values().collect()
}

/// What was not measured, gathered by reason, in the order of the run: the reason, and `bench case` for each row.
pub fn not_measured(run: &Run) -> Vec<(String, Vec<String>)> {
    let rows = run.summary.not_measured.iter();
    gathered(rows.map(|row| {
        let metric = row.metric.as_deref().map_or_else(String::new, suffix);
        (row.reason.clone(), format!("{} {}{metric}", row.bench, row.case))
    }))
}

/// Which ratios to native could not be decided, gathered by the word for it: that, and `bench case` for each row.
pub fn undetermined(run: &Run) -> Vec<(String, Vec<String>)> {
    let rows = ratios(run).filter(|row| {
        matches!(row.verdict, Verdict::Undetermined | Verdict::TooNoisy)
            && row.ratio.is_some()
            && is_to_baseline(run, row)
            && shown_benches(run).iter().any(|bench| bench.name == row.bench)
    });
    gathered(rows.map(|row| (verdict(&row.metric, row.verdict).to_owned(), format!("{} {}", row.bench, row.case))))
}

fn gathered(pairs: impl Iterator<Item = (String, String)>) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (key, name) in pairs {
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, names)) => names.push(name),
            None => groups.push((key, vec![name])),
        }
    }
    groups
}

/// The mode of a cell by name; nothing for one that the run does not describe.
pub fn mode(run: &Run, name: &str) -> Option<Mode> {
    cell(run, name).map(|cell| cell.case.mode)
}

/// Whether a cell is an A/A twin.
pub fn is_twin(run: &Run, name: &str) -> bool {
    cell(run, name).is_some_and(Cell::is_twin)
}

/// An estimate with its interval, times a factor (nanoseconds to milliseconds: 1e-6).
pub fn estimate(estimate: Option<Estimate>, factor: f64) -> Rounded {
    let ends = estimate.map(|estimate| (estimate.low * factor, estimate.high * factor));
    Rounded::new(estimate.map(|estimate| estimate.value * factor), ends)
}

/// The fits that gave an answer.
pub fn fits(run: &Run) -> impl Iterator<Item = &Fit> {
    run.summary.fits.iter().filter(|fit| fit.metric == HEADLINE && fit.a.is_some())
}

/// The names of the sweeps that have a fit, each once.
pub fn sweeps(run: &Run) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for fit in fits(run) {
        if !names.contains(&fit.sweep.as_str()) {
            names.push(&fit.sweep);
        }
    }
    names
}
