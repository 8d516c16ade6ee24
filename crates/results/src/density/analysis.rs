//! A density run's manifest and lines in, [`DensitySummary`] out. Pure: the formulas are `stats::slope`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::metric::{CHURN, DensityMetric, PER_INSTANCE, Unit};
use super::{Arm, AtOnceSummary, ChurnReading, DensitySummary, Growth, Line, PerInstance, Reading, Spread, Starts};
use crate::{Effect, Manifest, NotMeasured, SCHEMA, Warning};
use stats::describe::Percentile;
use stats::slope::{self, Point, Slope};
use stats::{Confidence, Interval, Samples};

mod capacity;

/// Beyond this share of what a line grows by, the line is not the answer.
const MISFIT_MAX: f64 = 0.15;

/// Everything that follows from a density run.
pub fn analyse(manifest: &Manifest, lines: &[Line]) -> DensitySummary {
    let confidence = Confidence::new(manifest.confidence).unwrap_or(Confidence::DEFAULT);
    let cases = manifest.cells.iter().map(|cell| cell.name.as_str());
    let arms: Vec<Arm> = cases.filter_map(|case| arm(manifest, &ArmLines::of(case, lines), confidence)).collect();
    let mut not_measured = manifest.not_measured.clone();
    not_measured.extend(not_read(manifest, lines));
    let warnings = arms.iter().flat_map(|arm| warnings(arm, manifest.rounds)).collect();
    DensitySummary { schema: SCHEMA, run: manifest.run.clone(), arms, warnings, not_measured }
}

/// The lines of one case, by their kind.
struct ArmLines<'a> {
    case: &'a str,
    readings: Vec<&'a Reading>,
    starts: Vec<&'a super::Start>,
    at_once: Vec<&'a super::AtOnce>,
    churn: Vec<&'a ChurnReading>,
    left: Vec<&'a super::Left>,
}

impl<'a> ArmLines<'a> {
    fn of(case: &'a str, lines: &'a [Line]) -> Self {
        let mut own = Self {
            case,
            readings: Vec::new(),
            starts: Vec::new(),
            at_once: Vec::new(),
            churn: Vec::new(),
            left: Vec::new(),
        };
        for line in lines.iter().filter(|line| line.case() == case) {
            match line {
                // What is there without any instance is no instance's.
                Line::Reading(reading) if reading.n > 0 => own.readings.push(reading),
                Line::Reading(_) => {}
                Line::Start(start) => own.starts.push(start),
                Line::AtOnce(at_once) => own.at_once.push(at_once),
                Line::Churn(churn) => own.churn.push(churn),
                Line::Left(left) => own.left.push(left),
            }
        }
        own
    }
}

fn arm(manifest: &Manifest, lines: &ArmLines<'_>, confidence: Confidence) -> Option<Arm> {
    let per_instance: Vec<PerInstance> =
        PER_INSTANCE.iter().filter_map(|metric| per_instance(metric, &lines.readings, confidence)).collect();
    let churn: Vec<Growth> = CHURN.iter().filter_map(|metric| growth(metric, &lines.churn, confidence)).collect();
    if per_instance.is_empty() && churn.is_empty() && lines.at_once.is_empty() {
        return None;
    }
    let mut left = BTreeMap::new();
    for (name, count) in lines.left.iter().flat_map(|line| &line.values) {
        let most = left.entry(name.clone()).or_insert(0);
        *most = (*most).max(*count);
    }
    Some(Arm {
        case: lines.case.to_owned(),
        repetitions: per_instance.iter().map(|row| row.slope.n).max().unwrap_or(0),
        instances_max: lines.readings.iter().map(|reading| reading.n).max().unwrap_or(0),
        capacity: manifest.density.as_ref().and_then(|plan| capacity::capacity(&per_instance, &plan.limits)),
        per_instance,
        starts: starts(&lines.starts, confidence),
        at_once: at_once(&lines.at_once, confidence),
        churn,
        left,
    })
}

/// The total of a metric in a reading: counters that count on by the second.
fn total(metric: &DensityMetric, reading: &Reading) -> Option<f64> {
    let value = *reading.values.get(metric.name)? as f64;
    match metric.unit {
        Unit::Bytes | Unit::Count => Some(value),
        Unit::PerSecond | Unit::NanosecondsPerSecond => {
            (reading.hold_ns > 0).then(|| value * 1e9 / reading.hold_ns as f64)
        }
    }
}

fn per_instance(metric: &DensityMetric, readings: &[&Reading], confidence: Confidence) -> Option<PerInstance> {
    let points = readings.iter().filter_map(|reading| {
        Some((reading.repetition, Point { n: reading.n.into(), total: total(metric, reading)? }))
    });
    let found = slope::marginal(&by_repetition(points), confidence)?;
    Some(PerInstance {
        metric: metric.name.to_owned(),
        slope: found.per_unit.into(),
        at_none: found.at_none.value,
        misfit: found.misfit,
    })
}

fn by_repetition(points: impl Iterator<Item = (u32, Point)>) -> Vec<Vec<Point>> {
    let mut repetitions: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
    points.for_each(|(repetition, point)| repetitions.entry(repetition).or_default().push(point));
    repetitions.into_values().collect()
}

fn starts(starts: &[&super::Start], confidence: Confidence) -> Option<Starts> {
    let last = starts.iter().map(|start| start.n).max()?;
    let at = |n: u32| spread(starts.iter().filter(|start| start.n == n).map(|start| start.start_ns as f64), confidence);
    let points = starts
        .iter()
        .map(|start| (start.repetition, Point { n: f64::from(start.n) - 1.0, total: start.start_ns as f64 }));
    let slope = slope::marginal(&by_repetition(points), confidence)?.per_unit;
    Some(Starts { first_ns: at(1)?, last_ns: at(last)?, per_instance_ns: slope.into() })
}

fn at_once(batches: &[&super::AtOnce], confidence: Confidence) -> Vec<AtOnceSummary> {
    let counts: BTreeSet<u32> = batches.iter().map(|batch| batch.at_once).collect();
    let of = |count: u32| {
        let own = || batches.iter().filter(move |batch| batch.at_once == count && batch.wall_ns > 0);
        let latencies = Samples::new(own().flat_map(|batch| &batch.start_ns).map(|ns| *ns as f64).collect())?;
        Some(AtOnceSummary {
            at_once: count,
            per_second: spread(own().map(|b| b.start_ns.len() as f64 * 1e9 / b.wall_ns as f64), confidence)?,
            latency_ns: spread(latencies.ascending().iter().copied(), confidence)?,
            latency_p95_ns: latencies.percentile(Percentile::P95),
        })
    };
    counts.into_iter().filter_map(of).collect()
}

fn growth(metric: &DensityMetric, readings: &[&ChurnReading], confidence: Confidence) -> Option<Growth> {
    let values = || readings.iter().filter_map(|reading| Some((reading.containers, *reading.values.get(metric.name)?)));
    let points: Vec<Point> =
        values().map(|(containers, value)| Point { n: containers.into(), total: value as f64 }).collect();
    let found = slope::growth(&points, confidence)?;
    let ((begin, first), (end, last)) = (values().next()?, values().next_back()?);
    Some(Growth {
        metric: metric.name.to_owned(),
        per_container: found.into(),
        first,
        last,
        containers: end.saturating_sub(begin),
    })
}

fn spread(values: impl Iterator<Item = f64>, confidence: Confidence) -> Option<Spread> {
    let samples = Samples::new(values.collect())?;
    let interval = samples.median_interval(confidence);
    Some(with_interval(samples.median(), interval, samples.n()))
}

fn with_interval(value: f64, interval: Option<Interval>, n: usize) -> Spread {
    Spread { value, low: interval.map(|interval| interval.low), high: interval.map(|interval| interval.high), n }
}

impl From<Slope> for Spread {
    fn from(slope: Slope) -> Self {
        with_interval(slope.value, slope.interval, slope.n)
    }
}

/// What no reading of a case could read, each metric once, with the first reason.
fn not_read(manifest: &Manifest, lines: &[Line]) -> Vec<NotMeasured> {
    let mut seen = BTreeSet::new();
    let bench = manifest.benches.first().map_or_else(String::new, |bench| bench.name.clone());
    let refused = lines.iter().flat_map(|line| {
        let not_read = match line {
            Line::Reading(reading) => Some(&reading.not_read),
            Line::Churn(reading) => Some(&reading.not_read),
            Line::Start(_) | Line::AtOnce(_) | Line::Left(_) => None,
        };
        not_read.into_iter().flatten().map(|(metric, reason)| (line.case(), metric, reason))
    });
    let mut rows = Vec::new();
    for (case, metric, reason) in refused {
        if seen.insert((case, metric)) {
            rows.push(NotMeasured {
                bench: bench.clone(),
                case: case.to_owned(),
                metric: Some(metric.clone()),
                reason: reason.clone(),
            });
        }
    }
    rows
}

fn warnings(arm: &Arm, repetitions: u32) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let case = &arm.case;
    if arm.left.values().any(|count| *count > 0) {
        let what: Vec<String> =
            arm.left.iter().filter(|(_, count)| **count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        warnings.push(Warning {
            what: format!("after every instance of `{case}` was stopped, something was left: {}", what.join(", ")),
            advice: "a runtime that leaves things behind fills a node with time".to_owned(),
            effect: Effect::Conclusion,
        });
    }
    for row in arm.per_instance.iter().filter(|row| is_bent(row)) {
        warnings.push(Warning {
            what: format!(
                "`{}` of `{case}` over the number of instances is not on a line: a median is {:.0} % of the growth off",
                row.metric,
                row.misfit.unwrap_or(0.0) * 100.0
            ),
            advice: "read the readings by level in `density.jsonl`, not the slope".to_owned(),
            effect: Effect::Conclusion,
        });
    }
    for row in arm.churn.iter().filter(|row| row.per_container.low.is_some_and(|low| low > 0.0)) {
        warnings.push(Warning {
            what: format!(
                "`{}` grew while containers of `{case}` came and went: from {} to {} over {} of them",
                row.metric, row.first, row.last, row.containers
            ),
            advice:
                "what grows per container fills a node with time; `--churn` with more containers tells a leak from \
                     a cache that fills"
                    .to_owned(),
            effect: Effect::Conclusion,
        });
    }
    if arm.repetitions > 0 && repetitions < 6 {
        warnings.push(Warning {
            what: format!("`{case}` has no intervals: they need 6 repetitions, and there were {}", arm.repetitions),
            advice: "leave out `--repeat`, or say at least 6".to_owned(),
            effect: Effect::Intervals,
        });
    }
    warnings
}

/// What is compared by its line alone: what belongs to the machine at large follows everything on it.
fn is_bent(row: &PerInstance) -> bool {
    let own = !row.metric.starts_with("host_") && !row.metric.starts_with("containerd_");
    let lasting = !matches!(super::metric::unit(&row.metric), Unit::PerSecond | Unit::NanosecondsPerSecond);
    own && lasting && row.misfit.is_some_and(|misfit| misfit > MISFIT_MAX) && is_clear(row)
}

/// Whether it grows at all, as far as its interval says.
fn is_clear(row: &PerInstance) -> bool {
    row.slope.low.is_none_or(|low| low > 0.0)
}
