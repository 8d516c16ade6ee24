//! Everything that has to exist before the first run: programs, artifacts, images, a registry, each made from the one
//! before it and no more than a plan needs; and what a run records of them.

use std::collections::BTreeSet;

use crate::cli::{ProgramArgs, RegistryArgs};
use crate::compile::Artifact;
use crate::matrix::Matrix;
use crate::plan::Plan;
use crate::progress::{Stderr, Steps};
use crate::stop::Stop;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use bases::PackedBases;
use builds::AvailablePrograms;
use extra::{ExtraPrograms, Needs};
use images::{Shipped, Shipping};
use results::case::Kind;

pub mod bases;
pub mod builds;
pub mod extra;
mod first_use;
pub mod images;
pub mod manifest;
pub mod node;
pub mod programs;
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
}

/// Everything that has to exist before the first run of a plan.
#[derive(Debug)]
pub struct Prepared {
    /// The programs; absent when the plan needs none.
    pub toolbox: Option<Toolbox>,
    /// The built files.
    pub artifacts: Vec<Artifact>,
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
    // What the toolchain refuses is reported before minutes of building a shim.
    let (first, last) = builds::by_compiler(matrix, &plan.all_builds());
    let none = ExtraPrograms::new();
    let programs = AvailablePrograms { toolbox: toolbox.as_ref(), extra: &none };
    let mut artifacts = builds::artifacts(workspace, (matrix, &first), programs, &mut steps.next(WORKLOAD))?;
    let extra = match &toolbox {
        Some(toolbox) => needs.get(workspace, toolbox, sources.programs, &mut steps)?,
        None => ExtraPrograms::new(),
    };
    let programs = AvailablePrograms { extra: &extra, ..programs };
    artifacts.extend(builds::artifacts(workspace, (matrix, &last), programs, &mut Stderr::default())?);
    let packed = if based {
        let progress = &mut steps.next(bases::STEP);
        bases::pack(workspace, &definitions, sources.programs, (images::epoch()?, progress))?
    } else {
        PackedBases::default()
    };
    // Sizes need no root: images are assembled for every kind that was built, whether they are run or not.
    let shipping = if plan.has_containers() { Shipping::Push(sources.registry, stop) } else { Shipping::AssembleOnly };
    let in_images: Vec<Artifact> =
        artifacts.iter().filter(|artifact| plan.is_shipped(&artifact.program, artifact.kind)).cloned().collect();
    let shipped = images::ship(workspace, (definitions, packed), &in_images, shipping)?;
    Ok(Prepared { toolbox, artifacts, extra, shipped })
}

/// The toolbox, and every program that a default bench runs, in these kinds: the first two of `steps`.
///
/// # Errors
/// When something is missing that can not be fetched, or the compiler refuses the source.
pub fn default_artifacts(
    workspace: &Workspace,
    kinds: &BTreeSet<Kind>,
    programs: &ProgramArgs,
    steps: &mut Steps,
) -> anyhow::Result<(Toolbox, Vec<Artifact>)> {
    let toolbox = programs::toolbox(workspace, programs, &mut steps.next(PROGRAMS))?;
    let artifacts = builds::default(workspace, kinds, &toolbox, &mut steps.next(WORKLOAD))?;
    Ok((toolbox, artifacts))
}
