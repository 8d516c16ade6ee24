//! From what was prepared to what a session needs: files, images, and how each cell is started.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::{ExtraPrograms, Registry, Shipped};
use crate::bench::Bench;
use crate::clock::now_utc;
use crate::compile::{Artifact, prepend};
use crate::containerd::{ContainerRuntime, Scheme};
use crate::matrix::{Behaviour, Matrix};
use crate::plan::Plan;
use crate::progress::Stderr;
use crate::registry::Credentials;
use crate::session::leftovers;
use crate::session::request::{Containers, DaemonChoice, KindFile, SessionBench, Start};
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use results::case::Case;

/// What a session may need, where it is there.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The programs.
    pub toolbox: Option<&'a Toolbox>,
    /// Programs that only some cases need, the shims among them: there, or why not.
    pub further: &'a ExtraPrograms,
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
            or_absent(path, &|program| container(ContainerRuntime::Oci { program }))
        }
        (Behaviour::Shim { program }, _) => {
            or_absent(parts.program(program), &|program| container(ContainerRuntime::Shim { program }))
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
            Some(Ok(program)) => Ok(program.path.clone()),
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
            search: super::search(toolbox)?,
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
