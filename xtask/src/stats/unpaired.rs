//! The ratio of two runs' medians: no pairs, so what changed between the runs does not cancel.
//!
//! Not here: whether two runs may be compared at all, and the canary (`compare`).

use super::describe::Samples;
use super::interval::{Confidence, Interval};

/// Two independent series.
#[derive(Clone, Copy, Debug)]
pub struct Unpaired<'a> {
    /// The run that is looked at.
    pub new: &'a Samples,
    /// The run that it is divided by.
    pub old: &'a Samples,
}

/// A ratio of medians with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnpairedRatio {
    /// `median(new) / median(old)`.
    pub ratio: f64,
    /// Its interval; `None` where one of the two series is too short.
    pub interval: Option<Interval>,
}

/// `median(new)/median(old)` with a conservative interval: each median's exact order-statistic interval at
/// `√confidence`, then `low_new/high_old` to `high_new/low_old`.
///
/// The two series are independent, so both medians lie in their intervals with at least
/// `√c·√c = c`, and then their quotient lies in the quotient interval: the coverage is guaranteed for every n
/// and distribution (Šidák 1967 for the product). The price is width: about 1.5 times that of a bootstrap,
/// paid because a gate that fails a build must not do so by chance. `None` unless both medians are above 0.
pub fn unpaired_ratio(runs: Unpaired<'_>, confidence: Confidence) -> Option<UnpairedRatio> {
    let positive = |value: f64| (value > 0.0 && value.is_finite()).then_some(value);
    let ratio = positive(positive(runs.new.median())? / positive(runs.old.median())?)?;
    let each = confidence.split_independent();
    let interval = runs.new.median_interval(each).zip(runs.old.median_interval(each)).and_then(|(new, old)| {
        Some(Interval {
            low: positive(new.low)? / positive(old.high)?,
            high: positive(new.high)? / positive(old.low)?,
            confidence: new.confidence * old.confidence,
        })
    });
    Some(UnpairedRatio { ratio, interval: interval.filter(|interval| interval.high.is_finite()) })
}

impl UnpairedRatio {
    /// This ratio with a step of the machine taken out: divided by the canary's. The two are not independent,
    /// so the confidences' misses add up (Bonferroni). `None` where the quotient is no number above 0.
    pub fn without_step(&self, canary: &Self) -> Option<Self> {
        let quotient = self.ratio / canary.ratio;
        let interval = self.interval.zip(canary.interval).map(|(ratio, canary)| Interval {
            low: ratio.low / canary.high,
            high: ratio.high / canary.low,
            confidence: (ratio.confidence + canary.confidence - 1.0).max(0.0),
        });
        (quotient.is_finite() && quotient > 0.0)
            .then_some(Self { ratio: quotient, interval: interval.filter(|interval| interval.high.is_finite()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::{Random, Stream};

    fn run(values: &[f64]) -> Samples {
        Samples::new(values.to_vec()).unwrap()
    }

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() < 1e-12, "{ours} is not {theirs}");
    }

    /// By hand: at √0.95 = 0.9747, 7 values give their extremes (98.4 %).
    #[test]
    fn seven_values_a_side_divide_crosswise() {
        let old = run(&[10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]);
        let new = run(&[20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0]);
        let ours = unpaired_ratio(Unpaired { new: &new, old: &old }, Confidence::DEFAULT).unwrap();
        close(ours.ratio, 2.0);
        let interval = ours.interval.unwrap();
        close(interval.low, 20.0 / 16.0);
        close(interval.high, 32.0 / 10.0);
        close(interval.confidence, 0.984_375 * 0.984_375);
    }

    #[test]
    fn short_series_have_a_ratio_without_an_interval() {
        for n in [1, 2, 5, 6] {
            let (new, old) = (run(&vec![3.0; n]), run(&vec![2.0; n]));
            let ours = unpaired_ratio(Unpaired { new: &new, old: &old }, Confidence::DEFAULT).unwrap();
            close(ours.ratio, 1.5);
            assert_eq!(ours.interval, None);
        }
        let zero = run(&[0.0; 9]);
        assert_eq!(unpaired_ratio(Unpaired { new: &zero, old: &zero }, Confidence::DEFAULT), None);
    }

    #[test]
    fn dividing_by_the_canary_takes_the_step_out() {
        let step = |by: f64| UnpairedRatio {
            ratio: by,
            interval: Some(Interval { low: by * 0.98, high: by * 1.02, confidence: 0.96 }),
        };
        let ours = step(1.2).without_step(&step(1.2)).unwrap();
        close(ours.ratio, 1.0);
        close(ours.interval.unwrap().low, 0.98 / 1.02);
        close(ours.interval.unwrap().high, 1.02 / 0.98);
        close(ours.interval.unwrap().confidence, 0.92);
    }

    #[test]
    fn the_interval_covers_at_least_as_often_as_it_says() {
        let mut random = Random::new(11, Stream(0));
        let mut draw =
            |centre: f64| Samples::new((0..20).map(|_| centre * (0.05 * random.normal()).exp()).collect()).unwrap();
        let covered = (0..1000)
            .filter(|_| {
                let (new, old) = (draw(110.0), draw(100.0));
                let ours = unpaired_ratio(Unpaired { new: &new, old: &old }, Confidence::DEFAULT).unwrap();
                ours.interval.unwrap().contains(1.1)
            })
            .count();
        assert!(covered >= 950, "{covered} of 1000");
    }
}
