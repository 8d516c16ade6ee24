//! One series of values: location, spread, percentiles, outliers.
//!
//! Not here: anything about the order in which the values came (`drift`) or a second series (`paired`,
//! `unpaired`).

use statrs::statistics::{Data, OrderStatistics as _, Statistics as _};

use super::interval::{self, Confidence, Interval};

/// Beyond this, squares could overflow; a time of 10^150 ns is not a time.
const MAGNITUDE_MAX: f64 = 1e150;

/// Scales the median absolute deviation to σ of a normal distribution: Φ⁻¹(0.75).
const NORMAL_QUARTILE: f64 = 0.6745;
/// Scales the *mean* absolute deviation to σ of a normal distribution: √(π/2).
const NORMAL_MEAN_DEVIATION: f64 = 1.253_314;
/// Iglewicz and Hoaglin's limit for the modified z-score.
pub const OUTLIER_LIMIT: f64 = 3.5;

/// At least one value, every one finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    ascending: Vec<f64>,
}

/// A percentile that is reported, with the least number of values from which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Percentile {
    /// From 36 values.
    P90,
    /// From 72 values.
    P95,
    /// From 368 values.
    P99,
}

impl Percentile {
    /// The fraction below it.
    pub const fn fraction(self) -> f64 {
        match self {
            Self::P90 => 0.90,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
        }
    }

    /// The least n whose greatest value lies above the percentile with 97.5 % confidence, so that a
    /// two-sided 95 % interval of it has a finite upper end: `1 − qⁿ ≥ 0.975`. Below that the sample says
    /// nothing about it. Source: David and Nagaraja 2003, section 7.1 with p = q.
    pub const fn n_min(self) -> usize {
        match self {
            Self::P90 => 36,
            Self::P95 => 72,
            Self::P99 => 368,
        }
    }
}

impl Samples {
    /// `None` for no values, and when one is not finite (or absurdly large, where squares would overflow).
    pub fn new(mut values: Vec<f64>) -> Option<Self> {
        if !are_usable(&values) {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        Some(Self { ascending: values })
    }

    /// How many.
    pub fn n(&self) -> usize {
        self.ascending.len()
    }

    /// The values in ascending order.
    pub fn ascending(&self) -> &[f64] {
        &self.ascending
    }

    /// The least.
    pub fn min(&self) -> f64 {
        self.ascending[0]
    }

    /// The greatest.
    pub fn max(&self) -> f64 {
        self.ascending[self.n() - 1]
    }

    /// The middle value, or the mean of the middle two.
    pub fn median(&self) -> f64 {
        median_of_ascending(&self.ascending)
    }

    /// The exact order-statistic interval of the median, see [`interval::median_ranks`].
    pub fn median_interval(&self, confidence: Confidence) -> Option<Interval> {
        interval::median_interval(&self.ascending, confidence)
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.ascending.iter().mean()
    }

    /// Standard deviation with n − 1; `None` for one value.
    pub fn stddev(&self) -> Option<f64> {
        (self.n() > 1).then(|| self.ascending.iter().std_dev())
    }

    /// Median absolute deviation from the median, unscaled: `median |xᵢ − median x|` (Hampel 1974).
    pub fn mad(&self) -> f64 {
        let centre = self.median();
        let above = self.ascending.partition_point(|value| *value < centre);
        let (below, above) = self.ascending.split_at(above);
        // Both sides are in ascending order of their distance when they are read from the middle: merged, they need no sort.
        let mut below = below.iter().rev().map(|value| centre - value).peekable();
        let mut above = above.iter().map(|value| value - centre).peekable();
        let mut next = || {
            let is_below = match (below.peek(), above.peek()) {
                (Some(left), Some(right)) => left <= right,
                (left, _) => left.is_some(),
            };
            if is_below { below.next() } else { above.next() }
        };
        let n = self.n();
        let middle = if n.is_multiple_of(2) { n / 2 - 1 } else { n / 2 };
        let first = (0..=middle).fold(centre, |_, _| next().unwrap_or_default());
        if n.is_multiple_of(2) { f64::midpoint(first, next().unwrap_or_default()) } else { first }
    }

    /// A percentile by definition 8 of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, The
    /// American Statistician 50 (1996): linear between order statistics at `h = (n + 1/3)·q + 1/3`. `None`
    /// below [`Percentile::n_min`].
    pub fn percentile(&self, percentile: Percentile) -> Option<f64> {
        // `Data` reorders what it is given: it gets a copy.
        (self.n() >= percentile.n_min()).then(|| Data::new(self.ascending.clone()).quantile(percentile.fraction()))
    }

    /// The modified z-score `0.6745·(x − median)/MAD` (Iglewicz and Hoaglin, *How to Detect and Handle
    /// Outliers*, 1993, section 3.3). Where more than half of the values are equal, MAD is 0 and the mean
    /// absolute deviation takes its place, scaled by 1.2533; where all are equal, the score is 0 for that
    /// value, and for any other value there is none.
    pub fn modified_z(&self, value: f64) -> Option<f64> {
        let centre = self.median();
        let mad = self.mad();
        if mad > 0.0 {
            return Some(NORMAL_QUARTILE * (value - centre) / mad);
        }
        let mean_deviation = self.ascending.iter().map(|each| (each - centre).abs()).mean();
        if mean_deviation > 0.0 {
            return Some((value - centre) / (NORMAL_MEAN_DEVIATION * mean_deviation));
        }
        ((value - centre).abs() <= 0.0).then_some(0.0)
    }

    /// How many values have a modified z-score beyond ±3.5. They are counted, never dropped.
    pub fn outliers(&self) -> usize {
        let (centre, mad) = (self.median(), self.mad());
        let mean_deviation = self.ascending.iter().map(|each| (each - centre).abs()).mean();
        let limit = if mad > 0.0 {
            OUTLIER_LIMIT * mad / NORMAL_QUARTILE
        } else {
            OUTLIER_LIMIT * NORMAL_MEAN_DEVIATION * mean_deviation
        };
        self.ascending.iter().filter(|value| (**value - centre).abs() > limit).count()
    }

    /// This value over the median; `None` unless both are above 0.
    pub fn ratio_to_median(&self, value: f64) -> Option<f64> {
        let centre = self.median();
        (centre > 0.0 && value > 0.0 && value <= MAGNITUDE_MAX)
            .then(|| value / centre)
            .filter(|ratio| ratio.is_finite())
    }
}

/// Whether there is a value, and every one is a number that can be squared.
fn are_usable(values: &[f64]) -> bool {
    // Not "none is greater": a NaN is neither.
    !values.is_empty() && values.iter().all(|value| value.abs() <= MAGNITUDE_MAX)
}

/// A median with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The middle value, or the mean of the middle two.
    pub median: f64,
    /// The exact order-statistic interval, see [`interval::median_ranks`].
    pub interval: Option<Interval>,
}

/// What [`Samples`] says of the middle, where nothing else is asked: four order statistics, which need no sorted series.
/// `None` where there are no [`Samples`].
pub fn middle(mut values: Vec<f64>, confidence: Confidence) -> Option<Middle> {
    if !are_usable(&values) {
        return None;
    }
    let n = values.len();
    let ranks = interval::median_ranks(n, confidence);
    let mut from = 0;
    // From rank to rank: everything before the last one is not greater, and everything after it not smaller.
    let mut at = |rank: usize| {
        let (_, value, _) = values[from..].select_nth_unstable_by(rank - from, f64::total_cmp);
        from = rank;
        *value
    };
    let low = ranks.map(|ranks| at(ranks.low - 1));
    let (left, right) = (at((n - 1) / 2), at(n / 2));
    let high = ranks.map(|ranks| at(ranks.high - 1));
    let interval = |((low, high), ranks): ((f64, f64), interval::MedianRanks)| Interval {
        low,
        high,
        confidence: ranks.confidence,
    };
    let median = if n.is_multiple_of(2) { f64::midpoint(left, right) } else { left };
    Some(Middle { median, interval: low.zip(high).zip(ranks).map(interval) })
}

/// The middle value of an ascending slice, or the mean of the middle two. The slice is never empty.
pub(super) fn median_of_ascending(ascending: &[f64]) -> f64 {
    let n = ascending.len();
    if n.is_multiple_of(2) { f64::midpoint(ascending[n / 2 - 1], ascending[n / 2]) } else { ascending[n / 2] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples::new(values.to_vec()).unwrap()
    }

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{ours} is not {theirs}");
    }

    #[test]
    fn no_values_and_values_that_are_no_numbers_are_no_samples() {
        for wrong in [vec![], vec![f64::NAN], vec![1.0, f64::INFINITY], vec![1.0, 1e200]] {
            assert_eq!(Samples::new(wrong), None);
        }
    }

    /// Every statistic on n = 1, 2, 5, 6, with ties and with identical values: present or absent as it must
    /// be, never NaN.
    #[test]
    fn every_statistic_on_small_n_is_a_number_or_absent() {
        for values in [vec![3.0], vec![3.0, 5.0], vec![7.0; 5], vec![1.0, 2.0, 2.0, 2.0, 9.0, 9.0], vec![0.0; 400]] {
            let each = samples(&values);
            let n = values.len();
            for number in [each.median(), each.mean(), each.mad(), each.min(), each.max()] {
                assert!(number.is_finite());
            }
            assert_eq!(each.stddev().is_some(), n > 1);
            assert!(each.stddev().is_none_or(f64::is_finite));
            assert_eq!(each.median_interval(Confidence::DEFAULT).is_some(), n >= 6);
            assert_eq!(each.percentile(Percentile::P99).is_some(), n >= 368);
            assert!(each.modified_z(4.0).is_none_or(f64::is_finite));
            assert!(each.ratio_to_median(4.0).is_none_or(f64::is_finite));
        }
        assert_eq!(samples(&[7.0; 5]).outliers(), 0);
    }

    /// Hand-computed: 2 4 4 4 5 5 7 9 has mean 5, Σ(x−5)² = 32.
    #[test]
    fn mean_deviation_and_median_of_a_small_series() {
        let each = samples(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        close(each.mean(), 5.0);
        close(each.stddev().unwrap(), (32.0_f64 / 7.0).sqrt());
        close(each.median(), 4.5);
        close(each.mad(), 0.5);
    }

    #[test]
    fn the_middle_is_that_of_the_sorted_series() {
        let mut random = crate::random::Random::new(2, crate::random::Stream(0));
        for n in 1..80 {
            let values: Vec<f64> = (0..n).map(|_| (random.normal() * 9.0).round()).collect();
            let (each, found) = (samples(&values), middle(values, Confidence::DEFAULT).unwrap());
            assert_eq!(found.median.to_bits(), each.median().to_bits());
            assert_eq!(found.interval, each.median_interval(Confidence::DEFAULT), "n = {n}");
        }
        assert_eq!(
            (middle(Vec::new(), Confidence::DEFAULT), middle(vec![f64::NAN], Confidence::DEFAULT)),
            (None, None)
        );
    }

    /// The textbook example of a MAD: 1 1 2 2 4 6 9 has median 2 and deviations 0 0 1 1 2 4 7.
    #[test]
    fn mad_of_the_textbook_series_is_1() {
        close(samples(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]).mad(), 1.0);
    }

    #[test]
    fn mad_ignores_the_order_of_the_values() {
        close(samples(&[9.0, 1.0, 4.0, 2.0, 6.0, 2.0, 1.0]).mad(), 1.0);
    }

    #[test]
    fn mad_is_the_median_of_the_sorted_deviations_whatever_the_series() {
        let mut random = crate::random::Random::new(1, crate::random::Stream(0));
        for n in 1..60 {
            let values: Vec<f64> = (0..n).map(|_| (random.normal() * 4.0).round()).collect();
            let each = samples(&values);
            let deviations = values.iter().map(|value| (value - each.median()).abs()).collect();
            assert_eq!(each.mad().to_bits(), Samples::new(deviations).unwrap().median().to_bits(), "{values:?}");
        }
    }

    /// Hyndman and Fan 1996, definition 8, by hand: 1…100 at q = 0.9 has h = 100.333·0.9 + 0.333 = 90.6333.
    #[test]
    fn percentiles_are_hyndman_fan_8() {
        let each = Samples::new((1..=100).map(f64::from).collect()).unwrap();
        close(each.percentile(Percentile::P90).unwrap(), 90.0 + 0.633_333_333_333);
        close(each.percentile(Percentile::P95).unwrap(), 95.65);
        assert_eq!(each.percentile(Percentile::P99), None);
    }

    #[test]
    fn a_percentile_needs_as_many_values_as_its_formula_says() {
        for percentile in [Percentile::P90, Percentile::P95, Percentile::P99] {
            let misses = |n: usize| percentile.fraction().powi(i32::try_from(n).unwrap());
            assert!(misses(percentile.n_min()) <= 0.025);
            assert!(misses(percentile.n_min() - 1) > 0.025);
            let series = |n: usize| Samples::new((0..n).map(|i| i as f64).collect()).unwrap();
            assert_eq!(series(percentile.n_min() - 1).percentile(percentile), None);
            assert!(series(percentile.n_min()).percentile(percentile).is_some());
        }
    }

    /// Iglewicz and Hoaglin's own example: 2.1 2.6 2.4 2.5 2.3 2.1 2.3 2.6 8.2 8.3 has median 2.45, MAD 0.2;
    /// 8.2 scores 19.39, 8.3 scores 19.73 (NIST/SEMATECH e-Handbook, section 1.3.5.17, gives the formula).
    #[test]
    fn two_outliers_do_not_hide_each_other() {
        let each = samples(&[2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]);
        assert_eq!(each.outliers(), 2);
        close(each.modified_z(8.2).unwrap(), 0.6745 * (8.2 - 2.45) / each.mad());
    }

    #[test]
    fn a_mad_of_0_still_finds_the_outlier() {
        let mut values = vec![5.0; 19];
        values.push(50.0);
        let each = samples(&values);
        close(each.mad(), 0.0);
        assert_eq!(each.outliers(), 1);
        assert!(each.modified_z(50.0).unwrap() > OUTLIER_LIMIT);
    }

    #[test]
    fn outliers_and_modified_z_agree() {
        for values in [vec![1.0, 2.0, 3.0, 4.0, 100.0], vec![1.0; 9], vec![1.0, 1.0, 1.0, 1.0, 2.0]] {
            let each = samples(&values);
            let by_score =
                values.iter().filter(|value| each.modified_z(**value).is_some_and(|z| z.abs() > OUTLIER_LIMIT)).count();
            assert_eq!(each.outliers(), by_score);
        }
    }
}
