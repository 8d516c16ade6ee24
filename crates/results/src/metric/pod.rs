//! What is measured of a container in a pod, beside the headline: a metric per call to containerd's CRI.
//!
//! For these cells the headline is pod asked → container seen exited: the sum of the first four; in a warm pod container
//! asked → seen exited.

use super::{Metric, nanoseconds};
use crate::case::{Case, PodLife};

/// `RunPodSandbox`: asked → answered.
pub const RUN_POD_SANDBOX: &str = "cri_run_pod_sandbox_ns";
/// `CreateContainer`.
pub const CREATE_CONTAINER: &str = "cri_create_container_ns";
/// `StartContainer`.
pub const START_CONTAINER: &str = "cri_start_container_ns";
/// `StartContainer` answered → the end reported.
pub const UNTIL_EXITED: &str = "cri_until_exited_ns";
/// `RemoveContainer`.
pub const REMOVE_CONTAINER: &str = "cri_remove_container_ns";
/// `StopPodSandbox`.
pub const STOP_POD_SANDBOX: &str = "cri_stop_pod_sandbox_ns";
/// `RemovePodSandbox`.
pub const REMOVE_POD_SANDBOX: &str = "cri_remove_pod_sandbox_ns";
/// What the container takes of it all.
pub const CONTAINER: &str = "cri_container_ns";
/// What the sandbox takes of it all.
pub const SANDBOX: &str = "cri_sandbox_ns";

/// The calls that a container takes.
pub const OF_CONTAINER: [&str; 4] = [CREATE_CONTAINER, START_CONTAINER, UNTIL_EXITED, REMOVE_CONTAINER];
/// The calls that a sandbox takes.
pub const OF_SANDBOX: [&str; 3] = [RUN_POD_SANDBOX, STOP_POD_SANDBOX, REMOVE_POD_SANDBOX];

/// All of them, in the order in which they happen; then the sums.
pub const KNOWN: [Metric; 9] = [
    nanoseconds([RUN_POD_SANDBOX, "RunPodSandbox", CALL]),
    nanoseconds([CREATE_CONTAINER, "CreateContainer", CALL]),
    nanoseconds([START_CONTAINER, "StartContainer", CALL]),
    nanoseconds([UNTIL_EXITED, "started until seen exited", WAIT]),
    nanoseconds([REMOVE_CONTAINER, "RemoveContainer", CALL]),
    nanoseconds([STOP_POD_SANDBOX, "StopPodSandbox", CALL]),
    nanoseconds([REMOVE_POD_SANDBOX, "RemovePodSandbox", CALL]),
    nanoseconds([
        CONTAINER,
        "the container of a pod",
        "sum of creating, starting, awaiting and removing the container",
    ]),
    nanoseconds([SANDBOX, "the sandbox of a pod", "sum of running, stopping and removing the sandbox"]),
];

const CALL: &str = "monotonic clock, from just before the call to containerd's CRI to its answer";
const WAIT: &str = "monotonic clock, from the answer to `StartContainer` to containerd's report of the end";

/// Whether runs of a case have values of a metric that is one of these. In a warm pod the sandbox is there already.
pub fn has(case: &Case, name: &str) -> bool {
    let of_sandbox = name == SANDBOX || OF_SANDBOX.contains(&name);
    case.runtime.pod.as_ref().is_some_and(|pod| match pod.life {
        PodLife::Own => true,
        PodLife::Warm => !of_sandbox,
        PodLife::Job => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{FirstEdition, Pod};

    #[test]
    fn a_sandbox_is_a_part_of_runs_that_made_it() {
        let mut case = FirstEdition::read().cases[3].clone();
        let has_both = |case: &Case| (has(case, CREATE_CONTAINER), has(case, STOP_POD_SANDBOX));
        assert_eq!(has_both(&case), (false, false));
        case.runtime.pod = Some(Pod { handler: "runc".to_owned(), life: PodLife::Own });
        assert_eq!(has_both(&case), (true, true));
        case.runtime.pod = Some(Pod { handler: "runc".to_owned(), life: PodLife::Warm });
        assert_eq!(has_both(&case), (true, false));
    }
}
