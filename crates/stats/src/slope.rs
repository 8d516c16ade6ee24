//! Cost per unit: how much a total grows with a count, where zero is a value and errors do not grow with the total.
//!
//! Two questions that differ in what is repeated. [`marginal`]: a count is raised in each of several repetitions, and each
//! repetition gives a slope of its own. [`growth`]: one long series, in which something may or may not creep up.
//! Not here: times over sizes that span decades (`fit`).

use super::describe::{Samples, median_of_ascending};
use super::fit::Line;
use super::interval::{Confidence, Interval};
use statrs::distribution::{ContinuousCDF as _, Normal};

/// A count, and the total that was read at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The count.
    pub n: f64,
    /// The total.
    pub total: f64,
}

/// A number with its interval, absent where there are too few repetitions for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The number.
    pub value: f64,
    /// Its interval.
    pub interval: Option<Interval>,
    /// How many repetitions, or readings, it rests on.
    pub n: usize,
}

/// The cost per unit, and what is there before the first unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// Per unit.
    pub per_unit: Slope,
    /// At none.
    pub at_none: Slope,
    /// The greatest `|median total − line| / (slope · greatest n)` over the counts: how far from straight it is; absent
    /// where the slope is zero.
    pub misfit: Option<f64>,
}

/// The least-squares line `total = a + b·n` (all points weigh the same). `None` when the counts do not differ, or a number
/// is not finite.
pub fn line(points: &[Point]) -> Option<Line> {
    let n = points.len() as f64;
    let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (centre_n, centre_total) = (mean(|point| point.n), mean(|point| point.total));
    let (mut product, mut square) = (0.0, 0.0);
    for point in points {
        product += (point.n - centre_n) * (point.total - centre_total);
        square += (point.n - centre_n).powi(2);
    }
    let marginal = product / square;
    let fixed = centre_total - marginal * centre_n;
    (marginal.is_finite() && fixed.is_finite()).then_some(Line { fixed, marginal })
}

/// The median of the repetitions' own slopes, with the order-statistic interval of that median: each repetition is
/// independent of the others, which its points are not. Repetitions without a slope are left out.
pub fn marginal(repetitions: &[Vec<Point>], confidence: Confidence) -> Option<Marginal> {
    let lines: Vec<Line> = repetitions.iter().filter_map(|points| line(points)).collect();
    let median = |of: fn(&Line) -> f64| {
        let samples = Samples::new(lines.iter().map(of).collect())?;
        Some(Slope { value: samples.median(), interval: samples.median_interval(confidence), n: samples.n() })
    };
    let (per_unit, at_none) = (median(|line| line.marginal)?, median(|line| line.fixed)?);
    let misfit = misfit(repetitions, Line { fixed: at_none.value, marginal: per_unit.value });
    Some(Marginal { per_unit, at_none, misfit })
}

fn misfit(repetitions: &[Vec<Point>], line: Line) -> Option<f64> {
    let points: Vec<Point> = repetitions.iter().flatten().copied().collect();
    let greatest = points.iter().map(|point| point.n).fold(0.0, f64::max);
    let mut counts: Vec<f64> = points.iter().map(|point| point.n).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    let distance = |n: f64| {
        let at = points.iter().filter(|point| point.n.total_cmp(&n).is_eq()).map(|point| point.total).collect();
        Samples::new(at).map(|totals| (totals.median() - line.fixed - line.marginal * n).abs())
    };
    let scale = (line.marginal * greatest).abs();
    let most = counts.into_iter().filter_map(distance).fold(0.0, f64::max);
    (scale > 0.0).then(|| most / scale)
}

/// How much a series grows per unit of its count: the median of the slopes between all pairs of readings (Theil), with
/// Sen's interval from the variance of Kendall's statistic (P. K. Sen, "Estimates of the regression coefficient based on
/// Kendall's tau", JASA 63, 1968; Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods*, 3rd ed. 2014, section
/// 9.3). One reading that is far off moves neither. `None` below [`READINGS_MIN`] readings.
///
/// The interval takes what is left after the slope for independent; where readings follow each other closely (a heap that
/// breathes) it is narrower than it should be.
pub fn growth(series: &[Point], confidence: Confidence) -> Option<Slope> {
    let n = series.len();
    if n < READINGS_MIN || series.iter().any(|point| !point.n.is_finite() || !point.total.is_finite()) {
        return None;
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    for (index, left) in series.iter().enumerate() {
        let pairs = series[index + 1..].iter().filter(|right| right.n > left.n);
        slopes.extend(pairs.map(|right| (right.total - left.total) / (right.n - left.n)));
    }
    slopes.sort_by(f64::total_cmp);
    if slopes.is_empty() {
        return None;
    }
    Some(Slope { value: median_of_ascending(&slopes), interval: sen(&slopes, n, confidence), n })
}

/// Below this many readings a series says nothing about growth.
pub const READINGS_MIN: usize = 8;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among the slopes")]
fn sen(ascending: &[f64], n: usize, confidence: Confidence) -> Option<Interval> {
    let (count, n) = (ascending.len(), n as f64);
    let quantile = Normal::standard().inverse_cdf(1.0 - confidence.alpha() / 2.0);
    let spread = quantile * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let below = ((count as f64 - spread) / 2.0).floor();
    // Ranks from 1: the low end is the `below`-th slope, the high end as far from the other side.
    let low = (below >= 1.0).then_some(below as usize)?;
    Some(Interval { low: ascending[low - 1], high: ascending[count - low], confidence: confidence.value() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, Stream};

    fn points(pairs: &[(f64, f64)]) -> Vec<Point> {
        pairs.iter().map(|&(n, total)| Point { n, total }).collect()
    }

    /// By hand: the points (0, 1), (1, 3), (2, 4) have the centre (1, 8/3) and the slope (1·5/3 + 1·4/3)/2 = 3/2.
    #[test]
    fn the_line_is_that_of_least_squares() {
        let found = line(&points(&[(0.0, 1.0), (1.0, 3.0), (2.0, 4.0)])).unwrap();
        assert!((found.marginal - 1.5).abs() < 1e-12 && (found.fixed - (8.0 / 3.0 - 1.5)).abs() < 1e-12, "{found:?}");
        assert_eq!(line(&points(&[(2.0, 1.0), (2.0, 3.0)])), None);
        assert_eq!(line(&[]), None);
    }

    #[test]
    fn nothing_that_grows_is_zero_and_no_error() {
        let flat = points(&[(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (4.0, 0.0)]);
        let found = marginal(&vec![flat; 6], Confidence::DEFAULT).unwrap();
        assert_eq!((found.per_unit.value, found.at_none.value, found.misfit), (0.0, 0.0, None));
        assert_eq!(found.per_unit.interval.map(|interval| (interval.low, interval.high)), Some((0.0, 0.0)));
    }

    #[test]
    fn each_repetition_counts_once_and_below_six_there_is_no_interval() {
        let rising = |slope: f64| points(&[(1.0, 7.0 + slope), (2.0, 7.0 + 2.0 * slope), (4.0, 7.0 + 4.0 * slope)]);
        let found = marginal(&[3.0, 1.0, 2.0, 9.0, 2.5].map(rising), Confidence::DEFAULT).unwrap();
        assert!((found.per_unit.value - 2.5).abs() < 1e-9 && found.per_unit.interval.is_none());
        assert!((found.at_none.value - 7.0).abs() < 1e-9);
        let found = marginal(&[3.0, 1.0, 2.0, 9.0, 2.5, 2.2].map(rising), Confidence::DEFAULT).unwrap();
        let interval = found.per_unit.interval.unwrap();
        assert!((interval.low - 1.0).abs() < 1e-9 && (interval.high - 9.0).abs() < 1e-9, "{interval:?}");
    }

    #[test]
    fn a_bend_is_said() {
        let bent = points(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (8.0, 80.0)]);
        assert!(marginal(&vec![bent; 6], Confidence::DEFAULT).unwrap().misfit.unwrap() > 0.1);
        let straight = points(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (8.0, 8.0)]);
        assert!(marginal(&vec![straight; 6], Confidence::DEFAULT).unwrap().misfit.unwrap() < 1e-9);
    }

    /// Hollander, Wolfe and Chicken, example 9.3: C(n) and its quantile give the ranks; here n = 9 and α = 0.05 by the normal
    /// approximation: 36 slopes, 1.96·√(9·8·23/18) = 18.8, so the 8th slope from either end.
    #[test]
    fn growth_is_the_median_of_all_slopes_with_sens_ranks() {
        let series = points(&(0..9).map(|i| (f64::from(i), f64::from(i * i))).collect::<Vec<_>>());
        let found = growth(&series, Confidence::DEFAULT).unwrap();
        let mut slopes: Vec<f64> = (0..9).flat_map(|i| (i + 1..9).map(move |j| f64::from(i + j))).collect();
        slopes.sort_by(f64::total_cmp);
        let interval = found.interval.unwrap();
        assert_eq!((found.value, interval.low, interval.high), (8.0, slopes[7], slopes[36 - 8]));
        assert_eq!(growth(&series[..7], Confidence::DEFAULT), None);
    }

    /// Of 400 series without growth the interval holds zero in about 95 %, of 400 with growth it holds that.
    #[test]
    fn the_interval_of_growth_holds_the_truth_as_often_as_it_says() {
        let mut random = Random::new(11, Stream(0));
        for truth in [0.0, 0.3] {
            let held = (0..400)
                .filter(|_| {
                    let series: Vec<Point> = (0..20)
                        .map(|i| Point { n: f64::from(i), total: 50.0 + truth * f64::from(i) + random.normal() })
                        .collect();
                    growth(&series, Confidence::DEFAULT).unwrap().interval.unwrap().contains(truth)
                })
                .count();
            assert!((366..=394).contains(&held), "{held} of 400 at {truth}");
        }
    }

    #[test]
    fn the_interval_of_a_marginal_cost_holds_the_truth_as_often_as_it_says() {
        let mut random = Random::new(12, Stream(0));
        let held = (0..400)
            .filter(|_| {
                let repetition = |random: &mut Random| {
                    let at = |n: f64, random: &mut Random| Point { n, total: 4.0 + 3.0 * n + random.normal() };
                    [0.0, 1.0, 2.0, 4.0, 8.0].map(|n| at(n, random)).to_vec()
                };
                let repetitions: Vec<_> = (0..6).map(|_| repetition(&mut random)).collect();
                marginal(&repetitions, Confidence::DEFAULT).unwrap().per_unit.interval.unwrap().contains(3.0)
            })
            .count();
        assert!((378..=399).contains(&held), "{held} of 400");
    }
}
