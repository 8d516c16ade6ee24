//! A sum of cells' values with signs, paired by round: what is left of a difference when another is taken from it.
//!
//! Not here: which cells these are, and what the sum means (`analysis`).

use super::describe::middle;
use super::interval::{Confidence, Interval};
use super::paired::{Cursor, Timed, by_round};

/// Whether a cell is added or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Added.
    Plus,
    /// Taken away.
    Minus,
}

/// One cell of a sum.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a> {
    /// Added or taken away.
    pub sign: Sign,
    /// Its values.
    pub values: &'a [Timed],
}

/// A sum with its interval, absent where n has no answer; in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrast {
    /// Rounds in which every cell has a value.
    pub n: usize,
    /// Median over rounds of the sum.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// The median over rounds of a sum of cells, with the exact order-statistic interval of that median.
///
/// As for a ratio (`paired`), but on the values themselves: parts of a time add up in milliseconds. In every round the sums
/// of a partition add up to the whole exactly; their medians do so only nearly. A round that is there twice counts with
/// its last value.
///
/// Source: Conover 1999, section 3.4, the interval of a median of differences.
pub fn contrast(terms: &[Term<'_>], confidence: Confidence) -> Contrast {
    let columns: Vec<_> = terms.iter().map(|term| (term.sign, by_round(term.values))).collect();
    let Some((_, first)) = columns.first() else { return Contrast { n: 0, value: None, interval: None } };
    let mut cursors: Vec<_> = columns.iter().map(|(sign, column)| (*sign, Cursor::new(column))).collect();
    let sum = |each: &Timed| -> Option<f64> {
        cursors.iter_mut().try_fold(0.0, |sum, (sign, column)| {
            let value = column.at(each.round)?;
            Some(if *sign == Sign::Plus { sum + value } else { sum - value })
        })
    };
    let sums: Vec<f64> = first.iter().filter_map(sum).filter(|sum| sum.is_finite()).collect();
    let n = sums.len();
    let Some(sums) = middle(sums, confidence) else { return Contrast { n, value: None, interval: None } };
    Contrast { n, value: Some(sums.median), interval: sums.interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<Timed> {
        (0..).zip(values).map(|(round, value)| Timed { round, value: *value }).collect()
    }

    fn of(terms: &[(Sign, &[f64])]) -> Contrast {
        let columns: Vec<(Sign, Vec<Timed>)> = terms.iter().map(|(sign, values)| (*sign, series(values))).collect();
        let terms: Vec<Term<'_>> = columns.iter().map(|(sign, values)| Term { sign: *sign, values }).collect();
        contrast(&terms, Confidence::DEFAULT)
    }

    /// By hand: the differences are 1 to 6, whatever the level of the round.
    #[test]
    fn six_rounds_have_the_extremes_as_interval() {
        let level = [10.0, 500.0, 30.0, 7.0, 20.0, 90.0];
        let case: Vec<f64> = level.iter().zip([3.0, 1.0, 6.0, 2.0, 5.0, 4.0]).map(|(each, by)| each + by).collect();
        let ours = of(&[(Sign::Plus, &case), (Sign::Minus, &level)]);
        assert_eq!((ours.n, ours.value), (6, Some(3.5)));
        let interval = ours.interval.unwrap();
        assert_eq!((interval.low, interval.high), (1.0, 6.0));
        assert!((interval.confidence - 0.968_75).abs() < 1e-12);
    }

    #[test]
    fn four_cells_are_a_difference_of_differences() {
        let [a, b, c, d] = [9.0, 4.0, 3.0, 1.0].map(|value| vec![value; 7]);
        let ours = of(&[(Sign::Plus, &a), (Sign::Minus, &b), (Sign::Minus, &c), (Sign::Plus, &d)]);
        assert_eq!(
            (ours.n, ours.value, ours.interval.map(|all| (all.low, all.high))),
            (7, Some(3.0), Some((3.0, 3.0)))
        );
    }

    #[test]
    fn only_rounds_that_all_have_are_summed() {
        let short = of(&[(Sign::Plus, &[5.0, 6.0, 7.0]), (Sign::Minus, &[1.0, 1.0])]);
        assert_eq!((short.n, short.value, short.interval), (2, Some(4.5), None));
        let none = Contrast { n: 0, value: None, interval: None };
        assert_eq!((of(&[(Sign::Plus, &[1.0]), (Sign::Minus, &[])]), of(&[])), (none, none));
    }
}
