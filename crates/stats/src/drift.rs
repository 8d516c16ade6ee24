//! Whether values rose or fell over a run: Spearman's rank correlation with its p-value.
//!
//! Not here: what follows from a drift (`analysis`). Ratios are paired by round and survive one.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::paired::Timed;

/// Up to here every permutation is counted; 8! is 40,320.
const EXACT_N_MAX: usize = 8;

/// Spearman's correlation and its two-sided p-value under no association.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// −1 to 1.
    pub spearman: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// Spearman's ρ of value against round: Pearson's correlation of mid-ranks, so that ties are handled
/// (Kendall and Gibbons, *Rank Correlation Methods*, 5th ed. 1990, chapters 1 and 3).
///
/// The p-value is exact up to n = 8, by counting all permutations (ties included); above, it is that of
/// Student's t with n − 2 degrees of freedom for `t = ρ·√((n − 2)/(1 − ρ²))`, and never below the least
/// that a permutation could give, 2/n! (at n = 9 the approximation errs by less than 0.01 around 5 %).
/// `None` below n = 3, and where all values are equal: then there is no correlation.
pub fn spearman(series: &[Timed]) -> Option<Correlation> {
    let n = series.len();
    if n < 3 {
        return None;
    }
    let rounds: Vec<f64> = series.iter().map(|each| f64::from(each.round)).collect();
    let values: Vec<f64> = series.iter().map(|each| each.value).collect();
    let by_round = centred_ranks(&rounds);
    let mut by_value = centred_ranks(&values);
    let norm = (dot([&by_round, &by_round]) * dot([&by_value, &by_value])).sqrt();
    if norm <= 0.0 {
        return None;
    }
    let product = dot([&by_round, &by_value]);
    let spearman = (product / norm).clamp(-1.0, 1.0);
    let p_value =
        if n <= EXACT_N_MAX { exact_p(&by_round, &mut by_value, product) } else { approximate_p(spearman, n) };
    Some(Correlation { spearman, p_value })
}

/// Mid-ranks minus their mean: tied values share the mean of the ranks that they occupy.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let centre = f64::midpoint(values.len() as f64, 1.0);
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..].iter().take_while(|index| values[**index] <= values[order[start]]).count();
        let middle = start as f64 + f64::midpoint(tied as f64, 1.0);
        for index in &order[start..start + tied] {
            ranks[*index] = middle - centre;
        }
        start += tied;
    }
    ranks
}

fn dot([left, right]: [&[f64]; 2]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The share of permutations whose correlation is at least as far from 0, by Heap's algorithm.
fn exact_p(fixed: &[f64], permuted: &mut [f64], observed: f64) -> f64 {
    // Mid-ranks are multiples of a half: their products are exact, and half a unit separates them.
    let limit = observed.abs() - 1e-9;
    let n = permuted.len();
    let mut counters = vec![0_usize; n];
    let (mut extreme, mut total, mut level) = (u32::from(dot([fixed, permuted]).abs() >= limit), 1_u32, 0);
    while level < n {
        if counters[level] < level {
            let partner = if level.is_multiple_of(2) { 0 } else { counters[level] };
            permuted.swap(partner, level);
            extreme += u32::from(dot([fixed, permuted]).abs() >= limit);
            total += 1;
            counters[level] += 1;
            level = 0;
        } else {
            counters[level] = 0;
            level += 1;
        }
    }
    f64::from(extreme) / f64::from(total)
}

fn approximate_p(spearman: f64, n: usize) -> f64 {
    let freedom = n as f64 - 2.0;
    // ln n! as a sum: n is a number of rounds.
    let floor = 2.0 * (-(2..=n).map(|k| (k as f64).ln()).sum::<f64>()).exp();
    let rest = 1.0 - spearman * spearman;
    if rest <= 0.0 {
        return floor;
    }
    let statistic = spearman.abs() * (freedom / rest).sqrt();
    let tail = StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| 2.0 * student.sf(statistic));
    tail.clamp(floor, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<Timed> {
        (0..).zip(values).map(|(round, value)| Timed { round, value: *value }).collect()
    }

    fn correlate(values: &[f64]) -> Correlation {
        spearman(&series(values)).unwrap()
    }

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} is not {theirs}");
    }

    /// The worked example of the literature on IQ and hours of television: n = 10, Σd² = 194,
    /// ρ = 1 − 6·194/990 = −29/165, p = 0.627188 by Student's t.
    #[test]
    fn ten_pairs_of_the_textbook_example() {
        let television = [7.0, 0.0, 27.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        let intelligence = [106.0, 86.0, 100.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let mut pairs: Vec<(f64, f64)> = intelligence.into_iter().zip(television).collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let ours = correlate(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
        close(ours.spearman, -29.0 / 165.0);
        close(ours.p_value, 0.627_188);
    }

    /// Zar, JASA 67 (1972), exact upper tails: n = 5, Σd² = 0 is 1/120; n = 6, Σd² = 4 is 12/720;
    /// n = 7, Σd² = 12 is 121/5040. Two-sided is twice that.
    #[test]
    fn small_n_is_exact() {
        close(correlate(&[1.0, 2.0, 3.0, 4.0, 5.0]).p_value, 2.0 / 120.0);
        let six = correlate(&[2.0, 1.0, 4.0, 3.0, 5.0, 6.0]);
        close(six.spearman, 1.0 - 6.0 * 4.0 / 210.0);
        close(six.p_value, 2.0 * 12.0 / 720.0);
        let seven = correlate(&[3.0, 1.0, 2.0, 4.0, 6.0, 7.0, 5.0]);
        close(seven.spearman, 1.0 - 6.0 * 12.0 / 336.0);
        close(seven.p_value, 2.0 * 121.0 / 5040.0);
    }

    #[test]
    fn all_permutations_of_eight_are_counted() {
        let eight = correlate(&[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        close(eight.spearman, -1.0);
        assert!((eight.p_value - 2.0 / 40_320.0).abs() < 1e-12);
    }

    /// By hand: values 1 2 2 3 have mid-ranks 1, 2.5, 2.5, 4; ρ = 4.5/√(5·4.5) = 0.948683.
    #[test]
    fn ties_share_their_rank() {
        close(correlate(&[1.0, 2.0, 2.0, 3.0]).spearman, 0.948_683_298);
    }

    #[test]
    fn a_perfect_trend_of_many_rounds_has_a_p_value_above_0() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let ours = correlate(&values);
        close(ours.spearman, 1.0);
        assert!(ours.p_value > 0.0 && ours.p_value < 1e-8);
        let long: Vec<f64> = (0..400).map(f64::from).collect();
        assert!(correlate(&long).p_value >= 0.0);
    }

    #[test]
    fn too_few_and_identical_values_have_no_correlation() {
        assert_eq!(spearman(&[]), None);
        assert_eq!(spearman(&series(&[1.0])), None);
        assert_eq!(spearman(&series(&[1.0, 2.0])), None);
        assert_eq!(spearman(&series(&[4.0; 6])), None);
        assert_eq!(spearman(&series(&[4.0; 30])), None);
    }

    /// Zar 1972: the exact two-sided 5 % critical value at n = 10 is 0.648; the approximation's is 0.632.
    #[test]
    fn the_approximation_is_near_the_exact_table_at_n_10() {
        assert!(approximate_p(0.648, 10) < 0.05 && approximate_p(0.648, 10) > 0.035);
    }
}
