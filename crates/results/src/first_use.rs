//! First use: what a run costs when not everything is there yet. Classes with names, as a factor of their own beside the
//! warm rows of the table; `first-use.jsonl` holds their samples, and `summary.json` what follows from them.
//!
//! Not here: how they are computed (`analysis`), how a class is brought about (the program that measures).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Estimate, Outcome};

/// What is not there yet when a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The image: pulled, unpacked, run.
    NotPulled,
    /// The image's snapshot: its content is there, packed.
    NotUnpacked,
    /// The page cache: none of the run's own files is in it, as far as nobody else has them mapped.
    ColdCache,
    /// A run of containerd: it was started anew, and this is its first container.
    FirstAfterStart,
    /// Nothing: the same had just been run.
    Warm,
    /// The compiled module: it is made of the module, and nothing is run.
    Compile,
}

impl Class {
    /// Every one, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::NotPulled, Self::NotUnpacked, Self::ColdCache, Self::FirstAfterStart, Self::Warm, Self::Compile];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPulled => "not-pulled",
            Self::NotUnpacked => "not-unpacked",
            Self::ColdCache => "cold-cache",
            Self::FirstAfterStart => "first-after-start",
            Self::Warm => "warm",
            Self::Compile => "compile",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A link between a node and its registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Bits per second in each direction, in millions.
    pub mbit_per_s: u32,
    /// Milliseconds there and back.
    pub round_trip_ms: u32,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.round_trip_ms {
            0 => write!(f, "{} Mbit/s", self.mbit_per_s),
            delay => write!(f, "{} Mbit/s, {delay} ms", self.mbit_per_s),
        }
    }
}

/// The value of a sample that is all of it.
pub const WALL: &str = "wall_ns";
/// The part of it that is the pull.
pub const PULL: &str = "pull_ns";
/// The part of it that is the run.
pub const RUN: &str = "run_ns";
/// What came over a link, headers included.
pub const TRANSFERRED: &str = "transferred_bytes";
/// Round trips that had to be waited for one after the other.
pub const ROUND_TRIPS: &str = "round_trips";
/// The files whose pages were dropped.
pub const DROPPED: &str = "dropped_bytes";

/// A line of `first-use.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstUseSample {
    /// The bench.
    pub bench: String,
    /// The case; for `compile` the form of file that is made.
    pub case: String,
    /// What was not there.
    pub class: Class,
    /// The link between node and registry; absent for the registry itself, on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The round, from 0.
    pub round: u32,
    /// The place within the round, from 0.
    pub position: u32,
    /// What was measured, by name; the unit is at its end.
    pub values: BTreeMap<String, u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is no sample; absent when the outcome is `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of what it wrote to stdout, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
}

/// `summary.json`, `first_use`: absent where it was not asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstUse {
    /// A row per bench, case, class, link and value.
    pub rows: Vec<FirstUseRow>,
    /// Pulls over links, tried and computed.
    pub links: Vec<LinkRow>,
    /// Compiling ahead of time, a row per bench and form.
    pub compiled: Vec<FirstUseRow>,
    /// After how many runs that has paid for itself.
    pub paid_off: Vec<PaidOffRow>,
}

/// The distribution of one value in one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstUseRow {
    /// The bench.
    pub bench: String,
    /// The case.
    pub case: String,
    /// What was not there.
    pub class: Class,
    /// The link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What was measured: `wall_ns`, or its part `pull_ns` or `run_ns`.
    pub value: String,
    /// Samples.
    pub n: usize,
    /// Runs with another outcome than `ok`.
    pub failed: usize,
    /// Their median and its order-statistic interval, in nanoseconds; absent where n has none.
    pub median: Option<Estimate>,
    /// The value over that of the run of the class `warm` in the same round: median, and its interval. A pull has none.
    pub ratio_to_warm: Option<Estimate>,
}

/// A pull over a link: what it took, and what its bytes and round trips would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// The bench.
    pub bench: String,
    /// The case.
    pub case: String,
    /// The link.
    pub link: Link,
    /// What came over it, headers included: the median.
    pub transferred_bytes: f64,
    /// Round trips that had to be waited for one after the other: the median.
    pub round_trips: f64,
    /// The pull as tried, in nanoseconds.
    pub tried_ns: Estimate,
    /// The pull from the registry itself, and the bytes by the speed, and the round trips by the delay.
    pub computed_ns: f64,
    /// The same pull of the baseline of this case over the same link divides it; absent for a baseline.
    pub ratio: Option<Estimate>,
}

/// Compiling ahead of time, against running the module without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaidOffRow {
    /// The bench.
    pub bench: String,
    /// The case that runs what was compiled.
    pub case: String,
    /// The case of the same engine and runtime that does not.
    pub other: String,
    /// What compiling takes, in nanoseconds.
    pub compile_ns: Estimate,
    /// What a run saves, paired by round, in nanoseconds; below 0 where it takes longer.
    pub saved_ns: Estimate,
    /// After so many runs it has paid for itself; absent where a run saves nothing. The ends are those of both intervals,
    /// each on its far side; an upper end that is absent is none.
    pub runs: Option<PaidOffRuns>,
}

/// A number of runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaidOffRuns {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end; absent where a run may save nothing.
    pub high: Option<f64>,
}

impl PaidOffRow {
    /// What it says, in one sentence.
    pub fn sentence(&self) -> String {
        let (case, other) = (&self.case, &self.other);
        let compile = self.compile_ns.value / 1e6;
        let up = |runs: f64| format!("{:.0}", runs.max(1.0).ceil());
        match self.runs {
            None => format!(
                "Compiling ahead of time ({compile:.0} ms) does not pay for itself: `{case}` saves nothing against `{other}`."
            ),
            Some(runs) => {
                let range = match runs.high {
                    Some(high) => format!("{} to {}", up(runs.low), up(high)),
                    None => format!("at least {}", up(runs.low)),
                };
                let count = up(runs.value);
                let noun = if count == "1" { "run" } else { "runs" };
                format!(
                    "Compiling ahead of time ({compile:.0} ms) has paid for itself after {count} {noun} ({range}) of \
                     `{case}` instead of `{other}`, {:.1} ms saved by each.",
                    self.saved_ns.value / 1e6
                )
            }
        }
    }
}

/// The samples of a `first-use.jsonl`, and a line of explanation for each line that is none.
pub fn parse(bytes: &[u8]) -> (Vec<FirstUseSample>, Vec<String>) {
    let (mut samples, mut lost) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice::<FirstUseSample>(line) {
            Ok(sample) => samples.push(sample),
            Err(error) => lost.push(format!("first-use.jsonl: line {number} is damaged: {error}")),
        }
    }
    (samples, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_was_written_and_a_damaged_one_is_named() {
        let sample = FirstUseSample {
            bench: "b".to_owned(),
            case: "native/runc".to_owned(),
            class: Class::NotPulled,
            link: Some(Link { mbit_per_s: 10, round_trip_ms: 20 }),
            round: 1,
            position: 2,
            values: [(WALL.to_owned(), 5)].into(),
            outcome: Outcome::Ok,
            reason: None,
            output_sha256: None,
        };
        let text = format!("{}\n{{\"bench\":\n", serde_json::to_string(&sample).unwrap());
        let (read, lost) = parse(text.as_bytes());
        assert_eq!(read, [sample]);
        assert!(lost.len() == 1 && lost[0].contains("line 2"), "{lost:?}");
    }

    #[test]
    fn what_pays_and_what_never_does_have_their_sentences() {
        let estimate = |value: f64| Estimate { value, low: value * 0.9, high: value * 1.1 };
        let row = |runs| PaidOffRow {
            bench: "b".to_owned(),
            case: "wasm-aot/process".to_owned(),
            other: "wasm-interpreter/process".to_owned(),
            compile_ns: estimate(1.2e9),
            saved_ns: estimate(2e8),
            runs,
        };
        let paid = row(Some(PaidOffRuns { value: 6.0, low: 4.9, high: Some(7.3) })).sentence();
        assert!(paid.contains("(1200 ms) has paid for itself after 6 runs (5 to 8)"), "{paid}");
        let open = row(Some(PaidOffRuns { value: 6.0, low: 4.9, high: None })).sentence();
        assert!(open.contains("(at least 5)"), "{open}");
        assert!(row(None).sentence().contains("does not pay for itself"));
    }
}
