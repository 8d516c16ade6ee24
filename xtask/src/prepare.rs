//! Everything that has to exist before the first run: programs, artifacts, images, a registry, each made from the one
//! before it and no more than a plan needs; and what a run records of them.

use crate::cli::{ProgramArgs, RegistryArgs};
use crate::compile::{self, Artifact};
use crate::plan::{Build, Plan};
use crate::progress::Steps;
use crate::stop::Stop;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use extra::{ExtraPrograms, Needs};
use images::{Shipped, Shipping};
use results::case::Kind;

pub mod extra;
pub mod images;
pub mod manifest;
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
pub fn prepare(workspace: &Workspace, plan: &Plan, sources: Sources<'_>, stop: &Stop) -> anyhow::Result<Prepared> {
    let needs_toolbox = plan.has_containers() || plan.has_modules();
    let needs = Needs::of(workspace, plan)?;
    let mut steps = Steps::of(1 + usize::from(needs_toolbox) + needs.steps());
    let toolbox = if needs_toolbox {
        Some(programs::toolbox(workspace, sources.programs, &mut steps.next(PROGRAMS))?)
    } else {
        None
    };
    let artifacts = compile::build(workspace, &plan.builds, toolbox.as_ref(), &mut steps.next(WORKLOAD))?;
    let extra = match &toolbox {
        Some(toolbox) => needs.get(workspace, toolbox, sources.programs, &mut steps)?,
        None => ExtraPrograms::new(),
    };
    // Sizes need no root: images are assembled for every kind that was built.
    let shipping = if plan.has_containers() { Shipping::Push(sources.registry, stop) } else { Shipping::AssembleOnly };
    let shipped = images::ship(workspace, &artifacts, shipping)?;
    Ok(Prepared { toolbox, artifacts, extra, shipped })
}

/// The toolbox, and every program that a default bench runs, in every kind: the first two of `steps`.
///
/// # Errors
/// When something is missing that can not be fetched, or the compiler refuses the source.
pub fn default_artifacts(
    workspace: &Workspace,
    programs: &ProgramArgs,
    steps: &mut Steps,
) -> anyhow::Result<(Toolbox, Vec<Artifact>)> {
    let toolbox = programs::toolbox(workspace, programs, &mut steps.next(PROGRAMS))?;
    let builds = default_builds(workspace)?;
    let artifacts = compile::build(workspace, &builds, Some(&toolbox), &mut steps.next(WORKLOAD))?;
    Ok((toolbox, artifacts))
}

fn default_builds(workspace: &Workspace) -> anyhow::Result<Vec<Build>> {
    let benches = crate::bench::load(&workspace.benches_toml())?;
    let mut programs: Vec<String> = benches.into_iter().map(|bench| bench.program).collect();
    programs.sort();
    programs.dedup();
    Ok(programs
        .into_iter()
        .flat_map(|program| Kind::ALL.map(|kind| Build { program: program.clone(), kind }))
        .collect())
}
