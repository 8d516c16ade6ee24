//! The monotonic clock, as a number: what the programs of traced runs print before and after everything else.
//!
//! The standard library's `Instant` does not show its number. A module asks WASI (preview 1, `clock_time_get`), a native
//! program asks the C library; both are the clock that the kernel calls CLOCK_MONOTONIC, which a container shares with its
//! host. The one module of this package that is allowed `unsafe`.
#![allow(unsafe_code)]

use std::io::Write as _;

/// Which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time since some moment; the same number everywhere on one machine.
    Monotonic,
    /// Processor time that this process has used.
    Processor,
}

/// What the clock says, in nanoseconds; 0 where there is no such clock.
#[cfg(target_family = "wasm")]
pub fn now_ns(clock: Clock) -> u64 {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u16;
    }
    let number = match clock {
        Clock::Monotonic => 1,
        Clock::Processor => 2,
    };
    let mut time = 0;
    // SAFETY: the host writes eight bytes to a number of eight bytes, or nothing.
    let error = unsafe { clock_time_get(number, 1, &raw mut time) };
    if error == 0 { time } else { 0 }
}

/// What the clock says, in nanoseconds; 0 where there is no such clock.
#[cfg(not(target_family = "wasm"))]
pub fn now_ns(clock: Clock) -> u64 {
    /// `struct timespec` of a 64-bit Linux.
    #[repr(C)]
    struct Time {
        seconds: i64,
        nanoseconds: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Time) -> i32;
    }
    let number = match clock {
        Clock::Monotonic => 1,
        Clock::Processor => 2,
    };
    let mut time = Time { seconds: 0, nanoseconds: 0 };
    // SAFETY: the C library writes one `struct timespec`, or nothing.
    let error = unsafe { clock_gettime(number, &raw mut time) };
    let total = time.seconds.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(time.nanoseconds));
    total.filter(|_| error == 0).map_or(0, i64::cast_unsigned)
}

/// Prints what the monotonic clock says: a line of digits.
pub fn print() {
    let mut line = String::with_capacity(24);
    super::push_number(&mut line, now_ns(Clock::Monotonic), 1);
    line.push('\n');
    // A run without its first line is no sample: whoever reads it says so.
    std::io::stdout().write_all(line.as_bytes()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_run_and_are_two() {
        let [first, second] = [now_ns(Clock::Monotonic), now_ns(Clock::Monotonic)];
        assert!(first > 0 && second >= first);
        assert!(now_ns(Clock::Processor) > 0 && now_ns(Clock::Processor) < second);
    }

    #[test]
    fn the_number_is_that_of_the_kernels_monotonic_clock() {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let whole: u64 = uptime.split('.').next().unwrap().parse().unwrap();
        // Uptime counts what the machine slept, too.
        assert!(now_ns(Clock::Monotonic) / 1_000_000_000 <= whole + 1);
    }
}
