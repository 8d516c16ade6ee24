//! What every form of the report shows, looked up once: the headline bench, the central table (sizes and times
//! per kind, published figures beside them), the rows of a bench, the failures.
//!
//! Not here: layout. Terminal, Markdown and HTML arrange the same strings.

use std::collections::BTreeMap;

use super::Run;
use super::number::{NONE, Rounded, interval, kb, published as as_published, size_ratio};
use crate::case::{Case, Cell, Kind, Mode, Replica, Runner};
use crate::results::{
    BenchRecord, CaseSummary, Comparison, Estimate, Fit, Outcome, Quantity, Resolution, RunStatus, SizeRow, Verdict,
};

pub use circumstances::circumstances;
pub use command::{command, shell_word};

mod circumstances;
mod command;

/// The bench whose rows are the headline.
const HEADLINE: &str = "array-sum";

/// The bench that the central table shows: `array-sum`, else the first that is no point of a sweep, else the first.
pub fn headline(run: &Run) -> Option<&BenchRecord> {
    let benches = &run.manifest.benches;
    benches
        .iter()
        .find(|bench| bench.name == HEADLINE)
        .or_else(|| benches.iter().find(|bench| bench.sweep.is_none()))
        .or_else(|| benches.first())
}

/// The benches that are no points of a sweep, in the order of the run.
pub fn plain_benches(run: &Run) -> impl Iterator<Item = &BenchRecord> {
    run.manifest.benches.iter().filter(|bench| bench.sweep.is_none())
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

    /// The side on which a cell is drawn: direct for a name that this version does not know.
    pub fn drawn(name: &str) -> Self {
        Self::of(name).unwrap_or(Self::Direct)
    }

    /// The side of a cell; nothing for a name that this version does not know.
    pub fn of(name: &str) -> Option<Self> {
        let cell: Cell = name.parse().ok()?;
        Some(if cell.case.runner().is_container() { Self::Container } else { Self::Direct })
    }
}

/// The case of the central table for a mode and a side.
pub fn central_case(mode: Mode, side: Side) -> String {
    let runner = match (side, mode) {
        (Side::Direct, _) => Runner::Process,
        (Side::Container, Mode::Native) => Runner::Runc,
        (Side::Container, _) => Runner::WasmEdge,
    };
    Case::DEFAULT
        .into_iter()
        .find(|case| case.mode() == mode && case.runner() == runner)
        .map_or_else(String::new, |case| case.to_string())
}

/// The summary of a cell.
pub fn case<'a>(run: &'a Run, bench: &str, case: &str) -> Option<&'a CaseSummary> {
    run.summary.cases.iter().find(|row| row.bench == bench && row.case == case)
}

/// The comparison of a case with the baseline on its side of the container wall, where both have samples of one round.
pub fn comparison<'a>(run: &'a Run, bench: &str, case: &str) -> Option<&'a Comparison> {
    let baseline = case.parse::<Case>().ok()?.baseline().to_string();
    let like = |row: &&Comparison| row.bench == bench && row.case == case && row.baseline == baseline;
    run.summary.comparisons.iter().filter(like).find(|row| row.ratio.is_some())
}

/// Whether a case is compared with its own baseline, the native one on its side of the container wall.
pub fn is_to_native(row: &Comparison) -> bool {
    row.case.parse::<Case>().is_ok_and(|case| case.baseline().to_string() == row.baseline)
}

/// The ratios that are not to native, of benches that are no points of a sweep: what a container adds, what
/// compiling ahead of time saves, what the shim costs.
pub fn other_comparisons(run: &Run) -> Vec<&Comparison> {
    let mut rows = Vec::new();
    for bench in plain_benches(run) {
        let of_bench = run.summary.comparisons.iter().filter(|row| row.bench == bench.name);
        rows.extend(of_bench.filter(|row| !is_to_native(row) && row.ratio.is_some()));
    }
    rows
}

/// The A/A rows that have samples, of benches that are no points of a sweep.
pub fn resolutions(run: &Run) -> Vec<&Resolution> {
    let mut rows = Vec::new();
    for bench in plain_benches(run) {
        rows.extend(run.summary.resolutions.iter().filter(|row| row.bench == bench.name && row.n > 0));
    }
    rows
}

/// The confidence that each interval was asked to have: the nominal one, or that of a look when the run had several.
pub fn level(run: &Run) -> f64 {
    run.manifest.sequential.as_ref().map_or(run.manifest.confidence, |sequential| sequential.look_confidence)
}

/// A median in milliseconds with its interval.
pub fn median_ms(row: &CaseSummary) -> Rounded {
    Rounded::ms(row.median_ns, interval(row.ci_low_ns, row.ci_high_ns))
}

/// A paired ratio with its interval.
pub fn ratio(row: &Comparison) -> Rounded {
    Rounded::new(row.ratio, interval(row.ci_low, row.ci_high))
}

/// The ratio of an A/A row with its interval.
pub fn twin_ratio(row: &Resolution) -> Rounded {
    Rounded::new(row.ratio, interval(row.ci_low, row.ci_high))
}

/// A verdict in words.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "same",
        Verdict::Undetermined => "undetermined",
    }
}

/// A verdict with what would settle it.
pub fn verdict_with_advice(row: &Comparison) -> String {
    match (row.verdict, row.more_rounds) {
        (Verdict::Undetermined, Some(1)) => "undetermined, about 1 more round needed".to_owned(),
        (Verdict::Undetermined, Some(rounds)) => format!("undetermined, about {rounds} more rounds needed"),
        (other, _) => verdict(other).to_owned(),
    }
}

/// An outcome as it stands in the files.
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::WrongOutput => "wrong-output",
        Outcome::NonZeroExit => "non-zero-exit",
        Outcome::Killed => "killed",
        Outcome::TimedOut => "timed-out",
        Outcome::NotStarted => "not-started",
    }
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
}

/// The names of the three rows that are ours.
pub const MODES: [(Mode, &str); 3] =
    [(Mode::Native, "native"), (Mode::Interpreter, "wasm-interpreter"), (Mode::Aot, "wasm-aot")];

const fn kind_of(mode: Mode) -> Kind {
    match mode {
        Mode::Native => Kind::Native,
        Mode::Interpreter => Kind::Wasm,
        Mode::Aot => Kind::WasmAot,
    }
}

/// The sizes of a program in a kind.
pub fn size<'a>(run: &'a Run, program: &str, kind: Kind) -> Option<&'a SizeRow> {
    run.summary.sizes.iter().find(|row| row.program == program && row.kind == kind.name())
}

/// Binary, image as pulled, image unpacked, in bytes.
pub fn three_sizes(row: &SizeRow) -> [Option<u64>; 3] {
    [Some(row.binary_bytes), row.image_bytes_compressed, row.image_bytes_unpacked]
}

/// The rows of the central table: ours, then the published ones.
pub fn central(run: &Run) -> Vec<Row> {
    let Some(bench) = headline(run) else { return Vec::new() };
    let mut rows: Vec<Row> = MODES
        .iter()
        .map(|&(mode, name)| Row {
            name: name.to_owned(),
            sizes: size_cells(run, &bench.program, kind_of(mode)),
            times: Side::ALL.map(|side| time_cell(run, &bench.name, &central_case(mode, side))),
        })
        .collect();
    rows.extend(published(run));
    rows
}

fn size_cells(run: &Run, program: &str, kind: Kind) -> [SizeCell; 3] {
    let ours = size(run, program, kind).map_or([None; 3], three_sizes);
    let native = size(run, program, Kind::Native).map_or([None; 3], three_sizes);
    std::array::from_fn(|index| SizeCell {
        kb: ours[index].map_or_else(|| NONE.to_owned(), kb),
        ratio: match (kind, ours[index], native[index]) {
            (Kind::Wasm | Kind::WasmAot, Some(ours), Some(native)) => Some(size_ratio(ours as f64 / native as f64)),
            _ => None,
        },
    })
}

fn time_cell(run: &Run, bench: &str, name: &str) -> TimeCell {
    let median = case(run, bench, name).map_or_else(|| Rounded::new(None, None), median_ms);
    let interval = median.ends.is_some().then(|| median.brackets());
    let ratio = comparison(run, bench, name).map(ratio).filter(|ratio| ratio.value != NONE);
    TimeCell { median: median.value, interval, ratio: ratio.map(|ratio| ratio.times()) }
}

/// A line per kind that has published figures. Of several figures for one place the last counts: it corrects
/// those before it. Images as published are one number, which stands under "pulled".
fn published(run: &Run) -> Vec<Row> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut figures: BTreeMap<(&str, Quantity), f64> = BTreeMap::new();
    for claim in &run.summary.claims {
        if let Some(place) = &claim.place {
            if !kinds.contains(&place.kind.as_str()) {
                kinds.push(&place.kind);
            }
            figures.insert((&place.kind, place.quantity), claim.published);
        }
    }
    kinds
        .into_iter()
        .map(|kind| {
            let figure =
                |quantity| figures.get(&(kind, quantity)).map_or_else(|| NONE.to_owned(), |&value| as_published(value));
            let size = |kb| SizeCell { kb, ratio: None };
            let time = |median| TimeCell { median, interval: None, ratio: None };
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

/// The cells with failed runs, in the order of their names.
pub fn failures(run: &Run) -> Vec<Failure> {
    let mut cells: BTreeMap<(&str, &str), Failure> = BTreeMap::new();
    for sample in run.samples.iter().filter(|sample| sample.outcome != Outcome::Ok) {
        let failure = cells.entry((&sample.bench, &sample.case)).or_insert_with(|| Failure {
            bench: sample.bench.clone(),
            case: sample.case.clone(),
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
    gathered(rows.map(|row| (row.reason.clone(), format!("{} {}", row.bench, row.case))))
}

/// Which ratios to native could not be decided, gathered by what would settle them: that, and `bench case` for each
/// row. Points of a sweep are left out.
pub fn undetermined(run: &Run) -> Vec<(String, Vec<String>)> {
    let rows = run.summary.comparisons.iter().filter(|row| {
        row.verdict == Verdict::Undetermined
            && row.ratio.is_some()
            && is_to_native(row)
            && plain_benches(run).any(|bench| bench.name == row.bench)
    });
    gathered(rows.map(|row| (verdict_with_advice(row), format!("{} {}", row.bench, row.case))))
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

/// The mode of a cell by name; nothing for a name that this version does not know.
pub fn mode(name: &str) -> Option<Mode> {
    name.parse::<Cell>().ok().map(|cell| cell.case.mode())
}

/// Whether a cell is an A/A twin.
pub fn replica(name: &str) -> Replica {
    name.parse::<Cell>().map_or(Replica::First, |cell| cell.replica)
}

/// An estimate with its interval, times a factor (nanoseconds to milliseconds: 1e-6).
pub fn estimate(estimate: Option<Estimate>, factor: f64) -> Rounded {
    let ends = estimate.map(|estimate| (estimate.low * factor, estimate.high * factor));
    Rounded::new(estimate.map(|estimate| estimate.value * factor), ends)
}

/// The fits that gave an answer.
pub fn fits(run: &Run) -> impl Iterator<Item = &Fit> {
    run.summary.fits.iter().filter(|fit| fit.a_ns.is_some())
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
