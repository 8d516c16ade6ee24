//! A session: everything that has to be known to make the runs of a plan, in one value that can cross into
//! the measuring process as a file.
//!
//! Not here: making the runs (`rounds`), and what comes back (`measured`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::containerd::{ContainerRuntime, Scheme};
use crate::density;
use crate::isolation::Look;
use crate::measure::runs::{CalibrationRuns, NamedImage, Runs};
use crate::measure::traced::TracedRuns;
use crate::plan::Place;
use results::Manifest;
use results::case::{Kind, Mode};
use results::first_use::Link;

/// What to run, with what, and where to write it down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The runs.
    pub runs: Runs,
    /// What tells how their modules are executed; absent where nobody wants to know.
    pub calibration: Option<CalibrationRuns>,
    /// Looks into containers before the rounds.
    pub looks: Vec<Look>,
    /// The name of the cgroup in which memory and processor time are counted; absent when they are not wanted.
    pub resources: Option<String>,
    /// What is traced beside them; absent unless that was asked for.
    pub traced: Option<TracedRuns>,
    /// What the precision of a run that stops on it is computed with: benches, cells and confidence.
    pub manifest: Option<Manifest>,
    /// What containers need; absent when there are none.
    pub containers: Option<Containers>,
    /// A density run instead of rounds.
    #[serde(default)]
    pub density: Option<density::Request>,
    /// What is measured of first use after the rounds; absent when that was not asked for.
    #[serde(default)]
    pub first_use: Option<FirstUseRequest>,
    /// The file that samples, or the lines of a density run, are appended to.
    pub samples: PathBuf,
    /// Where [`super::measured::Measured`] is written at the end.
    pub measured: PathBuf,
}

impl Session {
    /// The image of the calibration in a cell that runs modules.
    pub fn calibration_image(&self, place: Place) -> Option<&NamedImage> {
        let case = &self.runs.cell(place).case;
        self.calibration.as_ref().filter(|_| case.mode != Mode::Native)?.program.image(case)
    }
}

/// First use: what is to be measured of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirstUseRequest {
    /// How often each class of each cell is measured.
    pub rounds: u32,
    /// The links over which images are pulled too.
    pub links: Vec<Link>,
    /// The bench whose cells are run, by its place.
    pub bench: usize,
    /// What each case is started with and loads, by its name.
    pub files: BTreeMap<String, Vec<PathBuf>>,
    /// What compiles the bench's module.
    pub compilations: Vec<Compilation>,
    /// The file that the samples are appended to.
    pub samples: PathBuf,
}

/// One way to compile a module ahead of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compilation {
    /// The form of file that comes of it.
    pub form: Kind,
    /// The compiler.
    pub program: PathBuf,
    /// Its arguments; [`crate::matrix::FILE`] stands for the module, [`crate::matrix::OUTPUT`] for what is made of it.
    pub args: Vec<String>,
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
    /// What pods need; absent when there are none.
    pub pods: Option<PodSetup>,
}

/// What containerd's CRI has to know before it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PodSetup {
    /// What makes the containers of each runtime handler.
    pub handlers: BTreeMap<String, ContainerRuntime>,
    /// The image of every sandbox.
    pub pause: NamedImage,
    /// Registries beside loopback to which containerd speaks plain HTTP: `host:port` each.
    pub plain_http: Vec<String>,
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

/// Writes a value for the other process.
pub fn write<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    std::fs::write(path, serde_json::to_vec(value)?).with_context(|| format!("can not write `{}`", path.display()))
}

/// Reads what the other process wrote.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = std::fs::read(path).with_context(|| format!("can not read `{}`", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("`{}` is damaged", path.display()))
}
