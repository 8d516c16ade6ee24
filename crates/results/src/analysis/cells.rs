//! The samples of a run, sorted into the cells of its manifest: the values of one metric.
//!
//! Not here: any statistic.

use std::sync::Arc;

use crate::audit::places;
use crate::case::{Case, Cell};
use crate::metric::Metric;
use crate::{BenchRecord, Manifest, Sample};
use samples::{Places, Runs};

/// The samples of a run by bench × cell, each in the order of its rounds. Sorting a million takes its time: it is done once,
/// for every metric.
#[derive(Debug)]
pub struct Sorted<'a> {
    /// The run.
    pub manifest: &'a Manifest,
    places: Arc<Places<'a>>,
    samples: samples::Sorted<'a>,
    /// Rounds that have a sample, warm-up included.
    pub rounds: u32,
}

/// Every bench × cell of a manifest, in its order, with what was measured.
pub struct Cells<'a> {
    /// The run.
    pub manifest: &'a Manifest,
    /// What the values are of.
    pub metric: &'a Metric,
    /// Rounds that have a sample, warm-up included.
    pub rounds: u32,
    places: Arc<Places<'a>>,
    by_place: Vec<Runs<'a>>,
}

impl<'a> Sorted<'a> {
    /// Sorts the samples. Those of a bench or cell that the manifest does not name are left out; what else is wrong
    /// with a stored run was sorted out when it was read (`results::audit`).
    pub fn new(manifest: &'a Manifest, samples: &'a [Sample]) -> Self {
        let places = places(manifest);
        let sorted = places.sorted(samples);
        let rounds = samples.iter().map(|sample| sample.round.saturating_add(1)).max().unwrap_or(0);
        Self { manifest, places: Arc::new(places), samples: sorted, rounds }
    }

    /// The values of a metric.
    pub fn cells(&self, metric: &'a Metric) -> Cells<'a> {
        Cells {
            manifest: self.manifest,
            metric,
            rounds: self.rounds,
            places: Arc::clone(&self.places),
            by_place: self.samples.runs(&metric.name),
        }
    }
}

impl<'a> Cells<'a> {
    /// The values of one metric, where no other is asked for.
    pub fn new(manifest: &'a Manifest, samples: &'a [Sample], metric: &'a Metric) -> Self {
        Sorted::new(manifest, samples).cells(metric)
    }

    /// The runs of one cell; `None` for one that the manifest does not have.
    pub fn get(&self, bench: &str, cell: &str) -> Option<&Runs<'a>> {
        self.by_place.get(self.places.place(bench, cell)?)
    }

    /// Every bench × cell that the metric is of, in the manifest's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a BenchRecord, &'a Cell, &Runs<'a>)> {
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
