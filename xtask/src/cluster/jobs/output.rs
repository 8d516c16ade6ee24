//! What a Job's pods printed, read from their logs: each has to be what was expected.
//!
//! A log that is too short is read again: the kubelet serves the file that containerd copies into, and on a busy node that may
//! be later than the end of the pod. What a pod really did not print stays missing.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::cluster::kubectl::{Kubectl, of_job};
use crate::measure::expectation::Expectations;

/// So long, and so often, a log that is too short is read again.
const LIMIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(250);
/// Of so many pods that printed something else it is shown.
const SHOWN: usize = 2;
/// What nobody thinks of who sees a line too many.
const BOTH_STREAMS: &str = "a pod's log holds what the program wrote to standard error, too";

/// What tells whether a program printed what it has to.
#[derive(Debug)]
pub struct Judge<'a> {
    /// What every program has to print.
    pub expectations: &'a mut Expectations,
    /// The program's bench.
    pub bench: &'a str,
    /// The cell that is run.
    pub cell: &'a str,
}

impl Judge<'_> {
    fn exactly(&self) -> Option<&[u8]> {
        self.expectations.exactly(self.bench)
    }

    /// How many bytes of a log are worth to be waited for: any, where nobody knows how many there are.
    fn length(&self) -> usize {
        self.exactly().map_or(1, <[u8]>::len)
    }

    fn fault(&mut self, log: &[u8]) -> Option<String> {
        self.expectations.fault((self.bench, self.cell), log)
    }
}

/// Everything that a Job's pods printed, one after the other.
///
/// # Errors
/// When the cluster can not be reached.
pub fn of_all(kubectl: &Kubectl, job: &str) -> anyhow::Result<Vec<u8>> {
    kubectl.bytes(&["logs", "--tail=-1", "-l", &of_job(job)])
}

/// What is wrong with what the pods of a Job printed; `None` where nothing is.
///
/// # Errors
/// When the cluster can not be reached.
pub fn fault(kubectl: &Kubectl, (job, pods): (&str, &[&str]), judge: &mut Judge<'_>) -> anyhow::Result<Option<String>> {
    if !judge.expectations.is_judged(judge.bench) {
        return Ok(None);
    }
    // All at once, where that can be told from what it should be.
    if let Some(whole) = judge.exactly().map(|expected| expected.repeat(pods.len()))
        && read(whole.len(), || of_all(kubectl, job))? == whole
    {
        return Ok(None);
    }
    let mut others = Vec::new();
    for pod in pods {
        let log = read(judge.length(), || kubectl.bytes(&["logs", "--tail=-1", pod]))?;
        if let Some(fault) = judge.fault(&log) {
            others.push((*pod, fault));
        }
    }
    Ok(told(pods.len(), &others))
}

/// A log that is at least so long, or what there is of it after a while.
fn read(length: usize, log: impl Fn() -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    let clock = Stopwatch::start();
    loop {
        let log = log()?;
        if log.len() >= length || clock.elapsed() > LIMIT {
            return Ok(log);
        }
        std::thread::sleep(LOOK);
    }
}

fn told(pods: usize, others: &[(&str, String)]) -> Option<String> {
    let said = match others {
        [] => return None,
        [(_, fault)] if pods == 1 => fault.clone(),
        _ => {
            let shown: Vec<String> =
                others.iter().take(SHOWN).map(|(pod, fault)| format!("`{pod}`: {fault}")).collect();
            let more = if others.len() > SHOWN { "; and so on" } else { "" };
            format!("{} of its {pods} pods printed something else: {}{more}", others.len(), shown.join("; "))
        }
    };
    Some(format!("{said} ({BOTH_STREAMS})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A burst of 20 in which one pod had no log showed the output of the 19 others.
    #[test]
    fn the_pods_are_named_that_printed_something_else() {
        assert_eq!(told(20, &[]), None);
        let one = told(1, &[("a", "it printed nothing".to_owned())]).unwrap();
        assert!(one.starts_with("it printed nothing (") && one.contains("standard error"), "{one}");
        let of_many = told(20, &[("b-1", "it printed nothing".to_owned())]).unwrap();
        assert!(
            of_many.starts_with("1 of its 20 pods printed something else: `b-1`: it printed nothing ("),
            "{of_many}"
        );
        let three = ["x", "y", "z"].map(|pod| (pod, "another line".to_owned()));
        let of_all = told(3, &three).unwrap();
        assert!(of_all.contains("`x`: another line; `y`: another line; and so on"), "{of_all}");
    }

    #[test]
    fn a_log_that_is_too_short_is_read_again() {
        let reads = Cell::new(0);
        let growing = || {
            reads.set(reads.get() + 1);
            Ok(b"sum=1\n"[..reads.get() * 2].to_vec())
        };
        assert_eq!((read(4, growing).unwrap(), reads.get()), (b"sum=".to_vec(), 2));
        assert!(read(1, || anyhow::bail!("gone")).is_err());
    }
}
