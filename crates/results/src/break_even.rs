//! From which size of work on one way of running a program takes longer than another: what the fits of a sweep say.
//!
//! The stored rows, and a sentence for each. Not here: how they are computed (`analysis`).

use serde::{Deserialize, Serialize};

use crate::Estimate;

/// `summary.json`, `break_even`: absent where the run has no size sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// A row per sweep and chosen pair.
    pub pairs: Vec<BreakEvenRow>,
    /// What follows for three kinds of use.
    pub examples: Vec<Example>,
}

/// Two lines `T = a + b·n` of one sweep, held against each other round by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakEvenRow {
    /// The bench that sweeps.
    pub sweep: String,
    /// The case.
    pub case: String,
    /// What it is held against.
    pub baseline: String,
    /// Why these two.
    pub why: PairReason,
    /// Rounds in which both have a sample at every size.
    pub rounds: usize,
    /// The least size measured.
    pub n_least: u64,
    /// The greatest size measured.
    pub n_greatest: u64,
    /// Fixed cost over fixed cost; absent where that of the baseline may be 0.
    pub fixed_ratio: Option<Estimate>,
    /// Marginal cost over marginal cost; absent where that of the baseline may be 0.
    pub marginal_ratio: Option<Estimate>,
    /// The ratio of the two lines at the least size; absent where there are too few rounds.
    pub ratio_at_least: Option<Estimate>,
    /// The ratio of the two lines at the greatest size.
    pub ratio_at_greatest: Option<Estimate>,
    /// What follows.
    pub outcome: BreakEvenOutcome,
    /// Where the lines cross, if they do within the sizes measured.
    pub crossing: Option<CrossingSize>,
    /// The ratio of the two lines from the least size to the greatest.
    pub curve: Vec<CurvePoint>,
    /// Whether different container runtimes made the two, so that what these cost is in the ratio.
    pub across_runtimes: bool,
    /// How it was made.
    pub method: String,
}

/// Why two cases are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairReason {
    /// A case and what it is compared with.
    Baseline,
    /// A module and the native program in the same runtime.
    Control,
    /// Two modes of one engine in the same runtime.
    Modes,
}

/// What two lines come to within the sizes measured. The ends decide: an interval of the ratio there that holds 1 leaves
/// it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakEvenOutcome {
    /// Faster at the least size, slower at the greatest.
    SlowerFrom,
    /// Slower at the least size, faster at the greatest.
    FasterFrom,
    /// Slower at both.
    SlowerThroughout,
    /// Faster at both.
    FasterThroughout,
    /// At one end at least, this run can not tell.
    Undetermined,
}

/// A size at which two cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossingSize {
    /// The size.
    pub n: f64,
    /// Lower end of its interval; absent where that is not within the sizes measured.
    pub low: Option<f64>,
    /// Upper end, likewise.
    pub high: Option<f64>,
}

/// The ratio of two lines at one size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The size.
    pub n: f64,
    /// The ratio there.
    pub ratio: Estimate,
}

/// One kind of use, with the numbers of this run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// `ci-job`, `cron` or `request`.
    pub name: String,
    /// What is supposed, in a sentence.
    pub what: String,
    /// The bench that stands for its work.
    pub bench: String,
    /// What the rows are in: `ns` for all that one use takes.
    pub unit: String,
    /// A row per case.
    pub rows: Vec<ExampleRow>,
}

/// What one case takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExampleRow {
    /// The case.
    pub case: String,
    /// The part of it that comes before the run, such as a pull: a number without interval.
    pub before_ns: f64,
    /// All of it, with the interval of the run's median.
    pub total: Estimate,
    /// All of it over that of the baseline, paired by round; absent for a baseline.
    pub ratio: Option<Estimate>,
}

impl BreakEvenRow {
    /// What it says, in one sentence.
    pub fn sentence(&self) -> String {
        let (case, baseline) = (&self.case, &self.baseline);
        let range = format!("n = {} to {}", whole(self.n_least as f64), whole(self.n_greatest as f64));
        let (Some(least), Some(greatest)) = (self.ratio_at_least, self.ratio_at_greatest) else {
            return format!("`{case}` against `{baseline}`: too few complete rounds for an answer.");
        };
        let ends = format!("{} at the least size, {} at the greatest", times(least), times(greatest));
        match (self.outcome, self.crossing) {
            (BreakEvenOutcome::SlowerFrom, Some(at)) => {
                format!("`{case}` is slower than `{baseline}` from n = {} on, faster below it ({ends}).", at.in_words())
            }
            (BreakEvenOutcome::FasterFrom, Some(at)) => {
                format!("`{case}` is faster than `{baseline}` from n = {} on, slower below it ({ends}).", at.in_words())
            }
            (BreakEvenOutcome::SlowerThroughout, _) => {
                format!("`{case}` is never faster than `{baseline}` in the range measured, {range} ({ends}).")
            }
            (BreakEvenOutcome::FasterThroughout, _) => {
                format!("`{case}` is never slower than `{baseline}` in the range measured, {range} ({ends}).")
            }
            (_, Some(at)) => format!(
                "Whether `{case}` crosses `{baseline}` in the range measured can not be told; if it does, at about n = {} \
                 ({ends}).",
                at.in_words()
            ),
            (_, None) => format!(
                "At one end of the range measured, {range}, no difference of `{case}` and `{baseline}` can be told ({ends})."
            ),
        }
    }
}

impl CrossingSize {
    fn in_words(self) -> String {
        let n = whole(self.n);
        match (self.low, self.high) {
            (Some(low), Some(high)) => format!("{n} (95 % interval {} to {})", whole(low), whole(high)),
            (None, Some(high)) => format!("{n} (at most {})", whole(high)),
            (Some(low), None) => format!("{n} (at least {})", whole(low)),
            (None, None) => format!("{n} (anywhere in the range)"),
        }
    }
}

fn times(ratio: Estimate) -> String {
    format!("{:.2}×, {:.2} to {:.2},", ratio.value, ratio.low, ratio.high).trim_end_matches(',').to_owned()
}

/// Three significant digits, thousands apart.
fn whole(n: f64) -> String {
    let scale = if n.abs() < 1000.0 { 1.0 } else { 10_f64.powf(n.abs().log10().floor() - 2.0) };
    let digits = format!("{:.0}", (n / scale).round() * scale);
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: BreakEvenOutcome, crossing: Option<CrossingSize>) -> BreakEvenRow {
        let estimate = |value: f64| Some(Estimate { value, low: value - 0.01, high: value + 0.01 });
        BreakEvenRow {
            sweep: "sweep".to_owned(),
            case: "wasm-aot/wasmedge".to_owned(),
            baseline: "native/runc".to_owned(),
            why: PairReason::Baseline,
            rounds: 30,
            n_least: 1000,
            n_greatest: 4_000_000,
            fixed_ratio: None,
            marginal_ratio: None,
            ratio_at_least: estimate(0.7),
            ratio_at_greatest: estimate(1.2),
            outcome,
            crossing,
            curve: Vec::new(),
            across_runtimes: true,
            method: String::new(),
        }
    }

    #[test]
    fn each_outcome_has_its_sentence() {
        let at = CrossingSize { n: 1_234_567.0, low: Some(1_100_000.0), high: None };
        let from = row(BreakEvenOutcome::SlowerFrom, Some(at)).sentence();
        assert_eq!(
            from,
            "`wasm-aot/wasmedge` is slower than `native/runc` from n = 1,230,000 (at least 1,100,000) on, faster below it \
             (0.70×, 0.69 to 0.71 at the least size, 1.20×, 1.19 to 1.21 at the greatest)."
        );
        let never = row(BreakEvenOutcome::FasterThroughout, None).sentence();
        assert!(
            never.contains("never slower than `native/runc` in the range measured, n = 1,000 to 4,000,000"),
            "{never}"
        );
        assert!(row(BreakEvenOutcome::SlowerThroughout, None).sentence().contains("never faster"));
        assert!(row(BreakEvenOutcome::Undetermined, Some(at)).sentence().contains("can not be told; if it does"));
        let few = BreakEvenRow { ratio_at_least: None, ..row(BreakEvenOutcome::Undetermined, None) };
        assert!(few.sentence().contains("too few complete rounds"));
    }

    #[test]
    fn sizes_have_three_digits() {
        assert_eq!(
            [7.4, 999.0, 1000.0, 12_345.0, 4_000_000.0].map(whole),
            ["7", "999", "1,000", "12,300", "4,000,000"]
        );
    }
}
