//! Everything that has to exist before the first run: programs, artifacts, images, a registry, each made from the one
//! before it and no more than a plan needs; and what a run records of them.

use std::collections::BTreeSet;

use crate::cli::{InputArgs, OriginArgs, ProgramArgs, RegistryArgs};
use crate::compile::Artifact;
use crate::compile::own::{Known, OwnFiles};
use crate::matrix::Matrix;
use crate::plan::{Build, Plan};
use crate::progress::{Stderr, Steps};
use crate::stop::Stop;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use bases::PackedBases;
use builds::AvailablePrograms;
use extra::{ExtraPrograms, Needs};
use images::{Shipped, Shipping};
use own::Missing;
use results::case::Kind;

pub mod bases;
mod benches;
pub mod builds;
pub mod extra;
mod first_use;
pub mod images;
pub mod manifest;
pub mod node;
pub mod own;
pub mod programs;
pub mod pulled;
pub mod registry;
pub mod selection;
mod source;
pub mod starts;

/// What the steps of a set-up are called.
const PROGRAMS: &str = "the programs that this machine lacks";
/// The second of them.
const WORKLOAD: &str = "the programs to be measured, for every target";

/// Where programs are taken from and images pushed to.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Programs instead of the toolbox's.
    pub programs: &'a ProgramArgs,
    /// A registry instead of our own.
    pub registry: &'a RegistryArgs,
    /// Somebody's own program instead of the workload.
    pub own: Option<&'a Known>,
}

/// Everything that has to exist before the first run of a plan.
#[derive(Debug)]
pub struct Prepared {
    /// The programs; absent when the plan needs none.
    pub toolbox: Option<Toolbox>,
    /// The built files.
    pub artifacts: Vec<Artifact>,
    /// What of somebody's own program is not among them.
    pub missing: Missing,
    /// Programs that only some cases need, the shims among them.
    pub extra: ExtraPrograms,
    /// The images, and the registry that holds them.
    pub shipped: Shipped,
}

/// Makes what a plan needs, with its progress on stderr.
///
/// # Errors
/// When something is missing that can not be made, or somebody wishes to stop during the push.
pub fn prepare(
    workspace: &Workspace,
    (matrix, plan): (&Matrix, &Plan),
    sources: Sources<'_>,
    stop: &Stop,
) -> anyhow::Result<Prepared> {
    let needs_toolbox = plan.has_containers() || plan.has_modules();
    let needs = Needs::of(workspace, plan)?;
    let definitions = images::of_plan(workspace, plan)?;
    let based = bases::are_needed(&definitions);
    let mut steps = Steps::of(1 + usize::from(needs_toolbox) + needs.steps() + usize::from(based));
    let toolbox = if needs_toolbox {
        Some(programs::toolbox(workspace, sources.programs, &mut steps.next(PROGRAMS))?)
    } else {
        None
    };
    let none = ExtraPrograms::new();
    let programs = AvailablePrograms { toolbox: toolbox.as_ref(), extra: &none };
    let mut made = Made::begin(workspace, (matrix, plan), (sources.own, programs), &mut steps.next(WORKLOAD))?;
    let extra = match &toolbox {
        Some(toolbox) => needs.get(workspace, toolbox, sources.programs, &mut steps)?,
        None => ExtraPrograms::new(),
    };
    made.finish(workspace, matrix, AvailablePrograms { extra: &extra, ..programs })?;
    let Made { artifacts, missing, .. } = made;
    let packed = if based {
        let progress = &mut steps.next(bases::STEP);
        bases::pack(workspace, &definitions, sources.programs, (images::epoch()?, progress))?
    } else {
        PackedBases::default()
    };
    // Sizes need no root: images are assembled for every kind that was built, whether they are run or not.
    let shipping = if plan.has_containers() { Shipping::Push(sources.registry, stop) } else { Shipping::AssembleOnly };
    let builds = plan.all_builds();
    let is_shipped = |artifact: &Artifact| {
        // A native program that only says what is right is in no image.
        let is_planned = builds.iter().any(|build| build.program == artifact.program && build.kind == artifact.kind);
        is_planned && plan.is_shipped(&artifact.program, artifact.kind)
    };
    let in_images: Vec<Artifact> = artifacts.iter().filter(|artifact| is_shipped(artifact)).cloned().collect();
    let shipped = images::ship(workspace, (definitions, packed), &missing.packable(&in_images), shipping)?;
    Ok(Prepared { toolbox, artifacts, missing, extra, shipped })
}

/// What is built in two steps: before the shims, so that what the toolchain refuses is reported before minutes of building
/// them, and what only they compile after that.
struct Made {
    artifacts: Vec<Artifact>,
    missing: Missing,
    own: Option<(OwnFiles, Vec<Build>)>,
    last: Vec<Build>,
}

impl Made {
    fn begin(
        workspace: &Workspace,
        (matrix, plan): (&Matrix, &Plan),
        (own, programs): (Option<&Known>, AvailablePrograms<'_>),
        progress: &mut Stderr,
    ) -> anyhow::Result<Self> {
        // With somebody's own program, what runs are looked at with is still this project's.
        let all = plan.all_builds();
        let is_own = |build: &Build| own.is_some_and(|known| known.name == build.program);
        let ours: Vec<Build> = all.into_iter().filter(|build| !is_own(build)).collect();
        let (first, last) = builds::by_compiler(matrix, &ours);
        let artifacts = builds::artifacts(workspace, (matrix, &first), programs, progress)?;
        let mut made = Self { artifacts, missing: Missing::default(), own: None, last };
        if let Some(known) = own {
            let (first, last) = builds::by_compiler(matrix, &own::builds(plan, &known.name));
            let files = own::files(workspace, known, progress)?;
            let first = own::artifacts(workspace, &files, (matrix, &first), programs)?;
            made.missing.take(first, &mut made.artifacts);
            made.own = Some((files, last));
        }
        Ok(made)
    }

    fn finish(
        &mut self,
        workspace: &Workspace,
        matrix: &Matrix,
        programs: AvailablePrograms<'_>,
    ) -> anyhow::Result<()> {
        let last = builds::artifacts(workspace, (matrix, &self.last), programs, &mut Stderr::default())?;
        self.artifacts.extend(last);
        if let Some((files, last)) = &self.own {
            let last = own::artifacts(workspace, files, (matrix, last), programs)?;
            self.missing.take(last, &mut self.artifacts);
        }
        Ok(())
    }
}

/// The toolbox, and in these kinds every program that a default bench runs, or somebody's own instead: the first two of
/// `steps`. What of that can not be made is told, and missing.
///
/// # Errors
/// When something is missing that can not be fetched, or the compiler refuses this project's source.
pub fn default_artifacts(
    workspace: &Workspace,
    (kinds, origin): (&BTreeSet<Kind>, &OriginArgs),
    programs: &ProgramArgs,
    steps: &mut Steps,
) -> anyhow::Result<(Toolbox, Vec<Artifact>, Missing)> {
    let own = own::resolve(workspace, (origin, &InputArgs::default()))?;
    let toolbox = programs::toolbox(workspace, programs, &mut steps.next(PROGRAMS))?;
    let progress = &mut steps.next(WORKLOAD);
    let Some(own) = own else {
        let artifacts = builds::default(workspace, kinds, &toolbox, progress)?;
        return Ok((toolbox, artifacts, Missing::default()));
    };
    let (mut artifacts, mut missing) = (Vec::new(), Missing::default());
    let program = &own.known.name;
    let builds: Vec<Build> = kinds.iter().map(|&kind| Build { program: program.clone(), kind }).collect();
    let files = own::files(workspace, &own.known, progress)?;
    let available = AvailablePrograms { toolbox: Some(&toolbox), extra: &ExtraPrograms::new() };
    let matrix = selection::defined(workspace)?;
    missing.take(own::artifacts(workspace, &files, (&matrix, &builds), available)?, &mut artifacts);
    missing.tell();
    Ok((toolbox, artifacts, missing))
}
