//! From what was prepared to a session that can be conducted, and the conducting of it: in this process, or
//! inside namespaces as root.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::bench::Bench;
use crate::compile::Artifact;
use crate::conduct::Leftovers;
use crate::containerd::{Runtimes, Scheme};
use crate::host::scratch::Scratch;
use crate::host::{self, Access, Namespaces, leftovers};
use crate::measure::clock::now_utc;
use crate::measure::session::{self, Containers, DaemonChoice, KindFile, Measured, Session, SessionBench};
use crate::measure::stop::Stop;
use crate::plan::Plan;
use crate::registry::Credentials;
use crate::setup::{Registry, Shipped};
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use crate::{conduct, setup};

/// What a session may need, where it is there.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The programs.
    pub toolbox: Option<&'a Toolbox>,
    /// The shim.
    pub shim: Option<&'a Path>,
    /// Where images are pulled from.
    pub registry: Option<&'a Registry>,
    /// Where containerd's root goes, when not below `target`.
    pub scratch: Option<PathBuf>,
    /// The containerd to use instead of one of our own.
    pub containerd_address: Option<PathBuf>,
}

/// A bench with its files and images.
pub fn bench(bench: &Bench, artifacts: &[Artifact], shipped: Option<&Shipped>) -> SessionBench {
    let files = artifacts
        .iter()
        .filter(|artifact| artifact.program == bench.program)
        .map(|artifact| KindFile { kind: artifact.kind, path: artifact.path.clone() })
        .collect();
    let images = shipped.map(|shipped| shipped.of(&bench.program)).unwrap_or_default();
    SessionBench { name: bench.name.clone(), args: bench.args.clone(), expected: bench.expected.clone(), files, images }
}

/// The engine's command line, when a case runs modules directly.
pub fn wasmedge(plan: &Plan, parts: &Parts<'_>) -> anyhow::Result<Option<PathBuf>> {
    match parts.toolbox {
        Some(toolbox) if plan.has_modules() => toolbox.program("wasmedge").map(Some),
        _ => Ok(None),
    }
}

/// What containers need.
pub fn containers(workspace: &Workspace, parts: &Parts<'_>) -> anyhow::Result<Containers> {
    let toolbox = parts.toolbox.context("containers need the toolbox")?;
    let registry = parts.registry.context("containers need a registry")?;
    let name = format!("{}{}-{}", leftovers::NAMESPACE_PREFIX, now_utc().compact(), std::process::id());
    let hosts = std::path::absolute(parts.scratch.clone().unwrap_or_else(|| workspace.hosts()))?;
    let daemon = match &parts.containerd_address {
        Some(address) => DaemonChoice::Existing { address: std::path::absolute(address)? },
        None => DaemonChoice::Private {
            containerd: toolbox.program("containerd")?,
            search: setup::search(toolbox)?,
            scratch: hosts.join(&name),
            abandoned: leftovers::abandoned(Path::new(leftovers::TREE))?,
        },
    };
    let plain = registry.destination.is_plain_http();
    Ok(Containers {
        daemon,
        ctr: toolbox.program("ctr")?,
        namespace: name,
        runtimes: Runtimes { runc: toolbox.program("runc")?, wasmedge_shim: parts.shim.map(Path::to_path_buf) },
        scheme: if plain { Scheme::Http } else { Scheme::Https },
        user: match &registry.access.credentials {
            Credentials::Anonymous => None,
            Credentials::Password { user, .. } => Some(user.clone()),
        },
    })
}

/// Conducts a session where it has to be: containers inside, everything else here. When the process inside fails before
/// its first sample, what needs no containers is measured here.
///
/// # Errors
/// When the measuring process fails later, or does not say what it measured.
pub fn conduct(
    workspace: &Workspace,
    mut session: Session,
    access: (&Access, Option<&Registry>),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    if session.containers.is_none() {
        return conduct::conduct(&session, None, stop, &conduct::precision);
    }
    match conduct_inside(workspace, &mut session, access, stop) {
        Err(error) if !stop.is_requested() && is_empty(&session.samples) => {
            let reason = format!("containers could not be run: {error:#}");
            conduct::conduct_directly(&session, &reason, stop, &conduct::precision)
        }
        result => result,
    }
}

fn is_empty(samples: &Path) -> bool {
    std::fs::metadata(samples).is_ok_and(|file| file.len() == 0)
}

fn conduct_inside(
    workspace: &Workspace,
    session: &mut Session,
    (access, registry): (&Access, Option<&Registry>),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    let containers = session.containers.as_ref().context("there are no containers")?;
    let (namespaces, _scratch) = match &containers.daemon {
        DaemonChoice::Private { scratch, .. } => (Namespaces::Private, Some(Scratch::create(scratch)?)),
        DaemonChoice::Existing { .. } => (Namespaces::Shared, None),
    };
    let leftovers = Leftovers::of(containers);
    let folder = workspace.target().join("session");
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    let request = folder.join("request.json");
    session.measured = folder.join("measured.json");
    // Made here, so that it belongs to this user and not to root.
    std::fs::write(&session.measured, "")?;
    session::write(&request, session)?;
    let handed = (request.as_path(), registry.and_then(Registry::password));
    if let Err(error) = host::run_inside(access, host::INSIDE, handed, namespaces, stop) {
        remove(&folder.join("leftovers.json"), &leftovers, access);
        return Err(error);
    }
    session::read(&session.measured)
}

/// What a measuring process that was killed could not remove itself. The failure that it is about is told anyway.
fn remove(request: &Path, leftovers: &Leftovers, access: &Access) {
    let removed = session::write(request, leftovers)
        .and_then(|()| host::run_inside(access, host::REMOVE, (request, None), Namespaces::Shared, &Stop::never()?));
    if let Err(error) = removed {
        crate::console::note(format_args!("what the measuring process left was not removed: {error:#}"));
    }
}
