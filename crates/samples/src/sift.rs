//! Samples held against the plan of their run: each at its place, and once.
//!
//! Not here: what is said about those that are not (`results::audit`).

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use super::Sample;
use super::cells::Places;

/// What a run was to be.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Its benches and cells.
    pub places: &'a Places<'a>,
    /// So many rounds come first and do not count.
    pub warmup_rounds: u32,
    /// All rounds, those among them.
    pub rounds: u64,
}

/// What has a place in the plan, and how much has not.
#[derive(Debug)]
pub struct Sifted {
    /// The samples that the plan has a place for, each once, in their order.
    pub samples: Vec<Sample>,
    /// By the place of their cell and their round.
    pub runs: Marks,
    /// Of a bench or cell that is not in the plan.
    pub strangers: usize,
    /// Of a round or place that is not in the plan.
    pub misplaced: usize,
    /// Of a run, or at a place, of which there was one already.
    pub repeated: usize,
}

/// Sorts out the samples that the plan has no place for, or has already.
pub fn sift(samples: Vec<Sample>, plan: &Plan<'_>) -> Sifted {
    let mut kept = Sifted { samples: Vec::new(), runs: Marks::default(), strangers: 0, misplaced: 0, repeated: 0 };
    let mut places = Marks::default();
    let mut samples = samples;
    samples.retain(|sample| kept.keeps(sample, plan, &mut places));
    kept.samples = samples;
    kept
}

impl Sifted {
    fn keeps(&mut self, sample: &Sample, plan: &Plan<'_>, places: &mut Marks) -> bool {
        let Some(slot) = plan.places.place(&sample.bench, &sample.case) else {
            self.strangers += 1;
            return false;
        };
        if u64::from(sample.round) >= plan.rounds
            || sample.position as usize >= plan.places.count()
            || sample.warmup != (sample.round < plan.warmup_rounds)
        {
            self.misplaced += 1;
            return false;
        }
        let run = self.runs.mark(slot as u64, sample.round);
        let place = places.mark(sample.round.into(), sample.position);
        if run.is_set() || place.is_set() {
            self.repeated += 1;
            return false;
        }
        run.set();
        place.set();
        true
    }
}

/// Which pairs of numbers were seen: a bit for each, as a set of pairs takes fifty times the room.
#[derive(Debug, Default)]
pub struct Marks(FxHashMap<(u64, u32), u64>);

/// One of the bits.
struct Mark<'a> {
    word: &'a mut u64,
    bit: u64,
}

impl Mark<'_> {
    fn is_set(&self) -> bool {
        *self.word & self.bit != 0
    }

    fn set(self) {
        *self.word |= self.bit;
    }
}

impl Marks {
    fn mark(&mut self, row: u64, column: u32) -> Mark<'_> {
        Mark { word: self.0.entry((row, column / 64)).or_default(), bit: 1 << (column % 64) }
    }

    /// The columns that were seen of each row.
    pub fn by_row(&self) -> HashMap<u64, Columns> {
        let mut rows: HashMap<u64, Columns> = HashMap::new();
        for ((row, block), word) in self.0.iter().filter(|(_, word)| **word != 0) {
            rows.entry(*row).or_default().0.push((u64::from(*block) * 64, *word));
        }
        rows
    }
}

/// Columns that were seen: the first of 64, and which of these.
#[derive(Debug, Default)]
pub struct Columns(Vec<(u64, u64)>);

impl Columns {
    /// What comes after the last one.
    pub fn end(&self) -> u64 {
        self.0.iter().map(|(first, word)| first + 64 - u64::from(word.leading_zeros())).max().unwrap_or(0)
    }

    /// How many there are before this one.
    pub fn before(&self, end: u64) -> u64 {
        let of_block = |(first, word): &(u64, u64)| {
            let kept = end.saturating_sub(*first).min(64);
            let mask = if kept == 64 { u64::MAX } else { (1 << kept) - 1 };
            u64::from((word & mask).count_ones())
        };
        self.0.iter().map(of_block).sum()
    }
}
