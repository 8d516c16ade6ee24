//! Starting and stopping instances that wait: containers without a client, or processes.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::Ready;
use super::cgroup::MemoryGroup;
use super::processes::Known;
use crate::clock::Stopwatch;
use crate::cmd::{Cmd, Following, Running};
use crate::containerd::Ctr;
use crate::measure::runs::{Runs, Start};
use crate::measure::single::{self, Attempt};
use crate::plan::Place;

/// What a program says when it waits.
const WAITING: &str = "waiting";

/// How instances of one cell are started.
#[derive(Clone, Copy, Debug)]
pub struct Starter<'a> {
    /// What to run.
    pub runs: &'a Runs,
    /// The cell.
    pub place: Place,
    /// The client of the containerd that is up.
    pub ctr: Option<&'a Ctr>,
    /// Where the memory of processes is charged.
    pub memory: Option<&'a MemoryGroup>,
    /// When a process has started.
    pub ready: Ready,
}

/// An instance that waits. A process ends when this is dropped; a container does not.
#[derive(Debug)]
pub struct Instance {
    /// How it is known.
    pub known: Known,
    process: Option<Process>,
}

/// A process that was started directly.
#[derive(Debug)]
enum Process {
    /// What it says is read.
    Following { _ends: Following },
    /// What it says goes nowhere.
    Silent { _ends: Running },
}

impl Instance {
    /// One that failed to start, and of which something may be there.
    pub const fn unstarted(id: String) -> Self {
        Self { known: Known { id, process: None }, process: None }
    }
}

/// Whether a process gets a cgroup of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    /// It does: nothing else may be started meanwhile.
    Alone,
    /// It does not: its memory is not looked at.
    No,
}

impl Starter<'_> {
    /// Starts an instance, and says how long that took: a container until its client has ended, which is when its task
    /// has begun; a process until it says that it waits.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, id: &str, charged: Charged) -> anyhow::Result<(Instance, u64)> {
        let limit = Duration::from_millis(self.runs.timeout_ms);
        let (start, bench) = (self.runs.start(self.place), self.runs.bench(self.place));
        let case = &self.runs.cell(self.place).case;
        if let Some(reason) = single::obstacle(start, (bench, case)) {
            bail!("{reason}");
        }
        match start {
            Start::Absent(reason) => bail!("{reason}"),
            Start::Pod(_) => bail!("idle pods are not measured: name cases without `cri`"),
            Start::Process | Start::Engine { .. } => {
                let found = single::invocation(start, (bench, case), (None, id))?;
                let cmd = Cmd::new(&found.program).bare().args(&found.args);
                let cmd = found.env.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
                self.process(id, &cmd, (limit, charged))
            }
            Start::Container { .. } => {
                let ctr = self.ctr.context("no containerd is running")?;
                let attempt = Attempt::plain(id);
                let cmd =
                    single::container(start, (bench, case), &attempt, |container| ctr.start(container))?.limit(limit);
                let clock = Stopwatch::start();
                cmd.run()?;
                let known = Known { id: id.to_owned(), process: None };
                Ok((Instance { known, process: None }, clock.elapsed_ns()))
            }
        }
    }

    /// This process enters the cgroup for a moment: what it starts there is charged there from the beginning.
    fn process(&self, id: &str, cmd: &Cmd, (limit, charged): (Duration, Charged)) -> anyhow::Result<(Instance, u64)> {
        let memory = self.memory.filter(|_| charged == Charged::Alone);
        if let Some(memory) = memory {
            memory.adopt(id, std::process::id())?;
        }
        let clock = Stopwatch::start();
        let started = match self.ready {
            Ready::Announced => cmd.follow().map(Ok),
            Ready::AtOnce => cmd.silent().map(Err),
        };
        let left = memory.map_or(Ok(()), MemoryGroup::leave);
        let started = started?;
        left?;
        let (process, number) = match started {
            Ok(mut following) => {
                let said = following.line(limit)?;
                ensure!(said.as_deref() == Some(WAITING), "`{cmd}` did not say `{WAITING}`, but {said:?}");
                let number = following.process()?;
                (Process::Following { _ends: following }, number)
            }
            Err(running) => {
                let number = running.process()?;
                (Process::Silent { _ends: running }, number)
            }
        };
        let start_ns = clock.elapsed_ns();
        let known = Known { id: id.to_owned(), process: Some(number) };
        Ok((Instance { known, process: Some(process) }, start_ns))
    }

    /// Ends instances, and removes what they had.
    ///
    /// # Errors
    /// When something is left.
    pub fn stop(&self, instances: Vec<Instance>) -> anyhow::Result<()> {
        let ids: Vec<String> = instances.iter().map(|instance| instance.known.id.clone()).collect();
        let is_container = instances.iter().any(|instance| instance.process.is_none());
        drop(instances);
        match self.ctr.filter(|_| is_container) {
            Some(ctr) => ctr.remove_all(&ids),
            None => ids.iter().try_for_each(|id| self.memory.map_or(Ok(()), |memory| memory.remove(id))),
        }
    }
}
