//! Samples by bench × cell, and the values of a metric of one.
//!
//! Not here: any statistic, and which cells belong together (`results`).

use rustc_hash::FxHashMap;
use stats::Timed;

use super::{Outcome, Sample, Values};

/// Where a bench × cell is among all of them.
#[derive(Debug)]
pub struct Places<'a> {
    benches: FxHashMap<&'a str, usize>,
    cells: FxHashMap<&'a str, usize>,
    /// Benches, and cells of each. A manifest that names one twice has more of them than names.
    counts: [usize; 2],
}

impl<'a> Places<'a> {
    /// Of these benches and cells, in their order.
    pub fn new(benches: Vec<&'a str>, cells: Vec<&'a str>) -> Self {
        let counts = [benches.len(), cells.len()];
        Self { benches: benches.into_iter().zip(0..).collect(), cells: cells.into_iter().zip(0..).collect(), counts }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.counts[0] * self.counts[1]
    }

    /// The place of one: benches one after the other, with all cells each.
    pub fn place(&self, bench: &str, cell: &str) -> Option<usize> {
        let (bench, cell) = self.benches.get(bench).zip(self.cells.get(cell))?;
        Some(bench * self.counts[1] + cell)
    }

    /// The samples in the order of the rounds, each with its place; those that have none are left out.
    ///
    /// # Panics
    /// Beyond 2³² samples or places, which no memory holds.
    pub fn sorted<'s>(&self, samples: &'s [Sample]) -> Sorted<'s> {
        let half = |number: usize| u32::try_from(number).expect("no memory holds so many");
        let placed =
            |(number, sample): (usize, &Sample)| Some((half(self.place(&sample.bench, &sample.case)?), half(number)));
        let mut order: Vec<(u32, u32)> = samples.iter().enumerate().filter_map(placed).collect();
        order.sort_by_key(|(_, number)| (samples[*number as usize].round, samples[*number as usize].position));
        Sorted { samples, order, places: self.count() }
    }
}

/// Samples in the order of the rounds, each with the place of its bench × cell.
#[derive(Debug)]
pub struct Sorted<'s> {
    samples: &'s [Sample],
    /// The place of each, and its number among the samples: half of what an address takes, a million times.
    order: Vec<(u32, u32)>,
    places: usize,
}

impl<'s> Sorted<'s> {
    /// The values of a metric by place, in the order of the rounds. All samples are gone through as they lie in memory, which
    /// is that order: cell by cell each would have to be fetched from elsewhere.
    pub fn runs(&self, metric: &str) -> Vec<Runs<'s>> {
        let mut by_place = vec![Runs::default(); self.places];
        // As many of each, in a whole run: what grows to that by itself is there twice for a moment.
        let of_each = self.order.len().div_ceil(self.places.max(1));
        for runs in &mut by_place {
            runs.ok.reserve_exact(of_each);
        }
        let mut last: Option<(&Values, Option<usize>)> = None;
        for (place, number) in &self.order {
            let sample = &self.samples[*number as usize];
            let column = match last {
                Some((values, column)) if values.shares_names_with(&sample.values) => column,
                _ => sample.values.keys().position(|name| name == metric),
            };
            last = Some((&sample.values, column));
            by_place[*place as usize].add(sample, column.map(|column| sample.values.numbers()[column]));
        }
        for runs in &mut by_place {
            runs.ok.shrink_to_fit();
        }
        by_place
    }
}

/// Samples by bench and cell, in their order.
pub type ByCell<'a> = FxHashMap<(&'a str, &'a str), Vec<&'a Sample>>;

/// Every sample of each bench and cell, in their order.
pub fn by_cell(samples: &[Sample]) -> ByCell<'_> {
    let mut counts: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    for sample in samples {
        *counts.entry((&sample.bench, &sample.case)).or_default() += 1;
    }
    // What grows by itself is there twice for a moment.
    let mut cells: ByCell<'_> = counts.into_iter().map(|(cell, count)| (cell, Vec::with_capacity(count))).collect();
    for sample in samples {
        cells.entry((&sample.bench, &sample.case)).or_default().push(sample);
    }
    cells
}

/// Of a cell's samples those that count and ended well.
pub fn counted<'a>(samples: &[&'a Sample]) -> Vec<&'a Sample> {
    samples.iter().copied().filter(|sample| !sample.warmup && sample.outcome == Outcome::Ok).collect()
}

/// Those that have a time, whatever became of them, each with it in ms.
pub fn timed<'a>(samples: &[&'a Sample]) -> Vec<(&'a Sample, f64)> {
    samples.iter().filter_map(|sample| Some((*sample, sample.wall_ns()? as f64 / 1e6))).collect()
}

/// Times, user times and system times in s, of those that have them.
pub fn seconds(samples: &[&Sample]) -> [Vec<f64>; 3] {
    let mut seconds: [Vec<f64>; 3] = Default::default();
    // Once through the samples, which lie far from each other in memory.
    for sample in samples {
        for (seconds, ns) in seconds.iter_mut().zip([sample.wall_ns(), sample.user_ns.get(), sample.system_ns.get()]) {
            seconds.extend(ns.map(|ns| ns as f64 / 1e9));
        }
    }
    seconds
}

/// Those of some rounds, which are in order.
pub fn of_rounds<'a>(samples: &[&'a Sample], rounds: &[u32]) -> Vec<&'a Sample> {
    samples.iter().copied().filter(|sample| rounds.binary_search(&sample.round).is_ok()).collect()
}

/// The rounds of which any of these cells has a sample, in order.
pub fn rounds(cells: &[&[&Sample]]) -> Vec<u32> {
    let mut rounds: Vec<u32> = cells.iter().flat_map(|samples| samples.iter().map(|sample| sample.round)).collect();
    rounds.sort_unstable();
    rounds.dedup();
    rounds
}

/// The runs of one cell of one bench.
#[derive(Clone, Debug, Default)]
pub struct Runs<'a> {
    /// Counted runs with outcome `ok` that have a value, by round; in the metric's unit.
    pub ok: Vec<Timed>,
    /// Counted runs with outcome `ok` and no value of the metric: not measured, which is not zero.
    pub without: usize,
    /// Counted runs with any other outcome.
    pub failed: Vec<&'a Sample>,
    /// The first run with outcome `ok` and a value, warm-up included.
    pub first: Option<f64>,
}

impl<'a> Runs<'a> {
    fn add(&mut self, sample: &'a Sample, value: Option<u64>) {
        let is_ok = sample.outcome == Outcome::Ok;
        let value = value.filter(|_| is_ok).map(|value| value as f64);
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
    pub fn commonest_failure(&self) -> Option<(&'a str, usize)> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for sample in &self.failed {
            let reason = sample.reason.as_deref().unwrap_or_else(|| outcome_in_words(sample.outcome));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A manifest can be damaged, too.
    #[test]
    fn a_name_that_is_there_twice_has_a_place_among_all() {
        let places = Places::new(vec!["x", "y"], vec!["a", "a", "b"]);
        assert_eq!((places.count(), places.place("y", "b"), places.place("x", "a")), (6, Some(5), Some(1)));
        assert_eq!((places.place("z", "a"), places.place("x", "c")), (None, None));
    }
}
