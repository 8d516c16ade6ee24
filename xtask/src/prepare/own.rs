//! Somebody's own program, from what was asked for to its files: what it is, what it is measured with, what of it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::builds::{self, AvailablePrograms};
use crate::bench::{Bench, Expected};
use crate::cli::{Exit, InputArgs, OriginArgs};
use crate::compile::own::{self, Known, KnownOrigin, OwnArtifacts, OwnFiles};
use crate::compile::{Artifact, package};
use crate::matrix::Matrix;
use crate::own_program::{Origin, Wanted, benches, file, image_name};
use crate::plan::Build;
use crate::progress::Progress;
use crate::workspace::Workspace;
use results::case::Kind;

/// Somebody's own program, and what it is measured with.
#[derive(Clone, Debug)]
pub struct Own {
    /// The program.
    pub known: Known,
    /// Its benches.
    pub benches: Vec<Bench>,
}

/// What options ask for of somebody's own program; `None` when it is this project's that are measured. Nothing is built.
///
/// # Errors
/// When the file is wrong, or something that is named is not there.
pub fn resolve(workspace: &Workspace, (origin, input): (&OriginArgs, &InputArgs)) -> anyhow::Result<Option<Own>> {
    origin.wanted(input)?.map(|wanted| of(workspace, &wanted)).transpose()
}

fn of(workspace: &Workspace, wanted: &Wanted) -> anyhow::Result<Own> {
    let (called, origin) = match &wanted.origin {
        Origin::Package(package) => {
            let inspected = package::inspect(workspace, package)?;
            (inspected.program.clone(), KnownOrigin::Package(package.clone(), Box::new(inspected)))
        }
        Origin::Pair(pair) => {
            let native = file(&pair.native)?;
            file(&pair.wasm)?;
            let called = native.file_stem().context("the native program has no name")?.to_string_lossy().into_owned();
            (called, KnownOrigin::Pair(pair.clone()))
        }
    };
    let name = image_name(&called);
    // What runs are looked at with is this project's, and built beside it.
    let is_ours = workspace.root().join("workload/src/bin").join(format!("{name}.rs")).is_file();
    let name = if is_ours { format!("own-{name}") } else { name };
    let benches = benches(wanted, &name)?;
    Ok(Own { known: Known { name, origin }, benches })
}

/// What of a program there is not, with the reasons.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    /// The program.
    pub program: String,
    /// Kinds without a file.
    pub files: BTreeMap<Kind, String>,
    /// Kinds that are in no image.
    pub images: BTreeMap<Kind, String>,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.images.is_empty()
    }

    /// The exit status of a command that was to make it all.
    pub fn exit(&self) -> Exit {
        if self.is_empty() { Exit::Done } else { Exit::Partial }
    }

    /// The artifacts that an image can hold.
    pub fn packable(&self, artifacts: &[Artifact]) -> Vec<Artifact> {
        let is_missing =
            |artifact: &&Artifact| artifact.program == self.program && self.images.contains_key(&artifact.kind);
        artifacts.iter().filter(|artifact| !is_missing(artifact)).cloned().collect()
    }

    /// Says what is missing.
    pub fn tell(&self) {
        for (kind, reason) in self.files.iter().chain(&self.images) {
            crate::console::note(format_args!("no `{kind}`: {reason}"));
        }
    }

    /// Adds what was made to `artifacts`, and remembers the rest.
    pub fn take(&mut self, made: OwnArtifacts, artifacts: &mut Vec<Artifact>) {
        self.program = made.program;
        artifacts.extend(made.artifacts);
        self.files.extend(made.absent_files);
        self.images.extend(made.absent_images);
    }
}

/// The files of a program, built where it is a package.
///
/// # Errors
/// When there is no toolchain, or nowhere to build.
pub fn files(workspace: &Workspace, known: &Known, progress: &mut dyn Progress) -> anyhow::Result<OwnFiles> {
    own::files(workspace, known, progress)
}

/// What a plan builds of somebody's own program: also the native file, where it is what says what is right.
pub fn builds(plan: &crate::plan::Plan, program: &str) -> Vec<Build> {
    let mut builds: Vec<Build> = plan.builds.iter().filter(|build| build.program == program).cloned().collect();
    let native = Build { program: program.to_owned(), kind: Kind::Native };
    let is_judge = plan.benches.iter().any(|bench| bench.expected == Expected::FirstNative);
    if is_judge && !builds.contains(&native) {
        builds.push(native);
    }
    builds
}

/// Artifacts of builds; what has a compiler that is not there is left out, as for this project's programs.
///
/// # Errors
/// When a file can not be put into its place.
pub fn artifacts(
    workspace: &Workspace,
    files: &OwnFiles,
    (matrix, builds): (&Matrix, &[Build]),
    programs: AvailablePrograms<'_>,
) -> anyhow::Result<OwnArtifacts> {
    let (compilers, builds) = builds::with_compilers(matrix, builds, programs)?;
    own::artifacts(workspace, files, &builds, &compilers)
}

/// Where a file says that runs go.
///
/// # Errors
/// When it is wrong.
pub fn results_of(file: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    file.map_or(Ok(None), |path| Ok(file::load(path)?.results))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::ours;
    use crate::own_program::WantedOutput;
    use crate::plan::{PAUSE, Rounds, plan};

    /// The program of the sandboxes was built as one more of somebody's own, and its image had the name of that.
    #[test]
    fn what_is_built_of_a_program_is_its_own_and_what_judges_it() {
        let wanted = |output| Wanted {
            base: PathBuf::new(),
            origin: Origin::Pair(crate::own_program::Pair { native: "a".into(), wasm: "b".into() }),
            benches: vec![crate::own_program::WantedBench { output, ..Default::default() }],
        };
        let matrix = ours();
        let case = std::slice::from_ref(matrix.case("wasm-aot/cri-wasmedge").unwrap());
        let rounds = Rounds { warmup: 0, counted: 1, seed: 0 };
        for (output, kinds) in
            [(WantedOutput::AsNative, &[Kind::WasmAot, Kind::Native][..]), (WantedOutput::Anything, &[Kind::WasmAot])]
        {
            let plan = plan(benches(&wanted(output), "tool").unwrap(), (&matrix, case), rounds).unwrap();
            assert!(plan.builds.iter().any(|build| build.program == PAUSE), "{:?}", plan.builds);
            let made = builds(&plan, "tool");
            let expected: Vec<Build> =
                kinds.iter().map(|kind| Build { program: "tool".to_owned(), kind: *kind }).collect();
            assert_eq!(made, expected);
        }
    }
}
