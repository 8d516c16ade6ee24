//! Commands that go on in the background: signalled, waited for, or watched and ended.

use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{Output, stderr_end};
use crate::clock::Stopwatch;
use crate::stop::Stop;

/// How a command that was watched ended.
#[derive(Clone, Debug)]
pub enum Watched {
    /// By itself.
    Ended(Output),
    /// Killed, for somebody wished to stop.
    Stopped,
    /// Killed at its time limit.
    TimedOut,
    /// Killed, for this reason.
    Refused(String),
}

/// How often a watched command is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A command that goes on in the background; killed when dropped.
#[derive(Debug)]
pub struct Running {
    pub(super) handle: duct::Handle,
    pub(super) line: String,
}

impl Running {
    /// Its process.
    pub fn process(&self) -> anyhow::Result<u32> {
        self.handle.pids().first().copied().with_context(|| format!("`{}` has no process", self.line))
    }

    /// Its process, as what signals are sent to.
    pub fn pids(&self) -> anyhow::Result<Vec<Pid>> {
        pids(&self.handle)
    }

    /// Sends it a signal, it alone.
    pub fn signal(&self, signal: rustix::process::Signal) -> anyhow::Result<()> {
        for pid in self.pids()? {
            rustix::process::kill_process(pid, signal).with_context(|| format!("can not signal `{}`", self.line))?;
        }
        Ok(())
    }

    /// Fails when it has ended.
    pub fn ensure_running(&self) -> anyhow::Result<()> {
        match self.handle.try_wait()? {
            None => Ok(()),
            Some(output) => bail!("`{}` ended with {}{}", self.line, output.status, stderr_end(&output.stderr)),
        }
    }

    /// Waits for its end, the wish to stop, the time limit, or an objection to the process of a given number, which is
    /// asked for again and again. It ends before this returns.
    ///
    /// # Errors
    /// When it can not be waited for.
    pub fn watch(
        self,
        stop: &Stop,
        limit: Duration,
        objection: &dyn Fn(u32) -> Option<String>,
    ) -> anyhow::Result<Watched> {
        let id = self.process()?;
        let pid = self.pids()?.into_iter().next().context("no process id")?;
        let end = pidfd_open(pid, PidfdFlags::empty()).with_context(|| format!("can not watch `{}`", self.line))?;
        let clock = Stopwatch::start();
        while let Some(left) = limit.checked_sub(clock.elapsed()) {
            let mut fds = [PollFd::new(&end, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
            match poll(&mut fds, Some(&left.min(LOOK).try_into()?)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).with_context(|| format!("can not watch `{}`", self.line)),
            }
            let [ended, stopped] = fds.map(|fd| !fd.revents().is_empty());
            if ended {
                return self.wait(left).map(Watched::Ended);
            }
            if stopped {
                return Ok(Watched::Stopped);
            }
            if let Some(reason) = objection(id) {
                return Ok(Watched::Refused(reason));
            }
        }
        Ok(Watched::TimedOut)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it is still running after `limit`; it is then killed.
    pub fn wait(self, limit: Duration) -> anyhow::Result<Output> {
        match self.handle.wait_timeout(limit)? {
            Some(output) => {
                Ok(Output { code: output.status.code(), stdout: output.stdout.clone(), stderr: output.stderr.clone() })
            }
            None => bail!("`{}` was still running after {} s", self.line, limit.as_secs()),
        }
    }
}

/// The processes that a handle of duct's stands for.
pub fn pids(handle: &duct::Handle) -> anyhow::Result<Vec<Pid>> {
    let pid = |id: u32| i32::try_from(id).ok().and_then(Pid::from_raw).context("no process id");
    handle.pids().into_iter().map(pid).collect()
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself may have been waited for by whoever reaps what containers leave.
        if let Err(error) = self.handle.kill()
            && error.raw_os_error() != Some(Errno::SRCH.raw_os_error())
        {
            crate::console::note(format_args!("can not end `{}`: {error}", self.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::Cmd;

    #[test]
    fn a_watched_command_ends_by_itself_by_a_wish_at_its_limit_and_by_an_objection() {
        let limit = Duration::from_mins(1);
        let start = |script: &str| Cmd::new("sh").args(["-c", script]).start().unwrap();
        let (calm, wished) = (Stop::never().unwrap(), Stop::never().unwrap());
        wished.request().unwrap();
        let none = |_| None;
        let Watched::Ended(output) = start("echo x; exit 3").watch(&calm, limit, &none).unwrap() else { panic!() };
        assert_eq!((output.code, output.stdout.as_slice()), (Some(3), &b"x\n"[..]));
        let hang = "exec sleep 600";
        assert!(matches!(start(hang).watch(&wished, limit, &none).unwrap(), Watched::Stopped));
        assert!(matches!(start(hang).watch(&calm, Duration::from_millis(20), &none).unwrap(), Watched::TimedOut));
        let objection = |id| Some(format!("{} is there", std::path::Path::new(&format!("/proc/{id}")).exists()));
        let Watched::Refused(reason) = start(hang).watch(&calm, limit, &objection).unwrap() else { panic!() };
        assert_eq!(reason, "true is there");
    }
}
