//! The only place that reads a clock. `Stopwatch` is monotonic; [`now_utc`] names runs and is never
//! subtracted.

use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;
use time::macros::format_description;

/// A running monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Time since the start in whole nanoseconds (saturating: 584 years).
    pub fn elapsed_ns(self) -> u64 {
        u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A moment of UTC, for names and records.
#[derive(Clone, Copy, Debug)]
pub struct Utc(OffsetDateTime);

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now_utc() -> Utc {
    Utc(SystemTime::now().into())
}

impl Utc {
    /// A number that is another one at the next call: where no seed is given, this becomes it.
    pub fn seed(self) -> u64 {
        u64::try_from(self.0.unix_timestamp_nanos() / 1_000 % 1_000_000_000).unwrap_or(0)
    }

    /// `20261123T101500Z`, for file names.
    pub fn compact(self) -> String {
        self.0.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default()
    }

    /// `2026-11-23T10:15:00Z` (RFC 3339).
    pub fn rfc3339(self) -> String {
        self.0.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
    }
}
