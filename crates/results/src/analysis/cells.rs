//! The samples of a run, sorted into the cells of its manifest: the values of one metric.
//!
//! Not here: any statistic.

use std::collections::BTreeMap;

use crate::case::{Case, Cell};
use crate::metric::Metric;
use crate::{BenchRecord, Manifest, Outcome, Sample};
use stats::Timed;

/// Every bench × cell of a manifest, in its order, with what was measured.
pub struct Cells<'a> {
    /// The run.
    pub manifest: &'a Manifest,
    /// What the values are of.
    pub metric: &'a Metric,
    /// Rounds that have a sample, warm-up included.
    pub rounds: u32,
    by_bench: BTreeMap<&'a str, BTreeMap<&'a str, CellRuns<'a>>>,
}

/// The runs of one cell of one bench.
#[derive(Clone, Debug, Default)]
pub struct CellRuns<'a> {
    /// Counted runs with outcome `ok` that have a value, by round; in the metric's unit.
    pub ok: Vec<Timed>,
    /// Counted runs with outcome `ok` and no value of the metric: not measured, which is not zero.
    pub without: usize,
    /// Counted runs with any other outcome.
    pub failed: Vec<&'a Sample>,
    /// The first run with outcome `ok` and a value, warm-up included.
    pub first: Option<f64>,
}

impl<'a> Cells<'a> {
    /// Sorts the samples. Those of a bench or cell that the manifest does not name are left out; what else is wrong
    /// with a stored run was sorted out when it was read (`results::audit`).
    pub fn new(manifest: &'a Manifest, samples: &'a [Sample], metric: &'a Metric) -> Self {
        let row = || manifest.cells.iter().map(|cell| (cell.name.as_str(), CellRuns::default())).collect();
        let mut by_bench: BTreeMap<&str, BTreeMap<&str, CellRuns<'_>>> =
            manifest.benches.iter().map(|bench| (bench.name.as_str(), row())).collect();
        let mut in_order: Vec<&Sample> = samples.iter().collect();
        in_order.sort_by_key(|sample| (sample.round, sample.position));
        for sample in in_order {
            if let Some(runs) =
                by_bench.get_mut(sample.bench.as_str()).and_then(|row| row.get_mut(sample.case.as_str()))
            {
                runs.add(sample, &metric.name);
            }
        }
        let rounds = samples.iter().map(|sample| sample.round.saturating_add(1)).max().unwrap_or(0);
        Self { manifest, metric, rounds, by_bench }
    }

    /// The runs of one cell; `None` for one that the manifest does not have.
    pub fn get(&self, bench: &str, cell: &str) -> Option<&CellRuns<'a>> {
        self.by_bench.get(bench)?.get(cell)
    }

    /// Every bench × cell that the metric is of, in the manifest's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a BenchRecord, &'a Cell, &CellRuns<'a>)> {
        self.manifest.benches.iter().flat_map(move |bench| {
            self.cells().filter_map(move |cell| Some((bench, cell, self.get(&bench.name, &cell.name)?)))
        })
    }

    /// The cases of the run, twins left out, in the manifest's order.
    pub fn cases(&self) -> Vec<&'a Case> {
        self.cells().filter(|cell| !cell.is_twin()).map(|cell| &cell.case).collect()
    }

    /// The cells that measure a case once more.
    pub fn twins(&self) -> impl Iterator<Item = &'a Cell> {
        self.cells().filter(|cell| cell.is_twin())
    }

    /// The cells whose runs have values of the metric.
    fn cells(&self) -> impl Iterator<Item = &'a Cell> {
        self.manifest.cells.iter().filter(|cell| self.metric.is_of(&cell.case))
    }
}

impl<'a> CellRuns<'a> {
    fn add(&mut self, sample: &'a Sample, metric: &str) {
        let is_ok = sample.outcome == Outcome::Ok;
        let value = sample.value(metric).filter(|_| is_ok).map(|value| value as f64);
        self.first = self.first.or(value);
        if sample.warmup {
            return;
        }
        match value {
            Some(value) => self.ok.push(Timed { round: sample.round, value }),
            None if is_ok => self.without += 1,
            None => self.failed.push(sample),
        }
    }

    /// The values alone.
    pub fn values(&self) -> Vec<f64> {
        self.ok.iter().map(|timed| timed.value).collect()
    }

    /// The commonest reason among the failures, and how many had it; of equally common ones the first.
    pub fn commonest_failure(&self) -> Option<(String, usize)> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for sample in &self.failed {
            let reason = sample.reason.clone().unwrap_or_else(|| outcome_in_words(sample.outcome).to_owned());
            match counts.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => counts.push((reason, 1)),
            }
        }
        // `max_by_key` keeps the last of equals: hence the reversal.
        counts.into_iter().rev().max_by_key(|(_, count)| *count)
    }
}

/// For a failure that gave no reason.
fn outcome_in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "it did not fail",
        Outcome::WrongOutput => "it printed something else than expected",
        Outcome::NonZeroExit => "it exited with another status than 0",
        Outcome::Killed => "a signal ended it",
        Outcome::TimedOut => "it was still running at the time limit",
        Outcome::NotStarted => "it could not be started",
    }
}
