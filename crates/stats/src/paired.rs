//! The ratio of two cells of one run, paired by round.
//!
//! Not here: what the ratio means (`verdict`), ratios between runs (`unpaired`).

use std::collections::BTreeMap;

use super::describe::Samples;
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
    /// The width of the interval as a fraction of the ratio: `(high − low) / ratio`.
    pub fn relative_width(&self) -> Option<f64> {
        let (ratio, interval) = (self.ratio?, self.interval?);
        Some((interval.high - interval.low) / ratio)
    }
}

/// `ln(case/baseline)` of every round in which both have a value above 0, in the order of the rounds. A round
/// that is there twice counts with its last value.
pub fn log_ratios(pair: Pair<'_>) -> Vec<f64> {
    let usable = |value: f64| value > 0.0 && value.is_finite();
    let below: BTreeMap<u32, f64> = pair.baseline.iter().map(|each| (each.round, each.value)).collect();
    let above: BTreeMap<u32, f64> = pair.case.iter().map(|each| (each.round, each.value)).collect();
    above
        .into_iter()
        .filter_map(|(round, value)| {
            let base = *below.get(&round)?;
            (usable(value) && usable(base)).then(|| value.ln() - base.ln())
        })
        .collect()
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

/// The same from log ratios.
pub fn ratio_of_logs(logs: Vec<f64>, confidence: Confidence) -> PairedRatio {
    let n = logs.len();
    let Some(logs) = Samples::new(logs) else { return PairedRatio { n, ratio: None, interval: None } };
    // The ratio of two finite times can still leave the range of f64: then there is none.
    let finite = |value: f64| (value.is_finite() && value > 0.0).then_some(value);
    let interval = logs.median_interval(confidence).map(|interval| interval.map(f64::exp));
    PairedRatio {
        n,
        ratio: finite(logs.median().exp()),
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
    fn swapping_the_cells_inverts_ratio_and_interval() {
        let (left, right) = ([3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [2.0, 2.5, 4.0, 3.0, 6.0, 5.0, 8.0]);
        let (ours, inverse) = (ratio(&left, &right), ratio(&right, &left));
        close(ours.ratio.unwrap() * inverse.ratio.unwrap(), 1.0);
        close(ours.interval.unwrap().low * inverse.interval.unwrap().high, 1.0);
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
