//! Numbers in, statistics out. Each function names its formula and where it comes from.
//!
//! Every function is pure and takes plain slices or small structs; absence is an `Option`, and no function
//! here returns NaN or an infinity. Randomness (bootstrap, simulation) is ChaCha8 from a seed, so the same
//! input gives the same bytes on every machine.
//!
//! Deliberately not here: which cells are compared and what a reader is told (`analysis`), published
//! figures (`claims`), two runs (`compare`), and any correction for looking at many comparisons at once:
//! each interval keeps its confidence by itself, not all of them jointly.

pub mod contrast;
pub mod describe;
pub mod drift;
pub mod fit;
pub mod interval;
pub mod looks;
#[cfg(test)]
mod oracle;
pub mod paired;
pub mod random;
pub mod simulation;
pub mod slope;
pub mod unpaired;
pub mod verdict;

pub use describe::Samples;
pub use interval::{Confidence, Interval};
pub use paired::{Pair, PairedRatio, Timed, mean_paired_ratio, paired_ratio};
