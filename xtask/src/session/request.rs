//! A session: everything that has to be known to make the runs of a plan, in one value that can cross into
//! the measuring process as a file, and what comes back from there the same way.
//!
//! Not here: making the runs (`rounds`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::containerd::{ContainerRuntime, Scheme};
use crate::plan::{Place, Schedule};
use oci::digest::Digest;
use results::case::{Cell, Kind};
use results::{HostRecord, LoadDuring, NotMeasured, RunStatus, UntilEnd};

/// What to run, with what, and where to write it down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The benches, in the order that the schedule's indices mean.
    pub benches: Vec<SessionBench>,
    /// The order of the runs.
    pub schedule: Schedule,
    /// When to stop before the last round.
    pub until: Option<Until>,
    /// The time limit of one run.
    pub timeout_ms: u64,
    /// How each cell of the schedule is started.
    pub starts: Vec<Start>,
    /// What containers need; absent when there are none.
    pub containers: Option<Containers>,
    /// The file that samples are appended to.
    pub samples: PathBuf,
    /// Where [`Measured`] is written at the end.
    pub measured: PathBuf,
    /// Shows the output of every run on our stdout and stderr, after its clock has stopped.
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
    },
    /// In a container.
    Container {
        /// What makes it.
        runtime: ContainerRuntime,
        /// What it is annotated with.
        annotations: BTreeMap<String, String>,
    },
    /// Not at all, for this reason.
    Absent(String),
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
    /// The run's manifest, which names benches, cells and confidence.
    pub manifest: PathBuf,
    /// No round begins after so long.
    pub budget_ms: Option<u64>,
}

/// One bench, ready to be run in any kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionBench {
    /// Its name.
    pub name: String,
    /// The program's arguments.
    pub args: Vec<String>,
    /// What it must print.
    pub expected: String,
    /// The program's file in each kind.
    pub files: Vec<KindFile>,
    /// The program's image in each kind; empty when nothing was pushed.
    pub images: Vec<KindImage>,
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
pub struct KindImage {
    /// Which kind.
    pub kind: Kind,
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

/// What containers need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Containers {
    /// Whose containerd.
    pub daemon: DaemonChoice,
    /// `ctr`, an absolute path.
    pub ctr: PathBuf,
    /// The containerd namespace of this run.
    pub namespace: String,
    /// How the registry is reached.
    pub scheme: Scheme,
    /// The account that the registry wants. Its password is not here: this goes into a file.
    pub user: Option<String>,
}

/// Our own containerd, or one that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum DaemonChoice {
    /// Ours, in namespaces of its own.
    Private {
        /// The daemon's program.
        containerd: PathBuf,
        /// Folders in which it looks for shims.
        search: Vec<PathBuf>,
        /// The folder of this run for its root, configuration and log.
        scratch: PathBuf,
        /// Namespaces of runs that were killed, whose cgroups are still there.
        abandoned: Vec<String>,
    },
    /// One that is there, by its socket.
    Existing {
        /// The socket.
        address: PathBuf,
    },
}

/// What a session came to, beside its samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// How it ended.
    pub status: RunStatus,
    /// Why, when it failed.
    pub reason: Option<String>,
    /// From the first timed region's start to the last one's end.
    pub rounds_wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// Samples that were written.
    pub samples: u64,
    /// What was pulled, and how long that took.
    pub pulls: Vec<Pull>,
    /// How containers were run.
    pub host: Option<HostRecord>,
    /// What could not be run, and why.
    pub not_measured: Vec<NotMeasured>,
    /// Why it stopped, when it was to stop on precision.
    pub until: Option<UntilEnd>,
    /// What the machine did meanwhile.
    pub load: LoadDuring,
}

/// One image pulled and unpacked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pull {
    /// The digest of the manifest that containerd holds now, hashed after the pull.
    pub manifest: Digest,
    /// How long `ctr images pull` took.
    pub pull_ns: u64,
}

impl Session {
    /// The bench of a place.
    pub fn bench(&self, place: Place) -> &SessionBench {
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

    /// The image of a bench in the kind that a cell runs.
    pub fn image(&self, place: Place) -> Option<&KindImage> {
        self.bench(place).images.iter().find(|image| image.kind == self.cell(place).case.form)
    }

    /// The file of a bench in the kind that a cell runs.
    pub fn file(&self, place: Place) -> Option<&KindFile> {
        self.bench(place).files.iter().find(|file| file.kind == self.cell(place).case.form)
    }
}

/// Writes a value for the other process.
pub fn write<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    std::fs::write(path, serde_json::to_vec(value)?).with_context(|| format!("can not write `{}`", path.display()))
}

/// Reads what the other process wrote.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = std::fs::read(path).with_context(|| format!("can not read `{}`", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("`{}` is damaged", path.display()))
}
