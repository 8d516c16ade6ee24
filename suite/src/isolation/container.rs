//! Containers of the probe: started from a root directory and not from an image, so that one directory serves all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::IsolationPlan;
use crate::shim::{Runner, Runtimes};
use xtask::clock::Stopwatch;
use xtask::cmd::{Cmd, Output};
use xtask::containerd::{Container, Ctr};
use xtask::isolation::process;

/// How long a container may take to start, on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// What the process inside works with.
pub struct Inside<'a> {
    /// The runtimes.
    pub runtimes: &'a Runtimes,
    /// The client.
    pub ctr: &'a Ctr,
    /// The probe's files.
    pub plan: &'a IsolationPlan,
}

/// One container.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Who runs it.
    pub runner: Runner,
    /// Its name.
    pub id: &'a str,
    /// More options for `ctr run`, separated by spaces.
    pub options: &'a str,
}

impl Inside<'_> {
    /// The shim's file.
    pub fn shim(&self) -> &Path {
        &self.runtimes.shim
    }

    /// Runs a command to its end.
    pub fn run(&self, subject: Subject<'_>, command: &[&str]) -> anyhow::Result<Output> {
        let output = self.command(subject, command)?.output();
        self.ctr.remove(subject.id)?;
        output
    }

    /// Lets the probe wait, and looks at its process meanwhile.
    pub fn while_waiting<T>(
        &self,
        subject: Subject<'_>,
        program: &str,
        look: impl FnOnce(u32) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let file = self.plan.shared.join(subject.id);
        let running = self.command(subject, &[program, "wait", &format!("/shared/{}", subject.id)])?.start()?;
        let clock = Stopwatch::start();
        let mut ready = Ok(());
        while ready.is_ok() && !file.exists() {
            std::thread::sleep(Duration::from_millis(10));
            let late = clock.elapsed() > START_LIMIT;
            ready = running.ensure_running();
            if late {
                ready = Err(anyhow::anyhow!("`{program}` does not run after {START_LIMIT:?}"));
            }
        }
        if let Err(error) = ready {
            let output = running.wait(START_LIMIT)?;
            self.ctr.remove(subject.id)?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(error.context(format!("`{}` with {:?}: {said}", subject.id, subject.options)));
        }
        let looked = process::of_container(subject.id).and_then(look);
        self.ctr.kill(subject.id)?;
        running.wait(START_LIMIT)?;
        self.ctr.remove(subject.id)?;
        std::fs::remove_file(&file).with_context(|| format!("can not remove `{}`", file.display()))?;
        looked
    }

    fn command(&self, subject: Subject<'_>, command: &[&str]) -> anyhow::Result<Cmd> {
        let image = self.plan.root.to_string_lossy();
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let runtime = self.runtimes.of(subject.runner);
        let container = Container {
            image: &image,
            platform: "linux/amd64",
            id: subject.id,
            runtime: &runtime,
            command: &command,
            annotations: &BTreeMap::new(),
            cgroup: None,
            env: &[],
            folders: &[],
        };
        let invocation = self.ctr.run(&container);
        let mut args = invocation.args;
        let place = args.iter().position(|arg| arg == "--rm").context("`ctr run` has no `--rm`")? + 1;
        let shared = format!("type=bind,src={},dst=/shared,options=rbind:rw", self.plan.shared.display());
        let own = ["--rootfs", "--mount", &shared].map(str::to_owned);
        args.splice(place..place, own.into_iter().chain(subject.options.split_whitespace().map(str::to_owned)));
        Ok(Cmd::new(&invocation.program).args(&args).limit(Duration::from_mins(1)))
    }
}
