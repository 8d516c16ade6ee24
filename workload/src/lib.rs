//! What the programs under test share: the numbers, their sum, and how both are read and written.
//!
//! Text is made by hand rather than by `format!`: the formatting machinery of the standard library would be the
//! larger part of the module, and what is measured is delivery and execution, not that. Nothing here differs
//! between targets: integers are `u64`, and IEEE 754 gives the same sum in the same order everywhere.

use std::fmt::{self, Display};

pub mod stamp;

/// The seed of the numbers: any would do, a fixed one makes the output a constant.
const SEED: u64 = 20_250_601;

/// How many numbers are summed when nothing is said.
pub const DEFAULT_N: u64 = 1_000_000;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): three
/// multiplications and no state but a counter.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator that starts at this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number of [0, 1), a multiple of 2^−53.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// Fills an array with `n` numbers; `None` when there is not the memory for it.
pub fn fill(n: u64) -> Option<Vec<f64>> {
    let length = usize::try_from(n).ok()?;
    let mut values = Vec::new();
    values.try_reserve_exact(length).ok()?;
    let mut generator = SplitMix64::new(SEED);
    values.extend(std::iter::repeat_with(|| generator.next_f64()).take(length));
    Some(values)
}

/// The sum from first to last: floating-point addition is not associative, so the order is part of the answer.
pub fn sum(values: &[f64]) -> f64 {
    let mut sum = 0.0;
    for value in values {
        sum += value;
    }
    sum
}

/// What the generators of a walk shift by: left, right, left. They differ, so that no vector instruction does two at once.
const SHIFTS: [[u32; 3]; 6] = [[13, 7, 17], [21, 35, 4], [20, 41, 5], [17, 31, 8], [11, 29, 14], [30, 35, 13]];

/// `n` steps of six generators side by side (xorshift64, Marsaglia, "Xorshift RNGs", 2003): where they are together. Nothing is
/// in memory. A generator's step needs the one before, and no other generator: a processor takes all six at once, in the few
/// cycles that one needs. An interpreter takes each operation of each by itself. Of a single generator a fast one on a wide
/// processor made three times native's time, because native waits there, too.
pub fn walk(n: u64) -> u64 {
    let mut states = [SEED; SHIFTS.len()];
    let mut left = n;
    while left > 0 {
        for (state, [first, second, third]) in states.iter_mut().zip(SHIFTS) {
            *state ^= *state << first;
            *state ^= *state >> second;
            *state ^= *state << third;
        }
        left -= 1;
    }
    states.into_iter().fold(0, u64::wrapping_add)
}

/// How often a calibration walks.
pub const WALKS: usize = 8;

/// What is printed before the first step of a walk.
pub const BEGIN: &str = "begin\n";

/// `position=5 ns=7` and a line end.
pub fn position(position: u64, ns: u64) -> String {
    let mut text = String::with_capacity(64);
    text.push_str("position=");
    push_number(&mut text, position, 1);
    text.push_str(" ns=");
    push_number(&mut text, ns, 1);
    text.push('\n');
    text
}

/// What the command line asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Sum so many numbers.
    Sum(u64),
    /// Say what this program is.
    Version,
}

/// Why a command line can not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `--n` without a number.
    NoNumber,
    /// Something else than digits, or more than 64 bits hold.
    BadNumber(String),
    /// An argument that means nothing here.
    Unknown(String),
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, argument, after) = match self {
            Self::NoNumber => ("`--n` lacks its number", "", ""),
            Self::BadNumber(text) => ("`", text.as_str(), "` is not a number from 0 to 18446744073709551615"),
            Self::Unknown(text) => ("unknown argument `", text.as_str(), "`"),
        };
        for part in [before, argument, after, ": say `--n NUMBER` or `--version`\n"] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// Reads the arguments after the program's name. The last `--n` counts.
///
/// # Errors
/// With what was not understood.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Request, Refusal> {
    let mut n = DEFAULT_N;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" => return Ok(Request::Version),
            "--n" => {
                let text = arguments.next().ok_or(Refusal::NoNumber)?;
                n = number(&text).ok_or(Refusal::BadNumber(text))?;
            }
            _ => return Err(Refusal::Unknown(argument)),
        }
    }
    Ok(Request::Sum(n))
}

/// Digits only: `u64::from_str` would take a plus sign too.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = char::from(byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

/// `n=3 sum=1.250000` and a line end: six decimals, cut off, not rounded.
pub fn answer(n: u64, sum: f64) -> String {
    let mut text = String::with_capacity(64);
    text.push_str("n=");
    push_number(&mut text, n, 1);
    text.push_str(" sum=");
    let whole = sum.trunc();
    push_number(&mut text, to_u64(whole), 1);
    text.push('.');
    push_number(&mut text, to_u64((sum - whole) * 1e6), 6);
    text.push('\n');
    text
}

/// Sums are never negative and never near 2^64.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn to_u64(value: f64) -> u64 {
    value as u64
}

fn push_number(text: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    while value > 0 {
        digits[used] += (value % 10) as u8;
        value /= 10;
        used += 1;
    }
    text.extend(digits[..used.max(width)].iter().rev().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567, as published with the reference implementation.
        let mut generator = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_lie_between_zero_and_one_and_average_to_a_half() {
        let values = fill(100_000).unwrap();
        assert_eq!(values.len(), 100_000);
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        assert!((sum(&values) / 100_000.0 - 0.5).abs() < 0.005);
    }

    #[test]
    fn the_answer_is_decimal_with_six_places() {
        assert_eq!(answer(3, 1.25), "n=3 sum=1.250000\n");
        assert_eq!(answer(0, 0.0), "n=0 sum=0.000000\n");
        assert_eq!(answer(1_000_000, 500_083.062_5), "n=1000000 sum=500083.062500\n");
        assert_eq!(answer(u64::MAX, 0.000_001_5), "n=18446744073709551615 sum=0.000001\n");
    }

    #[test]
    fn arguments_are_understood_or_refused_with_their_name() {
        assert_eq!(parse(arguments("")), Ok(Request::Sum(1_000_000)));
        assert_eq!(parse(arguments("--n 7")), Ok(Request::Sum(7)));
        assert_eq!(parse(arguments("--version")), Ok(Request::Version));
        assert_eq!(parse(arguments("--n")), Err(Refusal::NoNumber));
        for bad in ["x", "+5", "-1", "1e6", "18446744073709551616"] {
            assert_eq!(parse(["--n".to_owned(), bad.to_owned()]), Err(Refusal::BadNumber(bad.to_owned())));
        }
        let refusal = parse(arguments("--m 5")).unwrap_err();
        assert_eq!(refusal.to_string(), "unknown argument `--m`: say `--n NUMBER` or `--version`\n");
    }

    #[test]
    fn benches_toml_expects_what_is_computed_here() {
        let benches = include_str!("../benches.toml");
        for n in [1_000, 1_000_000, 2_000_000, 4_000_000] {
            let expected = answer(n, sum(&fill(n).unwrap())).replace('\n', "\\n");
            assert!(benches.contains(&format!("\"{expected}\"")), "{expected}");
        }
    }

    #[test]
    fn calibration_toml_expects_what_is_computed_here() {
        let calibration = include_str!("../calibration.toml");
        let steps = calibration.split_once("args = [\"--n\", \"").unwrap().1.split('"').next().unwrap();
        let expected = format!("\nposition = {}\n", walk(steps.parse().unwrap()));
        assert!(calibration.contains(&expected), "{expected}");
        assert_eq!(position(5, 0), "position=5 ns=0\n");
    }

    #[test]
    fn a_walk_is_six_generators_side_by_side() {
        let step = |mut state: u64, [first, second, third]: [u32; 3]| {
            state ^= state << first;
            state ^= state >> second;
            state ^ (state << third)
        };
        let after_two = SHIFTS.map(|shifts| step(step(SEED, shifts), shifts));
        assert_eq!(walk(0), SEED.wrapping_mul(6));
        assert_eq!(walk(2), after_two.into_iter().fold(0, u64::wrapping_add));
        let apart: std::collections::BTreeSet<u64> = after_two.into();
        assert_eq!(apart.len(), SHIFTS.len(), "two generators are one");
    }

    #[test]
    fn more_than_there_is_memory_for_is_refused() {
        assert_eq!(fill(u64::MAX), None);
    }
}
