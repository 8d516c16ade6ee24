//! What the kernel says of one process: its memory, threads, open files, wake-ups and CPU time (proc(5)).
//!
//! Each file may be refused or gone; then there is a reason instead of a number.

use std::collections::BTreeMap;
use std::path::Path;

/// What a process holds at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Proportional set size: shared pages by how many share them.
    pub pss_bytes: u64,
    /// Private memory that differs from any file.
    pub private_dirty_bytes: u64,
    /// All its pages, shared ones as if they were its own.
    pub rss_bytes: u64,
    /// Its page tables.
    pub page_table_bytes: u64,
    /// Its threads.
    pub threads: u64,
    /// Its open files.
    pub file_descriptors: u64,
}

/// What the threads of processes have counted since they began, by thread.
pub type Activity = BTreeMap<u32, ThreadActivity>;

/// What one thread has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadActivity {
    /// How often it gave up the processor to wait for something: each time something woke it afterwards.
    pub waits: u64,
    /// Time on a processor.
    pub cpu_ns: u64,
}

/// What a process holds now.
///
/// # Errors
/// With the file that could not be read.
pub fn held(proc: &Path, process: u32) -> Result<Held, String> {
    let folder = proc.join(process.to_string());
    let (rollup, status) = (read(folder.join("smaps_rollup"))?, read(folder.join("status"))?);
    let files = folder.join("fd");
    let fds = std::fs::read_dir(&files).map_err(|error| format!("can not list `{}`: {error}", files.display()))?;
    let kilobytes = |text: &str, name: &str| field(text, name).map_or(0, |count| count * 1024);
    Ok(Held {
        pss_bytes: kilobytes(&rollup, "Pss"),
        private_dirty_bytes: kilobytes(&rollup, "Private_Dirty"),
        rss_bytes: kilobytes(&rollup, "Rss"),
        page_table_bytes: kilobytes(&status, "VmPTE"),
        threads: field(&status, "Threads").unwrap_or(0),
        file_descriptors: fds.count() as u64,
    })
}

/// What the threads of a process have counted so far.
///
/// # Errors
/// With the file that could not be read.
pub fn activity(proc: &Path, process: u32) -> Result<Activity, String> {
    let tasks = proc.join(process.to_string()).join("task");
    let entries = std::fs::read_dir(&tasks).map_err(|error| format!("can not list `{}`: {error}", tasks.display()))?;
    let mut threads = Activity::new();
    for entry in entries.filter_map(Result::ok) {
        let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A thread may end meanwhile.
        let Ok(status) = read(entry.path().join("status")) else { continue };
        let schedstat = read(entry.path().join("schedstat"))?;
        threads.insert(
            thread,
            ThreadActivity {
                waits: field(&status, "voluntary_ctxt_switches").unwrap_or(0),
                cpu_ns: schedstat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0),
            },
        );
    }
    Ok(threads)
}

/// What was counted between two moments: a thread that is new counts from its beginning, one that ended is lost.
pub fn between(before: &Activity, after: &Activity) -> ThreadActivity {
    let mut sum = ThreadActivity::default();
    for (thread, now) in after {
        let then = before.get(thread).copied().unwrap_or_default();
        sum.waits += now.waits.saturating_sub(then.waits);
        sum.cpu_ns += now.cpu_ns.saturating_sub(then.cpu_ns);
    }
    sum
}

/// The memory of the machine that is not available for more: `MemTotal` less `MemAvailable` of `/proc/meminfo`.
///
/// # Errors
/// When the kernel does not say.
pub fn host_used_bytes(proc: &Path) -> Result<u64, String> {
    let text = read(proc.join("meminfo"))?;
    let (total, available) = (field(&text, "MemTotal"), field(&text, "MemAvailable"));
    let used = total.zip(available).map(|(total, available)| total.saturating_sub(available) * 1024);
    used.ok_or_else(|| "`/proc/meminfo` does not say how much is available".to_owned())
}

/// What can still be had: `MemAvailable` of `/proc/meminfo`.
pub fn available_bytes(proc: &Path) -> Option<u64> {
    field(&read(proc.join("meminfo")).ok()?, "MemAvailable").map(|kilobytes| kilobytes * 1024)
}

/// Mounts of this process's mount namespace.
///
/// # Errors
/// When the kernel does not say.
pub fn mounts(proc: &Path) -> Result<u64, String> {
    Ok(read(proc.join("self/mountinfo"))?.lines().count() as u64)
}

fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|error| format!("can not read `{}`: {error}", path.display()))
}

/// `Name:   123 kB`, the number alone.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "Pss_Dirty:   1 kB\nPss:       20 kB\nThreads:\t4\n";
        assert_eq!((field(text, "Pss"), field(text, "Threads"), field(text, "Ps")), (Some(20), Some(4), None));
    }

    #[test]
    fn counters_of_this_process_are_read_and_grow() {
        let (proc, own) = (Path::new("/proc"), std::process::id());
        let before = activity(proc, own).unwrap();
        let filled: u64 = 32 << 20;
        let memory = std::hint::black_box(vec![1_u8; 32 << 20]);
        let now = once_alone(proc, own, |held| held.private_dirty_bytes > filled);
        assert!(now.private_dirty_bytes > filled && now.rss_bytes >= now.pss_bytes && now.threads >= 1, "{now:?}");
        assert!(now.file_descriptors >= 3 && now.page_table_bytes > 0, "{now:?}");
        drop(memory);
        assert!(between(&before, &activity(proc, own).unwrap()).cpu_ns < 60_000_000_000);
        assert!(held(proc, u32::MAX).unwrap_err().contains("smaps_rollup"));
    }

    /// Another test may start a program in this very moment: its child shares every page until it executes, and nothing is
    /// private then.
    fn once_alone(proc: &Path, process: u32, alone: impl Fn(&Held) -> bool) -> Held {
        for _ in 0..1000 {
            let reading = held(proc, process).unwrap();
            if alone(&reading) {
                return reading;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        held(proc, process).unwrap()
    }

    #[test]
    fn what_is_between_counts_a_new_thread_from_its_beginning() {
        let at = |waits, cpu_ns| ThreadActivity { waits, cpu_ns };
        let before = Activity::from([(1, at(10, 100)), (2, at(5, 50))]);
        let after = Activity::from([(1, at(12, 130)), (3, at(4, 7))]);
        assert_eq!(between(&before, &after), at(6, 37));
    }
}
