//! How long a push keeps trying: attempts, exponential backoff with jitter, time limits.
//!
//! Not here: which errors are worth another attempt (`connection`).

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// The bounds of a push. All of them hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often one request is tried.
    pub attempts: u32,
    /// The pause after the first failure; each further one is twice as long.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long a registry may be silent in the middle of a request.
    pub silence: Duration,
    /// How long a whole push may take.
    pub total: Duration,
}

impl Patience {
    /// For a person who waits: a registry that is gone is reported after about two seconds, one that is slow
    /// after two minutes.
    pub const DEFAULT: Self = Self {
        attempts: 5,
        pause_first: Duration::from_millis(100),
        pause_max: Duration::from_secs(5),
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(30),
        total: Duration::from_mins(2),
    };

    /// The longest pause after the given failed attempt, counted from 1.
    fn pause_bound(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.pause_first.saturating_mul(1 << doublings).min(self.pause_max)
    }

    /// The pause after the given failed attempt: between half and all of the bound, so that clients that failed
    /// together do not return together.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        // The hasher's keys are the standard library's own source of randomness.
        let random = RandomState::new().build_hasher().finish();
        let fraction = f64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        self.pause_bound(attempt).mul_f64(0.5 + fraction / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let bounds: Vec<_> =
            [1, 2, 3, 7, 1000].map(|attempt| Patience::DEFAULT.pause_bound(attempt).as_millis()).into();
        assert_eq!(bounds, [100, 200, 400, 5000, 5000]);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let pauses: Vec<_> = (0..100).map(|_| Patience::DEFAULT.pause(2)).collect();
        assert!(pauses.iter().all(|pause| (100..=200).contains(&pause.as_millis())));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
