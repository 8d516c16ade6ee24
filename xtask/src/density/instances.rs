//! Starting and stopping instances that wait: containers without a client, or processes.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::cgroup::MemoryGroup;
use super::processes::Known;
use crate::clock::Stopwatch;
use crate::cmd::{Cmd, Following};
use crate::containerd::{Container, Ctr};
use crate::matrix::FILE;
use crate::measure::runs::{Runs, Start};
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
}

/// An instance that waits. A process ends when this is dropped; a container does not.
#[derive(Debug)]
pub struct Instance {
    /// How it is known.
    pub known: Known,
    following: Option<Following>,
}

impl Instance {
    /// One that failed to start, and of which something may be there.
    pub const fn unstarted(id: String) -> Self {
        Self { known: Known { id, process: None }, following: None }
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
        match self.runs.start(self.place) {
            Start::Absent(reason) => bail!("{reason}"),
            Start::Pod(_) => bail!("idle pods are not measured: name cases without `cri`"),
            Start::Process => {
                let file = self.runs.file(self.place).context("it was not built")?;
                self.process(id, Cmd::new(&file.path), (limit, charged))
            }
            Start::Engine { program, args, grants: _ } => {
                let file = self.runs.file(self.place).context("it was not built")?.path.to_string_lossy();
                let args = args.iter().map(|arg| arg.replace(FILE, &file));
                self.process(id, Cmd::new(program).args(args), (limit, charged))
            }
            Start::Container { runtime, annotations } => {
                let ctr = self.ctr.context("no containerd is running")?;
                let image = self.runs.image(self.place).context("it has no image")?;
                let mut command = image.entrypoint.clone();
                command.extend(self.args().iter().cloned());
                let (reference, platform, env, folders) = (&image.reference, &image.platform, &[], &[]);
                let container = Container {
                    image: reference,
                    platform,
                    id,
                    runtime,
                    annotations,
                    command: &command,
                    cgroup: None,
                    env,
                    folders,
                };
                let cmd = ctr.start(&container).limit(limit);
                let clock = Stopwatch::start();
                cmd.run()?;
                Ok((
                    Instance { known: Known { id: id.to_owned(), process: None }, following: None },
                    clock.elapsed_ns(),
                ))
            }
        }
    }

    fn args(&self) -> &[String] {
        &self.runs.bench(self.place).args
    }

    /// This process enters the cgroup for a moment: what it starts there is charged there from the beginning.
    fn process(&self, id: &str, cmd: Cmd, (limit, charged): (Duration, Charged)) -> anyhow::Result<(Instance, u64)> {
        let cmd = cmd.bare().args(self.args());
        let memory = self.memory.filter(|_| charged == Charged::Alone);
        if let Some(memory) = memory {
            memory.adopt(id, std::process::id())?;
        }
        let clock = Stopwatch::start();
        let started = cmd.follow();
        let left = memory.map_or(Ok(()), MemoryGroup::leave);
        let mut following = started?;
        left?;
        let said = following.line(limit)?;
        let start_ns = clock.elapsed_ns();
        ensure!(said.as_deref() == Some(WAITING), "`{cmd}` did not say `{WAITING}`, but {said:?}");
        let known = Known { id: id.to_owned(), process: Some(following.process()?) };
        Ok((Instance { known, following: Some(following) }, start_ns))
    }

    /// Ends instances, and removes what they had.
    ///
    /// # Errors
    /// When something is left.
    pub fn stop(&self, instances: Vec<Instance>) -> anyhow::Result<()> {
        let ids: Vec<String> = instances.iter().map(|instance| instance.known.id.clone()).collect();
        let is_container = instances.iter().any(|instance| instance.following.is_none());
        drop(instances);
        match self.ctr.filter(|_| is_container) {
            Some(ctr) => ctr.remove_all(&ids),
            None => ids.iter().try_for_each(|id| self.memory.map_or(Ok(()), |memory| memory.remove(id))),
        }
    }
}
