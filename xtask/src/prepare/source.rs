//! Where the source of a run stands, asked of git, and what it was built with.

use crate::cmd::Cmd;
use crate::compile::{Artifact, PROFILE};
use crate::machine::{HOST, PROGRAM_REVISION};
use crate::workspace::Workspace;
use results::Source;

/// Where the source stands now, and what these artifacts were built with.
///
/// Outside a checkout, or without git, the revision is `unknown`, and so is whether anything was changed.
pub fn source(workspace: &Workspace, artifacts: &[Artifact]) -> Source {
    // A checkout of another user (as under sudo) would be refused otherwise.
    let git = |arguments: &[&str]| {
        let command = Cmd::new("git").args(["-c", "safe.directory=*"]).args(arguments).dir(workspace.root());
        command.run().ok().map(|output| output.text())
    };
    let changes = git(&["status", "--porcelain", "--untracked-files=no"]);
    Source {
        revision: git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
        dirty: changes.map(|changes| !changes.is_empty()),
        toolchain: artifacts.first().map(|artifact| artifact.toolchain.clone()).unwrap_or_default(),
        profile: PROFILE.to_owned(),
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
        let source = source(&Workspace::at(dir.path()), &[]);
        assert_eq!((source.revision.as_str(), source.dirty), ("unknown", None));
    }
}
