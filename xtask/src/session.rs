//! A session: what crosses into the namespaces, what is run there, what comes back.

use std::path::Path;

use anyhow::Context as _;

use crate::secret::Secret;
use crate::stop::Stop;
use crate::workspace::Workspace;
use inside::Precision;
use leftovers::Leftovers;
use measured::Measured;
use privileges::{Namespaces, Privileges};
use request::{DaemonChoice, Session};
use scratch::Scratch;

pub mod daemon;
mod first_use;
pub mod inside;
pub mod leftovers;
pub mod measured;
pub mod namespace;
pub mod password;
pub mod privileges;
pub mod process;
mod pulls;
pub mod request;
pub mod scratch;
mod store;

/// Runs a session where it has to be: containers inside, everything else here. When the process inside fails before
/// its first sample, what needs no containers is measured here.
///
/// # Errors
/// When the measuring process fails later, or does not say what it measured.
pub fn run(
    workspace: &Workspace,
    mut session: Session,
    privileges: (&Privileges, Option<&Secret>),
    stop: &Stop,
    precision: Precision<'_>,
) -> anyhow::Result<Measured> {
    if session.containers.is_none() && session.density.is_none() {
        return inside::run(&session, None, stop, precision);
    }
    match run_inside(workspace, &mut session, privileges, stop) {
        // A density run reads what is in namespaces of its own, and has nothing to read elsewhere.
        Err(error) if !stop.is_requested() && session.density.is_none() && is_empty(&session.samples) => {
            let reason = format!("containers could not be run: {error:#}");
            inside::run_without_containers(&session, &reason, stop, precision)
        }
        result => result,
    }
}

fn is_empty(samples: &Path) -> bool {
    std::fs::metadata(samples).is_ok_and(|file| file.len() == 0)
}

fn run_inside(
    workspace: &Workspace,
    session: &mut Session,
    (privileges, password): (&Privileges, Option<&Secret>),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    let (namespaces, _scratch) = match session.containers.as_ref().map(|containers| &containers.daemon) {
        Some(DaemonChoice::Private { scratch, .. }) => (Namespaces::Private, Some(Scratch::create(scratch)?)),
        Some(DaemonChoice::Existing { .. }) => (Namespaces::Shared, None),
        None => (Namespaces::Private, None),
    };
    let leftovers = match (&session.containers, &session.density) {
        (Some(containers), _) => Leftovers::of(containers),
        (None, Some(density)) => Leftovers::of_processes(&density.group),
        (None, None) => anyhow::bail!("there are no containers"),
    };
    let folder = workspace.target().join("session");
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    let file = folder.join("request.json");
    session.measured = folder.join("measured.json");
    // Made here, so that it belongs to this user and not to root.
    std::fs::write(&session.measured, "")?;
    request::write(&file, session)?;
    let handed = (file.as_path(), password);
    if let Err(error) = process::run_inside(privileges, process::INSIDE, handed, namespaces, stop) {
        remove(&folder.join("leftovers.json"), &leftovers, privileges);
        return Err(error);
    }
    request::read(&session.measured)
}

/// What a measuring process that was killed could not remove itself. The failure that it is about is reported anyway.
fn remove(file: &Path, leftovers: &Leftovers, privileges: &Privileges) {
    let removed = request::write(file, leftovers).and_then(|()| {
        process::run_inside(privileges, process::REMOVE, (file, None), Namespaces::Shared, &Stop::never()?)
    });
    if let Err(error) = removed {
        crate::console::note(format_args!("what the measuring process left was not removed: {error:#}"));
    }
}
