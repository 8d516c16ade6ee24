//! What is measured of a run: the one list of metrics, and what is to be known of each.
//!
//! A sample is values by metric. Statistics, comparisons and exports do not ask which metric they are of; what differs
//! from one to the next stands here. Not here: how a value is obtained in code (`xtask`), and how it is shown (`report`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::case::Case;
use super::{Sample, Values, Word};

pub mod job;
pub mod pod;

/// The metric of the central table, the sentences and the claims: wall time.
pub use samples::HEADLINE;

/// Peak of memory of what a run is about.
pub const MEMORY_PEAK: &str = "memory_peak_bytes";
/// Its processor time.
pub const CPU: &str = "cpu_ns";
/// The part of it in user mode.
pub const CPU_USER: &str = "cpu_user_ns";
/// The part of it in the kernel.
pub const CPU_SYSTEM: &str = "cpu_system_ns";
/// Processor time of containerd's client.
pub const CLIENT_CPU: &str = "client_cpu_ns";
/// Peak of memory of that client.
pub const CLIENT_MEMORY: &str = "client_memory_peak_bytes";
/// Processor time of containerd and its shims.
pub const CONTAINERD_CPU: &str = "containerd_cpu_ns";
/// Peak of memory of containerd and its shims.
pub const CONTAINERD_MEMORY: &str = "containerd_memory_peak_bytes";
/// Containers that come and go in a second, side by side: what published figures on throughput are put beside. A run that
/// does not have a metric says so, and what was published stays untested.
pub const TASKS_PER_SECOND: &str = "tasks_per_s";
/// The pull of an image, for the same.
pub const PULL: &str = "pull_ns";
/// A first run, for the same.
pub const FIRST_USE: &str = "first_use_ns";

/// What a value counts. It is the end of the metric's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `_ns`.
    Nanoseconds,
    /// `_bytes`.
    Bytes,
    /// Anything else: how many.
    Count,
}

/// Which values are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less of it.
    Lower,
    /// More of it.
    Higher,
}

/// Where a metric's statistics stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Among the cases, with comparisons, verdicts, A/A rows and warnings of its own.
    Judged,
    /// Among the resources: a row of medians and a ratio, without a verdict.
    AsResource,
}

/// The words for a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direction {
    /// For a greater value.
    pub above: &'static str,
    /// For a smaller value.
    pub below: &'static str,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The key of a sample's values, with its unit at the end.
    pub name: Cow<'static, str>,
    /// What a value counts.
    pub unit: Unit,
    /// What it is called in headings.
    pub title: Cow<'static, str>,
    /// Which values are wanted; absent for a metric that only a newer version knows.
    pub better: Option<Better>,
    /// How a value is obtained.
    pub obtained: &'static str,
    /// Where its statistics stand.
    pub shown: Shown,
}

/// What every run has, or may have.
const OF_ALL: [Metric; 9] = [
    Metric {
        name: Cow::Borrowed(HEADLINE),
        unit: Unit::Nanoseconds,
        title: Cow::Borrowed("time"),
        better: Some(Better::Lower),
        obtained: "monotonic clock, from just before spawn to the return of `wait4`",
        shown: Shown::Judged,
    },
    resource(
        MEMORY_PEAK,
        Unit::Bytes,
        ["peak of memory", "the kernel's peak of a cgroup made for the run, of the container or of the direct process"],
    ),
    resource(
        CPU,
        Unit::Nanoseconds,
        [
            "processor time",
            "all processor time of the container's cgroup; for a direct run `wait4`, user and system time",
        ],
    ),
    resource(
        CPU_USER,
        Unit::Nanoseconds,
        ["of it in user mode", "the part in user mode, as the kernel divides it: by what was running when it looked"],
    ),
    resource(CPU_SYSTEM, Unit::Nanoseconds, ["of it in the kernel", "the part in the kernel, likewise"]),
    resource(
        CLIENT_CPU,
        Unit::Nanoseconds,
        ["processor time of the client", "`wait4` of `ctr`, user and system time; containers only"],
    ),
    resource(
        CLIENT_MEMORY,
        Unit::Bytes,
        [
            "peak of memory of the client",
            "the kernel's peak of the cgroup that `ctr` was started in, beyond what was in use there; containers only",
        ],
    ),
    resource(
        CONTAINERD_CPU,
        Unit::Nanoseconds,
        [
            "processor time of containerd and its shims",
            "what the cgroup of containerd and its shims used from before to after the run; containers only",
        ],
    ),
    resource(
        CONTAINERD_MEMORY,
        Unit::Bytes,
        [
            "peak of memory of containerd and its shims",
            "the kernel's peak of their cgroup, beyond what was in use there before the run; containers only",
        ],
    ),
];

const fn resource(name: &'static str, unit: Unit, [title, obtained]: [&'static str; 2]) -> Metric {
    Metric {
        name: Cow::Borrowed(name),
        unit,
        title: Cow::Borrowed(title),
        better: Some(Better::Lower),
        obtained,
        shown: Shown::AsResource,
    }
}

/// Every metric that this version knows, in the order of reports. The headline is the first.
pub fn known() -> impl Iterator<Item = Metric> {
    OF_ALL.into_iter().chain(pod::KNOWN).chain(job::KNOWN)
}

/// A time of which less is better: name, title, how it is obtained.
const fn nanoseconds([name, title, obtained]: [&'static str; 3]) -> Metric {
    Metric {
        name: Cow::Borrowed(name),
        unit: Unit::Nanoseconds,
        title: Cow::Borrowed(title),
        better: Some(Better::Lower),
        obtained,
        shown: Shown::Judged,
    }
}

impl Metric {
    /// A metric by its name. One that is not in the list is of a newer version: its unit is the end of its name, and what
    /// is better is not known.
    pub fn named(name: &str) -> Self {
        let unknown = || Self {
            name: Cow::Owned(name.to_owned()),
            unit: unit(name),
            title: Cow::Owned(name.to_owned()),
            better: None,
            obtained: "not known to this version",
            shown: Shown::Judged,
        };
        known().find(|metric| metric.name == name).unwrap_or_else(unknown)
    }

    /// What several values are called.
    pub fn plural(&self) -> &'static str {
        if self.is_headline() { "times" } else { "values" }
    }

    /// What a greater and what a smaller value is called.
    pub fn direction(&self) -> Direction {
        if self.is_headline() {
            Direction { above: "slower", below: "faster" }
        } else {
            Direction { above: "more", below: "less" }
        }
    }

    /// Whether runs of this case have values of it: what has none is not missing there.
    pub fn is_of(&self, case: &Case) -> bool {
        let is_among = |known: &[Self]| known.iter().any(|metric| metric.name == self.name);
        if is_among(&job::KNOWN) { job::has(case) } else { !is_among(&pod::KNOWN) || pod::has(case, &self.name) }
    }

    /// Whether it is the one of the central table.
    pub fn is_headline(&self) -> bool {
        self.name == HEADLINE
    }
}

fn unit(name: &str) -> Unit {
    if name.ends_with("_ns") {
        Unit::Nanoseconds
    } else if name.ends_with("_bytes") {
        Unit::Bytes
    } else {
        Unit::Count
    }
}

/// What these samples hold and is judged: the headline always, then the other known ones, then those of a newer version by
/// name.
pub fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Vec<Metric> {
    stored(samples).into_iter().filter(|metric| metric.shown == Shown::Judged).collect()
}

/// So many lists of names are known at a time.
const LISTS: usize = 32;

/// All that these samples hold, in the same order.
pub fn stored<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Vec<Metric> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut seen: Vec<&Values> = Vec::new();
    for sample in samples {
        // Most have the same few lists of names, and there may be a million.
        if !seen.iter().any(|seen| seen.shares_names_with(&sample.values)) {
            found.extend(sample.values.keys().map(Word::as_str));
            seen.truncate(LISTS);
            seen.push(&sample.values);
        }
    }
    let is_known = |name: &&str| known().any(|metric| metric.name == *name);
    let among = known().filter(|metric| metric.is_headline() || found.contains(&*metric.name));
    among.chain(found.iter().copied().filter(|name| !is_known(name)).map(Metric::named)).collect()
}

/// The metric of a stored row that was written when there was one.
pub(crate) fn headline() -> String {
    HEADLINE.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_list_end_in_their_unit_and_stand_once() {
        let names: BTreeSet<_> = known().map(|metric| metric.name.clone()).collect();
        assert_eq!(names.len(), known().count());
        assert!(known().next().unwrap().is_headline());
        for metric in known() {
            assert_eq!(unit(&metric.name), metric.unit, "{}", metric.name);
            assert_eq!(Metric::named(&metric.name), metric);
            assert!(metric.better.is_some() && !metric.title.is_empty());
        }
    }

    #[test]
    fn a_metric_of_a_newer_version_has_the_unit_of_its_name_and_no_direction() {
        let metric = Metric::named("memory_swapped_bytes");
        assert_eq!((metric.unit, metric.better), (Unit::Bytes, None));
        assert_eq!(metric.title, "memory_swapped_bytes");
        assert_eq!(Metric::named("page_faults").unit, Unit::Count);
    }

    #[test]
    fn a_run_without_a_sample_has_the_headline() {
        assert_eq!(of(&[]), [Metric::named(HEADLINE)]);
    }
}
