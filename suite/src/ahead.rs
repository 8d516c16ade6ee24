//! What later stages will need, built while stages run that leave processors idle: minutes of a cold run on two cores.
//!
//! At the lowest priority, and ended before the first stage that measures. What could not be built is no failure here: the
//! stage that needs it tries again, and says so. Not here: containerd's shims, whose builds would wait for one another.

use anyhow::Context as _;

use super::Rig;
use super::rig::COMMAND_LIMIT;
use xtask::cluster::{kubernetes, local};
use xtask::cmd::Running;
use xtask::programs::Programs;
use xtask::programs::definition::Source;

/// What is being built.
#[derive(Debug, Default)]
pub struct Ahead(Vec<Running>);

impl Ahead {
    /// Begins to build every program that is built from a crate and not there yet: for stages that measure, while others
    /// wait. Cargo would have the stages that compute wait for it.
    ///
    /// # Errors
    /// When the definitions are refused, or the build can not be started.
    pub fn programs(&mut self, rig: &Rig) -> anyhow::Result<()> {
        let programs = Programs::load(&rig.workspace)?;
        let wanted: Vec<&str> = programs
            .definitions()
            .iter()
            .filter(|definition| matches!(definition.source, Source::Crate(_)))
            .map(|definition| definition.name.as_str())
            .filter(|name| programs.find(name).is_err())
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let with: Vec<&str> = wanted.iter().flat_map(|name| ["--with", name]).collect();
        self.start(rig, &[&["toolbox"], &with[..]].concat())
    }

    /// Begins to build Kubernetes where it can be used and is not there yet. It shares nothing with Cargo, and takes what the
    /// stages that compute leave.
    ///
    /// # Errors
    /// When the build can not be started.
    pub fn kubernetes(&mut self, rig: &Rig) -> anyhow::Result<()> {
        let possible = rig.no_containers().is_none() && local::ensure_possible().is_ok();
        if !possible || kubernetes::find(&rig.workspace).is_some() {
            return Ok(());
        }
        self.start(rig, &["cluster", "local", "build"])
    }

    fn start(&mut self, rig: &Rig, words: &[&str]) -> anyhow::Result<()> {
        let cmd = rig.xtask_below("nice", ["-n", "19"]).args(words);
        self.0.push(cmd.start().with_context(|| format!("`{}` can not be started ahead", words.join(" ")))?);
        Ok(())
    }

    /// Waits for the end of all of it, whatever that is.
    pub fn finish(self) {
        for running in self.0 {
            drop(running.wait(COMMAND_LIMIT));
        }
    }
}
