//! Jobs on a Kubernetes cluster: what their numbers can tell. The numbers are in the tables of every metric.

use crate::Run;
use crate::document::{Block, Section, Text};
use results::metric::job;

const WHAT: &str = "Each row is a program as a Job of Kubernetes: `@` is followed by its node, or by how many pods were made at once, over \
    all nodes, until the last one had ended. Its time is what `kubectl` shows: asked for until its pod is seen to have ended. A kubelet \
    of many versions looks at its containers once a second, and Kubernetes' own times are whole seconds, so that the time of a single \
    Job falls somewhere in that second and says nearly nothing of a runtime.";
const TELLS: &str = "What tells runtimes apart are the kubelets' own counters of each call to the container runtime \
    (`run_podsandbox`, `create_container`, `start_container`), read before and after a Job, and pods at once.";
const UNCOUNTED: &str = "The kubelets' counters could not be read here, so that only pods at once tell runtimes apart.";

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("jobs", "Jobs on a cluster");
    if run.manifest.cells.iter().any(|cell| job::has(&cell.case)) {
        let counted = run.samples.iter().any(|sample| sample.value(job::CALLS[0].1).is_some());
        section.push(Block::key(Text::prose(WHAT)));
        section.push(Block::key(Text::prose(if counted { TELLS } else { UNCOUNTED })));
    }
    section
}
