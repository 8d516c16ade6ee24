//! How modules were executed, whatever was asked for: seen in the time that the walks of a calibration take, beside native's.
//!
//! An engine that can not use the code that it was given interprets it without a word, and what its log says of it is its
//! own affair. A walk is execution alone: the program that takes it has started, and times it itself. Not here: running
//! anything.

use serde::{Deserialize, Serialize};

use crate::case::{Kind, Mode};

/// Up to so many times native's, a walk was executed as compiled code, which takes about as long as native.
pub const COMPILED_MAX: f64 = 4.0;
/// From so many times native's on, a walk was interpreted.
pub const INTERPRETED_MIN: f64 = 6.0;
/// Fewer walks decide nothing: the two least times tell how well the least is known.
pub const WALKS_MIN: usize = 4;
/// Before a case is said not to have run as it was asked to: those of two runs.
pub const WALKS_TO_CONTRADICT: usize = 16;

/// The mode in which a case's modules were executed, with the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeObserved {
    /// The mode; absent where it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The time of a walk over native's: what the mode was told by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk_over_native: Option<WalkRatio>,
    /// Walks that were timed.
    pub walks: usize,
    /// Why it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A ratio of two least times, and how far it may be off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WalkRatio {
    /// The ratio of the least times.
    pub value: f64,
    /// The case's least over the native program's next.
    pub low: f64,
    /// The case's next over the native program's least.
    pub high: f64,
    /// The case's least time.
    pub case_ns: u64,
    /// The native program's.
    pub native_ns: u64,
}

impl ModeObserved {
    /// What follows from the times of walks, in ns, by a case that runs files of this form, and by the native program in the
    /// same minutes. Disturbances only add to a time, so the least is nearest to the truth, and the next one says how near.
    pub fn of(form: Kind, case: &[u64], native: &[u64]) -> Self {
        let walks = case.len();
        let Some(ratio) = ratio(case, native).filter(|_| walks >= WALKS_MIN) else {
            return Self { walks, ..Self::untold("there are not enough walks whose time could be told") };
        };
        let (mode, reason) = match ratio {
            WalkRatio { high, .. } if high <= COMPILED_MAX => (Some(compiled(form)), None),
            WalkRatio { low, .. } if low >= INTERPRETED_MIN => (Some(Mode::Interpreter), None),
            WalkRatio { low, high, .. } => {
                let reason = format!(
                    "a walk of the calibration takes {low:.1} to {high:.1} times native's: compiled code takes at most \
                     {COMPILED_MAX}, an interpreter at least {INTERPRETED_MIN}"
                );
                (None, Some(reason))
            }
        };
        Self { mode, walk_over_native: Some(ratio), walks, reason }
    }

    /// It could not be told, for this reason.
    pub fn untold(reason: impl Into<String>) -> Self {
        Self { mode: None, walk_over_native: None, walks: 0, reason: Some(reason.into()) }
    }

    /// Whether no further walks are needed for a case that was asked to run so. It takes more to contradict than to agree: a
    /// disturbance may look like an interpreter.
    pub fn is_settled(&self, asked: Mode) -> bool {
        match self.mode {
            Some(mode) => mode == asked || self.walks >= WALKS_TO_CONTRADICT,
            None => false,
        }
    }

    /// Why the runs of a case that was asked to run so are none of it; `None` where nothing speaks against them.
    pub fn contradiction(&self, asked: Mode) -> Option<String> {
        let (mode, ratio) = (self.mode.filter(|mode| *mode != asked)?, self.walk_over_native?);
        Some(format!(
            "it was to run {asked} and runs {mode}: a walk of the calibration takes {:.1} times native's ({:.1} to {:.1} in {} \
             walks; compiled code takes at most {COMPILED_MAX}, an interpreter at least {INTERPRETED_MIN})",
            ratio.value, ratio.low, ratio.high, self.walks
        ))
    }
}

/// Compiled code of a file without any was compiled when it started.
const fn compiled(form: Kind) -> Mode {
    match form {
        Kind::Native => Mode::Native,
        Kind::Wasm => Mode::Jit,
        Kind::WasmAot | Kind::Cwasm => Mode::Aot,
    }
}

fn ratio(case: &[u64], native: &[u64]) -> Option<WalkRatio> {
    let ([case_ns, case_next], [native_ns, native_next]) = (two_least(case)?, two_least(native)?);
    let over = |above: u64, below: u64| above as f64 / below as f64;
    (native_ns > 0).then(|| WalkRatio {
        value: over(case_ns, native_ns),
        low: over(case_ns, native_next),
        high: over(case_next, native_ns),
        case_ns,
        native_ns,
    })
}

fn two_least(times: &[u64]) -> Option<[u64; 2]> {
    let mut times: Vec<u64> = times.to_vec();
    times.sort_unstable();
    Some([*times.first()?, *times.get(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: [u64; 4] = [1_000, 1_100, 9_000, 1_050];

    #[test]
    fn code_as_fast_as_native_is_compiled_and_its_file_says_when() {
        let case = [1_000, 50_000, 1_100, 1_200];
        for (form, mode) in [(Kind::Wasm, Mode::Jit), (Kind::WasmAot, Mode::Aot), (Kind::Cwasm, Mode::Aot)] {
            let seen = ModeObserved::of(form, &case, &NATIVE);
            assert_eq!((seen.mode, seen.walks, &seen.reason), (Some(mode), 4, &None));
            assert!(seen.is_settled(mode) && seen.contradiction(mode).is_none());
            let ratio = seen.walk_over_native.unwrap();
            assert_eq!((ratio.value, ratio.case_ns, ratio.native_ns), (1.0, 1_000, 1_000));
            assert!(ratio.low < 1.0 && ratio.high > 1.0);
        }
    }

    #[test]
    fn an_interpreter_is_one_whatever_was_asked_for() {
        let seen = ModeObserved::of(Kind::WasmAot, &[30_000; 8], &NATIVE);
        assert_eq!(seen.mode, Some(Mode::Interpreter));
        assert!(seen.is_settled(Mode::Interpreter) && !seen.is_settled(Mode::Aot));
        assert!(ModeObserved::of(Kind::WasmAot, &[30_000; 16], &NATIVE).is_settled(Mode::Aot));
        let reason = seen.contradiction(Mode::Aot).unwrap();
        assert!(reason.starts_with("it was to run wasm-aot and runs wasm-interpreter: "), "{reason}");
        assert!(reason.contains("30.0 times native's"), "{reason}");
    }

    #[test]
    fn what_lies_between_or_is_not_known_well_enough_is_not_told() {
        let between = [5_000; 8];
        // The least may be a lucky one, or all others disturbed.
        let noisy = [2_000, 90_000, 90_000, 90_000];
        for case in [&between[..], &noisy] {
            let seen = ModeObserved::of(Kind::WasmAot, case, &NATIVE);
            assert_eq!(seen.mode, None);
            assert!(seen.reason.as_ref().unwrap().contains("times native's"), "{seen:?}");
            assert!(!seen.is_settled(Mode::Aot) && seen.contradiction(Mode::Aot).is_none());
        }
    }

    #[test]
    fn few_walks_and_walks_without_time_tell_nothing() {
        for seen in
            [ModeObserved::of(Kind::Wasm, &[30_000; 3], &NATIVE), ModeObserved::of(Kind::Wasm, &[5; 8], &[0; 8])]
        {
            assert_eq!((seen.mode, seen.walk_over_native), (None, None));
            assert!(seen.reason.unwrap().contains("not enough walks"));
        }
    }

    #[test]
    fn it_is_stored_without_what_is_not_there() {
        let seen = ModeObserved::untold("it was interrupted");
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(text, r#"{"walks":0,"reason":"it was interrupted"}"#);
        assert_eq!(serde_json::from_str::<ModeObserved>(&text).unwrap(), seen);
    }
}
