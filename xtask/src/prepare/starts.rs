//! From what was prepared to a session: files, images, and how each cell is started.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::builds::AvailablePrograms;
use super::{Prepared, programs};
use crate::bench::Bench;
use crate::compile::prepend;
use crate::containerd::{ContainerRuntime, Scheme};
use crate::matrix::{Behaviour, Matrix};
use crate::measure::runs::{ComparedOutput, KindFile, RunnableBench, Runs, Start, Until};
use crate::plan::Plan;
use crate::progress::Stderr;
use crate::registry::Credentials;
use crate::session::leftovers;
use crate::session::request::{Containers, DaemonChoice, Session};
use crate::workspace::Workspace;
use results::Manifest;
use results::case::{Case, Cell};

/// How a session is to be run, beside what its plan says.
#[derive(Debug)]
pub struct SessionOptions {
    /// When to stop before the last round.
    pub until: Option<Until>,
    /// What the precision that it stops on is computed with.
    pub manifest: Option<Manifest>,
    /// The time limit of one run.
    pub timeout_ms: u64,
    /// What becomes of the output of each run.
    pub output: ComparedOutput,
    /// The file that samples are appended to.
    pub samples: PathBuf,
    /// Where containerd's root goes, when not below `target`.
    pub scratch: Option<PathBuf>,
    /// The containerd to use instead of one of our own.
    pub containerd_address: Option<PathBuf>,
}

impl Prepared {
    /// The session that makes the runs of a plan.
    ///
    /// # Errors
    /// When a case is of another matrix, or a program that every container needs is not there.
    pub fn session(
        &self,
        workspace: &Workspace,
        (matrix, plan): (&Matrix, &Plan),
        options: SessionOptions,
    ) -> anyhow::Result<Session> {
        let start = |cell: &Cell| self.start((workspace, matrix), &cell.case);
        let containers = plan.has_containers().then(|| self.containers(workspace, &options)).transpose()?;
        Ok(Session {
            runs: Runs {
                benches: plan.benches.iter().map(|bench| self.bench(bench)).collect(),
                schedule: plan.schedule.clone(),
                starts: plan.cells.iter().map(start).collect::<anyhow::Result<_>>()?,
                until: options.until,
                timeout_ms: options.timeout_ms,
                output: options.output,
            },
            containers,
            density: None,
            manifest: options.manifest,
            samples: options.samples,
            measured: PathBuf::new(),
        })
    }

    /// A bench with its files and images.
    fn bench(&self, bench: &Bench) -> RunnableBench {
        let files = self
            .artifacts
            .iter()
            .filter(|artifact| artifact.program == bench.program)
            .map(|artifact| KindFile { kind: artifact.kind, path: artifact.path.clone() })
            .collect();
        let images = self.shipped.of(&bench.program);
        RunnableBench {
            name: bench.name.clone(),
            args: bench.args.clone(),
            expected: bench.expected.clone(),
            files,
            images,
        }
    }

    /// How a case is started. A program that is not there bars its cells, and no others.
    fn start(&self, (workspace, matrix): (&Workspace, &Matrix), case: &Case) -> anyhow::Result<Start> {
        let or_absent = |found: anyhow::Result<PathBuf>, start: &dyn Fn(PathBuf) -> Start| match found {
            Ok(path) => start(path),
            Err(error) => Start::Absent(format!("{error:#}")),
        };
        // What nothing could compile can not be run.
        if let Some(Err(error)) = matrix.compile(case.form).map(|(_, compile)| self.program(&compile.program)) {
            return Ok(Start::Absent(format!("`{}` could not be made: {error:#}", case.form)));
        }
        if let Some(reason) = case.image.as_ref().and_then(|image| self.shipped.absent.get(image)) {
            return Ok(Start::Absent(reason.clone()));
        }
        let runtime = matrix.runtime(case)?;
        let annotations = runtime.annotations.get(&case.mode).cloned().unwrap_or_default();
        let container = |runtime| Start::Container { runtime, annotations: annotations.clone() };
        Ok(match (&runtime.behaviour, matrix.engine(case)) {
            (Behaviour::Process { own: Some(own) }, _) => {
                or_absent(self.program(&own.program), &|program| Start::Engine { program, args: own.args.clone() })
            }
            (Behaviour::Process { own: None }, None) => Start::Process,
            (Behaviour::Process { own: None }, Some(engine)) => {
                let run = engine.modes.get(&case.mode).with_context(|| format!("`{case}` has no mode"))?;
                or_absent(self.program(&engine.program), &|program| Start::Engine { program, args: run.args.clone() })
            }
            (Behaviour::Oci { program, args }, _) => {
                let path = self.program(program).and_then(|path| match &args[..] {
                    [] => Ok(path),
                    args => prepend::with_arguments(workspace, &path, args, &mut Stderr::default()),
                });
                or_absent(path, &|program| container(ContainerRuntime::Oci { program }))
            }
            (Behaviour::Shim { program }, _) => {
                or_absent(self.program(program), &|program| container(ContainerRuntime::Shim { program }))
            }
        })
    }

    fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        AvailablePrograms { toolbox: self.toolbox.as_ref(), extra: &self.extra }.path(name)
    }

    /// What containers need.
    fn containers(&self, workspace: &Workspace, options: &SessionOptions) -> anyhow::Result<Containers> {
        let toolbox = self.toolbox.as_ref().context("containers need the toolbox")?;
        let registry = self.shipped.registry.as_ref().context("containers need a registry")?;
        let name = leftovers::new_name();
        let hosts = std::path::absolute(options.scratch.clone().unwrap_or_else(|| workspace.hosts()))?;
        let daemon = match &options.containerd_address {
            Some(address) => DaemonChoice::Existing { address: std::path::absolute(address)? },
            None => DaemonChoice::Private {
                containerd: toolbox.program("containerd")?,
                search: programs::search(toolbox)?,
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
}
