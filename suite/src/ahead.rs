//! What later stages will need, built while stages run that leave processors idle: minutes of a cold run on two cores.
//!
//! At the lowest priority, and ended before the first stage that measures. What could not be built is no failure here: the
//! stage that needs it tries again, and says so.

use std::time::Duration;

use anyhow::Context as _;

use super::Rig;
use xtask::cluster::{kubernetes, local};
use xtask::cmd::Running;
use xtask::programs::Programs;
use xtask::programs::definition::Source;

/// How long a build may take that gets what others leave.
const LIMIT: Duration = Duration::from_hours(1);

/// What is being built.
#[derive(Debug, Default)]
pub struct Ahead {
    kubernetes: Option<Running>,
    programs: Option<Running>,
    /// Beside the programs: each of these builds has minutes in which one compiler is waited for.
    wasmtime: Option<Running>,
}

impl Ahead {
    /// Begins to build every program that is built from a crate and not there yet, and the shim for Wasmtime: for stages
    /// that measure, while others wait. Cargo would have the stages that compute wait for it, which build the other shim.
    ///
    /// # Errors
    /// When the definitions are refused, or a build can not be started.
    pub fn programs(&mut self, rig: &Rig) -> anyhow::Result<()> {
        let programs = Programs::load(&rig.workspace)?;
        let wanted: Vec<&str> = programs
            .definitions()
            .iter()
            .filter(|definition| matches!(definition.source, Source::Crate(_)))
            .map(|definition| definition.name.as_str())
            .filter(|name| programs.find(name).is_err())
            .collect();
        let with: Vec<&str> = wanted.iter().flat_map(|name| ["--with", name]).collect();
        if !with.is_empty() {
            self.programs = Some(start(rig, &[&["toolbox"], &with[..]].concat())?);
        }
        self.wasmtime = Some(start(rig, &["build", "--shim", "wasmtime"])?);
        Ok(())
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
        self.kubernetes = Some(start(rig, &["cluster", "local", "build"])?);
        Ok(())
    }

    /// Waits for the end of the build of Kubernetes, whatever that is.
    pub fn finish_kubernetes(&mut self) {
        finish(&mut self.kubernetes);
    }

    /// Waits for the end of the build of the shim for Wasmtime, likewise.
    pub fn finish_wasmtime(&mut self) {
        finish(&mut self.wasmtime);
    }

    /// Waits for the end of all of it.
    pub fn finish(&mut self) {
        for build in [&mut self.kubernetes, &mut self.wasmtime, &mut self.programs] {
            finish(build);
        }
    }
}

/// It takes a processor only where nobody else wants it.
fn start(rig: &Rig, words: &[&str]) -> anyhow::Result<Running> {
    let build = rig.xtask_below("nice", ["-n", "19"]).args(words);
    build.start().with_context(|| format!("`{}` can not be started ahead", words.join(" ")))
}

fn finish(build: &mut Option<Running>) {
    if let Some(build) = build.take() {
        drop(build.wait(LIMIT));
    }
}
