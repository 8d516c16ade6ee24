//! The metrics of a density run: what each is called, and what it is, in one list. The unit is the end of the name.

/// What a reading holds, and how its growth is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DensityMetric {
    /// As in `values`.
    pub name: &'static str,
    /// As a table calls it.
    pub title: &'static str,
    /// How its number is written.
    pub unit: Unit,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// In kB and MB.
    Bytes,
    /// As it is.
    Count,
    /// A count over the hold, by its length.
    PerSecond,
    /// Nanoseconds over the hold, by its length: as milliseconds in a second.
    NanosecondsPerSecond,
}

/// Charged to the cgroup of everything of the run: containerd, shims, containers.
pub const CGROUP: &str = "cgroup_bytes";
/// Proportional set size over the instances' processes.
pub const PSS: &str = "pss_bytes";
/// Processes of the instances.
pub const PROCESSES: &str = "processes";
/// Threads of these.
pub const THREADS: &str = "threads";
/// Their open files.
pub const FILES: &str = "file_descriptors";
/// How often their threads gave up the processor to wait.
pub const WAKEUPS: &str = "wakeups";
/// What their threads computed.
pub const CPU: &str = "cpu_ns";
/// Mounts of the mount namespace.
pub const MOUNTS: &str = "mounts";

const fn metric(name: &'static str, title: &'static str, unit: Unit) -> DensityMetric {
    DensityMetric { name, title, unit }
}

/// What one more instance takes, in the order of the table.
pub const PER_INSTANCE: [DensityMetric; 18] = [
    metric(CGROUP, "memory charged (cgroup of containerd, shims and containers)", Unit::Bytes),
    metric("cgroup_containers_bytes", "of it the containers' own cgroups", Unit::Bytes),
    metric("cgroup_anonymous_bytes", "of it anonymous memory", Unit::Bytes),
    metric("cgroup_file_bytes", "of it page cache", Unit::Bytes),
    metric("cgroup_kernel_bytes", "of it the kernel's (stacks, page tables, slab)", Unit::Bytes),
    metric(PSS, "PSS of its processes", Unit::Bytes),
    metric("private_dirty_bytes", "private dirty memory of its processes", Unit::Bytes),
    metric("rss_bytes", "RSS of its processes (shared pages counted each time)", Unit::Bytes),
    metric("page_table_bytes", "page tables of its processes", Unit::Bytes),
    metric("host_used_bytes", "memory that the machine has less (everything on it)", Unit::Bytes),
    metric("containerd_pss_bytes", "PSS of containerd", Unit::Bytes),
    metric(PROCESSES, "processes", Unit::Count),
    metric(THREADS, "threads", Unit::Count),
    metric(FILES, "open files", Unit::Count),
    metric(MOUNTS, "mounts", Unit::Count),
    metric(WAKEUPS, "wake-ups while idle, per second", Unit::PerSecond),
    metric(CPU, "CPU while idle, per second", Unit::NanosecondsPerSecond),
    metric("containerd_cpu_ns", "CPU of containerd while idle, per second", Unit::NanosecondsPerSecond),
];

/// What may grow though nothing stays.
pub const CHURN: [DensityMetric; 11] = [
    metric("containerd_pss_bytes", "PSS of containerd", Unit::Bytes),
    metric("containerd_threads", "threads of containerd", Unit::Count),
    metric("containerd_file_descriptors", "open files of containerd", Unit::Count),
    metric("namespace_processes", "processes beside containerd", Unit::Count),
    metric("shim_pss_bytes", "PSS of what is left of shims and containers", Unit::Bytes),
    metric(CGROUP, "memory charged (cgroup of containerd, shims and containers)", Unit::Bytes),
    metric("cgroup_anonymous_bytes", "of it anonymous memory", Unit::Bytes),
    metric("cgroup_file_bytes", "of it page cache", Unit::Bytes),
    metric("cgroup_kernel_bytes", "of it the kernel's (stacks, page tables, slab)", Unit::Bytes),
    metric(MOUNTS, "mounts", Unit::Count),
    metric("host_used_bytes", "memory that the machine has less (everything on it)", Unit::Bytes),
];

fn known(name: &str) -> Option<&'static DensityMetric> {
    PER_INSTANCE.iter().chain(&CHURN).find(|metric| metric.name == name)
}

/// How a metric of any list is written; a name that none knows is a count.
pub fn unit(name: &str) -> Unit {
    known(name).map_or(if name.ends_with("_bytes") { Unit::Bytes } else { Unit::Count }, |metric| metric.unit)
}

/// What a metric of any list is called; a name that none knows stands for itself.
pub fn title(name: &str) -> &str {
    known(name).map_or(name, |metric| metric.title)
}
