//! What a reader must know before believing a number, each with advice. The worst first.
//!
//! Limits are named constants with their reason. Not here: problems that keep a run from starting (`doctor`).

use super::Level;
use super::cells::Cells;
use super::ratios::twin_ratio;
use crate::case::Cell;
use crate::metric::{HEADLINE, Metric};
use crate::{CaseSummary, Comparison, Effect, LoadDuring, Manifest, Resolution, RunStatus, Warning};
use stats::describe::{OUTLIER_LIMIT, Samples};
use stats::interval::rounds_for_interval;
use stats::verdict::Limits;

mod advice;
mod modes;

/// Drift: the chance of a false alarm in a run, shared by its rows (Bonferroni).
const DRIFT_ALPHA: f64 = 0.05;
/// More outliers than this fraction of a row's samples are many.
const OUTLIER_FRACTION_MAX: f64 = 0.10;
/// A first run that is slower than this, and an outlier, is a first-run effect.
const FIRST_RUN_RATIO_MAX: f64 = 1.05;
/// Processor time taken by the hypervisor beyond which times are not ours.
const STEAL_FRACTION_MAX: f64 = 0.01;
/// Load before the run, per processor, beyond which the machine was not idle.
const LOAD_PER_CPU_MAX: f64 = 0.5;
/// Share of the run in which something waited for a processor.
const PRESSURE_FRACTION_MAX: f64 = 0.10;

/// What warnings are made from.
pub struct Findings<'a> {
    /// Manifest and runs.
    pub cells: &'a Cells<'a>,
    /// The rows.
    pub cases: &'a [CaseSummary],
    /// The ratios.
    pub comparisons: &'a [Comparison],
    /// The A/A rows.
    pub resolutions: &'a [Resolution],
    /// Confidence and margin asked for.
    pub level: Level,
}

/// Everything that is the matter with the values of one metric; and, once, with the run itself: beside the headline. What all
/// metrics have in common is told once for those beside it, by [`of_others`].
pub fn warnings(findings: &Findings<'_>) -> Vec<Warning> {
    let is_headline = findings.cells.metric.is_headline();
    let mut all = Vec::new();
    let mut add = |effect: Effect, found: Vec<Warning>| {
        all.extend(found.into_iter().map(|warning| Warning { effect: effect.min(warning.effect), ..warning }));
    };
    if is_headline {
        add(Effect::Conclusion, unfinished(findings).into_iter().collect());
        add(Effect::Conclusion, failures(findings));
        add(Effect::Conclusion, modes::untold(findings).into_iter().collect());
    }
    add(Effect::Conclusion, without_value(findings).into_iter().collect());
    add(Effect::Background, doubtful_twins(findings));
    add(Effect::Intervals, too_few_rounds(findings).into_iter().collect());
    if is_headline {
        let coarse = coarse_resolution(findings.resolutions.iter(), findings.level);
        add(Effect::Intervals, coarse.into_iter().collect());
    }
    add(Effect::Background, drift(findings).into_iter().collect());
    add(Effect::Background, first_runs(findings).into_iter().collect());
    add(Effect::Background, outliers(findings).into_iter().collect());
    if is_headline {
        add(Effect::Intervals, load(findings));
        add(Effect::Background, circumstances(findings));
        let comparisons: Vec<&Comparison> = findings.comparisons.iter().collect();
        let Cells { manifest, rounds, .. } = *findings.cells;
        let pace = Pace { manifest, rounds, level: findings.level };
        add(Effect::Intervals, advice::open(&comparisons, &pace).into_iter().collect());
    }
    all
}

/// What differences can be told in the metrics beside the headline: one warning for all of them, which names them.
pub fn of_others(resolutions: &[Resolution], comparisons: &[Comparison], pace: &Pace<'_>) -> Vec<Warning> {
    let resolutions = resolutions.iter().filter(|row| row.metric != HEADLINE);
    let comparisons: Vec<&Comparison> = comparisons.iter().filter(|row| row.metric != HEADLINE).collect();
    let coarse = coarse_resolution(resolutions.clone(), pace.level)
        .map(|told| (told, titles(resolutions.map(|row| &row.metric))));
    let open = advice::open(&comparisons, pace).map(|told| (told, titles(comparisons.iter().map(|row| &row.metric))));
    let named = |(told, titles): (Warning, String)| Warning {
        what: format!("{titles}: {}", told.what),
        effect: Effect::Intervals,
        ..told
    };
    coarse.into_iter().chain(open).map(named).collect()
}

/// What metrics are called, each once, in their order.
fn titles<'a>(metrics: impl Iterator<Item = &'a String>) -> String {
    let mut titles: Vec<String> = Vec::new();
    for metric in metrics {
        let title = Metric::named(metric).title.into_owned();
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles.join(", ")
}

/// How long a round takes, and what its numbers are held against.
pub struct Pace<'a> {
    /// The run.
    pub manifest: &'a Manifest,
    /// That were measured.
    pub rounds: u32,
    /// Confidence and margin asked for.
    pub level: Level,
}

/// A warning with the metric before it, unless that is the headline, which nobody has to name.
pub fn named(warning: Warning, metric: &Metric) -> Warning {
    if metric.is_headline() {
        warning
    } else {
        Warning { what: format!("{}: {}", metric.title, warning.what), ..warning }
    }
}

/// What is wrong with the stored samples, see `results::audit`. Of many faults the first are told.
pub fn damage(faults: &[String]) -> Vec<Warning> {
    const TOLD: usize = 5;
    let mut told: Vec<String> = faults.iter().take(TOLD).cloned().collect();
    if faults.len() > TOLD {
        told.push(format!("{} more faults", faults.len() - TOLD));
    }
    if told.is_empty() {
        return Vec::new();
    }
    let damage = warning(
        format!("`samples.jsonl` is not what the run wrote: {}", told.join("; ")),
        "these numbers are of the rest: take the file from where it was measured, or measure again",
    );
    vec![Warning { effect: Effect::Conclusion, ..damage }]
}

fn warning(what: impl Into<String>, advice: impl Into<String>) -> Warning {
    Warning { what: what.into(), advice: advice.into(), effect: Effect::Background }
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

fn percent(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

fn unfinished(findings: &Findings<'_>) -> Option<Warning> {
    let how = match findings.cells.manifest.finished.as_ref().map(|finished| finished.status) {
        Some(RunStatus::Complete) => return None,
        Some(RunStatus::Interrupted) => "the run was interrupted",
        Some(RunStatus::Failed) => "the run ended early, because something outside the measured programs failed",
        None => "the run was cut off: its end was never recorded",
    };
    Some(warning(
        format!("{how}; these numbers are of the rounds that were measured until then"),
        "run it again to the end before quoting them",
    ))
}

/// One warning per cell with failures: a missing sample is never silent.
fn failures(findings: &Findings<'_>) -> Vec<Warning> {
    findings
        .cells
        .iter()
        .filter_map(|(bench, cell, runs)| {
            let (reason, _) = runs.commonest_failure()?;
            let (failed, all) = (runs.failed.len(), runs.failed.len() + runs.ok.len());
            Some(warning(
                format!("{failed} of {all} runs of `{cell}` on `{}` failed, most often: {reason}", bench.name),
                "failed runs are in no statistic, and if slow ones fail first the rest looks too fast: remove the \
                 cause and run again",
            ))
        })
        .collect()
}

/// Good runs that the metric has no value of, in rows that have others.
fn without_value(findings: &Findings<'_>) -> Option<Warning> {
    let cells = findings.cells;
    let lacking: Vec<_> = cells.iter().filter(|(_, _, runs)| runs.without > 0 && !runs.ok.is_empty()).collect();
    let (bench, cell, runs) = lacking.iter().max_by_key(|(_, _, runs)| runs.without)?;
    Some(warning(
        format!(
            "good runs have no value of `{}` in {}; `{cell}` on `{}` lacks {} of {}",
            cells.metric.name,
            rows(lacking.len()),
            bench.name,
            runs.without,
            runs.without + runs.ok.len()
        ),
        "they are left out, not zero: where the value lacks for a reason, the rest is not typical",
    ))
}

/// A cell that differs from itself. Each A/A row does so by chance as often as its interval may miss, so the
/// grave words are kept for an interval at the level that all A/A rows of the run share (Bonferroni).
fn doubtful_twins(findings: &Findings<'_>) -> Vec<Warning> {
    let count = findings.resolutions.len();
    let shared = Level { confidence: findings.level.confidence.split(count), ..findings.level };
    findings
        .resolutions
        .iter()
        .filter_map(|row| {
            let excludes_one = |low: f64, high: f64| low > 1.0 || high < 1.0;
            let (low, high, level) = (row.ci_low?, row.ci_high?, row.confidence?);
            let strict = twin_ratio(findings.cells, [&row.bench, &row.case], shared).interval;
            let grave = strict.is_some_and(|interval| excludes_one(interval.low, interval.high));
            let twin = format!("the A/A row of `{}` on `{}` excludes 1 ({low:.3}× to {high:.3}×)", row.case, row.bench);
            if grave {
                let distrust = warning(
                    format!("{twin}: this run's intervals can not be trusted"),
                    "run again, and if it comes back, find what treats the two differently: it is not chance",
                );
                Some(Warning { effect: Effect::Conclusion, ..distrust })
            } else {
                excludes_one(low, high).then(|| {
                    warning(
                        twin,
                        format!(
                            "chance alone does this in {} of A/A rows, and this run has {count}; verdicts allow for it",
                            percent(1.0 - level)
                        ),
                    )
                })
            }
        })
        .collect()
}

fn too_few_rounds(findings: &Findings<'_>) -> Option<Warning> {
    let needed = rounds_for_interval(findings.level.confidence);
    let short = findings.cases.iter().filter(|row| row.n > 0 && row.n < needed).count();
    (short > 0).then(|| {
        warning(
            format!(
                "{short} of {} rows have too few samples for an interval at {}: it takes {needed}",
                findings.cases.len(),
                percent(findings.level.confidence.value())
            ),
            format!("run at least {needed} rounds; 30 is the default"),
        )
    })
}

/// The worst A/A resolution that is coarser than the margin asked for.
fn coarse_resolution<'a>(resolutions: impl Iterator<Item = &'a Resolution>, level: Level) -> Option<Warning> {
    let asked = level.margin.value();
    let resolutions: Vec<&Resolution> = resolutions.collect();
    let resolved = |row: &Resolution| row.resolution.filter(|resolution| *resolution > asked);
    let coarse: Vec<(&Resolution, f64)> = resolutions.iter().filter_map(|row| Some((*row, resolved(row)?))).collect();
    let (worst, resolution) = coarse.iter().max_by(|left, right| left.1.total_cmp(&right.1))?;
    let metric = Metric::named(&worst.metric);
    let of = if metric.is_headline() { String::new() } else { format!("{} of ", metric.title) };
    Some(warning(
        format!(
            "this run can not tell differences of {} apart in {} of {} A/A rows; the worst, {of}`{}` on `{}`, resolves {}",
            percent(asked),
            coarse.len(),
            resolutions.len(),
            worst.case,
            worst.bench,
            percent(*resolution)
        ),
        format!(
            "verdicts use the coarser margin, and beyond {} nothing is called the same",
            percent(Limits::asked(level.margin).same().value())
        ),
    ))
}

fn drift(findings: &Findings<'_>) -> Option<Warning> {
    let found: Vec<_> = findings.cases.iter().filter_map(|row| Some((row, row.drift?))).collect();
    let limit = DRIFT_ALPHA / found.len().max(1) as f64;
    let drifting: Vec<_> = found.iter().filter(|(_, drift)| drift.p_value < limit).collect();
    let (row, strongest) =
        drifting.iter().max_by(|left, right| left.1.spearman.abs().total_cmp(&right.1.spearman.abs()))?;
    let words = findings.cells.metric.direction();
    let direction = if strongest.spearman > 0.0 { words.above } else { words.below };
    Some(warning(
        format!(
            "{} drifted in {} of {} rows; `{}` on `{}` became {direction} over the run (Spearman {:+.2})",
            findings.cells.metric.plural(),
            drifting.len(),
            found.len(),
            row.case,
            row.bench,
            strongest.spearman
        ),
        format!(
            "ratios are paired by round and stand; medians{} describe a machine that changed: look for heat, other \
             load, a cache that fills",
            if findings.cells.metric.is_headline() { " in ms" } else { "" }
        ),
    ))
}

/// A first counted run that is far above the rest: the warm-up was too short, or absent.
fn first_runs(findings: &Findings<'_>) -> Option<Warning> {
    let slow: Vec<(&str, &Cell, f64)> = findings
        .cells
        .iter()
        .filter_map(|(bench, cell, runs)| {
            let first = runs.ok.first()?.value;
            let samples = Samples::new(runs.values()).filter(|samples| samples.n() >= 3)?;
            let ratio = samples.ratio_to_median(first)?;
            (ratio > FIRST_RUN_RATIO_MAX && samples.modified_z(first)? > OUTLIER_LIMIT).then_some((
                bench.name.as_str(),
                cell,
                ratio,
            ))
        })
        .collect();
    let (bench, cell, ratio) = slow.iter().max_by(|left, right| left.2.total_cmp(&right.2))?;
    Some(warning(
        format!(
            "the first counted run is an outlier in {}; that of `{cell}` on `{bench}` took {ratio:.2} times the \
             median",
            rows(slow.len())
        ),
        format!(
            "add warm-up rounds (there were {}), or measure the cold start as a case of its own",
            findings.cells.manifest.warmup_rounds
        ),
    ))
}

fn outliers(findings: &Findings<'_>) -> Option<Warning> {
    let share = |row: &CaseSummary| row.outliers as f64 / row.n.max(1) as f64;
    let many: Vec<&CaseSummary> =
        findings.cases.iter().filter(|row| row.outliers >= 3 && share(row) > OUTLIER_FRACTION_MAX).collect();
    let worst = many.iter().max_by(|left, right| share(left).total_cmp(&share(right)))?;
    Some(warning(
        format!(
            "there are many outliers in {}; `{}` on `{}` has {} among {}",
            rows(many.len()),
            worst.case,
            worst.bench,
            worst.outliers,
            worst.n
        ),
        "none is dropped, and medians bear them; the mean and σ do not: look at the samples for two clusters",
    ))
}

fn load(findings: &Findings<'_>) -> Vec<Warning> {
    let manifest = findings.cells.manifest;
    let Some(finished) = &manifest.finished else { return Vec::new() };
    let LoadDuring { load_before, steal_fraction, throttle_events, cpu_pressure_fraction, .. } = finished.load;
    let cpus = f64::from(manifest.machine.cpus.unwrap_or(1).max(1));
    let mut all = Vec::new();
    if let Some(steal) = steal_fraction.filter(|steal| *steal > STEAL_FRACTION_MAX) {
        all.push(warning(
            format!("the hypervisor gave {} of the processor time to others", percent(steal)),
            "use a machine of your own, or more rounds; ratios suffer less than times",
        ));
    }
    if let Some(events) = throttle_events.filter(|events| *events > 0) {
        all.push(warning(
            format!("the processor throttled {events} times for heat"),
            "let it cool, or fix a lower frequency",
        ));
    }
    if let Some(load) = load_before.filter(|load| *load > LOAD_PER_CPU_MAX * cpus) {
        all.push(warning(
            format!("the machine was busy before the run: load {load:.2} on {cpus:.0} processors"),
            "stop other work and wait a minute before measuring",
        ));
    }
    if let Some(pressure) = cpu_pressure_fraction.filter(|pressure| *pressure > PRESSURE_FRACTION_MAX) {
        all.push(warning(
            format!("something waited for a processor in {} of the run's time", percent(pressure)),
            "stop other work, or measure on more processors",
        ));
    }
    all
}

fn circumstances(findings: &Findings<'_>) -> Vec<Warning> {
    let manifest = findings.cells.manifest;
    let mut all = Vec::new();
    if let Some(governor) = manifest.machine.governor.as_ref().filter(|governor| *governor != "performance") {
        all.push(warning(
            format!("the frequency governor is `{governor}`"),
            "set it to `performance` while measuring: frequency changes are noise",
        ));
    }
    if manifest.source.dirty == Some(true) {
        all.push(warning(
            format!("the source had changes beyond revision `{}`", manifest.source.revision),
            "commit them and run again before recording: nobody else can build what was measured",
        ));
    }
    if stats::Confidence::new(manifest.confidence).is_none() {
        all.push(warning(
            format!("the manifest asks for a confidence of {}, which is none", manifest.confidence),
            "95 % was used",
        ));
    }
    all
}
