//! What a run says about published figures: reproduced, not reproduced, not comparable, or untested, with the reason.
//!
//! Sizes and ratios are judged. A value of another machine never is: it is shown beside ours. Where what was published, or
//! what of ours is meant, can be read in several ways, a verdict needs all of them to agree; none is chosen. The sentences
//! are built from the run's own numbers; what is known about a figure otherwise is the note in the data.

use super::evidence::{Evidence, Measured, Needs};
use super::figure::{Figure, Found, shown};
use super::{Bounds, Claim, Reading, Test};
use crate::case::{Case, Kind, Mode};
use crate::{ClaimRow, ClaimVerdict, Place, Quantity};

/// Below so many rounds a median ratio has no interval of 95 %.
const ROUNDS_MIN: u32 = 6;

/// Ours, the verdict and the reason.
#[derive(Default)]
struct Judged {
    ours: Option<Measured>,
    bounds: Option<Bounds>,
    verdict: Option<ClaimVerdict>,
    needs: Option<Needs>,
    because: Vec<String>,
}

/// A row per claim, in the order of the data.
pub fn judge(claims: &[Claim], evidence: &Evidence<'_>) -> Vec<ClaimRow> {
    claims.iter().map(|claim| row(claim, evidence)).collect()
}

fn row(claim: &Claim, evidence: &Evidence<'_>) -> ClaimRow {
    let found = evidence.of(claim);
    let is_measured = found.is_ok();
    let mut judged = match found {
        Ok(measured) => judged(claim, measured, evidence.arms(claim)),
        Err(needs) => missing(claim, needs),
    };
    judged.because.extend(Some(claim.note.clone()).filter(|note| !note.is_empty()));
    let ends = judged.ours.as_ref().and_then(|ours| ours.ends.filter(|[low, high]| low < high));
    ClaimRow {
        id: claim.id.clone(),
        source: claim.source.clone(),
        seen: claim.seen,
        what: claim.what.clone(),
        wording: claim.wording.clone(),
        published: only(&claim.readings).and_then(Figure::published),
        bounds: judged.bounds,
        ours: judged.ours.as_ref().map(|ours| ours.value),
        ours_low: ends.map(|[low, _]| low),
        ours_high: ends.map(|[_, high]| high),
        unit: claim.unit.to_owned(),
        shape: claim.shape,
        verdict: judged.verdict.unwrap_or(ClaimVerdict::NotComparable),
        needs: judged.needs,
        explanation: judged.because.join("; "),
        setting: claim.setting.clone(),
        // Beside another bench's figures it would be read as one of them.
        place: place(claim).filter(|_| is_measured || has_bench(claim, evidence)),
    }
}

fn has_bench(claim: &Claim, evidence: &Evidence<'_>) -> bool {
    evidence.manifest.benches.iter().any(|bench| bench.name == claim.bench)
}

/// The figure, where there is one reading of it.
fn only(readings: &[Reading]) -> Option<Figure> {
    match readings {
        [reading] => reading.figure,
        _ => None,
    }
}

/// The cell of the central table in which a figure stands. What was published as Wasm is one row, whatever mode of
/// the engine each of its figures was most likely measured in.
fn place(claim: &Claim) -> Option<Place> {
    if !claim.is_central {
        return None;
    }
    let of_case = |case: &Case| Place {
        kind: if case.mode == Mode::Native { Kind::Native } else { Kind::Wasm }.to_string(),
        quantity: if case.is_container() { Quantity::ContainerTime } else { Quantity::DirectTime },
    };
    match &claim.test {
        Test::Size { of, bytes } => Some(Place {
            kind: of.name.clone(),
            quantity: if bytes.is_some() { Quantity::BinarySize } else { Quantity::ImageSize },
        }),
        Test::Value { case, .. } => Some(of_case(case)),
        _ => None,
    }
}

/// A claim for which this run has nothing.
fn missing(claim: &Claim, needs: Needs) -> Judged {
    let bounds = only(&claim.readings).map(|figure| figure.bounds(0.0));
    match &claim.unlike {
        // Nothing that could be measured would decide it.
        Some(unlike) if matches!(claim.test, Test::Absent { .. }) => Judged {
            bounds,
            verdict: Some(ClaimVerdict::NotComparable),
            because: vec![unlike.clone()],
            ..Judged::default()
        },
        _ => Judged { bounds, verdict: Some(ClaimVerdict::Untested), needs: Some(needs), ..Judged::default() },
    }
}

fn judged(claim: &Claim, measured: Vec<Measured>, arms: Vec<String>) -> Judged {
    let texts = |measured: &[Measured]| measured.iter().map(|each| each.text.clone()).collect::<Vec<_>>().join(" and ");
    let margin = measured.first().map_or(0.0, |first| first.margin);
    let bounds = only(&claim.readings).map(|figure| figure.bounds(margin));
    if let Test::Value { metric, .. } = &claim.test {
        let thing = if metric.ends_with("_ns") { "a time" } else { "a value" };
        let all: Vec<String> = measured.iter().map(|each| each.text.clone()).chain(arms).collect();
        let because = format!("{thing} of another machine is not judged, its ratios are: {}", all.join(", "));
        return Judged { ours: measured.into_iter().next(), because: vec![because], ..Judged::default() };
    }
    if measured.iter().any(|each| each.ends.is_none()) {
        return Judged {
            because: vec![texts(&measured)],
            ours: measured.into_iter().next(),
            bounds,
            verdict: Some(ClaimVerdict::Untested),
            needs: Some(format!("{ROUNDS_MIN} rounds or more, for an interval")),
        };
    }
    let trials = trials(&claim.readings, &measured);
    let verdict = agreed(&trials);
    let mut because: Vec<String> = Vec::new();
    because.extend(claim.withdrawn.as_ref().map(|on| format!("withdrawn by its author on {on}")));
    because.extend(claim.unlike.as_ref().map(|unlike| format!("shown, and not judged: {unlike}")));
    let is_judged = because.is_empty();
    let hesitation = if is_judged && verdict.is_none() { hesitation(&trials, bounds) } else { String::new() };
    let arms = if arms.is_empty() { String::new() } else { format!(", {}", arms.join(", ")) };
    because.push(format!("{hesitation}{}{arms}", in_words(&claim.readings, &trials, &measured)));
    Judged { ours: measured.into_iter().next(), bounds, verdict: verdict.filter(|_| is_judged), needs: None, because }
}

/// One way to read a figure, held against one way to count ours.
struct Trial {
    reading: usize,
    found: Found,
    beside: String,
}

fn trials(readings: &[Reading], measured: &[Measured]) -> Vec<Trial> {
    let one = |reading: usize, figure: Figure, each: &Measured| {
        let ours = each.ours()?;
        Some(Trial { reading, found: figure.holds(ours), beside: figure.beside(ours) })
    };
    let figures = readings.iter().enumerate().filter_map(|(index, reading)| Some((index, reading.figure?)));
    figures.flat_map(|(index, figure)| measured.iter().filter_map(move |each| one(index, figure, each))).collect()
}

/// What all of them say.
fn agreed(trials: &[Trial]) -> Option<ClaimVerdict> {
    let all = |found: Found| !trials.is_empty() && trials.iter().all(|trial| trial.found == found);
    if all(Found::Within) {
        Some(ClaimVerdict::Reproduced)
    } else if all(Found::Outside) {
        Some(ClaimVerdict::NotReproduced)
    } else {
        None
    }
}

/// Why there is no verdict.
fn hesitation(trials: &[Trial], bounds: Option<Bounds>) -> String {
    let is_across = trials.iter().any(|trial| trial.found == Found::Across);
    let end = |end: Option<f64>| end.map(shown);
    match bounds.map(|bounds| (end(bounds.low), end(bounds.high))) {
        _ if !is_across => "it depends on how it is read, and that was not published: ".to_owned(),
        Some((Some(low), Some(high))) => {
            format!("undecided, the interval crosses an end of what counts as reproduced ({low} to {high}): ")
        }
        Some((Some(end), None) | (None, Some(end))) => format!("undecided, the interval crosses {end}: "),
        _ => "undecided: ".to_owned(),
    }
}

fn in_words(readings: &[Reading], trials: &[Trial], measured: &[Measured]) -> String {
    let texts: Vec<&str> = measured.iter().map(|each| each.text.as_str()).collect();
    if readings.len() > 1 {
        let told = trials.iter().map(|trial| {
            format!("read as {}: {} ({})", readings[trial.reading].meaning, trial.beside, trial.found.in_words())
        });
        return format!("{}; {}", texts.join(" and "), told.collect::<Vec<_>>().join("; "));
    }
    // Without a figure there is nothing beside ours.
    let beside = |index: usize| trials.get(index).map_or_else(String::new, |trial| format!(", {}", trial.beside));
    let pairs = texts.iter().enumerate().map(|(index, text)| format!("{text}{}", beside(index)));
    pairs.collect::<Vec<_>>().join(" and ")
}

impl Found {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Within => "reproduced",
            Self::Outside => "not reproduced",
            Self::Across => "undecided",
        }
    }
}

#[cfg(test)]
mod tests;
