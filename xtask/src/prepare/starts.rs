//! From what was prepared to a session: files, images, and how each cell is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::builds::AvailablePrograms;
use super::{Prepared, programs};
use crate::bench::calibration::{Calibration, SURROUNDINGS};
use crate::bench::{Bench, Expected, Input, Tracing};
use crate::compile::prepend;
use crate::containerd::{ContainerRuntime, Scheme};
use crate::isolation::Look;
use crate::machine;
use crate::matrix::{Behaviour, Engine, Matrix};
use crate::measure::runs::{
    Absent, CalibrationRuns, ComparedOutput, KindFile, NamedImage, PodStart, RunnableBench, Runs, Start, Until,
};
use crate::measure::traced::TracedRuns;
use crate::plan::{PAUSE, Plan};
use crate::progress::Stderr;
use crate::registry::Credentials;
use crate::session::leftovers;
use crate::session::request::{Containers, DaemonChoice, PodSetup, Session};
use crate::workspace::Workspace;
use results::Manifest;
use results::case::{Case, Cell, Kind};
use results::isolation::Subject;
use results::timeline::ProgramClock;

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
    /// What is measured beside time.
    pub resources: ResourcesWanted,
    /// The file that traced runs are appended to; absent where none are wanted.
    pub traces: Option<PathBuf>,
    /// Where containerd's root goes, when not below `target`.
    pub scratch: Option<PathBuf>,
    /// The containerd to use instead of one of our own.
    pub containerd_address: Option<PathBuf>,
}

/// An engine's program, if `engines.toml` says how to call what it is.
fn of_a_known_version(engine: &Engine, program: PathBuf) -> anyhow::Result<PathBuf> {
    if let Some(versions) = &engine.versions {
        let said = machine::said_version(&program, "--version")?;
        versions.ensure(&said).with_context(|| format!("`{}` can not be used", engine.program))?;
    }
    Ok(program)
}

/// Handlers stand in containerd's configuration, and somebody else's is not changed.
fn no_pods() -> Start {
    Start::Absent("pods need a containerd of our own: leave out `--containerd-address`".to_owned())
}

/// Whether memory and processor time are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourcesWanted {
    /// They are, as far as this machine lets us.
    Yes,
    /// They are not.
    No,
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
        let calibration = plan.calibration.as_ref().filter(|_| plan.has_modules());
        let looks = plan.calibration.as_ref().map(|calibration| self.looks((workspace, matrix), plan, calibration));
        let looks = looks.transpose()?.unwrap_or_default();
        let mut starts = plan.cells.iter().map(start).collect::<anyhow::Result<Vec<_>>>()?;
        if options.containerd_address.is_some() {
            starts.iter_mut().filter(|start| matches!(start, Start::Pod(_))).for_each(|start| *start = no_pods());
        }
        let traced = plan.traced.as_ref().zip(options.traces.clone());
        let traced = traced.map(|(traced, file)| -> anyhow::Result<TracedRuns> {
            let runs = Runs {
                benches: traced.benches.iter().map(|bench| self.bench(bench)).collect(),
                schedule: traced.schedule.clone(),
                starts: traced.schedule.cells().iter().map(start).collect::<anyhow::Result<_>>()?,
                until: None,
                timeout_ms: options.timeout_ms,
                output: ComparedOutput::Discarded,
            };
            let clock = |bench: &Bench| match bench.tracing {
                Tracing::AsItIs => ProgramClock::Unknown,
                Tracing::Not | Tracing::Stamped(_) => ProgramClock::Printed,
            };
            Ok(TracedRuns { runs, clocks: traced.benches.iter().map(clock).collect(), file })
        });
        let traced = traced.transpose()?;
        let containers = plan.has_containers().then(|| self.containers(workspace, &options, &starts)).transpose()?;
        let name = containers
            .as_ref()
            .map_or_else(leftovers::new_name, |containers: &Containers| containers.namespace.clone());
        Ok(Session {
            resources: (options.resources == ResourcesWanted::Yes).then_some(name),
            runs: Runs {
                benches: plan.benches.iter().map(|bench| self.bench(bench)).collect(),
                schedule: plan.schedule.clone(),
                starts,
                until: options.until,
                timeout_ms: options.timeout_ms,
                output: options.output,
            },
            calibration: calibration.map(|calibration| self.calibration(calibration)),
            looks,
            traced,
            containers,
            density: None,
            manifest: options.manifest,
            first_use: None,
            samples: options.samples,
            measured: PathBuf::new(),
        })
    }

    /// A bench with its files and images.
    pub fn bench(&self, bench: &Bench) -> RunnableBench {
        RunnableBench {
            name: bench.name.clone(),
            args: bench.args.clone(),
            input: bench.input.clone(),
            expected: bench.expected.clone(),
            files: self.files(&bench.program),
            absent: Absent { files: self.missing.files.clone(), images: self.missing.images.clone() },
            images: self.shipped.of(&bench.program),
        }
    }

    /// The calibration, likewise.
    fn calibration(&self, calibration: &Calibration) -> CalibrationRuns {
        let program = self.program_to_look_with(&calibration.program, calibration.args.clone());
        CalibrationRuns { program, expected: calibration.expected.clone() }
    }

    fn program_to_look_with(&self, program: &str, args: Vec<String>) -> RunnableBench {
        RunnableBench {
            name: program.to_owned(),
            args,
            input: Input::default(),
            expected: Expected::text(""),
            files: self.files(program),
            absent: Absent::default(),
            images: self.shipped.of(program),
        }
    }

    /// A look into a container of every runtime without a pod, by a native program and by a module, as far as the plan has
    /// such cells.
    fn looks(&self, of: (&Workspace, &Matrix), plan: &Plan, calibration: &Calibration) -> anyhow::Result<Vec<Look>> {
        let mut looks: Vec<Look> = Vec::new();
        for case in
            plan.cells.iter().map(|cell| &cell.case).filter(|case| case.is_container() && case.runtime.pod.is_none())
        {
            let subject = Subject::of(case);
            let is_it = |look: &Look| look.case.runtime.name == case.runtime.name && Subject::of(&look.case) == subject;
            if looks.iter().any(is_it) {
                continue;
            }
            let (program, args) = match subject {
                Subject::Native => (SURROUNDINGS, Vec::new()),
                Subject::Module => (calibration.program.as_str(), calibration.endless.clone()),
            };
            let program = self.program_to_look_with(program, args);
            let options = match &of.1.runtime(case)?.behaviour {
                Behaviour::Oci { args, .. } => args.clone(),
                Behaviour::Process { .. } | Behaviour::Shim { .. } | Behaviour::Cri { .. } => Vec::new(),
            };
            looks.push(Look { start: self.start(of, case)?, program, case: case.clone(), options });
        }
        Ok(looks)
    }

    fn files(&self, program: &str) -> Vec<KindFile> {
        let of_program = self.artifacts.iter().filter(|artifact| artifact.program == program);
        of_program.map(|artifact| KindFile { kind: artifact.kind, path: artifact.path.clone() }).collect()
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
        let (behaviour, runtime_pod) = match &runtime.behaviour {
            Behaviour::Cri { pod, maker } => (&**maker, Some(pod)),
            other => (other, None),
        };
        let annotations = runtime.annotations.get(&case.mode).cloned().unwrap_or_default();
        let container = |runtime| match runtime_pod {
            None => Start::Container { runtime, annotations: annotations.clone() },
            Some(pod) => Start::Pod(PodStart {
                handler: pod.handler.clone(),
                runtime,
                annotations: annotations.clone(),
                life: pod.life,
            }),
        };
        Ok(match (behaviour, matrix.engine(case)) {
            (Behaviour::Process { own: Some(own) }, _) => or_absent(self.program(&own.program), &|program| {
                Start::Engine { program, args: own.args.clone(), grants: own.grants.clone() }
            }),
            (Behaviour::Process { own: None }, None) => Start::Process,
            (Behaviour::Process { own: None }, Some(engine)) => {
                let run = engine.modes.get(&case.mode).with_context(|| format!("`{case}` has no mode"))?;
                let program = self.program(&engine.program).and_then(|program| of_a_known_version(engine, program));
                or_absent(program, &|program| Start::Engine {
                    program,
                    args: run.args.clone(),
                    grants: engine.grants.clone(),
                })
            }
            (Behaviour::Oci { program, args }, _) => {
                let path = self.program(program).and_then(|path| match &args[..] {
                    [] => Ok(path),
                    args => prepend::with_arguments(workspace, &path, args, &mut Stderr::default()),
                });
                or_absent(path, &|program| container(ContainerRuntime::Oci { program }))
            }
            (Behaviour::Cri { .. }, _) => bail!("`{case}` would be a pod of pods"),
            (Behaviour::Shim { program }, _) => {
                or_absent(self.program(program), &|program| container(ContainerRuntime::Shim { program }))
            }
        })
    }

    pub(super) fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        AvailablePrograms { toolbox: self.toolbox.as_ref(), extra: &self.extra }.path(name)
    }

    /// What containers need.
    fn containers(
        &self,
        workspace: &Workspace,
        options: &SessionOptions,
        starts: &[Start],
    ) -> anyhow::Result<Containers> {
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
            pods: self.pods(starts)?,
        })
    }

    /// What pods need, where there are some.
    fn pods(&self, starts: &[Start]) -> anyhow::Result<Option<PodSetup>> {
        let handler = |start: &Start| match start {
            Start::Pod(start) => Some((start.handler.clone(), start.runtime.clone())),
            _ => None,
        };
        let handlers: BTreeMap<String, ContainerRuntime> = starts.iter().filter_map(handler).collect();
        if handlers.is_empty() {
            return Ok(None);
        }
        let is_plain = |image: &NamedImage| image.name == Kind::Native.name();
        let pause = self.shipped.of(PAUSE).into_iter().find(is_plain);
        let pause = pause.context("the image of the sandbox was not pushed")?;
        let registry = self.shipped.registry.as_ref().map(|registry| &registry.destination);
        let plain = registry.filter(|registry| registry.is_plain_http()).map(|registry| registry.registry().to_owned());
        let plain = plain.into_iter().collect();
        Ok(Some(PodSetup { handlers, pause, plain_http: plain }))
    }
}
