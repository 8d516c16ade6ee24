//! Where the source of a run stands, asked of git, and what it was built with.

use crate::cmd::Cmd;
use crate::compile::{Artifact, PROFILE};
use crate::machine::{HOST, PROGRAM_REVISION};
use crate::workspace::Workspace;
use results::Source;

/// Where the source stands now, and what the programs that are measured were built with, by one of their files.
///
/// Outside a checkout, or without git, the revision is `unknown`, and so is whether anything was changed. That of an
/// installed program is the one that it was built from.
pub fn source(workspace: &Workspace, artifact: Option<&Artifact>) -> Source {
    // What an installed program brought is no checkout, and may lie in one of somebody's own.
    let in_a_checkout = !workspace.is_installed();
    // A checkout of another user (as under sudo) would be refused otherwise.
    let git = |arguments: &[&str]| {
        let command = Cmd::new("git").args(["-c", "safe.directory=*"]).args(arguments).dir(workspace.root());
        in_a_checkout.then(|| command.run().ok()).flatten().map(|output| output.text())
    };
    let changes = git(&["status", "--porcelain", "--untracked-files=no"]);
    let otherwise = if in_a_checkout { "unknown" } else { PROGRAM_REVISION };
    Source {
        revision: git(&["rev-parse", "HEAD"]).unwrap_or_else(|| otherwise.to_owned()),
        dirty: changes.map(|changes| !changes.is_empty()),
        toolchain: artifact.map(|artifact| artifact.toolchain.clone()).unwrap_or_default(),
        profile: artifact.map_or_else(|| PROFILE.to_owned(), |artifact| artifact.profile.clone()),
        program_revision: PROGRAM_REVISION.to_owned(),
        host: HOST.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_a_checkout_the_revision_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(&Workspace::at(dir.path()), None);
        assert_eq!((source.revision.as_str(), source.dirty), ("unknown", None));
    }
}
