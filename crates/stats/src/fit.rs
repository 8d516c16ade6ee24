//! Fixed and marginal cost: `T = a + b·n` over a size sweep, with intervals by a bootstrap of rounds.
//!
//! Not here: which benches form a sweep (`analysis`).

pub mod pair;

use super::describe::{Samples, median_of_ascending};
use super::interval::{Confidence, Interval};
use super::paired::PairedRatio;
use super::random::{Random, Stream};

/// Replicates of the bootstrap: enough for the ends of a 95 % percentile interval (Efron and Tibshirani,
/// *An Introduction to the Bootstrap*, 1993, section 14.3).
pub const REPLICATES: usize = 999;
/// Below this many complete rounds a bootstrap of medians is not worth its name.
pub const ROUNDS_MIN: usize = 6;

/// The sizes of a sweep and what was measured at each.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    sizes: Vec<f64>,
    /// `rounds[r][s]`: the time at size `s` in round `r`.
    rounds: Vec<Vec<f64>>,
}

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The time at n = 0.
    pub fixed: f64,
    /// The time per unit of n.
    pub marginal: f64,
}

/// A fitted line, with an interval for each of its two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepFit {
    /// The line through the medians of all rounds.
    pub line: Line,
    /// Percentile interval of the fixed cost.
    pub fixed: Interval,
    /// Percentile interval of the marginal cost.
    pub marginal: Interval,
    /// The greatest `|median − line| / median` over the sizes: how far from straight the sweep is.
    pub misfit: f64,
}

impl Sweep {
    /// The complete rounds of a sweep: every round has one value above 0 for each size, all finite, and there
    /// are at least two different sizes. `None` otherwise.
    pub fn new(sizes: Vec<f64>, rounds: Vec<Vec<f64>>) -> Option<Self> {
        let positive = |value: &f64| *value > 0.0 && *value <= 1e150;
        let complete = rounds.iter().all(|round| round.len() == sizes.len() && round.iter().all(positive));
        let least = sizes.iter().copied().fold(f64::INFINITY, f64::min);
        let spread = sizes.iter().any(|size| *size > least);
        let finite = sizes.iter().all(|size| size.abs() <= 1e150);
        (complete && spread && finite && !rounds.is_empty()).then_some(Self { sizes, rounds })
    }

    /// The median time at each size.
    pub fn medians(&self) -> Vec<f64> {
        self.columns().iter().map(|column| median_of_ascending(column.ascending())).collect()
    }

    fn columns(&self) -> Vec<Samples> {
        (0..self.sizes.len())
            .filter_map(|size| Samples::new(self.rounds.iter().map(|round| round[size]).collect()))
            .collect()
    }

    /// The line and its intervals; `None` below [`ROUNDS_MIN`] rounds.
    ///
    /// The line is the least-squares line of *relative* errors through the per-size medians: weights
    /// `1/median²`. The median of each size keeps spikes out; the weights say what timing noise is like,
    /// proportional to the time, so that neither the largest size decides the fixed cost nor the smallest
    /// the marginal one, as they would in plain least squares over sizes that span decades. (Theil–Sen on
    /// the medians gives the noisy slopes between small sizes as many votes as the precise ones.)
    ///
    /// Intervals: percentile bootstrap (Efron and Tibshirani 1993, section 13.3) of whole rounds, so that
    /// what the sizes of one round have in common stays together.
    pub fn fit(&self, confidence: Confidence, seed: u64) -> Option<SweepFit> {
        if self.rounds.len() < ROUNDS_MIN {
            return None;
        }
        let medians = self.medians();
        let line = self.line_through(&medians)?;
        let (fixed, marginal): (Vec<f64>, Vec<f64>) =
            self.bootstrap(seed).into_iter().map(|line| (line.fixed, line.marginal)).unzip();
        let misfit = self
            .sizes
            .iter()
            .zip(&medians)
            .map(|(size, median)| (line.fixed + line.marginal * size - median).abs() / median)
            .fold(0.0, f64::max);
        Some(SweepFit {
            line,
            fixed: percentile_interval(fixed, confidence)?,
            marginal: percentile_interval(marginal, confidence)?,
            misfit,
        })
    }

    /// The lines of [`REPLICATES`] resamples of the rounds.
    fn bootstrap(&self, seed: u64) -> Vec<Line> {
        let orders = self.orders();
        resamples(self.rounds.len(), seed, |counts| self.line_of(&orders, counts))
    }

    /// For each size, the rounds in ascending order of their time.
    fn orders(&self) -> Vec<Vec<usize>> {
        (0..self.sizes.len()).map(|size| self.order_of(size)).collect()
    }

    /// The line through the medians when each round counts as often as it was drawn.
    fn line_of(&self, orders: &[Vec<usize>], counts: &[usize]) -> Option<Line> {
        let n = self.rounds.len();
        let median = |(size, order): (usize, &Vec<usize>)| {
            let at = |rank| self.rounds[round_of_rank([order, counts], rank)][size];
            f64::midpoint(at((n - 1) / 2), at(n / 2))
        };
        let medians: Vec<f64> = orders.iter().enumerate().map(median).collect();
        self.line_through(&medians)
    }

    /// `argmin Σ ((a + b·nᵢ − tᵢ)/tᵢ)²`: weighted least squares with weights `1/tᵢ²` in closed form. `None` when
    /// the sizes do not differ.
    fn line_through(&self, times: &[f64]) -> Option<Line> {
        let weights: Vec<f64> = times.iter().map(|time| 1.0 / (time * time)).collect();
        let total: f64 = weights.iter().sum();
        let weighted =
            |values: &[f64]| values.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() / total;
        let (centre_size, centre_time) = (weighted(&self.sizes), weighted(times));
        let (mut product, mut square) = (0.0, 0.0);
        for ((size, time), weight) in self.sizes.iter().zip(times).zip(&weights) {
            product += weight * (size - centre_size) * (time - centre_time);
            square += weight * (size - centre_size).powi(2);
        }
        let marginal = product / square;
        let fixed = centre_time - marginal * centre_size;
        (marginal.is_finite() && fixed.is_finite()).then_some(Line { fixed, marginal })
    }

    /// The rounds in ascending order of their time at one size.
    fn order_of(&self, size: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rounds.len()).collect();
        order.sort_by(|left, right| self.rounds[*left][size].total_cmp(&self.rounds[*right][size]));
        order
    }
}

/// The ratio of the marginal costs of two sweeps whose rounds are the same ones, in the same order. The interval is the
/// percentile bootstrap of [`Sweep::fit`]: each replicate resamples the same rounds on both sides, so that what slows a
/// whole round cancels. No ratio where a slope is not above 0, and none below [`ROUNDS_MIN`] rounds.
pub fn marginal_ratio(case: &Sweep, baseline: &Sweep, confidence: Confidence, seed: u64) -> PairedRatio {
    let n = case.rounds.len().min(baseline.rounds.len());
    let none = PairedRatio { n, ratio: None, interval: None };
    if case.rounds.len() != baseline.rounds.len() || n < ROUNDS_MIN {
        return none;
    }
    let ratio = |case: Line, baseline: Line| {
        (case.marginal > 0.0 && baseline.marginal > 0.0).then(|| case.marginal / baseline.marginal)
    };
    let line = |sweep: &Sweep| sweep.line_through(&sweep.medians());
    let Some(centre) = line(case).zip(line(baseline)).and_then(|(case, baseline)| ratio(case, baseline)) else {
        return none;
    };
    // The generator is seeded alike on both sides: replicate by replicate the same rounds are drawn.
    let replicates = case.bootstrap(seed).into_iter().zip(baseline.bootstrap(seed));
    let ratios: Option<Vec<f64>> = replicates.map(|(case, baseline)| ratio(case, baseline)).collect();
    PairedRatio {
        ratio: Some(centre),
        interval: ratios.and_then(|ratios| percentile_interval(ratios, confidence)),
        ..none
    }
}

/// What follows from each of [`REPLICATES`] resamples of `n` rounds, drawn with replacement: how often each was drawn.
fn resamples<T>(n: usize, seed: u64, mut each: impl FnMut(&[usize]) -> Option<T>) -> Vec<T> {
    let mut counts = vec![0_usize; n];
    let mut random = Random::new(seed, Stream(u64::MAX));
    let mut found = Vec::with_capacity(REPLICATES);
    for _ in 0..REPLICATES {
        counts.fill(0);
        for _ in 0..n {
            counts[random.index(n)] += 1;
        }
        found.extend(each(&counts));
    }
    found
}

/// The round that holds this rank (from 0) when each counts as often as it was drawn.
fn round_of_rank([order, counts]: [&[usize]; 2], rank: usize) -> usize {
    let mut seen = 0;
    for round in order {
        seen += counts[*round];
        if seen > rank {
            return *round;
        }
    }
    order[order.len() - 1]
}

/// The order statistics of rank `(B + 1)·α/2` from either end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the replicates")]
fn percentile_interval(values: Vec<f64>, confidence: Confidence) -> Option<Interval> {
    let values = Samples::new(values)?;
    let n = values.n();
    let rank = (((n as f64 + 1.0) * confidence.alpha() / 2.0 + 1e-9).floor() as usize).clamp(1, n.div_ceil(2));
    Some(Interval {
        low: values.ascending()[rank - 1],
        high: values.ascending()[n - rank],
        confidence: confidence.value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{ours} is not {theirs}");
    }

    /// Rounds of a sweep with relative noise, five sizes over four decades.
    fn noisy(random: &mut Random, rounds: usize) -> Sweep {
        let sizes = vec![1e3, 1e4, 1e5, 1e6, 1e7];
        let round = |random: &mut Random| {
            let level = (0.05 * random.normal()).exp();
            sizes.iter().map(|size| level * (2e6 + 3.0 * size) * (0.03 * random.normal()).exp()).collect()
        };
        let rounds = (0..rounds).map(|_| round(random)).collect();
        Sweep::new(sizes.clone(), rounds).unwrap()
    }

    #[test]
    fn the_ratio_of_two_slopes_holds_the_true_one_and_rounds_cancel() {
        let sizes = vec![1e3, 1e6, 2e6, 4e6];
        let mut random = Random::new(3, Stream(1));
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for _ in 0..30 {
            // What slows the whole round, by up to a half, and a little noise of each run.
            let level = 1.0 + random.index(50) as f64 / 100.0;
            let mut round = |slope: f64| -> Vec<f64> {
                sizes.iter().map(|size| level * (2e6 + slope * size) * (0.01 * random.normal()).exp()).collect()
            };
            above.push(round(12.0));
            below.push(round(3.0));
        }
        let sweep = |rounds: &[Vec<f64>]| Sweep::new(sizes.clone(), rounds.to_vec()).unwrap();
        let (above, below) = (sweep(&above), sweep(&below));
        let ratio = marginal_ratio(&above, &below, Confidence::DEFAULT, 7);
        let interval = ratio.interval.unwrap();
        assert!(interval.low < 4.0 && 4.0 < interval.high && interval.high / interval.low < 1.1, "{interval:?}");
        assert_eq!(ratio, marginal_ratio(&above, &below, Confidence::DEFAULT, 7));
        let few = Sweep::new(sizes.clone(), above.rounds[..5].to_vec()).unwrap();
        assert_eq!(marginal_ratio(&few, &few, Confidence::DEFAULT, 7).ratio, None);
        assert_eq!(marginal_ratio(&above, &few, Confidence::DEFAULT, 7).ratio, None);
    }

    #[test]
    fn a_straight_line_is_found_exactly() {
        let sizes = vec![1.0, 10.0, 100.0, 1000.0];
        let rounds = vec![sizes.iter().map(|size| 7.0 + 0.5 * size).collect(); 6];
        let fit = Sweep::new(sizes, rounds).unwrap().fit(Confidence::DEFAULT, 1).unwrap();
        close(fit.line.fixed, 7.0);
        close(fit.line.marginal, 0.5);
        close(fit.fixed.low, 7.0);
        close(fit.marginal.high, 0.5);
        close(fit.misfit, 0.0);
    }

    /// By hand: sizes 0 and 1 and 2 with times 1, 2, 2 have weights 4/4, 1/4, 1/4 (times 4): the centre is
    /// (0.5, 4/3), the slope (1·0.5·⅓ + ¼·0.5·⅔ + ¼·1.5·⅔)/(0.25 + 0.0625 + 0.5625) = ½/⅞ = 4/7.
    #[test]
    fn weights_are_those_of_relative_errors() {
        let times = vec![1.0, 2.0, 2.0];
        let sweep = Sweep::new(vec![0.0, 1.0, 2.0], vec![times.clone()]).unwrap();
        let line = sweep.line_through(&times).unwrap();
        close(line.marginal, 4.0 / 7.0);
        close(line.fixed, 4.0 / 3.0 - 4.0 / 7.0 * 0.5);
    }

    #[test]
    fn a_round_counts_as_often_as_it_was_drawn() {
        let (order, counts) = ([2, 0, 1], [2, 0, 1]);
        let rounds: Vec<usize> = (0..3).map(|rank| round_of_rank([&order, &counts], rank)).collect();
        assert_eq!(rounds, [2, 0, 0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let sweep = noisy(&mut Random::new(3, Stream(0)), 20);
        assert_eq!(sweep.fit(Confidence::DEFAULT, 9), sweep.fit(Confidence::DEFAULT, 9));
        assert_ne!(sweep.fit(Confidence::DEFAULT, 9), sweep.fit(Confidence::DEFAULT, 10));
    }

    #[test]
    fn what_is_no_sweep_has_no_fit() {
        assert_eq!(Sweep::new(vec![], vec![]), None);
        assert_eq!(Sweep::new(vec![5.0, 5.0], vec![vec![1.0, 1.0]]), None);
        assert_eq!(Sweep::new(vec![1.0, 2.0], vec![vec![1.0, 0.0]]), None);
        assert_eq!(Sweep::new(vec![1.0, 2.0], vec![vec![1.0]]), None);
        let short = Sweep::new(vec![1.0, 2.0], vec![vec![1.0, 2.0]; 5]).unwrap();
        assert_eq!(short.fit(Confidence::DEFAULT, 1), None);
        assert_eq!(short.medians(), [1.0, 2.0]);
    }

    #[test]
    fn a_bent_sweep_says_so() {
        let sizes = vec![1.0, 10.0, 100.0, 1000.0];
        let rounds = vec![vec![10.0, 20.0, 60.0, 2000.0]; 6];
        assert!(Sweep::new(sizes, rounds).unwrap().fit(Confidence::DEFAULT, 1).unwrap().misfit > 0.2);
    }

    /// The percentile bootstrap of medians is approximate. Of 2,000 sweeps of 30 rounds the interval of the
    /// fixed cost held the truth in 95.2 %, that of the marginal cost in 96.2 %; the test makes do with 200.
    #[test]
    fn the_intervals_cover_the_true_line() {
        let mut random = Random::new(5, Stream(0));
        let (mut fixed, mut marginal) = (0, 0);
        for seed in 0..200 {
            let fit = noisy(&mut random, 30).fit(Confidence::DEFAULT, seed).unwrap();
            fixed += u32::from(fit.fixed.contains(2e6));
            marginal += u32::from(fit.marginal.contains(3.0));
        }
        assert!(fixed >= 182 && marginal >= 182, "{fixed} and {marginal} of 200");
    }
}
