//! From what was prepared to a session that can be conducted, and the conducting of it: in this process, or
//! inside namespaces as root.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::bench::Bench;
use crate::compile::{Artifact, prepend};
use crate::conduct::Leftovers;
use crate::containerd::{Runtime, Scheme};
use crate::host::scratch::Scratch;
use crate::host::{self, Access, Namespaces, leftovers};
use crate::matrix::{Behaviour, Matrix};
use crate::measure::clock::now_utc;
use crate::measure::session::{self, Containers, DaemonChoice, KindFile, Measured, Session, SessionBench, Start};
use crate::measure::stop::Stop;
use crate::plan::Plan;
use crate::registry::Credentials;
use crate::setup::{Further, Registry, Shipped};
use crate::toolbox::Toolbox;
use crate::toolbox::talk::Stderr;
use crate::workspace::Workspace;
use crate::{conduct, setup};
use results::case::Case;

/// What a session may need, where it is there.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The programs.
    pub toolbox: Option<&'a Toolbox>,
    /// Programs that only some cases need, the shims among them: there, or why not.
    pub further: &'a Further,
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

/// How each cell of a plan is started. A program that is not there bars its cells, and no others.
///
/// # Errors
/// When a case is of another matrix.
pub fn starts(workspace: &Workspace, matrix: &Matrix, plan: &Plan, parts: &Parts<'_>) -> anyhow::Result<Vec<Start>> {
    plan.cells.iter().map(|cell| start((workspace, matrix), &cell.case, parts)).collect()
}

fn start((workspace, matrix): (&Workspace, &Matrix), case: &Case, parts: &Parts<'_>) -> anyhow::Result<Start> {
    let or_absent = |found: anyhow::Result<PathBuf>, start: &dyn Fn(PathBuf) -> Start| match found {
        Ok(path) => start(path),
        Err(error) => Start::Absent(format!("{error:#}")),
    };
    let runtime = matrix.runtime(case)?;
    let annotations = runtime.annotations.get(&case.mode).cloned().unwrap_or_default();
    let container = |runtime| Start::Container { runtime, annotations: annotations.clone() };
    Ok(match (&runtime.behaviour, matrix.engine(case)) {
        (Behaviour::Process { own: Some(own) }, _) => {
            or_absent(parts.program(&own.program), &|program| Start::Engine { program, args: own.args.clone() })
        }
        (Behaviour::Process { own: None }, None) => Start::Process,
        (Behaviour::Process { own: None }, Some(engine)) => {
            let run = engine.modes.get(&case.mode).with_context(|| format!("`{case}` has no mode"))?;
            or_absent(parts.program(&engine.program), &|program| Start::Engine { program, args: run.args.clone() })
        }
        (Behaviour::Oci { program, args }, _) => {
            let path = parts.program(program).and_then(|path| match &args[..] {
                [] => Ok(path),
                args => prepend::with_arguments(workspace, &path, args, &mut Stderr::default()),
            });
            or_absent(path, &|program| container(Runtime::Oci { program }))
        }
        (Behaviour::Shim { program }, _) => {
            or_absent(parts.program(program), &|program| container(Runtime::Shim { program }))
        }
    })
}

impl Parts<'_> {
    /// The path of a program: one that this project builds, or one of the toolbox.
    fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        if Path::new(name).is_absolute() {
            return Ok(name.into());
        }
        match self.further.get(name) {
            Some(Ok(had)) => Ok(had.path.clone()),
            Some(Err(reason)) => bail!("{reason}"),
            None => self.toolbox.with_context(|| format!("there is no toolbox to take `{name}` from"))?.program(name),
        }
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
