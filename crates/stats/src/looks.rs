//! Running until the intervals are narrow enough, without paying for it in coverage.
//!
//! Not here: the running (`measure`), and which comparisons have to be narrow (`analysis::precision`).

use super::interval::Confidence;

/// The first look. Earlier there is hardly an interval, and the clock of a run has not settled.
const FIRST_LOOK: u32 = 10;

/// The counted rounds after which the intervals are looked at, ascending; the last is `max_rounds`.
///
/// 10, 20, 40, … and the maximum: doubling keeps the looks few (each one costs confidence) while a run
/// never goes on for more than twice the rounds that it needed. A look within a quarter of the maximum is
/// left out: it would cost as much and save little.
pub fn looks(max_rounds: u32) -> Vec<u32> {
    let last = u64::from(max_rounds);
    let mut looks: Vec<u32> = std::iter::successors(Some(FIRST_LOOK), |look| look.checked_mul(2))
        .take_while(|look| u64::from(*look) * 4 <= last * 3)
        .collect();
    if max_rounds > 0 {
        looks.push(max_rounds);
    }
    looks
}

/// The confidence of the intervals at each look, so that the one at which the run stops keeps the nominal
/// one: `1 − α/looks`. Source: Bonferroni's inequality over the looks, which holds for every stopping rule,
/// however the looks depend on each other; Jennison and Turnbull, *Group Sequential Methods*, 2000,
/// chapter 9 (repeated confidence intervals), of which it is the simplest and widest.
pub fn look_confidence(confidence: Confidence, looks: usize) -> Confidence {
    confidence.split(looks)
}

/// The widest of some relative widths (fractions of the ratio); `None` while one of them is not known, and for
/// none at all.
pub fn widest(widths: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    widths.into_iter().reduce(|widest, width| Some(widest?.max(width?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_double_and_end_at_the_maximum() {
        assert_eq!(looks(0), Vec::<u32>::new());
        assert_eq!(looks(4), [4]);
        assert_eq!(looks(10), [10]);
        assert_eq!(looks(30), [10, 20, 30]);
        assert_eq!(looks(100), [10, 20, 40, 100]);
        assert_eq!(looks(200), [10, 20, 40, 80, 200]);
        assert_eq!(looks(u32::MAX).last(), Some(&u32::MAX));
    }

    #[test]
    fn the_looks_share_what_may_be_missed() {
        let each = look_confidence(Confidence::DEFAULT, looks(200).len());
        assert!((each.value() - 0.99).abs() < 1e-12);
        assert_eq!(look_confidence(Confidence::DEFAULT, 0), Confidence::DEFAULT.split(1));
    }

    #[test]
    fn the_widest_is_unknown_while_one_has_no_interval() {
        assert_eq!(widest([]), None);
        assert_eq!(widest([Some(0.1), None]), None);
        assert_eq!(widest([None, Some(0.1)]), None);
        assert!((widest([Some(0.1), Some(0.5), Some(0.2)]).unwrap() - 0.5).abs() < 1e-12);
    }
}
