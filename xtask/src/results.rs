//! The stored format of a run: what `manifest.json`, `samples.jsonl` and `summary.json` hold.
//!
//! `manifest.json` and `samples.jsonl` are facts, written while measuring and never changed afterwards.
//! `summary.json` and everything else in a run's folder is computed from these two, by `analysis` and
//! `report`. Field by field, with units: `results/README.md`. Not here: any computation.

use serde::{Deserialize, Serialize};

pub mod store;

/// The version of the stored format. Raised when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// How one run of one cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It exited with 0 and printed exactly the expected bytes.
    Ok,
    /// It exited with 0 but printed something else.
    WrongOutput,
    /// It exited with another status than 0.
    NonZeroExit,
    /// A signal ended it.
    Killed,
    /// It was still running at the time limit and was killed by us.
    TimedOut,
    /// It could not be started.
    NotStarted,
}

/// One line of `samples.jsonl`: one fresh process or container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The bench's name.
    pub bench: String,
    /// The cell's name: a case, or its A/A twin (`…#2`).
    pub case: String,
    /// The round, from 0, warm-up rounds included.
    pub round: u32,
    /// The place within the round, from 0.
    pub position: u32,
    /// Whether the round is a warm-up round: kept here, left out of every statistic.
    pub warmup: bool,
    /// From just before spawn to the return of `wait4`; absent when nothing was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// User time of the spawned process and its waited-for children (`ctr` for a container), by `wait4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ns: Option<u64>,
    /// System time, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not a sample; absent when the outcome is `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of what it wrote to stdout, in hex; absent when nothing was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
}

/// `manifest.json`: the circumstances of a run. Written before the first sample; `finished` is added at the
/// end, so a manifest without it belongs to a run that was cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`] when the run was written.
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
    /// Where the source stood.
    pub source: Source,
    /// The benches of this run, in the order of the table.
    pub benches: Vec<BenchRecord>,
    /// The cells of every bench, in the order of the table.
    pub cells: Vec<String>,
    /// What was built.
    pub artifacts: Vec<ArtifactRecord>,
    /// What was assembled and pushed.
    pub images: Vec<ImageRecord>,
    /// The programs that took part: containerd, ctr, runc, the shim, the engine.
    pub programs: Vec<ProgramRecord>,
    /// The packages that they came from.
    pub packages: Vec<PackageRecord>,
    /// What this machine is.
    pub machine: Machine,
    /// How containers were run; absent when none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostRecord>,
    /// What was asked for and could not be measured here.
    pub not_measured: Vec<NotMeasured>,
    /// How the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Finished>,
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
    /// Whether tracked files differed from it.
    pub dirty: bool,
    /// `rustc --version` of the compiler of both kinds.
    pub toolchain: String,
    /// The Cargo profile of both kinds.
    pub profile: String,
    /// The commit that the measuring program itself was built from.
    pub program_revision: String,
    /// The triple of the host that it was built for.
    pub host: String,
}

/// A bench as it was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRecord {
    /// Its name; a point of a sweep is `<sweep>/<n>`.
    pub name: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// SHA-256 of the expected output, in hex.
    pub expected_sha256: String,
    /// Why the bench exists.
    pub why: String,
    /// The sweep that it is a point of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepPoint>,
}

/// One size of a size sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The bench that sweeps.
    pub name: String,
    /// The size of this point: what `{n}` in the arguments stands for.
    pub n: u64,
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
    /// What containerd pulled, with tag.
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
    /// How long containerd took to pull and unpack it from the local registry; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_ns: Option<u64>,
}

/// A program that took part, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRecord {
    /// The program's name.
    pub name: String,
    /// The first line of its version output.
    pub version: String,
    /// SHA-256 of the executable, in hex.
    pub sha256: String,
    /// `toolbox`, `host` or `built`.
    pub origin: String,
    /// The size of the executable (for the engine: of its library too), a part of what a node must have.
    pub size_bytes: u64,
}

/// A package of the toolbox.
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
    /// Why, and what would help.
    pub reason: String,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// UTC, RFC 3339.
    pub finished_utc: String,
    /// How it ended.
    pub status: RunStatus,
    /// From the first timed region's start to the last one's end, everything between included.
    pub rounds_wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// What the machine did meanwhile.
    pub load: LoadDuring,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Every planned run took place.
    Complete,
    /// Ctrl-C or a signal: what was measured until then is kept.
    Interrupted,
    /// Something outside the measured programs failed: what was measured until then is kept.
    Failed,
}

/// What else happened on the machine during the run, from `/proc` before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadDuring {
    /// One-minute load average before.
    pub load_before: Option<f64>,
    /// One-minute load average after.
    pub load_after: Option<f64>,
    /// Processor time that the hypervisor gave to others, as a fraction of all processor time.
    pub steal_fraction: Option<f64>,
    /// Thermal throttling events counted by the processors.
    pub throttle_events: Option<u64>,
    /// Fraction of all processor time spent busy (not idle, not waiting for I/O).
    pub busy_fraction: Option<f64>,
    /// Pressure-stall total for processors ("some", /proc/pressure/cpu), as a fraction of the run's wall time.
    pub cpu_pressure_fraction: Option<f64>,
}

/// `summary.json`: computed from manifest and samples by `analysis`, and by nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The run's name.
    pub run: String,
    /// A row per bench and cell.
    pub cases: Vec<CaseSummary>,
    /// A row per program and kind.
    pub sizes: Vec<SizeRow>,
    /// Paired ratios within this run.
    pub comparisons: Vec<Comparison>,
    /// The A/A rows, and the resolution that follows from each.
    pub resolutions: Vec<Resolution>,
    /// Fixed and marginal cost, where the run has a size sweep.
    pub fits: Vec<Fit>,
    /// Published figures beside ours.
    pub claims: Vec<ClaimRow>,
    /// What a reader must know before believing a number, each with advice.
    pub warnings: Vec<Warning>,
    /// What was asked for and has no number.
    pub not_measured: Vec<NotMeasured>,
}

/// The distribution of one cell. Times in nanoseconds. `None` (JSON `null`) where n has no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSummary {
    /// The bench.
    pub bench: String,
    /// The cell's name.
    pub case: String,
    /// Counted samples with outcome `ok`.
    pub n: usize,
    /// Counted runs with any other outcome.
    pub failed: usize,
    /// The median.
    pub median_ns: Option<f64>,
    /// Lower end of the median's interval.
    pub ci_low_ns: Option<f64>,
    /// Upper end of the median's interval.
    pub ci_high_ns: Option<f64>,
    /// The confidence that the interval achieves (at least the nominal one).
    pub confidence: Option<f64>,
    /// The arithmetic mean.
    pub mean_ns: Option<f64>,
    /// Standard deviation, n − 1.
    pub stddev_ns: Option<f64>,
    /// Median absolute deviation, unscaled.
    pub mad_ns: Option<f64>,
    /// The least.
    pub min_ns: Option<f64>,
    /// The greatest.
    pub max_ns: Option<f64>,
    /// 90th percentile, from 36 samples on.
    pub p90_ns: Option<f64>,
    /// 95th percentile, from 72 samples on.
    pub p95_ns: Option<f64>,
    /// 99th percentile, from 368 samples on.
    pub p99_ns: Option<f64>,
    /// Samples whose modified z-score exceeds 3.5: reported, never dropped.
    pub outliers: usize,
    /// Spearman correlation of value and round.
    pub drift: Option<Drift>,
    /// The first run of this cell (warm-up included) over the median of the counted ones.
    pub first_run_ratio: Option<f64>,
}

/// Whether values rose or fell over the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Spearman's rank correlation of value against round, −1 to 1.
    pub spearman: f64,
    /// Two-sided p-value under no association.
    pub p_value: f64,
}

/// Exact sizes of one program in one kind. kB is 1000 bytes wherever these are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeRow {
    /// The program.
    pub program: String,
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The ELF file or module as shipped.
    pub binary_bytes: u64,
    /// All that a pull transfers: manifest, config and compressed layers.
    pub image_bytes_compressed: Option<u64>,
    /// The layers as unpacked tar streams.
    pub image_bytes_unpacked: Option<u64>,
}

/// What a paired comparison says, given the margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies below 1 − δ.
    Faster,
    /// The whole interval lies above 1 + δ.
    Slower,
    /// The whole interval lies within 1 ± δ.
    Same,
    /// Neither: more rounds would tell.
    Undetermined,
}

/// A ratio of two cells of one run, paired by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The bench.
    pub bench: String,
    /// The cell.
    pub case: String,
    /// What it is divided by.
    pub baseline: String,
    /// Rounds in which both have a sample.
    pub n: usize,
    /// Median over rounds of case / baseline.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves.
    pub confidence: Option<f64>,
    /// The margin that the verdict used: the greater of the one asked for and the A/A resolution.
    pub delta: f64,
    /// What follows.
    pub verdict: Verdict,
    /// For `undetermined`: about how many more rounds would tell.
    pub more_rounds: Option<u32>,
    /// How the interval was made.
    pub method: String,
}

/// An A/A row: one cell measured twice, and what difference this run could therefore resolve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The bench.
    pub bench: String,
    /// The case that was measured twice.
    pub case: String,
    /// Rounds in which both have a sample.
    pub n: usize,
    /// Median over rounds of twin / case: 1 but for chance.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves.
    pub confidence: Option<f64>,
    /// The farthest end of the interval from 1, as a fraction: no smaller difference is called one.
    pub resolution: Option<f64>,
}

/// `T = a + b·n`, fitted over a size sweep by case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The bench that sweeps.
    pub sweep: String,
    /// The case.
    pub case: String,
    /// Fixed cost: delivery and start-up.
    pub a_ns: Option<Estimate>,
    /// Marginal cost per unit of n: execution.
    pub b_ns_per_n: Option<Estimate>,
    /// The sizes.
    pub sizes: Vec<u64>,
    /// The median time at each size.
    pub medians_ns: Vec<f64>,
    /// How it was made.
    pub method: String,
}

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Whether a published figure came out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    /// Within the tolerance that the claim's data states.
    Reproduced,
    /// Measured, and not within it.
    NotReproduced,
    /// Not a like quantity, or not measured here.
    NotComparable,
}

/// One published figure beside ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Who published it, and when.
    pub source: String,
    /// What is claimed, in words.
    pub what: String,
    /// The figure as published, in its unit.
    pub published: f64,
    /// Ours, in the same unit; absent when not measured.
    pub ours: Option<f64>,
    /// `kB`, `ms` or `×`.
    pub unit: String,
    /// What follows.
    pub verdict: ClaimVerdict,
    /// The reason, or the row of this run that explains the difference.
    pub explanation: String,
    /// The cell of the central table beside which the figure stands; absent for anything else (a ratio).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A cell of the central table: sizes and times per kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The column.
    pub quantity: Quantity,
}

/// A column of the central table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The ELF file or module, kB.
    BinarySize,
    /// The image, kB; published figures do not say whether compressed or unpacked.
    ImageSize,
    /// Run directly, ms.
    DirectTime,
    /// Run in a container, ms.
    ContainerTime,
}

/// Something that a reader must know, with advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}
