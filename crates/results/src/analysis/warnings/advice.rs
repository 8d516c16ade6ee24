//! What would settle the comparisons that have no verdict: more rounds where anybody would wait for them, in minutes
//! and as one figure for the whole run; otherwise what to change.

use super::{Pace, warning};
use crate::{Comparison, Verdict, Warning};

/// Nobody adds more than this to a run for one more verdict: beyond it, rounds are no advice.
const MINUTES_MAX: f64 = 60.0;
/// The most that `--rounds` takes.
const ROUNDS_MAX: u32 = 100_000;
const NS_PER_MINUTE: f64 = 60e9;
/// What else helps.
const CHANGE: &str = "measure on a quieter machine (no other work, a processor of its own), give the bench more work, \
                      or ask for a wider margin (`--delta`)";

/// One warning on all comparisons without a verdict.
pub fn open(comparisons: &[&Comparison], pace: &Pace<'_>) -> Option<Warning> {
    let is_open = |row: &Comparison| matches!(row.verdict, Verdict::Undetermined | Verdict::TooNoisy);
    let open: Vec<&Comparison> =
        comparisons.iter().copied().filter(|row| is_open(row) && row.ci_low.is_some()).collect();
    let noisy = open.iter().filter(|row| row.verdict == Verdict::TooNoisy).count();
    let all = comparisons.len();
    let what = match (open.len() - noisy, noisy) {
        (0, 0) => return None,
        (some, 0) => format!("{some} of {all} comparisons are undetermined"),
        (0, noisy) => format!("{noisy} of {all} comparisons are too noisy to tell"),
        (some, noisy) => format!("of {all} comparisons {some} are undetermined and {noisy} too noisy to tell"),
    };
    Some(warning(what, advice(pace, &open)))
}

fn advice(pace: &Pace<'_>, open: &[&Comparison]) -> String {
    let Some(minutes) = pace.minutes_per_round() else { return CHANGE.to_owned() };
    let planned = pace.manifest.rounds;
    let affordable: Vec<u32> = open
        .iter()
        .filter_map(|row| row.more_rounds)
        .filter(|more| f64::from(*more) * minutes <= MINUTES_MAX && planned.saturating_add(*more) <= ROUNDS_MAX)
        .collect();
    let Some(more) = affordable.iter().max() else {
        return format!("an hour of more rounds would not settle them: {CHANGE}");
    };
    let rounds = planned.saturating_add(*more);
    let cost = match (f64::from(*more) * minutes).ceil() {
        minutes if minutes <= 1.0 => "about a minute more".to_owned(),
        minutes => format!("about {minutes:.0} minutes more"),
    };
    if affordable.len() == open.len() {
        return format!("{cost} would settle them: `--rounds {rounds}`");
    }
    format!(
        "{cost} would settle {} of them, `--rounds {rounds}`; for the rest an hour would not do: {CHANGE}",
        affordable.len()
    )
}

impl Pace<'_> {
    /// As long as the rounds of this run took; `None` where its end was not recorded, and for a run that stopped on
    /// precision: it has its own number of rounds.
    fn minutes_per_round(&self) -> Option<f64> {
        let finished = self.manifest.finished.as_ref()?;
        let usable = self.level.looks == 1 && self.rounds > 0;
        usable.then(|| finished.rounds_wall_ns as f64 / f64::from(self.rounds) / NS_PER_MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::analyse;
    use crate::analysis::fixture::{manifest, samples, slow};
    use crate::{Manifest, Sample, Summary, Verdict};

    fn advice(manifest: &Manifest, samples: &[Sample]) -> Option<String> {
        let summary = analyse(manifest, samples, &[]);
        assert!(told(&summary).len() <= 1, "one figure, in one place: {:?}", summary.warnings);
        told(&summary).pop()
    }

    fn told(summary: &Summary) -> Vec<String> {
        let about_rounds = |text: &&String| text.contains("settle");
        summary.warnings.iter().map(|warning| &warning.advice).filter(about_rounds).cloned().collect()
    }

    /// The A/A row of `noop` is made as noisy as the alternating factor says.
    fn noisy(manifest: &Manifest, factor: f64) -> Vec<Sample> {
        let mut samples = samples(manifest);
        for sample in samples.iter_mut().filter(|sample| sample.bench == "noop" && sample.case.ends_with("#2")) {
            if sample.round % 2 == 0 {
                slow(sample, factor);
            }
        }
        samples
    }

    #[test]
    fn rounds_that_anybody_would_wait_for_are_told_in_minutes() {
        let mut manifest = manifest(30);
        manifest.finished.as_mut().unwrap().rounds_wall_ns = 62_000_000_000;
        let text = advice(&manifest, &samples(&manifest)).unwrap();
        assert!(text.contains("would settle") && text.contains("minute"), "{text}");
        assert!(text.contains("`--rounds "), "{text}");
        assert!(!text.contains("more rounds needed"), "{text}");
    }

    #[test]
    fn rounds_that_nobody_would_wait_for_are_no_advice() {
        let mut manifest = manifest(30);
        manifest.finished.as_mut().unwrap().rounds_wall_ns = 1_000_000_000_000_000;
        let text = advice(&manifest, &samples(&manifest)).unwrap();
        assert!(text.starts_with("an hour of more rounds would not settle them"), "{text}");
        assert!(text.contains("quieter machine") && text.contains("`--delta`"), "{text}");
        manifest.finished = None;
        assert_eq!(advice(&manifest, &samples(&manifest)), None);
    }

    #[test]
    fn a_machine_that_differs_from_itself_calls_nothing_the_same() {
        let manifest = manifest(30);
        let summary = analyse(&manifest, &noisy(&manifest, 1.8), &[]);
        let of_noop: Vec<_> = summary.comparisons.iter().filter(|row| row.bench == "noop").collect();
        assert!(of_noop.iter().any(|row| row.verdict == Verdict::TooNoisy), "{of_noop:?}");
        for row in &of_noop {
            assert!(row.verdict != Verdict::Same && row.verdict != Verdict::Undetermined, "{row:?}");
        }
        let warning = summary.warnings.iter().find(|warning| warning.what.contains("too noisy to tell")).unwrap();
        assert!(warning.advice.contains("quieter machine"), "{warning:?}");
    }
}
