//! What is to be run: benches with their files and images, how each cell is started, in which order, and until when.
//!
//! Not here: making the runs (`rounds`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::bench::calibration::Walks;
use crate::bench::{Expected, Input};
use crate::containerd::ContainerRuntime;
use crate::matrix::{Annotations, Grants};
use crate::plan::{Place, Schedule};
use oci::digest::Digest;
use results::case::{Case, Cell, Kind, PodLife};

/// The runs of a plan, with everything that they are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runs {
    /// The benches, in the order that the schedule's indices mean.
    pub benches: Vec<RunnableBench>,
    /// The order of the runs.
    pub schedule: Schedule,
    /// How each cell of the schedule is started.
    pub starts: Vec<Start>,
    /// When to stop before the last round.
    pub until: Option<Until>,
    /// The time limit of one run.
    pub timeout_ms: u64,
    /// What becomes of the output of every run, after its clock has stopped.
    pub output: ComparedOutput,
}

/// How a program is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// The file itself.
    Process,
    /// An engine's command line.
    Engine {
        /// Its program, an absolute path.
        program: PathBuf,
        /// Its arguments; [`crate::matrix::FILE`] stands for the module.
        args: Vec<String>,
        /// How it is told what the module may see of the host.
        grants: Grants,
    },
    /// In a container.
    Container {
        /// What makes it.
        runtime: ContainerRuntime,
        /// What it is annotated with.
        annotations: Annotations,
    },
    /// In a container of a pod, by containerd's Container Runtime Interface.
    Pod(PodStart),
    /// Not at all, for this reason.
    Absent(String),
}

/// How a container is run in a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodStart {
    /// The runtime handler of containerd's configuration: the name of the runtime that makes its containers.
    pub handler: String,
    /// What makes them.
    pub runtime: ContainerRuntime,
    /// What sandbox and container are annotated with.
    pub annotations: Annotations,
    /// Which runs the pod is there for.
    pub life: PodLife,
}

/// What becomes of the output of a run once it was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComparedOutput {
    /// Thrown away.
    Discarded,
    /// Shown.
    Shown,
}

/// When a run is precise enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Until {
    /// The widest interval wanted, as a fraction of its ratio.
    pub relative_width: f64,
    /// The counted rounds after which to look.
    pub looks: Vec<u32>,
    /// No round begins after so long.
    pub budget_ms: Option<u64>,
}

/// One bench, ready to be run in any kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunnableBench {
    /// Its name.
    pub name: String,
    /// The program's arguments.
    pub args: Vec<String>,
    /// What it is given beside them.
    pub input: Input,
    /// What it must print.
    pub expected: Expected,
    /// The program's file in each kind.
    pub files: Vec<KindFile>,
    /// Why there is none of a kind that was to be, or why it is in no image.
    pub absent: Absent,
    /// The program's images; empty when nothing was pushed.
    pub images: Vec<NamedImage>,
}

impl RunnableBench {
    /// Its file in a kind.
    pub fn file(&self, kind: Kind) -> Option<&KindFile> {
        self.files.iter().find(|file| file.kind == kind)
    }

    /// What a case runs it from; absent for a process.
    pub fn image(&self, case: &Case) -> Option<&NamedImage> {
        let name = case.image.as_ref()?;
        self.images.iter().find(|image| image.name == *name)
    }
}

/// What tells how modules are executed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CalibrationRuns {
    /// Its program.
    pub program: RunnableBench,
    /// What it has to print.
    pub expected: Walks,
}

/// What a program lacks, with the reason.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Absent {
    /// Kinds of which there is no file.
    pub files: BTreeMap<Kind, String>,
    /// Kinds of which there is a file that no container can run.
    pub images: BTreeMap<Kind, String>,
}

/// An artifact of a bench.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KindFile {
    /// Which kind.
    pub kind: Kind,
    /// The file.
    pub path: PathBuf,
}

/// An image of a bench.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedImage {
    /// Its definition's name.
    pub name: String,
    /// What to pull and to run: by digest, for a tag can be moved between the two.
    pub reference: String,
    /// The digest in it: the manifest's.
    pub manifest: Digest,
    /// The blobs of the manifest: config and layers.
    pub blobs: Vec<Digest>,
    /// All that a pull transfers.
    pub transfer_bytes: u64,
    /// `os/architecture`.
    pub platform: String,
    /// The command before the bench's arguments.
    pub entrypoint: Vec<String>,
}

impl NamedImage {
    /// Everything that a store holds of it: manifest, config, layers.
    pub fn parts(&self) -> impl Iterator<Item = Digest> {
        std::iter::once(self.manifest).chain(self.blobs.iter().copied())
    }
}

impl Runs {
    /// The bench of a place.
    pub fn bench(&self, place: Place) -> &RunnableBench {
        &self.benches[place.bench]
    }

    /// The cell of a place.
    pub fn cell(&self, place: Place) -> &Cell {
        &self.schedule.cells()[place.cell]
    }

    /// How a cell is started.
    pub fn start(&self, place: Place) -> &Start {
        &self.starts[place.cell]
    }

    /// The image of a bench that a cell runs.
    pub fn image(&self, place: Place) -> Option<&NamedImage> {
        self.bench(place).image(&self.cell(place).case)
    }

    /// The file of a bench in the kind that a cell runs.
    pub fn file(&self, place: Place) -> Option<&KindFile> {
        self.bench(place).file(self.cell(place).case.form)
    }
}
