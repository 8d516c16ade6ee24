//! Packages of the pinned suite as they are, for what is made of their files: fetched and checked as the toolbox's are,
//! and neither unpacked nor patched.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use super::apt::{self, plain};
use super::place::TreePlace;
use super::{Contents, Options};
use crate::progress::Progress;
use crate::workspace::Workspace;
use results::PackageRecord;

/// The most that reading a package may take.
const READ_LIMIT: Duration = Duration::from_mins(2);

/// A package file that is the one that the signed index described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// What it is.
    pub record: PackageRecord,
    path: PathBuf,
}

impl PackageFile {
    /// The files that it installs, as an uncompressed tar stream.
    ///
    /// # Errors
    /// When it can not be read.
    pub fn tar(&self) -> anyhow::Result<Vec<u8>> {
        let output = plain("dpkg-deb").arg("--fsys-tarfile").arg(&self.path).limit(READ_LIMIT).run();
        Ok(output.with_context(|| format!("can not read the package `{}`", self.path.display()))?.stdout)
    }
}

/// The packages of this list and those that they need, fetched as necessary.
///
/// # Errors
/// When something is missing that can not be fetched, saying what to provide.
pub fn ensure(
    workspace: &Workspace,
    contents: Contents,
    options: &Options,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<PackageFile>> {
    let place = TreePlace::new(workspace, contents)?;
    let resolved = place.resolve(workspace, options, progress)?;
    let file = |package: &super::manifest::Package| PackageFile {
        record: package.record.clone(),
        path: apt::archive(&place.apt(), package),
    };
    Ok(resolved.packages.iter().map(file).collect())
}

/// Whether they are there, without fetching anything.
pub fn are_there(workspace: &Workspace, contents: Contents) -> bool {
    TreePlace::new(workspace, contents).is_ok_and(|place| place.cached(&Options::default()).is_some())
}
