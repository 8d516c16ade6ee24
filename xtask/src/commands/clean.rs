//! `clean`: removes what was built, and only what this program or Cargo made. Recorded runs and plain ones stay: they
//! can not be built again.

use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, ensure};

use crate::cli::{CleanArgs, Exit};
use crate::cluster::local;
use crate::cmd::Cmd;
use crate::session::scratch;
use crate::workspace::Workspace;
use crate::{console, lock};

/// Removes artifacts, images and hosts; with `all`, the toolbox and Cargo's output as well.
pub fn run(workspace: &Workspace, args: CleanArgs) -> anyhow::Result<Exit> {
    let _lock = lock::clean(workspace)?;
    local::ensure_none(workspace)?;
    workspace.remove(&workspace.artifacts())?;
    workspace.remove(&workspace.oci())?;
    clean_hosts(workspace)?;
    if args.all {
        ensure!(
            workspace.is_target_cargos(),
            "`{}` has no `CACHEDIR.TAG`, so Cargo did not make it: remove what you want gone by hand",
            workspace.target().display()
        );
        workspace.remove(&workspace.toolbox())?;
        Cmd::new("cargo").arg("clean").dir(workspace.root()).run()?;
    }
    Ok(Exit::Done)
}

/// The folders of runs that are over; what else is there is not ours.
fn clean_hosts(workspace: &Workspace) -> anyhow::Result<()> {
    let hosts = workspace.hosts();
    let Ok(found) = hosts.symlink_metadata() else { return Ok(()) };
    scratch::sweep(&hosts, found.uid()).iter().for_each(console::note);
    let entries = std::fs::read_dir(&hosts).with_context(|| format!("can not list `{}`", hosts.display()))?;
    let left: Vec<String> =
        entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    ensure!(
        left.is_empty(),
        "`{}` was not removed: what is in it is in use, or not this program's own: {}",
        hosts.display(),
        results::case::names(&left)
    );
    std::fs::remove_dir(&hosts).with_context(|| format!("can not remove `{}`", hosts.display()))
}
