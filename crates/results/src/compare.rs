//! Two runs beside each other: unpaired ratios, what makes the runs unlike, whether the machine stepped, and
//! a gate for CI.
//!
//! Pure. Nothing is refused here: [`RunComparison::refusals`] says what a careful caller refuses. Ratios
//! within a run are `analysis`'s; those are paired, and better.

use serde::Serialize;

use crate::analysis::Level;
use crate::analysis::cells::Cells;
use crate::case::Case;
use crate::metric::{self, Metric};
use crate::{Manifest, Role, Sample, Verdict};
use stats::unpaired::{Estimate, Unpaired, unpaired_ratio};
use stats::verdict::{Limits, Margin, verdict};
use stats::{Confidence, Samples};

pub mod differences;
pub mod gate;
pub mod sizes;
#[cfg(test)]
mod tests;

use differences::{Difference, Likeness};
use gate::{Gate, Limits as GateLimits, gate};
use sizes::SizeChange;

/// How the intervals are made, in words.
const METHOD: &str = "unpaired: the ratio of the two runs' medians, interval from both exact order-statistic intervals, \
                      arms squared and added on the logarithm (MOVER); what changed between the runs does not cancel";

/// A run as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Its circumstances.
    pub manifest: &'a Manifest,
    /// Its samples.
    pub samples: &'a [Sample],
    /// What its stored samples lack or have too much of.
    pub lost: &'a [String],
}

/// The older run and the one that is held against it.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// Divided by.
    pub a: Run<'a>,
    /// Looked at.
    pub b: Run<'a>,
}

/// What is wanted of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The margin of the verdicts, instead of the greater of the two runs'.
    pub margin: Option<Margin>,
    /// When the gate closes; absent where there is none.
    pub gate: Option<GateLimits>,
}

/// Everything that two runs say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunComparison {
    /// The name of the run that is divided by.
    pub run_a: String,
    /// The name of the run that is looked at.
    pub run_b: String,
    /// How the intervals were made.
    pub method: &'static str,
    /// Nominal coverage of each interval: the lesser of the two runs'.
    pub confidence: f64,
    /// The margin of the verdicts: the greater of the two runs'.
    pub delta: f64,
    /// What is not the same in the two manifests.
    pub differences: Vec<Difference>,
    /// What the stored samples of either run lack or have too much of, with the run's letter before it.
    pub lost: Vec<String>,
    /// Whether the machine itself changed its speed.
    pub canary: Canary,
    /// A row per bench, case and metric that both runs have.
    pub rows: Vec<Row>,
    /// What slow-down these two runs could have seen; absent where no row has an interval.
    pub sensitivity: Option<Sensitivity>,
    /// A row per program, kind and size that either run has.
    pub sizes: Vec<SizeChange>,
    /// What only one of the runs has, and benches that are not the same bench.
    pub not_compared: Vec<NotCompared>,
    /// The gate, when one was asked for.
    pub gate: Option<Gate>,
}

/// One metric of one bench and case in both runs. Medians are in the metric's unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The bench.
    pub bench: String,
    /// The case.
    pub case: String,
    /// What was measured.
    pub metric: String,
    /// Samples in run A.
    pub n_a: usize,
    /// Samples in run B.
    pub n_b: usize,
    /// Median in run A.
    pub median_a: Option<f64>,
    /// Median in run B.
    pub median_b: Option<f64>,
    /// B over A.
    pub ratio: Option<Ratio>,
    /// B over A over the canary's: only of the headline metric, and only where the machine stepped.
    pub normalised: Option<Ratio>,
}

impl Row {
    /// As it is named in lists.
    pub fn name(&self) -> String {
        let metric = if self.metric == metric::HEADLINE { String::new() } else { format!(" {}", self.metric) };
        format!("{} {}{metric}", self.bench, self.case)
    }
}

/// The smallest slow-down that would have been called one, had it been there: a fraction above 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// In the row that sees most.
    pub best: f64,
    /// That row, as `bench case`.
    pub best_row: String,
    /// In the row that sees least.
    pub worst: f64,
    /// That row.
    pub worst_row: String,
}

/// A ratio with its interval and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence achieved.
    pub confidence: Option<f64>,
    /// What follows, given the margin.
    pub verdict: Verdict,
    /// The smallest slow-down that an interval of this shape would have lain wholly beyond the margin (or the gate's
    /// threshold) for: a fraction.
    pub smallest_slowdown: Option<f64>,
}

impl Ratio {
    /// A true slow-down of `s` has its interval from about `s·low/value` on: it is seen where that lies above the limit.
    fn new(ratio: &Estimate, margin: Margin, limit: f64) -> Self {
        Self {
            smallest_slowdown: ratio.interval.map(|interval| limit * ratio.value / interval.low - 1.0),
            value: ratio.value,
            ci_low: ratio.interval.map(|interval| interval.low),
            ci_high: ratio.interval.map(|interval| interval.high),
            confidence: ratio.interval.map(|interval| interval.confidence),
            verdict: verdict(ratio.interval, Limits::asked(margin)),
        }
    }
}

/// What the canary says about the machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Canary {
    /// Its interval does not lie beyond the margin.
    Steady(Witness),
    /// It does: the machine or its stack became faster or slower, with every case on it.
    Stepped(Witness),
    /// There is none in both runs, or too few samples.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// The canary's row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Witness {
    /// The bench.
    pub bench: String,
    /// The case.
    pub case: String,
    /// B over A.
    pub ratio: Ratio,
    /// When the canary is not the same program in both runs: then a step may be its own.
    pub caveat: Option<String>,
}

/// What could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    /// The bench.
    pub bench: String,
    /// The case; absent where no case of the bench was.
    pub case: Option<String>,
    /// Why.
    pub reason: String,
}

impl RunComparison {
    /// The differences for which these runs should not be compared, unless somebody says so: another
    /// machine, another stack, another task under the same name. Empty for runs of a kind.
    pub fn refusals(&self) -> Vec<&Difference> {
        self.differences.iter().filter(|difference| difference.kind.likeness() == Likeness::Unlike).collect()
    }
}

/// Compares run B with run A.
pub fn compare(runs: Runs<'_>, wanted: &Wanted) -> RunComparison {
    let (level_a, level_b) = (Level::of(runs.a.manifest), Level::of(runs.b.manifest));
    let confidence = if level_a.confidence < level_b.confidence { level_a.confidence } else { level_b.confidence };
    let margin = wanted.margin.unwrap_or(level_a.margin.or(level_b.margin));
    let threshold = wanted.gate.and_then(|limits| limits.time);
    let table = |metric| Table {
        cells_a: Cells::new(runs.a.manifest, runs.a.samples, metric),
        cells_b: Cells::new(runs.b.manifest, runs.b.samples, metric),
        confidence,
        margin,
        limit: 1.0 + threshold.map_or(margin.value(), gate::Threshold::value),
    };
    let headline = Metric::named(metric::HEADLINE);
    let (canary, step) = table(&headline).canary();
    let (mut rows, not_compared) = table(&headline).rows(step.as_ref());
    for metric in metric::of(runs.a.samples.iter().chain(runs.b.samples)).iter().filter(|metric| !metric.is_headline())
    {
        // What only one run planned was said beside the headline, and the machine's step is one of time.
        let found = table(metric).rows(None).0;
        rows.extend(found.into_iter().filter(|row| row.n_a + row.n_b > 0));
    }
    let sizes = sizes::changes([runs.a.manifest, runs.b.manifest]);
    let gate = wanted.gate.map(|limits| gate((&rows, &sizes), limits));
    RunComparison {
        run_a: runs.a.manifest.run.clone(),
        run_b: runs.b.manifest.run.clone(),
        method: METHOD,
        confidence: confidence.value(),
        delta: margin.value(),
        differences: differences::differences([runs.a.manifest, runs.b.manifest]),
        lost: lost(runs),
        canary,
        sensitivity: sensitivity(&rows),
        rows,
        sizes,
        not_compared,
        gate,
    }
}

fn sensitivity(rows: &[Row]) -> Option<Sensitivity> {
    let mut seen: Vec<(f64, String)> = rows
        .iter()
        .filter(|row| row.metric == metric::HEADLINE)
        .filter_map(|row| Some((row.ratio?.smallest_slowdown?, row.name())))
        .collect();
    seen.sort_by(|left, right| left.0.total_cmp(&right.0));
    let ((best, best_row), (worst, worst_row)) = (seen.first()?.clone(), seen.last()?.clone());
    Some(Sensitivity { best, best_row, worst, worst_row })
}

fn lost(runs: Runs<'_>) -> Vec<String> {
    let of = |letter: char, run: Run<'_>| run.lost.iter().map(|lost| format!("{letter}: {lost}")).collect::<Vec<_>>();
    [of('A', runs.a), of('B', runs.b)].concat()
}

/// Both runs, sorted, with what intervals and verdicts use.
struct Table<'a> {
    cells_a: Cells<'a>,
    cells_b: Cells<'a>,
    confidence: Confidence,
    margin: Margin,
    /// The ratio that a slow-down has to lie above to be seen.
    limit: f64,
}

impl Table<'_> {
    fn samples(cells: &Cells<'_>, [bench, case]: [&str; 2]) -> Option<Samples> {
        Samples::new(cells.get(bench, case)?.values())
    }

    fn ratio(&self, cell: [&str; 2]) -> Option<Estimate> {
        let (old, new) = (Self::samples(&self.cells_a, cell)?, Self::samples(&self.cells_b, cell)?);
        unpaired_ratio(Unpaired { new: &new, old: &old }, self.confidence)
    }

    /// What the canary says, and the step to divide by where there was one.
    fn canary(&self) -> (Canary, Option<Estimate>) {
        let Some(bench) = self.cells_a.manifest.bench_for(Role::Canary).map(|bench| bench.name.as_str()) else {
            return (Canary::Unknown { reason: "run A has no bench that does nothing".to_owned() }, None);
        };
        // A container passes through more of the machine than a process.
        let mut cases: Vec<&Case> = self.cells_a.cases().into_iter().filter(|case| case.is_baseline()).collect();
        cases.sort_by_key(|case| !case.is_container());
        let found = cases
            .into_iter()
            .filter_map(|case| Some((&case.name, self.ratio([bench, &case.name])?)))
            .find(|(_, ratio)| ratio.interval.is_some());
        let Some((case, ratio)) = found else {
            let reason = format!("no baseline of `{bench}` has enough samples in both runs");
            return (Canary::Unknown { reason }, None);
        };
        let witness = Witness {
            bench: bench.to_owned(),
            case: case.clone(),
            ratio: Ratio::new(&ratio, self.margin, self.limit),
            caveat: differences::canary_caveat([self.cells_a.manifest, self.cells_b.manifest], bench),
        };
        match witness.ratio.verdict {
            Verdict::Faster | Verdict::Slower => (Canary::Stepped(witness), Some(ratio)),
            Verdict::Same | Verdict::Undetermined | Verdict::TooNoisy => (Canary::Steady(witness), None),
        }
    }

    fn rows(&self, step: Option<&Estimate>) -> (Vec<Row>, Vec<NotCompared>) {
        let mut not_compared = differences::other_benches([self.cells_a.manifest, self.cells_b.manifest]);
        let mut rows = Vec::new();
        for (bench, cell, _) in self.cells_a.iter().filter(|(_, cell, _)| !cell.is_twin()) {
            if not_compared.iter().any(|other| other.bench == bench.name && other.case.is_none()) {
                continue;
            }
            if self.cells_b.get(&bench.name, &cell.name).is_none() {
                not_compared.push(only_in("A", [&bench.name, &cell.name]));
                continue;
            }
            rows.push(self.row([&bench.name, &cell.name], step));
        }
        for (bench, cell, _) in self.cells_b.iter().filter(|(_, cell, _)| !cell.is_twin()) {
            let known = not_compared.iter().any(|other| other.bench == bench.name && other.case.is_none());
            if !known && self.cells_a.get(&bench.name, &cell.name).is_none() {
                not_compared.push(only_in("B", [&bench.name, &cell.name]));
            }
        }
        (rows, not_compared)
    }

    fn row(&self, cell: [&str; 2], step: Option<&Estimate>) -> Row {
        let (old, new) = (Self::samples(&self.cells_a, cell), Self::samples(&self.cells_b, cell));
        let ratio = self.ratio(cell);
        let [bench, case] = cell;
        Row {
            bench: bench.to_owned(),
            case: case.to_owned(),
            metric: self.cells_a.metric.name.to_string(),
            n_a: old.as_ref().map_or(0, Samples::n),
            n_b: new.as_ref().map_or(0, Samples::n),
            median_a: old.as_ref().map(Samples::median),
            median_b: new.as_ref().map(Samples::median),
            ratio: ratio.as_ref().map(|ratio| Ratio::new(ratio, self.margin, self.limit)),
            normalised: ratio
                .zip(step)
                .and_then(|(ratio, step)| ratio.over(step))
                .map(|ratio| Ratio::new(&ratio, self.margin, self.limit)),
        }
    }
}

fn only_in(run: &str, [bench, case]: [&str; 2]) -> NotCompared {
    NotCompared { bench: bench.to_owned(), case: Some(case.to_owned()), reason: format!("only run {run} has it") }
}
