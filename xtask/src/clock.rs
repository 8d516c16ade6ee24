//! The only place that reads a clock. `Stopwatch` is monotonic; [`now_utc`] names runs and is never
//! subtracted. [`Clocks`] dates what others dated by the time of day.

use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
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

/// What the kernel's monotonic clock says, in nanoseconds: the one that a stopwatch reads, as a number that others can read
/// too.
pub fn monotonic_ns() -> i64 {
    nanoseconds(ClockId::Monotonic)
}

fn nanoseconds(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

/// One moment on the monotonic clock and on that of the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    monotonic_ns: i64,
    realtime_ns: i64,
    /// How far apart the two readings may be.
    error_ns: i64,
}

/// So often the two are read, and the closest pair is kept: between two readings the process may have to wait.
const READINGS: usize = 5;

impl Clocks {
    /// Reads both.
    pub fn read() -> Self {
        let reading = |_| {
            let before = monotonic_ns();
            let realtime_ns = nanoseconds(ClockId::Realtime);
            let after = monotonic_ns();
            Self { monotonic_ns: i64::midpoint(before, after), realtime_ns, error_ns: (after - before + 1) / 2 }
        };
        let first = reading(0);
        (1..READINGS).map(reading).fold(first, |best, next| if next.error_ns < best.error_ns { next } else { best })
    }

    fn offset_ns(self) -> i64 {
        self.realtime_ns - self.monotonic_ns
    }
}

/// From the time of day to the monotonic clock, for moments between two readings.
#[derive(Clone, Copy, Debug)]
pub struct Bridge {
    first: Clocks,
    last: Clocks,
}

impl Bridge {
    /// Between these.
    pub fn new(first: Clocks, last: Clocks) -> Self {
        Self { first, last }
    }

    /// A moment of the time of day on the monotonic clock. Between the readings the clock of the time of day may have been
    /// slowed or hurried: its distance is taken to have changed evenly.
    pub fn monotonic_ns(self, realtime_ns: i64) -> i64 {
        let whole = (self.last.realtime_ns - self.first.realtime_ns).max(1);
        let part = (realtime_ns - self.first.realtime_ns).clamp(0, whole);
        let change = i128::from(self.last.offset_ns() - self.first.offset_ns());
        let change = change * i128::from(part) / i128::from(whole);
        realtime_ns - self.first.offset_ns() - i64::try_from(change).unwrap_or(0)
    }

    /// How far off that may be: what lay between the readings of a pair, and all that the distance changed by.
    pub fn error_ns(self) -> u64 {
        let change = (self.last.offset_ns() - self.first.offset_ns()).unsigned_abs();
        self.first.error_ns.max(self.last.error_ns).unsigned_abs() + change
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_between_two_readings_is_dated_by_the_other_clock() {
        let at = |monotonic_ns, realtime_ns| Clocks { monotonic_ns, realtime_ns, error_ns: 3 };
        let steady = Bridge::new(at(100, 5_100), at(300, 5_300));
        assert_eq!((steady.monotonic_ns(5_150), steady.error_ns()), (150, 3));
        // 20 ns were lost on the way.
        let slowed = Bridge::new(at(100, 5_100), at(320, 5_300));
        assert_eq!(
            (slowed.monotonic_ns(5_100), slowed.monotonic_ns(5_200), slowed.monotonic_ns(5_300)),
            (100, 210, 320)
        );
        assert_eq!(slowed.error_ns(), 23);
    }

    #[test]
    fn both_clocks_are_read_as_one_moment() {
        let before = monotonic_ns();
        let [first, last] = [Clocks::read(), Clocks::read()];
        let after = monotonic_ns();
        assert!(before <= first.monotonic_ns && first.monotonic_ns <= last.monotonic_ns && last.monotonic_ns <= after);
        let mapped = Bridge::new(first, last).monotonic_ns(first.realtime_ns);
        assert_eq!(mapped, first.monotonic_ns);
    }
}
