//! `manifest.json`: the circumstances of a run, known before its first sample, and how it ended.

use serde::{Deserialize, Serialize};

use crate::bench::{BenchRecord, Role};
use crate::case::Cell;
use crate::isolation::Isolation;
use crate::node::{NodeRecord, StoredBytes};
use crate::own_program::OwnProgramRecord;
use crate::resources::ResourceRecord;
use crate::timeline::{ProgramClock, TracedBench};
pub use finished::{Finished, LoadDuring, RunStatus, UntilEnd, UntilReason};

mod finished;

/// `manifest.json`: the circumstances of a run. Written before the first sample; `finished` is added at the
/// end, so a manifest without it belongs to a run that was cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`super::SCHEMA`] when the run was written.
    pub schema: u32,
    /// The name of the run: its folder's.
    pub run: String,
    /// The command, as typed.
    pub command: Vec<String>,
    /// UTC, RFC 3339.
    pub started_utc: String,
    /// The seed of the order of cells within rounds, and of every bootstrap.
    pub seed: u64,
    /// Counted rounds that were asked for.
    pub rounds: u32,
    /// Discarded rounds before them.
    pub warmup_rounds: u32,
    /// Nominal coverage of every interval, for example 0.95.
    pub confidence: f64,
    /// The margin below which a difference is called none, as a fraction: 0.02 is 2 %.
    pub delta: f64,
    /// When rounds were added until a precision was reached: the looks that were preset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequential: Option<Sequential>,
    /// The time limit of one run.
    pub timeout_ms: u64,
    /// What a density run was to do; absent in every other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<crate::density::Plan>,
    /// Where the source stood.
    pub source: Source,
    /// Whose program was measured, when it is not one of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_program: Option<OwnProgramRecord>,
    /// The benches of this run, in the order of the table.
    pub benches: Vec<BenchRecord>,
    /// The benches beside which runs were traced; none unless that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traced: Vec<TracedBench>,
    /// The cells of every bench, in the order of the table; by name alone in runs of schema 1.
    #[serde(deserialize_with = "crate::case::cells")]
    pub cells: Vec<Cell>,
    /// What was built.
    pub artifacts: Vec<ArtifactRecord>,
    /// What was assembled and pushed.
    pub images: Vec<ImageRecord>,
    /// The programs that took part: containerd, ctr, runc, the shim, the engine.
    pub programs: Vec<ProgramRecord>,
    /// The packages that they came from.
    pub packages: Vec<PackageRecord>,
    /// What a node must have to run these cases; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeRecord>,
    /// What this machine is.
    pub machine: Machine,
    /// What isolation containers had, by runtime; in older runs nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolation: Vec<Isolation>,
    /// How containers were run; absent when none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostRecord>,
    /// What memory and processor time were read from; absent when they were not wanted, and in runs before this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRecord>,
    /// What was asked for and could not be measured here.
    pub not_measured: Vec<NotMeasured>,
    /// How the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Finished>,
}

impl Manifest {
    /// A cell by its name.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }

    /// Whether a row without a number is one of which that is known: it was tried, and its runtime said what it always says.
    pub fn is_expected(&self, row: &NotMeasured) -> bool {
        self.cell(&row.case).is_some_and(|cell| cell.case.expected(&row.reason).is_some())
    }

    /// Whether the program of a bench's traced runs prints its clock: one made for that does, and the bench's own does not.
    pub fn clock_of(&self, bench: &str) -> ProgramClock {
        let own = self.benches.iter().find(|record| record.name == bench).map(|record| &record.program);
        let is_own = self.traced.iter().any(|traced| traced.bench == bench && Some(&traced.program) == own);
        if is_own { ProgramClock::Unknown } else { ProgramClock::Printed }
    }

    /// The bench that is there for this.
    pub fn bench_for(&self, role: Role) -> Option<&BenchRecord> {
        self.benches.iter().find(|bench| bench.role == Some(role))
    }
}

/// Preset looks of a run that goes on until its intervals are narrow enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// The widest relative interval wanted, in percent: (high − low) / ratio.
    pub until_percent: f64,
    /// The counted rounds after which the intervals are looked at, ascending; the last is the most that is run.
    pub looks: Vec<u32>,
    /// The confidence used at each look, so that all together keep the nominal one.
    pub look_confidence: f64,
}

/// Where the source stood when the run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The commit, in hex; `unknown` outside a git checkout.
    pub revision: String,
    /// Whether tracked files differed from it; `None` where git could not tell.
    pub dirty: Option<bool>,
    /// `rustc --version` of the compiler of both kinds.
    pub toolchain: String,
    /// The Cargo profile of both kinds.
    pub profile: String,
    /// The commit that the measuring program itself was built from.
    pub program_revision: String,
    /// The triple of the host that it was built for.
    pub host: String,
}

/// A built file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    /// The program.
    pub program: String,
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The Rust target, or what was made from it.
    pub target: String,
    /// The file's size.
    pub size_bytes: u64,
    /// The file's SHA-256, in hex.
    pub sha256: String,
}

/// An assembled image: every byte that matters for shipping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// The program inside.
    pub program: String,
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// Its definition's name; absent in runs before this field, where it is the kind's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The packages that lie below the program; none where it is alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageRecord>,
    /// Its name in the registry, with tag. It was pulled and run by digest.
    pub reference: String,
    /// Digest of the manifest, `sha256:…`.
    pub manifest_digest: String,
    /// `os/architecture` of the config.
    pub platform: String,
    /// `none`, `gzip` or `zstd`.
    pub compression: String,
    /// The manifest's own bytes.
    pub manifest_bytes: u64,
    /// The config's bytes.
    pub config_bytes: u64,
    /// All layers as transferred.
    pub layers_compressed_bytes: u64,
    /// All layers as unpacked tar streams.
    pub layers_unpacked_bytes: u64,
    /// Everything that a pull transfers: manifest, config and layers.
    pub transfer_bytes: u64,
    /// Digest of the manifest that containerd held after the pull, taken of its bytes, as those of config and layers
    /// were; absent when it was not pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_digest: Option<String>,
    /// How long containerd took to pull and unpack it from the local registry; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_ns: Option<u64>,
    /// What containerd's root grew by; absent when it was not pulled, when the containerd is not ours, and in runs before
    /// this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredBytes>,
}

impl ImageRecord {
    /// Its definition's name.
    pub fn name(&self) -> &str {
        self.image.as_deref().unwrap_or(&self.kind)
    }
}

/// A program that took part, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRecord {
    /// The program's name.
    pub name: String,
    /// The first line of its version output.
    pub version: String,
    /// SHA-256 of the executable, in hex. Programs of the toolbox and the shim hold the path of their checkout, so that
    /// the same program has another digest elsewhere.
    pub sha256: String,
    /// The package that a program of the toolbox came from, by name; see `packages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// SHA-256 of a program of the toolbox as its package holds it, in hex: before it was patched to run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_unpatched: Option<String>,
    /// SHA-256 over the source files of a program that this project built, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
    /// `toolbox`, `host` or `built`.
    pub origin: String,
    /// The size of the executable (for the engine: of its library too), a part of what a node must have.
    pub size_bytes: u64,
}

/// A package of the toolbox, or below a program in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The architecture it was built for.
    pub architecture: String,
    /// SHA-256 of the package file, in hex.
    pub sha256: String,
}

/// What a machine is: what does not change during a run. Every field is what the kernel or the host said;
/// `None` where it said nothing (a virtual machine often hides governor and turbo).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Distribution, from os-release.
    pub os: Option<String>,
    /// `uname -sr`.
    pub kernel: Option<String>,
    /// `uname -m`.
    pub architecture: Option<String>,
    /// Model name of the first processor.
    pub cpu_model: Option<String>,
    /// Processors online.
    pub cpus: Option<u32>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Frequency governor of the first processor.
    pub governor: Option<String>,
    /// Whether turbo frequencies are allowed.
    pub turbo: Option<bool>,
    /// Whether two threads share a core.
    pub smt: Option<bool>,
    /// The hypervisor, as far as the processor flags tell.
    pub virtualised: Option<bool>,
    /// `v1`, `v2` or `hybrid`.
    pub cgroup: Option<String>,
}

/// How containers were run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostRecord {
    /// `private` (our own containerd), or the address of the one that was named.
    pub containerd: String,
    /// The snapshotter.
    pub snapshotter: String,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: String,
    /// File system type under containerd's root.
    pub filesystem: String,
}

/// What was asked for and has no number, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMeasured {
    /// The bench.
    pub bench: String,
    /// The case, without twin.
    pub case: String,
    /// The metric; absent where nothing of the case was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Why, and what would help.
    pub reason: String,
}
