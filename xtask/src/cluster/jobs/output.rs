//! What a Job's pods printed, read from their logs: each has to be what was expected.
//!
//! A log that is too short is read again: the kubelet serves the file that containerd copies into, and on a busy node that may
//! be later than the end of the pod. What a pod really did not print stays missing.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::cluster::kubectl::{Kubectl, of_job};

/// So long, and so often, a log that is too short is read again.
const LIMIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(250);
/// Of so many pods that printed something else it is shown.
const SHOWN: usize = 2;

/// Everything that a Job's pods printed, one after the other.
///
/// # Errors
/// When the cluster can not be reached.
pub fn of_all(kubectl: &Kubectl, job: &str) -> anyhow::Result<Vec<u8>> {
    kubectl.bytes(&["logs", "--tail=-1", "-l", &of_job(job)])
}

/// Why the output of a Job is not that of each of its pods; `None` where it is.
///
/// # Errors
/// When the cluster can not be reached.
pub fn differs(kubectl: &Kubectl, (job, pods): (&str, &[&str]), expected: &[u8]) -> anyhow::Result<Option<String>> {
    let whole = expected.repeat(pods.len());
    let clock = Stopwatch::start();
    let log = loop {
        let log = of_all(kubectl, job)?;
        if log == whole {
            return Ok(None);
        }
        if log.len() >= whole.len() || clock.elapsed() > LIMIT {
            break log;
        }
        std::thread::sleep(LOOK);
    };
    let [_, _, ..] = pods else { return Ok(Some(format!("it printed {}", quoted(&log)))) };
    let mut others = Vec::new();
    for pod in pods {
        let log = kubectl.bytes(&["logs", "--tail=-1", pod])?;
        if log != expected {
            others.push(format!("`{pod}` printed {}", quoted(&log)));
        }
    }
    Ok(Some(told(pods.len(), &others, &log)))
}

fn told(pods: usize, others: &[String], log: &[u8]) -> String {
    if others.is_empty() {
        return format!(
            "together its {pods} pods printed {}, although each alone printed what was expected",
            quoted(log)
        );
    }
    let more = if others.len() > SHOWN { ", and so on" } else { "" };
    let shown = others[..others.len().min(SHOWN)].join(", ");
    format!("{} of its {pods} pods printed something else: {shown}{more}", others.len())
}

/// Nothing is told as that: between two marks nobody sees it.
fn quoted(log: &[u8]) -> String {
    match String::from_utf8_lossy(log).trim_end() {
        "" => "nothing".to_owned(),
        text => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst of 20 in which one pod had no log showed the output of the 19 others.
    #[test]
    fn the_pods_are_named_that_printed_something_else() {
        let one = told(20, &["`b-1` printed nothing".to_owned()], b"sum=1\n");
        assert_eq!(one, "1 of its 20 pods printed something else: `b-1` printed nothing");
        let three = ["x", "y", "z"].map(|pod| format!("`{pod}` printed {}", quoted(b"other\n")));
        assert_eq!(
            told(3, &three, b""),
            "3 of its 3 pods printed something else: `x` printed `other`, `y` printed `other`, and so on"
        );
        assert_eq!(quoted(b"\n"), "nothing");
        assert!(told(2, &[], b"").starts_with("together its 2 pods printed nothing, although"));
    }
}
