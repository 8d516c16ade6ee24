//! `clean`: removes what was built. Recorded runs and plain ones stay: they can not be built again.

use anyhow::Context as _;

use crate::cli::{CleanArgs, Exit};
use crate::cmd::Cmd;
use crate::workspace::Workspace;

/// Removes artifacts, images and hosts; with `all`, the toolbox and Cargo's output as well.
pub fn run(workspace: &Workspace, args: CleanArgs) -> anyhow::Result<Exit> {
    for folder in [workspace.artifacts(), workspace.oci(), workspace.hosts()] {
        remove(&folder)?;
    }
    if args.all {
        remove(&workspace.toolbox())?;
        Cmd::new("cargo").arg("clean").dir(workspace.root()).run()?;
    }
    Ok(Exit::Done)
}

fn remove(folder: &std::path::Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.with_context(|| format!("can not remove `{}`", folder.display())),
    }
}
