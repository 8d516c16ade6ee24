//! Containers that go on by themselves: started without a client that waits for them, and removed together.

use super::{Container, Ctr};
use crate::cmd::Cmd;

/// How a container is started that its client does not wait for. Its streams are `/dev/null`: whatever else held them
/// would be a part of what it costs.
const DETACHED: [&str; 2] = ["--detach", "--null-io"];

impl Ctr {
    /// Starts a container, and ends when its task has begun.
    pub fn start(&self, container: &Container<'_>) -> Cmd {
        self.cmd().args(self.run_args(&DETACHED, container))
    }

    /// Ends and removes containers: their tasks with all processes, themselves, their snapshots.
    ///
    /// # Errors
    /// When one of them is still there afterwards.
    pub fn remove_all(&self, ids: &[String]) -> anyhow::Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        // Each may find nothing to do and says so with its status; what counts is the last question.
        self.cmd().args(["tasks", "delete", "--force"]).args(ids).output()?;
        self.cmd().args(["containers", "delete"]).args(ids).output()?;
        let left = self.containers()?;
        let left: Vec<&String> = ids.iter().filter(|id| left.contains(id)).collect();
        // One at a time, and everything that may be left of it.
        left.into_iter().try_for_each(|id| self.remove(id))
    }
}
