//! What a run says about published figures: reproduced, not reproduced, or not comparable, with the reason.
//!
//! Sizes and ratios are judged. A time on another machine never is: it is shown beside ours. The sentences
//! are built from the run's own numbers; what is known about a figure otherwise is the note in the data.
//! Not here: any statistic (the ratios come from `analysis`).

use super::{Claim, Size, Statement, Tolerance};
use crate::case::{Case, Kind, Mode};
use crate::{CaseSummary, ClaimRow, ClaimVerdict, Manifest, Place, Quantity, SizeRow};
use stats::{Interval, PairedRatio};

/// A ratio that a claim asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The bench.
    pub bench: &'a str,
    /// Above the line.
    pub case: &'a str,
    /// Below it.
    pub baseline: &'a str,
}

/// What a run has to say.
pub struct Evidence<'a> {
    /// Which bench runs which program.
    pub manifest: &'a Manifest,
    /// Exact sizes.
    pub sizes: &'a [SizeRow],
    /// Medians.
    pub cases: &'a [CaseSummary],
    /// The paired ratio of two cases of this run; n = 0 where there is none.
    pub paired: &'a dyn Fn(Question<'_>) -> PairedRatio,
}

/// Ours, the verdict and the reason.
struct Judged {
    ours: Option<f64>,
    verdict: ClaimVerdict,
    explanation: String,
}

impl Judged {
    fn not_comparable(ours: Option<f64>, explanation: String) -> Self {
        Self { ours, verdict: ClaimVerdict::NotComparable, explanation }
    }
}

/// A row per claim, in the order of the data.
pub fn judge(claims: &[Claim], evidence: &Evidence<'_>) -> Vec<ClaimRow> {
    claims.iter().map(|claim| row(claim, evidence)).collect()
}

fn row(claim: &Claim, evidence: &Evidence<'_>) -> ClaimRow {
    let (published, unit) = match &claim.statement {
        Statement::Binary(size) | Statement::Image(size) | Statement::WithdrawnImage { size, .. } => {
            (size.kilobytes, "kB")
        }
        Statement::Time { milliseconds, .. } => (*milliseconds, "ms"),
        Statement::Ratio { ratio, .. } => (*ratio, "×"),
    };
    let is_measured = evidence.manifest.benches.iter().any(|bench| bench.name == claim.bench);
    let judged = if is_measured {
        judged(claim, evidence)
    } else {
        Judged::not_comparable(None, format!("bench `{}` was not part of this run", claim.bench))
    };
    let explanation =
        if claim.note.is_empty() { judged.explanation } else { format!("{}; {}", judged.explanation, claim.note) };
    ClaimRow {
        source: claim.source.clone(),
        what: claim.what.clone(),
        published,
        ours: judged.ours,
        unit: unit.to_owned(),
        verdict: judged.verdict,
        explanation,
        // Beside another bench's figures it would be read as one of them.
        place: place(claim).filter(|_| is_measured),
    }
}

/// The cell of the central table in which a figure stands. What was published as Wasm is one row, whatever mode of
/// the engine each of its figures was most likely measured in.
fn place(claim: &Claim) -> Option<Place> {
    let of_case = |case: &Case| Place {
        kind: if case.mode == Mode::Native { Kind::Native } else { Kind::Wasm }.to_string(),
        quantity: if case.is_container() { Quantity::ContainerTime } else { Quantity::DirectTime },
    };
    match &claim.statement {
        Statement::Binary(size) => Some(Place { kind: size.kind.to_string(), quantity: Quantity::BinarySize }),
        Statement::Image(size) => Some(Place { kind: size.kind.to_string(), quantity: Quantity::ImageSize }),
        Statement::Time { case, .. } => Some(of_case(case)),
        Statement::WithdrawnImage { .. } | Statement::Ratio { .. } => None,
    }
}

fn judged(claim: &Claim, evidence: &Evidence<'_>) -> Judged {
    match &claim.statement {
        Statement::Binary(size) => binary(size, evidence.size(&claim.bench, size.kind)),
        Statement::Image(size) => image(size, evidence.size(&claim.bench, size.kind)),
        Statement::WithdrawnImage { size, on } => {
            let judged = image(size, evidence.size(&claim.bench, size.kind));
            let explanation = format!("withdrawn by its author on {on}; {}", judged.explanation);
            Judged::not_comparable(judged.ours, explanation)
        }
        Statement::Time { case, explained_by, .. } => {
            time(evidence, &claim.bench, &[Some(case), explained_by.as_ref()])
        }
        Statement::Ratio { case, baseline, ratio, tolerance, explained_by } => {
            let ask = |case: &Case| {
                (evidence.paired)(Question { bench: &claim.bench, case: &case.name, baseline: &baseline.name })
            };
            let arm = explained_by.as_ref().map(|arm| (arm, ask(arm)));
            judge_ratio(&Asked { case, baseline, published: *ratio, tolerance: *tolerance }, &ask(case), arm)
        }
    }
}

impl Evidence<'_> {
    fn size(&self, bench: &str, kind: Kind) -> Option<&SizeRow> {
        let program = &self.manifest.benches.iter().find(|each| each.name == bench)?.program;
        self.sizes.iter().find(|row| row.program == *program && row.kind == kind.name() && row.is_default())
    }

    fn median_ms(&self, bench: &str, case: &Case) -> Option<(f64, String)> {
        let name = &case.name;
        let row = self.cases.iter().find(|row| row.bench == bench && row.case == *name)?;
        let median = row.median? / 1e6;
        let interval = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) => format!(" ({} to {} ms)", shown(low / 1e6), shown(high / 1e6)),
            _ => String::new(),
        };
        Some((median, format!("`{name}` takes {} ms here{interval}", shown(median))))
    }
}

fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

fn binary(published: &Size, ours: Option<&SizeRow>) -> Judged {
    let Some(row) = ours else { return not_built(published.kind) };
    let size = Beside { ours: kilobytes(row.binary_bytes), published: published.kilobytes };
    Judged {
        ours: Some(size.ours),
        verdict: size.verdict(published.tolerance),
        explanation: format!("ours has {} kB, {}", shown(size.ours), size.in_words()),
    }
}

/// The published figure may be either, so it is held against the nearer of the two.
fn image(published: &Size, ours: Option<&SizeRow>) -> Judged {
    let Some(row) = ours else { return not_built(published.kind) };
    let (Some(compressed), Some(unpacked)) = (row.image_bytes_compressed, row.image_bytes_unpacked) else {
        return Judged::not_comparable(None, format!("no image of kind `{}` was made in this run", published.kind));
    };
    let (compressed, unpacked) = (kilobytes(compressed), kilobytes(unpacked));
    let [first, second] = [compressed, unpacked].map(|ours| Beside { ours, published: published.kilobytes });
    let nearer = if first.factor() < second.factor() { first } else { second };
    Judged {
        ours: Some(nearer.ours),
        verdict: nearer.verdict(published.tolerance),
        explanation: format!(
            "a pull of ours transfers {} kB (compressed) and its layers unpack to {} kB; the nearer one is {}",
            shown(compressed),
            shown(unpacked),
            nearer.in_words()
        ),
    }
}

fn not_built(kind: Kind) -> Judged {
    Judged::not_comparable(None, format!("nothing of kind `{kind}` was built in this run"))
}

fn time(evidence: &Evidence<'_>, bench: &str, cases: &[Option<&Case>]) -> Judged {
    let found: Vec<_> = cases.iter().flatten().map(|case| (case, evidence.median_ms(bench, case))).collect();
    let ours = found.first().and_then(|(_, median)| median.as_ref().map(|(median, _)| *median));
    let texts: Vec<String> = found
        .into_iter()
        .map(|(case, median)| median.map_or_else(|| format!("`{case}` was not measured"), |(_, text)| text))
        .collect();
    let reason = "a time of another machine is not judged, its ratios are";
    Judged::not_comparable(ours, format!("{reason}: {}", texts.join(", ")))
}

/// A published ratio and where ours comes from.
struct Asked<'a> {
    case: &'a Case,
    baseline: &'a Case,
    published: f64,
    tolerance: Tolerance,
}

fn judge_ratio(asked: &Asked<'_>, ours: &PairedRatio, arm: Option<(&Case, PairedRatio)>) -> Judged {
    let Asked { case, baseline, published, tolerance } = asked;
    let arm =
        arm.and_then(|(arm, ratio)| Some(format!(", {} for `{arm}`", with_interval(&ratio)?))).unwrap_or_default();
    let (Some(ratio), Some(text)) = (ours.ratio, with_interval(ours)) else {
        return Judged::not_comparable(None, format!("`{case}` over `{baseline}` was not measured{arm}"));
    };
    let (verdict, because) = match ours.interval {
        None => (ClaimVerdict::NotComparable, "too few rounds for an interval, so not judged: ".to_owned()),
        Some(interval) => match decide(interval, *published, *tolerance) {
            Some(verdict) => (verdict, String::new()),
            None => (
                ClaimVerdict::NotComparable,
                format!(
                    "undecided, the interval crosses the end of the tolerance (a factor of {}): ",
                    tolerance.factor()
                ),
            ),
        },
    };
    let across = if case.is_across_runtimes(baseline) { ", across two runtimes" } else { "" };
    let explanation = format!(
        "{because}`{case}` over `{baseline}` is {text} here{across}, {}{arm}",
        Beside { ours: ratio, published: *published }.in_words()
    );
    Judged { ours: Some(ratio), verdict, explanation }
}

/// Reproduced when the whole interval lies within the tolerance, not when it lies wholly outside.
fn decide(interval: Interval, published: f64, tolerance: Tolerance) -> Option<ClaimVerdict> {
    let (low, high) = (published / tolerance.factor(), published * tolerance.factor());
    if interval.low >= low && interval.high <= high {
        Some(ClaimVerdict::Reproduced)
    } else if interval.high < low || interval.low > high {
        Some(ClaimVerdict::NotReproduced)
    } else {
        None
    }
}

/// Two figures in one unit, both above 0.
#[derive(Clone, Copy)]
struct Beside {
    ours: f64,
    published: f64,
}

impl Beside {
    /// How many times the greater is the lesser.
    fn factor(self) -> f64 {
        (self.ours / self.published).max(self.published / self.ours)
    }

    fn verdict(self, tolerance: Tolerance) -> ClaimVerdict {
        if self.factor() <= tolerance.factor() { ClaimVerdict::Reproduced } else { ClaimVerdict::NotReproduced }
    }

    fn in_words(self) -> String {
        let direction = if self.ours < self.published { "smaller" } else { "larger" };
        if self.factor() < 1.005 {
            "equal to the published figure".to_owned()
        } else {
            format!("{} times {direction} than published", shown(self.factor()))
        }
    }
}

fn with_interval(ratio: &PairedRatio) -> Option<String> {
    let centre = shown(ratio.ratio?);
    Some(match ratio.interval {
        Some(interval) => format!("{centre}× ({}× to {}×)", shown(interval.low), shown(interval.high)),
        None => format!("{centre}×"),
    })
}

/// Three significant figures, without an exponent.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests;
