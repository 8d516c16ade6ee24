//! What is published, beside what a run has of it: its samples, and where first use was measured, its pulls and first runs.
//!
//! Not here: the claims and their verdicts (`crate::claims`).

use super::cells::{Cells, Sorted};
use super::{Level, ratios, rows, sweeps};
use crate::claims::Claim;
use crate::claims::evidence::{Answer, Evidence, Question};
use crate::claims::judge::judge;
use crate::first_use::{self, Class, FirstUseSample};
use crate::metric::{self, Metric};
use crate::{CaseSummary, ClaimRow, Manifest, MaybeNs, Sample, Summary};
use stats::PairedRatio;

/// A row per claim.
pub fn claim_rows(
    claims: &[Claim],
    manifest: &Manifest,
    (samples, first_use): (&[Sample], &[FirstUseSample]),
    summary: &Summary,
) -> Vec<ClaimRow> {
    rows_of_sorted(claims, (&Sorted::new(manifest, samples), &metric::stored(samples)), first_use, summary)
}

/// The same of samples that are sorted already, and the metrics that they have.
pub fn rows_of_sorted(
    claims: &[Claim],
    (sorted, stored): (&Sorted<'_>, &[Metric]),
    first_use: &[FirstUseSample],
    summary: &Summary,
) -> Vec<ClaimRow> {
    let manifest = sorted.manifest;
    let level = Level::of(manifest);
    let first_uses = first_uses(first_use);
    let mut of_first_use = metric::stored(&first_uses);
    of_first_use.retain(|metric| !metric.is_headline());
    // What nobody published a figure of is not looked at again: it takes as long as the headline.
    let is_published = |metric: &&Metric| claims.iter().any(|claim| claim.test.metric() == Some(&*metric.name));
    let mut by_metric: Vec<Cells<'_>> = stored.iter().filter(is_published).map(|metric| sorted.cells(metric)).collect();
    by_metric.extend(of_first_use.iter().map(|metric| Cells::new(manifest, &first_uses, metric)));
    let cells = |metric: &str| by_metric.iter().find(|cells| cells.metric.name == metric);
    let nothing = Answer { ratio: PairedRatio { n: 0, ratio: None, interval: None }, margin: level.margin.value() };
    // What is no row of its own in the summary can be published by somebody all the same.
    let is_beyond = |cells: &&Cells<'_>| !summary.cases.iter().any(|row| row.metric == cells.metric.name);
    let beyond = by_metric.iter().filter(is_beyond);
    let beyond = beyond.flat_map(|cells| rows::case_rows(cells, level.confidence));
    let cases: Vec<CaseSummary> = summary.cases.iter().cloned().chain(beyond).collect();
    let evidence = Evidence {
        manifest,
        sizes: &summary.sizes,
        cases: &cases,
        paired: &|question: Question<'_>| {
            cells(question.metric).map_or(nothing, |cells| ratios::answer(cells, &summary.resolutions, question, level))
        },
        slopes: &|question: Question<'_>| {
            let ratio = |cells| sweeps::slope_ratio(cells, question, &cases, level);
            Answer { ratio: cells(question.metric).map_or(nothing.ratio, ratio), ..nothing }
        },
    };
    judge(claims, &evidence)
}

/// The runs of an image that was not pulled, from the registry of the run itself: the pull, and all of it, as metrics.
fn first_uses(lines: &[FirstUseSample]) -> Vec<Sample> {
    let not_pulled = lines.iter().filter(|line| line.class == Class::NotPulled && line.link.is_none());
    let sample = |line: &FirstUseSample| {
        let value = |name: &str, metric: &'static str| Some((metric, *line.values.get(name)?));
        let values = [value(first_use::PULL, metric::PULL), value(first_use::WALL, metric::FIRST_USE)];
        Sample {
            bench: (&line.bench).into(),
            case: (&line.case).into(),
            round: line.round,
            position: line.position,
            warmup: false,
            values: values.into_iter().flatten().collect(),
            user_ns: MaybeNs::NONE,
            system_ns: MaybeNs::NONE,
            outcome: line.outcome,
            reason: line.reason.as_ref().map(Into::into),
            output_sha256: line.output_sha256.as_ref().map(Into::into),
        }
    };
    not_pulled.map(sample).collect()
}
