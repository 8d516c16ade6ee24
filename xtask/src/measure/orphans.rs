//! What the first process of a PID namespace owes to the processes that lost their parent there: to reap them.
//!
//! Each container leaves some: its shim is started by a process that ends at once. A process that nobody reaps keeps
//! its process id, and these are limited. Reaped is outside the timed region, after a container's run.
//!
//! Not here: processes that this program started itself. Whoever started those waits for them, and must find them.

use std::path::PathBuf;

use anyhow::Context as _;
use rustix::process::{Pid, WaitOptions, getpid, waitpid};

/// The children of this process that it did not start.
#[derive(Debug)]
pub struct Orphans {
    /// Those that it did start and has not waited for yet.
    own: Vec<Pid>,
    /// The kernel's list of the children of one thread (proc(5), `/proc/pid/task/tid/children`). The namespace's first
    /// thread adopts; a thread also counts its own.
    children: PathBuf,
}

impl Orphans {
    /// What this process adopts; `None` when it is not the first of its PID namespace, and adopts nobody. `own` are the
    /// children that it started and that go on while orphans are reaped.
    pub fn adopted(own: Vec<Pid>) -> Option<Self> {
        (getpid() == Pid::INIT).then(|| Self { own, children: "/proc/1/task/1/children".into() })
    }

    /// The children that this process started and that go on meanwhile.
    pub fn own(&self) -> &[Pid] {
        &self.own
    }

    /// Reaps those that have ended, without waiting for any, and says how many they were.
    ///
    /// # Errors
    /// When the kernel does not say which children there are.
    pub fn reap(&self) -> anyhow::Result<usize> {
        let list = std::fs::read_to_string(&self.children).with_context(|| {
            format!("can not read `{}`, without which processes that ended pile up", self.children.display())
        })?;
        let adopted = list.split_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?));
        let ended = adopted.filter(|pid| !self.own.contains(pid)).filter(|pid| {
            // An error says that it is no child any more: somebody else has waited for it.
            waitpid(Some(*pid), WaitOptions::NOHANG).is_ok_and(|ended| ended.is_some())
        });
        Ok(ended.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::Cmd;

    /// A thread of its own: the list is by thread, and other tests have children too.
    #[test]
    fn a_child_that_we_started_is_left_to_whoever_waits_for_it() {
        let thread = std::thread::spawn(|| {
            let children = format!("/proc/self/task/{}/children", rustix::thread::gettid().as_raw_nonzero());
            let running = Cmd::new("true").start().unwrap();
            let own = running.pids().unwrap();
            let ended = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
            // Some thread of duct's may wait at the same time, and may be first.
            rustix::process::waitid(rustix::process::WaitId::Pid(own[0]), ended).unwrap();
            let orphans = Orphans { own, children: children.into() };
            assert_eq!(orphans.reap().unwrap(), 0);
            assert_eq!(running.wait(std::time::Duration::from_secs(10)).unwrap().code, Some(0));
        });
        thread.join().unwrap();
    }
}
