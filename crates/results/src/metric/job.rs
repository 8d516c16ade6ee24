//! What is measured of a Job on a Kubernetes cluster, beside the headline: what `kubectl` shows of it, and the counters of its
//! node's kubelet.
//!
//! For these cells the headline is Job asked for → pod seen ended. A kubelet looks at its containers once a second, so that a
//! Job's duration tells nothing about a runtime; its counters of single calls do.

use super::{Metric, nanoseconds};
use crate::case::{Case, PodLife};

/// Job asked for → accepted.
pub const CREATED: &str = "job_created_ns";
/// Job asked for → pod seen on its node.
pub const SCHEDULED: &str = "job_scheduled_ns";

/// The kubelet's calls, and the metrics that they are.
pub const CALLS: [(&str, &str); 3] = [
    ("run_podsandbox", "kubelet_run_podsandbox_ns"),
    ("create_container", "kubelet_create_container_ns"),
    ("start_container", "kubelet_start_container_ns"),
];

/// The sum of these.
pub const TOGETHER: &str = "kubelet_calls_ns";

/// How long a node pulled the image, where it had to.
pub const PULLED: &str = "job_pull_ns";

const COUNTED: &str =
    "the kubelet's `kubelet_runtime_operations_duration_seconds`, where it made the call once meanwhile";

/// All of them.
pub const KNOWN: [Metric; 7] = [
    nanoseconds([CREATED, "Job accepted", "monotonic clock, from just before `kubectl create` to its end"]),
    nanoseconds([SCHEDULED, "pod scheduled", "monotonic clock, from just before `kubectl create` to a watch's report"]),
    nanoseconds([PULLED, "image pulled", "the kubelet's event `Pulled`, which says how long it took"]),
    nanoseconds([CALLS[0].1, "kubelet: run_podsandbox", COUNTED]),
    nanoseconds([CALLS[1].1, "kubelet: create_container", COUNTED]),
    nanoseconds([CALLS[2].1, "kubelet: start_container", COUNTED]),
    nanoseconds([TOGETHER, "kubelet: these calls", "the sum of the three"]),
];

/// Whether runs of a case have values of these.
pub fn has(case: &Case) -> bool {
    case.runtime.pod.as_ref().is_some_and(|pod| pod.life == PodLife::Job)
}
