//! Confidence levels, intervals, and the exact order-statistic interval of a median.
//!
//! Not here: what the interval is of (`describe`, `paired`, `unpaired`).

use statrs::distribution::{Binomial, DiscreteCDF as _};

/// A nominal coverage strictly between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// What is used unless something else is asked for: 95 %.
    pub const DEFAULT: Self = Self(0.95);

    /// `None` unless `0 < coverage < 1` (which leaves out NaN).
    pub fn new(coverage: f64) -> Option<Self> {
        (coverage > 0.0 && coverage < 1.0).then_some(Self(coverage))
    }

    /// The coverage as a fraction.
    pub fn value(self) -> f64 {
        self.0
    }

    /// What may be missed: `1 − coverage`.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// The level at which each of `parts` statements is to be made so that all of them hold together at
    /// this one, whatever their dependence: `1 − α/parts` (Bonferroni's inequality).
    #[must_use]
    pub fn split(self, parts: usize) -> Self {
        Self(1.0 - self.alpha() / parts.max(1) as f64)
    }
}

/// A closed interval and the confidence that it achieves, which is never below the one asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The confidence achieved, as a fraction.
    pub confidence: f64,
}

impl Interval {
    /// Both ends through an increasing function (`exp`, for an interval of a logarithm).
    #[must_use]
    pub fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        Self { low: increasing(self.low), high: increasing(self.high), confidence: self.confidence }
    }

    /// Whether the value lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The order statistics that enclose a median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MedianRanks {
    /// Rank of the lower end, from 1. The upper end has rank `n + 1 − low`.
    pub low: usize,
    /// Rank of the upper end.
    pub high: usize,
    /// `1 − 2·P(B ≤ low − 1)` for `B ~ Binomial(n, 1/2)`.
    pub confidence: f64,
}

/// The narrowest symmetric pair of order statistics that holds the median with at least this confidence.
///
/// The number of values below the median of a continuous distribution is `Binomial(n, 1/2)`, whatever the
/// distribution, so `P(x₍ₖ₎ ≤ median ≤ x₍ₙ₊₁₋ₖ₎) = 1 − 2·P(B ≤ k − 1)`. With ties it is at least that.
/// `None` where not even the extremes reach the confidence: for 95 %, below 6 values.
///
/// Source: David and Nagaraja, *Order Statistics*, 3rd ed. 2003, section 7.1; Conover, *Practical
/// Nonparametric Statistics*, 3rd ed. 1999, section 3.2.
pub fn median_ranks(n: usize, confidence: Confidence) -> Option<MedianRanks> {
    let binomial = Binomial::new(0.5, n as u64).ok()?;
    // The tolerance keeps a level that is achieved exactly (1 − 2^(1−n)) from being lost to rounding.
    let reaches = |k: usize| 2.0 * binomial.cdf(k as u64 - 1) <= confidence.alpha() + 1e-12;
    let (mut good, mut bad) = (0, n / 2 + 1);
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if reaches(middle) { good = middle } else { bad = middle }
    }
    (good > 0).then(|| MedianRanks {
        low: good,
        high: n + 1 - good,
        confidence: 1.0 - 2.0 * binomial.cdf(good as u64 - 1),
    })
}

/// The fewest values that have an interval of the median at this confidence: the least n with
/// `1 − 2^(1−n) ≥ confidence`.
pub fn rounds_for_interval(confidence: Confidence) -> usize {
    (2..=1024).find(|n| median_ranks(*n, confidence).is_some()).unwrap_or(1024)
}

/// The interval of the median of values in ascending order, see [`median_ranks`].
pub fn median_interval(ascending: &[f64], confidence: Confidence) -> Option<Interval> {
    let ranks = median_ranks(ascending.len(), confidence)?;
    Some(Interval { low: ascending[ranks.low - 1], high: ascending[ranks.high - 1], confidence: ranks.confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conover 1999, table A3 (binomial, p = 0.5): P(B ≤ k − 1) for these n and k.
    #[test]
    fn ranks_and_confidence_are_those_of_the_binomial_table() {
        let cases = [
            (6, 1, 0.968_75),        // 1 − 2·(1/64)
            (7, 1, 0.984_375),       // 1 − 2·(1/128)
            (8, 1, 0.992_187_5),     // 1 − 2·(1/256)
            (9, 2, 0.960_937_5),     // 1 − 2·(10/512)
            (10, 2, 0.978_515_625),  // 1 − 2·(11/1024)
            (20, 6, 0.958_610_534),  // 1 − 2·(21700/2^20)
            (30, 10, 0.957_226_055), // 1 − 2·22964087/2^30
        ];
        for (n, low, achieved) in cases {
            let ranks = median_ranks(n, Confidence::DEFAULT).unwrap();
            assert_eq!((ranks.low, ranks.high), (low, n + 1 - low), "n = {n}");
            assert!((ranks.confidence - achieved).abs() < 1e-8, "n = {n}: {}", ranks.confidence);
        }
    }

    #[test]
    fn below_six_values_there_is_no_interval_at_95_percent() {
        for n in 0..6 {
            assert_eq!(median_ranks(n, Confidence::DEFAULT), None);
        }
        assert_eq!(rounds_for_interval(Confidence::DEFAULT), 6);
        assert_eq!(rounds_for_interval(Confidence::new(0.99).unwrap()), 8);
    }

    #[test]
    fn a_level_that_the_extremes_reach_exactly_is_reached() {
        for n in 2..30 {
            if let Some(exact) = Confidence::new(1.0 - 0.5_f64.powi(n - 1)) {
                let n = usize::try_from(n).unwrap();
                assert_eq!(median_ranks(n, exact).map(|ranks| ranks.low), Some(1), "n = {n}");
            }
        }
    }

    /// The same ranks and levels from Pascal's triangle in integers, for every n up to 60 and three levels.
    #[test]
    fn ranks_agree_with_exact_integer_arithmetic() {
        for level in [0.90, 0.95, 0.99] {
            let mut row: Vec<u64> = vec![1];
            for n in 1..=60 {
                row = (0..=n).map(|k| if k == 0 || k == n { 1 } else { row[k - 1] + row[k] }).collect();
                let tail = |k: usize| row[..k].iter().sum::<u64>() as f64 / (1_u64 << n) as f64;
                let exact = (1..=n / 2).rev().find(|k| 2.0 * tail(*k) <= 1.0 - level);
                let ours = median_ranks(n, Confidence::new(level).unwrap());
                assert_eq!(ours.map(|ranks| ranks.low), exact, "n = {n} at {level}");
                if let Some(ours) = ours {
                    assert!((ours.confidence - (1.0 - 2.0 * tail(ours.low))).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn large_n_agrees_with_the_normal_approximation() {
        // Conover 1999, section 3.2: k ≈ n/2 − 1.96·√n/2.
        let ranks = median_ranks(10_000, Confidence::DEFAULT).unwrap();
        assert!((4900..=4904).contains(&ranks.low), "{ranks:?}");
        assert!((0.95..0.952).contains(&ranks.confidence));
    }

    #[test]
    fn a_confidence_is_strictly_between_0_and_1() {
        for wrong in [0.0, 1.0, -0.5, 95.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Confidence::new(wrong), None);
        }
        let level = Confidence::DEFAULT;
        assert!((level.split(5).value() - 0.99).abs() < 1e-12);
        assert!(level.split(2) > level);
    }
}
