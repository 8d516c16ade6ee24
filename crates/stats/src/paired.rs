//! The ratio of two cells of one run, paired by round.
//!
//! Not here: what the ratio means (`verdict`), ratios between runs (`unpaired`).

use std::borrow::Cow;

use super::describe::middle;
use super::interval::{Confidence, Interval};

/// One value, and the round that it was measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// The round: what pairs it with the value of another cell.
    pub round: u32,
    /// The value; nanoseconds, where it is a time.
    pub value: f64,
}

/// Two cells of one run.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What is compared.
    pub case: &'a [Timed],
    /// What it is divided by.
    pub baseline: &'a [Timed],
}

/// A ratio with its interval, absent where n has no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedRatio {
    /// Rounds in which both cells have a value.
    pub n: usize,
    /// Median over rounds of case / baseline.
    pub ratio: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
}

impl PairedRatio {
    /// Baseline over case: the median of the negated logarithms is the negated median, and so for the ends.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let interval =
            |from: Interval| Interval { low: 1.0 / from.high, high: 1.0 / from.low, confidence: from.confidence };
        Self { n: self.n, ratio: self.ratio.map(|ratio| 1.0 / ratio), interval: self.interval.map(interval) }
    }

    /// The width of the interval as a fraction of the ratio: `(high − low) / ratio`.
    pub fn relative_width(&self) -> Option<f64> {
        let (ratio, interval) = (self.ratio?, self.interval?);
        Some((interval.high - interval.low) / ratio)
    }
}

/// The logarithms of a series, by round: what is compared with many others is looked at once.
#[derive(Clone, Debug)]
pub struct Logs(Vec<Timed>);

impl Logs {
    /// Of the values above 0. A round that is there twice counts with its last value.
    pub fn new(series: &[Timed]) -> Self {
        let usable = |each: &&Timed| each.value > 0.0 && each.value.is_finite();
        let log = |each: &Timed| Timed { round: each.round, value: each.value.ln() };
        Self(by_round(series).iter().filter(usable).map(log).collect())
    }

    /// `ln(this/baseline)` of every round that both have, in the order of the rounds.
    pub fn over(&self, baseline: &Self) -> Vec<f64> {
        self.rounds_over(baseline).map(|each| each.value).collect()
    }

    fn rounds_over(&self, baseline: &Self) -> impl Iterator<Item = Timed> {
        let mut below = Cursor::new(&baseline.0);
        self.0.iter().filter_map(move |each| Some(Timed { value: each.value - below.at(each.round)?, ..*each }))
    }
}

/// `ln(case/baseline)` of every round in which both have a value above 0, in the order of the rounds. A round
/// that is there twice counts with its last value.
pub fn log_ratios(pair: Pair<'_>) -> Vec<f64> {
    Logs::new(pair.case).over(&Logs::new(pair.baseline))
}

/// The series in the order of its rounds, each round once, with its last value. That is how a run gives it.
pub(super) fn by_round(series: &[Timed]) -> Cow<'_, [Timed]> {
    if series.is_sorted_by(|left, right| left.round < right.round) {
        return series.into();
    }
    let mut sorted = series.to_vec();
    sorted.sort_by_key(|each| each.round);
    // `dedup` keeps the first of those that are alike: hence the reversal, twice.
    sorted.reverse();
    sorted.dedup_by_key(|each| each.round);
    sorted.reverse();
    sorted.into()
}

/// Looks rounds up in a series from [`by_round`], one after the other.
#[derive(Debug)]
pub(super) struct Cursor<'a>(&'a [Timed]);

impl<'a> Cursor<'a> {
    pub(super) fn new(series: &'a [Timed]) -> Self {
        Self(series)
    }

    /// The value of this round; none of an earlier one is asked for afterwards.
    pub(super) fn at(&mut self, round: u32) -> Option<f64> {
        while let [first, rest @ ..] = self.0 {
            if first.round >= round {
                return (first.round == round).then_some(first.value);
            }
            self.0 = rest;
        }
        None
    }
}

/// The median over rounds of `case/baseline`, with the exact order-statistic interval of the median log
/// ratio, mapped back by `exp`.
///
/// What slows or speeds a whole round cancels in its ratio; a spike moves one ratio, not the median. The
/// interval supposes that the log ratios of the rounds are independent with one median, which the random
/// order within each round sees to. Source: the sign-test interval of a median of differences, Conover 1999,
/// section 3.4, on logarithms; blocking: Box, Hunter and Hunter, *Statistics for Experimenters*, 2nd ed.
/// 2005, section 3.2.
pub fn paired_ratio(pair: Pair<'_>, confidence: Confidence) -> PairedRatio {
    ratio_of_logs(log_ratios(pair), confidence)
}

/// The same for several pairs of one kind, such as one on each machine: the median over rounds of the geometric mean of
/// their ratios, in the rounds that all of them have.
///
/// The interval is of these pairs, not of others that might have been there: they are no sample of any more.
pub fn mean_paired_ratio(pairs: &[Pair<'_>], confidence: Confidence) -> PairedRatio {
    let column =
        |pair: &Pair<'_>| -> Vec<Timed> { Logs::new(pair.case).rounds_over(&Logs::new(pair.baseline)).collect() };
    let columns: Vec<Vec<Timed>> = pairs.iter().map(column).collect();
    let Some((first, others)) = columns.split_first() else { return ratio_of_logs(Vec::new(), confidence) };
    let mut others: Vec<Cursor<'_>> = others.iter().map(|column| Cursor::new(column)).collect();
    let mean = |each: &Timed| -> Option<f64> {
        // Each is asked, so that all of them are at this round.
        let logs: Vec<Option<f64>> = others.iter_mut().map(|column| column.at(each.round)).collect();
        let sum: f64 = logs.into_iter().sum::<Option<f64>>()?;
        Some((each.value + sum) / columns.len() as f64)
    };
    ratio_of_logs(first.iter().filter_map(mean).collect(), confidence)
}

/// The same from log ratios.
pub fn ratio_of_logs(logs: Vec<f64>, confidence: Confidence) -> PairedRatio {
    let n = logs.len();
    let Some(logs) = middle(logs, confidence) else { return PairedRatio { n, ratio: None, interval: None } };
    // The ratio of two finite times can still leave the range of f64: then there is none.
    let finite = |value: f64| (value.is_finite() && value > 0.0).then_some(value);
    let interval = logs.interval.map(|interval| interval.map(f64::exp));
    PairedRatio {
        n,
        ratio: finite(logs.median.exp()),
        interval: interval.filter(|interval| finite(interval.low).and(finite(interval.high)).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<Timed> {
        (0..).zip(values).map(|(round, value)| Timed { round, value: *value }).collect()
    }

    fn ratio(case: &[f64], baseline: &[f64]) -> PairedRatio {
        paired_ratio(Pair { case: &series(case), baseline: &series(baseline) }, Confidence::DEFAULT)
    }

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() < 1e-12, "{ours} is not {theirs}");
    }

    /// By hand: the ratios are 1.1, 1.2, 1.3, 1.4, 1.5, 1.6 whatever the level of the round.
    #[test]
    fn six_rounds_have_the_extremes_as_interval() {
        let level = [1.0, 50.0, 3.0, 700.0, 2.0, 9.0];
        let case: Vec<f64> = level.iter().zip([1.3, 1.1, 1.6, 1.2, 1.5, 1.4]).map(|(each, by)| each * by).collect();
        let ours = ratio(&case, &level);
        close(ours.ratio.unwrap(), (1.3_f64 * 1.4).sqrt());
        let interval = ours.interval.unwrap();
        close(interval.low, 1.1);
        close(interval.high, 1.6);
        close(interval.confidence, 0.968_75);
        close(ours.relative_width().unwrap(), 0.5 / (1.3_f64 * 1.4).sqrt());
    }

    #[test]
    fn only_rounds_that_both_have_are_paired() {
        let case = [Timed { round: 1, value: 2.0 }, Timed { round: 3, value: 8.0 }, Timed { round: 4, value: 0.0 }];
        let baseline = [Timed { round: 3, value: 2.0 }, Timed { round: 4, value: 2.0 }, Timed { round: 9, value: 1.0 }];
        let ours = paired_ratio(Pair { case: &case, baseline: &baseline }, Confidence::DEFAULT);
        assert_eq!((ours.n, ours.interval), (1, None));
        close(ours.ratio.unwrap(), 4.0);
    }

    #[test]
    fn the_order_of_a_series_does_not_matter_and_a_round_that_is_there_twice_counts_with_its_last_value() {
        let timed = |pairs: &[(u32, f64)]| -> Vec<Timed> {
            pairs.iter().map(|(round, value)| Timed { round: *round, value: *value }).collect()
        };
        let case = timed(&[(3, 6.0), (1, 5.0), (2, 9.0), (1, 2.0)]);
        let baseline = timed(&[(1, 1.0), (2, 1.0), (2, 3.0), (3, 2.0), (4, 1.0)]);
        let logs = log_ratios(Pair { case: &case, baseline: &baseline });
        assert_eq!(logs, [2.0_f64.ln(), 9.0_f64.ln() - 3.0_f64.ln(), 6.0_f64.ln() - 2.0_f64.ln()]);
    }

    #[test]
    fn swapping_the_cells_inverts_ratio_and_interval() {
        let (left, right) = ([3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [2.0, 2.5, 4.0, 3.0, 6.0, 5.0, 8.0]);
        let (ours, inverse) = (ratio(&left, &right), ratio(&right, &left));
        close(ours.ratio.unwrap() * inverse.ratio.unwrap(), 1.0);
        close(ours.inverse().ratio.unwrap(), inverse.ratio.unwrap());
        close(ours.inverse().interval.unwrap().high, inverse.interval.unwrap().high);
        close(ours.interval.unwrap().low * inverse.interval.unwrap().high, 1.0);
    }

    #[test]
    fn several_pairs_are_one_in_the_rounds_that_all_of_them_have() {
        let (twice, eightfold, level) = ([2.0; 6], [8.0; 5], [1.0; 6]);
        let (twice, eightfold, level) = (series(&twice), series(&eightfold), series(&level));
        let pairs = [Pair { case: &twice, baseline: &level }, Pair { case: &eightfold, baseline: &level }];
        let ours = mean_paired_ratio(&pairs, Confidence::DEFAULT);
        assert_eq!((ours.n, ours.interval), (5, None));
        close(ours.ratio.unwrap(), 4.0);
        assert_eq!(mean_paired_ratio(&[], Confidence::DEFAULT).n, 0);
    }

    #[test]
    fn few_rounds_and_identical_values() {
        assert_eq!(ratio(&[], &[]), PairedRatio { n: 0, ratio: None, interval: None });
        for n in [1, 2, 5] {
            let ours = ratio(&vec![3.0; n], &vec![2.0; n]);
            close(ours.ratio.unwrap(), 1.5);
            assert_eq!(ours.interval, None);
        }
        close(ratio(&[3.0; 6], &[2.0; 6]).relative_width().unwrap(), 0.0);
    }
}
