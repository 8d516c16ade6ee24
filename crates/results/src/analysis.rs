//! Manifest and samples in, [`Summary`] out: which numbers a run has, and what a reader must know first.
//!
//! Pure, and deterministic to the byte: the only randomness is a bootstrap seeded from the manifest. Each
//! interval keeps the manifest's confidence by itself; no correction is made for their number. The formulas
//! are `stats`'s, the layout of tables is `report`'s.

use std::panic::resume_unwind;
use std::thread;

use crate::case::Case;
use crate::claims::Claim;
use crate::isolation;
use crate::metric::{self, HEADLINE, Metric, Shown};
use crate::timeline::{ArmTimeline, Trace};
use crate::{ArtifactRecord, Comparison, ImageRecord, Manifest, SCHEMA, Sample, SizeRow, Summary};
use stats::Confidence;
use stats::looks::widest;
use stats::verdict::Margin;

mod attribution;
mod break_even;
pub mod cells;
mod claims;
mod every_pair;
mod first_use;
#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod metrics;
mod nodes;
mod ratios;
mod resources;
mod rows;
mod stalls;
mod sweeps;
#[cfg(test)]
mod tests;
mod timeline;
mod warnings;

pub use claims::claim_rows;
pub use every_pair::{Quotient, every_pair};
pub use first_use::first_use;
pub use warnings::damage;

use cells::{Cells, Sorted};

/// Everything that follows from a run.
pub fn analyse(manifest: &Manifest, samples: &[Sample], claims: &[Claim]) -> Summary {
    let level = Level::of(manifest);
    let (sorted, metrics) = (Sorted::new(manifest, samples), metric::stored(samples));
    let mut summary = Summary {
        schema: SCHEMA,
        run: manifest.run.clone(),
        cases: Vec::new(),
        sizes: size_rows(manifest),
        comparisons: Vec::new(),
        attributions: Vec::new(),
        isolation: isolation::differences(manifest, &ratios::pairs(&cases_of(manifest))),
        resolutions: Vec::new(),
        fits: Vec::new(),
        timeline: Vec::new(),
        resources: Vec::new(),
        claims: Vec::new(),
        warnings: Vec::new(),
        not_measured: Vec::new(),
        break_even: None,
        ledger: Some(crate::ledger::ledger(manifest)),
        first_use: None,
        across_nodes: Vec::new(),
    };
    summary.resources = thread::scope(|scope| {
        // Of as many samples, and nothing of it is needed for the rest.
        let resources = scope.spawn(|| resources::resources(&sorted, &metrics, level));
        judge(&mut summary, (&sorted, &metrics), level);
        resources.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    let pace = warnings::Pace { manifest, rounds: sorted.rounds, level };
    summary.warnings.extend(warnings::of_others(&summary.resolutions, &summary.comparisons, &pace));
    summary.claims = claims::rows_of_sorted(claims, (&sorted, &metrics), &[], &summary);
    summary
}

/// Rows, comparisons and warnings of each metric that has them.
fn judge(summary: &mut Summary, (sorted, metrics): (&Sorted<'_>, &[Metric]), level: Level) {
    for metric in metrics.iter().filter(|metric| metric.shown == Shown::Judged) {
        let cells = &sorted.cells(metric);
        let cases = rows::case_rows(cells, level.confidence);
        let resolutions = ratios::resolutions(cells, level);
        let comparisons = ratios::comparisons(cells, &resolutions, level);
        let (fits, bent) = sweeps::fits(cells, &cases, level);
        let findings =
            warnings::Findings { cells, cases: &cases, comparisons: &comparisons, resolutions: &resolutions, level };
        if metric.is_headline() {
            summary.not_measured.extend(rows::not_measured(cells));
            summary.attributions = attribution::attributions(cells, level);
            summary.break_even = break_even::break_even(cells, &cases, level);
        } else {
            summary.not_measured.extend(rows::no_value(cells));
        }
        let mut told = warnings::warnings(&findings);
        told.extend(bent);
        if metric.is_headline() {
            told.extend(stalls::stalls(cells, &cases));
        }
        summary.warnings.extend(told.into_iter().map(|warning| warnings::named(warning, metric)));
        summary.cases.extend(cases);
        summary.resolutions.extend(resolutions);
        summary.comparisons.extend(comparisons);
        summary.fits.extend(fits);
        summary.across_nodes.extend(nodes::across_nodes(cells, level));
    }
}

/// The cases of a run, twins left out.
fn cases_of(manifest: &Manifest) -> Vec<&Case> {
    manifest.cells.iter().filter(|cell| !cell.is_twin()).map(|cell| &cell.case).collect()
}

/// Where the time of traced runs went, beside the plain ones of the same rounds.
pub fn timeline(manifest: &Manifest, samples: &[Sample], traces: &[Trace]) -> Vec<ArmTimeline> {
    if manifest.traced.is_empty() {
        return Vec::new();
    }
    let headline = Metric::named(HEADLINE);
    let cells = Cells::new(manifest, samples, &headline);
    timeline::timelines(manifest, traces, &cells, Level::of(manifest))
}

/// For `--until PERCENT`: the widest relative interval of the headline metric, `(high − low)/ratio`, of the chosen comparisons with
/// what has been measured so far, at the level of a look (the manifest's `sequential`). A fraction: 0.02 is
/// 2 %. `None` while one of them has no interval, and when none is chosen: then the run goes on. A comparison
/// that can never have an interval (a case that only fails) keeps it going too, so choose without those.
pub fn precision(manifest: &Manifest, samples: &[Sample], chosen: impl Fn(&Comparison) -> bool) -> Option<f64> {
    let headline = Metric::named(HEADLINE);
    let cells = Cells::new(manifest, samples, &headline);
    let comparisons = ratios::comparisons(&cells, &[], Level::of(manifest));
    let width = |row: &Comparison| Some((row.ci_high? - row.ci_low?) / row.ratio?);
    widest(comparisons.iter().filter(|row| chosen(row)).map(width))
}

/// The confidence and the margin that a run's intervals and verdicts use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Of each interval: the manifest's, or that of a look when the run stopped on precision.
    pub confidence: Confidence,
    /// The margin that was asked for.
    pub margin: Margin,
    /// How many looks share the nominal confidence.
    pub looks: usize,
}

impl Level {
    /// What the manifest asks for; 95 % where it asks for no confidence between 0 and 1.
    pub fn of(manifest: &Manifest) -> Self {
        let nominal = Confidence::new(manifest.confidence).unwrap_or(Confidence::DEFAULT);
        let margin = Margin::new(manifest.delta);
        match &manifest.sequential {
            None => Self { confidence: nominal, margin, looks: 1 },
            Some(sequential) => Self {
                confidence: Confidence::new(sequential.look_confidence).unwrap_or(nominal),
                margin,
                looks: sequential.looks.len(),
            },
        }
    }

    /// How an interval of a paired ratio was made, in words.
    fn method(self) -> String {
        let base = "median over rounds of the paired ratio, exact order-statistic interval on its logarithm";
        if self.looks > 1 {
            format!("{base}, level shared by {} preset looks (Bonferroni)", self.looks)
        } else {
            base.to_owned()
        }
    }
}

/// A row per artifact and image that was made of it, the kind's default first; a row without image where none was made.
pub fn size_rows(manifest: &Manifest) -> Vec<SizeRow> {
    let of_artifact = |artifact: &ArtifactRecord| {
        let row = |image: Option<&ImageRecord>| SizeRow {
            program: artifact.program.clone(),
            kind: artifact.kind.clone(),
            image: image.map(ImageRecord::name).filter(|name| *name != artifact.kind).map(str::to_owned),
            binary_bytes: artifact.size_bytes,
            image_bytes_compressed: image.map(|image| image.transfer_bytes),
            image_bytes_unpacked: image.map(|image| image.layers_unpacked_bytes),
        };
        let made = manifest.images.iter();
        let made = made.filter(|image| image.program == artifact.program && image.kind == artifact.kind);
        let mut rows: Vec<SizeRow> = made.map(|image| row(Some(image))).collect();
        rows.sort_by_key(|row| !row.is_default());
        if rows.is_empty() { vec![row(None)] } else { rows }
    };
    // Programs of traced runs are not what is shipped.
    let is_shipped = |artifact: &&ArtifactRecord| {
        !manifest.traced.iter().any(|traced| traced.program == artifact.program)
            || manifest.benches.iter().any(|bench| bench.program == artifact.program)
    };
    manifest.artifacts.iter().filter(is_shipped).flat_map(of_artifact).collect()
}
