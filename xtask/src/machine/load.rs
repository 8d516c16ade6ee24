//! What else happened on the machine between two moments.

use std::path::Path;
use std::time::Duration;

use super::text::{self, CpuTimes};
use results::LoadDuring;

/// Counters at one moment; `None` where the kernel does not have one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    load_average: Option<f64>,
    times: Option<CpuTimes>,
    throttle_events: Option<u64>,
    pressure_us: Option<u64>,
}

impl Snapshot {
    /// The counters now. Takes well under a millisecond; not for use inside a timed region.
    pub fn take() -> Self {
        Self::read(Path::new("/"))
    }

    pub(super) fn read(root: &Path) -> Self {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
        Self {
            load_average: read("proc/loadavg").and_then(|text| text::load_average(&text)),
            times: read("proc/stat").and_then(|text| text::cpu_times(&text)),
            throttle_events: throttle_events(&root.join("sys/devices/system/cpu")),
            pressure_us: read("proc/pressure/cpu").and_then(|text| text::pressure_us(&text)),
        }
    }

    /// The one-minute load average.
    pub fn load_average(&self) -> Option<f64> {
        self.load_average
    }

    /// The share of all processor time since boot that the hypervisor gave to others.
    pub fn steal_since_boot(&self) -> Option<f64> {
        self.times.and_then(|times| share(times.steal, times.total))
    }

    /// What happened from `self` until `after`, which lies `wall` later.
    pub fn until(self, after: Self, wall: Duration) -> LoadDuring {
        let times = self.times.zip(after.times).map(|(before, after)| CpuTimes {
            total: after.total.saturating_sub(before.total),
            idle: after.idle.saturating_sub(before.idle),
            steal: after.steal.saturating_sub(before.steal),
        });
        let pressure = self.pressure_us.zip(after.pressure_us).map(|(before, after)| after.saturating_sub(before));
        LoadDuring {
            load_before: self.load_average,
            load_after: after.load_average,
            steal_fraction: times.and_then(|times| share(times.steal, times.total)),
            throttle_events: self
                .throttle_events
                .zip(after.throttle_events)
                .map(|(before, after)| after.saturating_sub(before)),
            busy_fraction: times
                .and_then(|times| share(times.total.saturating_sub(times.idle + times.steal), times.total)),
            cpu_pressure_fraction: pressure
                .and_then(|us| share(us, u64::try_from(wall.as_micros()).unwrap_or(u64::MAX))),
        }
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// Each core's own count; that of the package is repeated at every core, so it is left out.
fn throttle_events(cpus: &Path) -> Option<u64> {
    let counts = std::fs::read_dir(cpus).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path().join("thermal_throttle/core_throttle_count");
        std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()
    });
    counts.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn snapshot(root: &Path, stat: &str, throttled: u64, pressure_us: u64) -> Snapshot {
        let cpu = root.join("sys/devices/system/cpu/cpu0/thermal_throttle");
        fs::create_dir_all(&cpu).unwrap();
        fs::create_dir_all(root.join("proc/pressure")).unwrap();
        fs::write(cpu.join("core_throttle_count"), format!("{throttled}\n")).unwrap();
        fs::write(root.join("proc/loadavg"), "0.50 0.10 0.10 1/9 9\n").unwrap();
        fs::write(root.join("proc/stat"), stat).unwrap();
        fs::write(root.join("proc/pressure/cpu"), format!("some avg10=0.00 total={pressure_us}\n")).unwrap();
        Snapshot::read(root)
    }

    #[test]
    fn what_happened_is_the_difference_of_two_moments() {
        let dir = tempfile::tempdir().unwrap();
        let before = snapshot(dir.path(), "cpu  100 0 0 100 0 0 0 0 0 0\n", 3, 1_000);
        let after = snapshot(dir.path(), "cpu  120 0 10 150 10 0 0 10 0 0\n", 5, 501_000);
        let load = before.until(after, Duration::from_secs(1));
        assert_eq!(load.steal_fraction, Some(0.1));
        assert_eq!(load.busy_fraction, Some(0.3));
        assert_eq!(load.throttle_events, Some(2));
        assert_eq!(load.cpu_pressure_fraction, Some(0.5));
        assert_eq!(load.load_before, Some(0.5));
    }

    #[test]
    fn what_the_kernel_does_not_count_is_absent_and_no_time_has_no_share() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = Snapshot::read(dir.path());
        assert_eq!(nothing.until(nothing, Duration::from_secs(1)), LoadDuring::default());
        let now = snapshot(dir.path(), "cpu  1 0 0 1 0 0 0 0 0 0\n", 0, 0);
        let load = now.until(now, Duration::ZERO);
        assert_eq!((load.steal_fraction, load.cpu_pressure_fraction), (None, None));
    }
}
