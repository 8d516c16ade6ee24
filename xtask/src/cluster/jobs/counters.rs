//! What kubelets count of their calls to the container runtime, read after each Job: the mean of a call is the Job's where it
//! was made once for each of its pods, and for nobody else's, meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::kubectl::{Counter, Kubectl};
use crate::cluster::objects::Pods;
use results::metric::job;

/// The counters of each node when they were read last.
#[derive(Debug)]
pub struct Counters<'a> {
    kubectl: &'a Kubectl,
    last: BTreeMap<String, Vec<Counter>>,
    /// Why they are not read, if they are not.
    pub unread: Option<String>,
}

impl<'a> Counters<'a> {
    /// Reads those of some nodes.
    pub fn read(kubectl: &'a Kubectl, nodes: BTreeSet<&String>) -> Self {
        let mut counters = Self { kubectl, last: BTreeMap::new(), unread: None };
        for node in nodes {
            match kubectl.counters(node) {
                Ok(found) => drop(counters.last.insert(node.clone(), found)),
                Err(error) => counters.unread = Some(format!("the counters of `{node}` can not be read: {error:#}")),
            }
        }
        counters
    }

    /// What was counted since they were read last.
    pub fn count(&mut self, pods: &Pods, values: &mut BTreeMap<String, u64>) {
        if self.unread.is_some() {
            return;
        }
        let mut sums = [(0.0, 0.0); job::CALLS.len()];
        for node in pods.nodes() {
            let Ok(now) = self.kubectl.counters(node) else { return };
            let before = self.last.insert(node.clone(), now.clone()).unwrap_or_default();
            for ((call, _), (sum, count)) in job::CALLS.iter().zip(&mut sums) {
                let (of_node, calls) = grown(call, &before, &now);
                *sum += of_node;
                *count += calls;
            }
        }
        let mut together = Some(0);
        for ((_, metric), (sum, count)) in job::CALLS.iter().zip(sums) {
            let found = mean_ns(sum, count, pods.count());
            together = together.zip(found).map(|(sum, ns)| sum + ns);
            values.extend(found.map(|ns| ((*metric).to_owned(), ns)));
        }
        values.extend(together.map(|ns| (job::TOGETHER.to_owned(), ns)));
    }
}

/// By how many seconds, and how many calls, a counter has grown.
fn grown(call: &str, before: &[Counter], now: &[Counter]) -> (f64, f64) {
    let of = |counters: &[Counter]| {
        counters.iter().find(|counter| counter.call == call).map_or((0.0, 0.0), |found| (found.sum, found.count))
    };
    let ((sum, count), (sum_now, count_now)) = (of(before), of(now));
    (sum_now - sum, count_now - count)
}

/// The mean of a call that was made once for each of so many pods.
fn mean_ns(seconds: f64, calls: f64, pods: u32) -> Option<u64> {
    if (calls - f64::from(pods)).abs() > f64::EPSILON || !(0.0..86_400.0).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8.64e13")]
    let ns = (seconds / calls * 1e9).round() as u64;
    Some(ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_a_time_where_it_was_made_once_for_each_pod() {
        let counter = |sum, count| vec![Counter { call: "run_podsandbox".to_owned(), sum, count }];
        let mean = |before: &[Counter], now: &[Counter], pods| {
            let (seconds, calls) = grown("run_podsandbox", before, now);
            mean_ns(seconds, calls, pods)
        };
        assert_eq!(mean(&counter(0.5, 3.0), &counter(0.75, 4.0), 1), Some(250_000_000));
        assert_eq!(mean(&[], &counter(0.125, 1.0), 1), Some(125_000_000));
        assert_eq!(mean(&counter(0.5, 3.0), &counter(0.75, 5.0), 2), Some(125_000_000));
        assert_eq!(mean(&counter(0.5, 3.0), &counter(0.75, 5.0), 1), None);
        // A kubelet that was started anew counts from nothing.
        assert_eq!(mean(&counter(0.5, 3.0), &counter(0.25, 4.0), 1), None);
    }
}
