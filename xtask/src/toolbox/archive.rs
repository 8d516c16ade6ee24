//! Files of another suite than the pinned one, for what is built of a source package. Fetched by the same private apt,
//! checked against the same keys.
//!
//! Not here: building (`cluster::kubernetes`).

use std::path::Path;

use anyhow::{Context as _, bail};

use super::Options;
use super::apt::{self, Apt};
use super::suite::{FAMILIES, Family};
use crate::progress::Progress;

/// What is fetched.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The suite, of Debian.
    pub suite: &'static str,
    /// Packages, without what they need.
    pub packages: &'a [&'a str],
    /// Name and version of a source package.
    pub source: [&'a str; 2],
}

/// Downloads it into a folder, with apt's own files below another one.
///
/// # Errors
/// When no mirror has it.
pub fn fetch(
    wanted: &Wanted<'_>,
    (folder, apt): (&Path, &Path),
    options: &Options,
    progress: &mut dyn Progress,
) -> anyhow::Result<()> {
    let debian = &FAMILIES[0];
    let family = Family { suite: wanted.suite, ..*debian };
    let mirrors = match &options.mirror {
        Some(mirror) => vec![mirror.clone()],
        None => apt::mirrors(&family)?,
    };
    let settings = apt::settings()?;
    let mut failures = Vec::new();
    for mirror in &mirrors {
        progress.note(&format!("asking `{}` for suite `{}`", mirror.address(), wanted.suite));
        let apt = Apt::prepare(apt, &family, mirror, &settings)?.with_sources()?;
        let fetched = apt.update().and_then(|()| {
            apt.fetch_packages(wanted.packages, folder)?;
            apt.fetch_source(wanted.source, folder)
        });
        match fetched {
            Ok(()) => return Ok(()),
            Err(error) => failures.push(format!("`{}`: {error:#}", mirror.address())),
        }
    }
    if mirrors.is_empty() {
        bail!("apt's sources name no Debian archive: give one with `--mirror URL`");
    }
    Err(anyhow::anyhow!(failures.join("; "))).context("no mirror has what is to be built")
}
