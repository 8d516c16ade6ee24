//! Programs that stages which measure will need, built while stages run that wait more than they compute: minutes of a
//! cold run on two cores.
//!
//! At the lowest priority, and ended before the first stage that measures. What could not be built is no failure here: the
//! stage that needs it tries again, and says so. Not here: containerd's shims, whose builds would wait for one another.

use anyhow::Context as _;

use super::Rig;
use super::rig::COMMAND_LIMIT;
use xtask::cmd::Running;
use xtask::programs::Programs;
use xtask::programs::definition::Source;

/// What is being built.
#[derive(Debug)]
pub struct Ahead(Running);

impl Ahead {
    /// Begins to build every program that is built from a crate and not there yet; `None` where there is nothing to do.
    ///
    /// # Errors
    /// When the definitions are refused, or the build can not be started.
    pub fn start(rig: &Rig) -> anyhow::Result<Option<Self>> {
        let programs = Programs::load(&rig.workspace)?;
        let wanted: Vec<&str> = programs
            .definitions()
            .iter()
            .filter(|definition| matches!(definition.source, Source::Crate(_)))
            .map(|definition| definition.name.as_str())
            .filter(|name| programs.find(name).is_err())
            .collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let with = wanted.iter().flat_map(|name| ["--with", name]);
        let cmd = rig.xtask_below("nice", ["-n", "19"]).arg("toolbox").args(with);
        Ok(Some(Self(cmd.start().context("programs can not be built ahead")?)))
    }

    /// Waits for its end, whatever it is.
    pub fn finish(self) {
        drop(self.0.wait(COMMAND_LIMIT));
    }
}
