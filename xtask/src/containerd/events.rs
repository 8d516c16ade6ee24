//! Whether a container really ran: containerd's own events of a task, beside what its client's exit status claims. A
//! client that does nothing ends with 0 too, and a program that prints nothing looks the same through it.
//!
//! It listens with `ctr events` until every cell was seen once, which is in the first round; later rounds run without.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::Ctr;
use crate::clock::Stopwatch;
use crate::cmd::Following;
use crate::plan::Place;

/// How long an event may be on its way.
const EVENT_LIMIT: Duration = Duration::from_secs(10);
/// How long one probe may take: events from before the client listens are lost, so another one is caused.
const PROBE_LIMIT: Duration = Duration::from_millis(250);
/// How long nobody looks whether a wait has become needless: it does when a container could not be started.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What containerd publishes when a task has begun, and when it has ended.
const TOPICS: [&str; 2] = ["/tasks/start", "/tasks/exit"];

/// Listens to containerd until every cell was seen.
#[derive(Debug)]
pub struct TaskEvents {
    events: Following,
    namespace: String,
    lines: Vec<String>,
    /// Bench and cell pairs that nobody saw run yet.
    unseen: BTreeSet<Place>,
}

impl TaskEvents {
    /// Begins to listen, and returns when events arrive.
    ///
    /// # Errors
    /// When none does.
    pub fn start(ctr: &Ctr, unseen: BTreeSet<Place>) -> anyhow::Result<Self> {
        let events = listen(ctr).context("nothing would prove that a container ran")?;
        Ok(Self { events, namespace: ctr.namespace.clone(), lines: Vec::new(), unseen })
    }

    /// Whether this cell still has to be seen.
    pub fn awaits(&self, place: Place) -> bool {
        self.unseen.contains(&place)
    }

    /// Nobody has to see this cell any more.
    pub fn forget(&mut self, place: Place) {
        self.unseen.remove(&place);
    }

    /// Whether there is nothing left to see.
    pub fn is_done(&self) -> bool {
        self.unseen.is_empty()
    }

    /// Looks for the task of a container that is said to have run.
    ///
    /// # Errors
    /// When containerd started no such task, or did not see it end.
    pub fn expect(&mut self, id: &str) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        loop {
            let missing =
                TOPICS.iter().find(|topic| !self.lines.iter().any(|line| is(line, topic, &self.namespace, id)));
            let Some(missing) = missing else { break };
            let left = EVENT_LIMIT.saturating_sub(clock.elapsed());
            let line = self.events.line(left)?.with_context(|| {
                format!(
                    "the client ended as if it had run `{id}`, but containerd reported no `{missing}`: no container was \
                     run"
                )
            })?;
            self.lines.push(line);
        }
        self.lines.clear();
        Ok(())
    }
}

/// Waits for tasks to start: for those who have to act then. It listens as long as it is there.
#[derive(Debug)]
pub struct TaskStarts {
    events: Following,
    namespace: String,
}

impl TaskStarts {
    /// Begins to listen, and returns when events arrive.
    ///
    /// # Errors
    /// When none does.
    pub fn listen(ctr: &Ctr) -> anyhow::Result<Self> {
        Ok(Self { events: listen(ctr)?, namespace: ctr.namespace.clone() })
    }

    /// Returns when the task of a container has started, or nobody has to know any more.
    ///
    /// # Errors
    /// When containerd shows no events any more.
    pub fn wait(&mut self, id: &str, is_over: impl Fn() -> bool) -> anyhow::Result<()> {
        while !is_over() {
            let line = self.events.line(LOOK_AGAIN)?;
            if line.is_some_and(|line| is(&line, TOPICS[0], &self.namespace, id)) {
                break;
            }
        }
        Ok(())
    }
}

/// Containerd's events, line by line, from when some arrive.
///
/// # Errors
/// When none does.
pub fn listen(ctr: &Ctr) -> anyhow::Result<Following> {
    let mut events = ctr.cmd().arg("events").follow()?;
    let clock = Stopwatch::start();
    let mut probe = 0;
    while clock.elapsed() < EVENT_LIMIT {
        probe += 1;
        let label = format!("xtask.probe={probe}");
        ctr.cmd().args(["namespaces", "label", &ctr.namespace, &label]).run()?;
        if events.line(PROBE_LIMIT)?.is_some() {
            return Ok(events);
        }
    }
    bail!("`{}` shows none of containerd's events", ctr.program.display())
}

/// `2026-11-23 10:15:00.123456789 +0000 UTC NAMESPACE /tasks/exit {"container_id":"r0-p3",…}`.
fn is(line: &str, topic: &str, namespace: &str, id: &str) -> bool {
    line.contains(&format!(" {namespace} {topic} ")) && line.contains(&format!("\"container_id\":\"{id}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_that_of_one_container_in_one_namespace() {
        let line = r#"2026-11-23 10:15:00.1 +0000 UTC ours /tasks/exit {"container_id":"r0-p3","id":"r0-p3","pid":7}"#;
        assert!(is(line, "/tasks/exit", "ours", "r0-p3"));
        for (topic, namespace, id) in
            [("/tasks/start", "ours", "r0-p3"), ("/tasks/exit", "theirs", "r0-p3"), ("/tasks/exit", "ours", "r0-p33")]
        {
            assert!(!is(line, topic, namespace, id));
        }
    }
}
