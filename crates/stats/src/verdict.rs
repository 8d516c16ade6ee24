//! From a ratio's interval and a margin to a word, and to how many rounds would be needed for one.
//!
//! Not here: where the margin comes from (`analysis`).

use super::interval::{Confidence, Interval, rounds_for_interval};
use super::paired::PairedRatio;

use serde::{Deserialize, Serialize};

/// What a paired comparison says, given the margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies below 1 − δ.
    Faster,
    /// The whole interval lies above 1 + δ.
    Slower,
    /// The whole interval lies within 1 ± δ.
    Same,
    /// Neither: more rounds would tell.
    Undetermined,
    /// Not beyond the margin, and the A/A resolution makes the margin too wide to call anything the same.
    TooNoisy,
}

/// Beyond this many more rounds, "about N more" is no advice any more.
const MORE_ROUNDS_MAX: f64 = 100_000.0;

/// The margin δ as a fraction: differences within `1 ± δ` are called none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Margin(f64);

impl Margin {
    /// A finite margin of at least 0; anything else counts as 0.
    pub fn new(delta: f64) -> Self {
        Self(if delta.is_finite() { delta.max(0.0) } else { 0.0 })
    }

    /// As a fraction.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The greater of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    fn low(self) -> f64 {
        1.0 - self.0
    }

    fn high(self) -> f64 {
        1.0 + self.0
    }
}

/// The margin that was asked for, and the one that this run must use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    asked: Margin,
    used: Margin,
}

impl Limits {
    /// *Same* is said within so many times the margin that was asked for, and not beyond: where a case differs from
    /// itself by more than that, its likeness to another one is no finding. Judgement: 2.5 makes 5 % of the 2 % that
    /// are asked for by default, which 30 rounds on an idle machine stay below.
    pub const SAME_FACTOR: f64 = 2.5;

    /// For verdicts at the margin that was asked for.
    pub fn asked(asked: Margin) -> Self {
        Self { asked, used: asked }
    }

    /// As wide as the machine's noise demands.
    #[must_use]
    pub fn widened(self, by: Margin) -> Self {
        Self { used: self.used.or(by), ..self }
    }

    /// The margin that verdicts use.
    pub fn margin(self) -> Margin {
        self.used
    }

    /// The widest margin within which anything is called the same.
    pub fn same(self) -> Margin {
        Margin::new(self.asked.value() * Self::SAME_FACTOR)
    }

    fn is_too_wide(self) -> bool {
        self.used > self.same()
    }
}

/// *Slower* when the whole interval lies above `1 + δ`, *faster* when it lies below `1 − δ`, *same* when it
/// lies within, else *undetermined*. The two-sided interval makes this an equivalence test and two
/// difference tests in one (Wellek, *Testing Statistical Hypotheses of Equivalence*, 2nd ed. 2010,
/// section 1.3: interval inclusion). Where δ is wider than [`Limits::same`], what is neither slower nor faster is
/// *too noisy*.
pub fn verdict(interval: Option<Interval>, limits: Limits) -> Verdict {
    let margin = limits.margin();
    match interval {
        Some(interval) if interval.low > margin.high() => Verdict::Slower,
        Some(interval) if interval.high < margin.low() => Verdict::Faster,
        Some(_) if limits.is_too_wide() => Verdict::TooNoisy,
        Some(interval) if interval.low >= margin.low() && interval.high <= margin.high() => Verdict::Same,
        _ => Verdict::Undetermined,
    }
}

/// For a ratio without a verdict, about how many more rounds would give one, were the ratio to stay.
///
/// The arms of the interval (on the logarithm) shrink as `1/√n`; each must become shorter than its distance
/// to the margin's nearest end: `n' = n·(arm/distance)²`. A margin that is too wide has to shrink first, which it does
/// likewise. Without an interval it is what is missing to the fewest rounds that have one. `None` for a determined
/// ratio, and where no number of rounds is in sight (the ratio sits on the end of the margin).
pub fn more_rounds(ratio: &PairedRatio, limits: Limits, confidence: Confidence) -> Option<u32> {
    let (margin, shrink) = match verdict(ratio.interval, limits) {
        Verdict::Faster | Verdict::Slower | Verdict::Same => return None,
        Verdict::Undetermined => (limits.margin(), 1.0),
        // Without a margin asked for, nothing is ever the same: no number of rounds helps.
        Verdict::TooNoisy => (limits.same(), limits.margin().value() / limits.same().value()),
    };
    let (Some(centre), Some(interval)) = (ratio.ratio, ratio.interval) else {
        let missing = rounds_for_interval(confidence).saturating_sub(ratio.n);
        return u32::try_from(missing).ok().filter(|missing| *missing > 0);
    };
    let arm_low = centre.ln() - interval.low.ln();
    let arm_high = interval.high.ln() - centre.ln();
    // 1 − δ may be 0 or less for a margin of 100 % and above: everything below is then within it.
    let to_low = if margin.low() > 0.0 { centre.ln() - margin.low().ln() } else { f64::MAX };
    let to_high = margin.high().ln() - centre.ln();
    let growth = if to_high < 0.0 {
        arm_low / -to_high
    } else if to_low < 0.0 {
        arm_high / -to_low
    } else {
        (arm_low / to_low).max(arm_high / to_high)
    };
    // A ratio on the very end of the margin divides by 0: the result is no number, and none is returned.
    let growth = if growth.is_finite() { growth.max(shrink) } else { growth };
    rounds_from(ratio.n as f64 * (growth * growth - 1.0))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the comparison before it")]
fn rounds_from(more: f64) -> Option<u32> {
    (more <= MORE_ROUNDS_MAX).then(|| more.ceil().max(1.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, high: f64) -> Interval {
        Interval { low, high, confidence: 0.95 }
    }

    fn ratio(n: usize, ends: (f64, f64)) -> PairedRatio {
        let centre = (ends.0 * ends.1).sqrt();
        PairedRatio { n, ratio: Some(centre), interval: Some(interval(ends.0, ends.1)) }
    }

    const TWO_PERCENT: Limits = Limits { asked: Margin(0.02), used: Margin(0.02) };

    #[test]
    fn every_position_of_an_interval_has_its_word() {
        let word = |low, high| verdict(Some(interval(low, high)), TWO_PERCENT);
        assert_eq!(word(1.03, 1.05), Verdict::Slower);
        assert_eq!(word(0.90, 0.97), Verdict::Faster);
        assert_eq!(word(0.98, 1.02), Verdict::Same);
        assert_eq!(word(1.0, 1.0), Verdict::Same);
        for (low, high) in [(0.97, 1.0), (1.01, 1.03), (0.9, 1.1), (1.02, 1.04)] {
            assert_eq!(word(low, high), Verdict::Undetermined, "{low} to {high}");
        }
        assert_eq!(verdict(None, TWO_PERCENT), Verdict::Undetermined);
    }

    /// A run whose A/A rows leave 63 % open called 0.5× to 1.1× the same.
    #[test]
    fn on_a_noisy_machine_nothing_is_the_same() {
        let noisy = TWO_PERCENT.widened(Margin(0.63));
        let word = |low, high| verdict(Some(interval(low, high)), noisy);
        assert_eq!(word(0.5, 1.1), Verdict::TooNoisy);
        assert_eq!(word(0.99, 1.01), Verdict::TooNoisy);
        assert_eq!(word(0.3, 0.7), Verdict::TooNoisy);
        assert_eq!(word(1.7, 2.0), Verdict::Slower);
        assert_eq!(word(0.1, 0.3), Verdict::Faster);
        assert_eq!(verdict(None, noisy), Verdict::Undetermined);
        let bearable = TWO_PERCENT.widened(Margin(0.05));
        assert_eq!(verdict(Some(interval(0.96, 1.04)), bearable), Verdict::Same);
        assert_eq!(verdict(Some(interval(0.94, 1.04)), bearable), Verdict::Undetermined);
        let asked_for = Limits::asked(Margin(0.63));
        assert_eq!(verdict(Some(interval(0.5, 1.1)), asked_for), Verdict::Same);
    }

    /// By hand: a margin of 20 % must become 5 %, which takes 16 times the rounds; the interval is narrow already.
    #[test]
    fn a_margin_that_is_too_wide_takes_rounds_too() {
        let noisy = TWO_PERCENT.widened(Margin(0.2));
        assert_eq!(more_rounds(&ratio(10, (0.99, 1.01)), noisy, Confidence::DEFAULT), Some(150));
        let without_margin = Limits::asked(Margin(0.0)).widened(Margin(0.2));
        assert_eq!(more_rounds(&ratio(10, (0.99, 1.01)), without_margin, Confidence::DEFAULT), None);
    }

    #[test]
    fn a_margin_is_a_number_from_0() {
        assert_eq!(Margin::new(f64::NAN), Margin(0.0));
        assert_eq!(Margin::new(-1.0), Margin(0.0));
        assert_eq!(Margin::new(0.01).or(Margin(0.02)), Margin(0.02));
    }

    /// By hand: a ratio of 1.04 whose arms are 0.04 must come clear of 1.02, which is 0.0194 away: the arm
    /// must shrink 2.06-fold, which takes 4.24 times the rounds.
    #[test]
    fn halving_the_arm_takes_four_times_the_rounds() {
        let ends = (1.04 * (-0.04_f64).exp(), 1.04 * 0.04_f64.exp());
        assert_eq!(more_rounds(&ratio(30, ends), TWO_PERCENT, Confidence::DEFAULT), Some(98));
    }

    #[test]
    fn a_ratio_within_the_margin_needs_both_arms_inside() {
        // Arms of 0.0396 around 1; the upper limit ln 1.02 = 0.0198 is the nearer: (0.0396/0.0198)² = 4.
        let ends = ((-0.0396_f64).exp(), 0.0396_f64.exp());
        let more = more_rounds(&ratio(10, ends), TWO_PERCENT, Confidence::DEFAULT).unwrap();
        assert!((29..=31).contains(&more), "{more}");
    }

    #[test]
    fn a_ratio_on_the_margin_is_never_determined() {
        assert_eq!(more_rounds(&ratio(30, (1.02 / 1.1, 1.02 * 1.1)), TWO_PERCENT, Confidence::DEFAULT), None);
    }

    #[test]
    fn without_an_interval_the_missing_rounds_are_named() {
        let none = |n| PairedRatio { n, ratio: None, interval: None };
        assert_eq!(more_rounds(&none(0), TWO_PERCENT, Confidence::DEFAULT), Some(6));
        assert_eq!(more_rounds(&none(5), TWO_PERCENT, Confidence::DEFAULT), Some(1));
    }

    #[test]
    fn a_determined_ratio_needs_no_more() {
        assert_eq!(more_rounds(&ratio(30, (1.1, 1.2)), TWO_PERCENT, Confidence::DEFAULT), None);
        assert_eq!(more_rounds(&ratio(30, (0.99, 1.01)), TWO_PERCENT, Confidence::DEFAULT), None);
    }

    #[test]
    fn a_margin_of_everything_is_no_division_by_0() {
        let wide = more_rounds(&ratio(10, (0.5, 3.0)), Limits::asked(Margin::new(1.0)), Confidence::DEFAULT);
        assert!(wide.is_some());
    }
}
