//! The command line: what can be typed, and where it goes. Each command's work is in `commands`.

#![expect(missing_docs, reason = "a group of options is documented where it is, not where it is taken in")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::compile::shims::Shim;
use crate::lock::Busy;
use values::{percent, whole};

mod cluster;
mod compare;
pub mod completions;
mod density;
mod exit;
mod first_use;
mod measures;
mod own_program;
mod report;
mod rows;
mod runs;
mod values;

pub use cluster::*;
pub use compare::{CompareArgs, CompareFormat};
pub use density::DensityArgs;
pub use exit::Exit;
pub use first_use::FirstUseArgs;
pub use measures::MeasureArgs;
pub use own_program::{InitArgs, InputArgs, InstanceArgs, OriginArgs};
pub use report::ReportArgs;
pub use rows::{CaseArgs, MatrixArgs, ProgramArgs, SelectArgs};
pub use runs::{FolderArgs, LimitArgs, SeedArgs};

/// What `cargo xtask` is asked to do.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    about = "What does it cost to ship a program as a native binary or as WebAssembly, run directly or from a container?",
    after_help = "Examples:
  cargo xtask bench              everything: set-up, build, images, registry, containers, report
  cargo xtask bench --quick      the same with 10 rounds instead of 30
  cargo xtask bench --case '*/process'   only the cases that need no root
  cargo xtask doctor             what this machine has, lacks, and what limits its resolution
  cargo xtask report             the newest run once more, from its raw samples

Exit status: 0 all measured; 1 an error; 2 wrong usage; 3 a part was not measured or failed;
4 `compare` found a slow-down or a size beyond its limit; 130 interrupted, what was measured is kept."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what this machine has and lacks, what limits its resolution, and what to do about each
    Doctor(FormatArgs),
    /// Build the workload for every target, and check what came out
    Build(BuildArgs),
    /// Assemble the OCI images, without Docker and reproducibly
    Image(ImageArgs),
    /// Push the images to a registry, and check that it holds them
    Push(PushArgs),
    /// Write a file that describes a program of your own, with everything explained that it can say
    Init(InitArgs),
    /// Run one case once, and show what it prints
    Run(Box<RunArgs>),
    /// Measure: the main job, with all the set-up that it needs
    Bench(Box<BenchArgs>),
    /// Measure what one more idle instance costs: memory, processes, wake-ups, starts
    Density(DensityArgs),
    /// Rebuild a run's report from its manifest and samples, and show it
    Report(ReportArgs),
    /// Compare two runs, case by case
    Compare(CompareArgs),
    /// Fetch the programs that the host lacks, into `target/toolbox`
    Toolbox(ToolboxArgs),
    /// List the rows that can be measured: what each is, why, and what it lacks here
    Cases(CasesArgs),
    /// Show what `bench` would do, in order, without doing it
    Plan(PlanArgs),
    /// Show how often the intervals hold the truth in a simulation, interleaved beside sequential
    Coverage(CoverageArgs),
    /// Pods on a Kubernetes cluster, and a cluster of this machine's own
    Cluster(ClusterArgs),
    /// Run every test, stage by stage, with all the set-up that they need
    Test(TestArgs),
    /// Remove what was built; `--all` removes the toolbox too. Recorded runs stay
    Clean(CleanArgs),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The measuring process
    #[command(hide = true, name = crate::session::process::INSIDE)]
    Inside {
        /// The session to run
        session: PathBuf,
    },
    /// The first process of a local cluster
    #[command(hide = true, name = crate::cluster::control::CLUSTER)]
    ClusterInside(ClusterInsideArgs),
    /// The first process of a node
    #[command(hide = true, name = crate::cluster::node::NODE)]
    ClusterNode(ClusterNodeArgs),
    /// What a killed measuring process left
    #[command(hide = true, name = crate::session::process::REMOVE)]
    RemoveLeftovers {
        /// What to remove
        leftovers: PathBuf,
    },
}

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

/// Commands whose only choice is the format of their result.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// How to write the result
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// How many rounds, in which order.
#[derive(Clone, Debug, Args)]
pub struct RoundArgs {
    /// Counted rounds: each runs every cell once, in a random order of its own [range: 1 to 100000]
    #[arg(long, value_name = "N", default_value_t = 30, allow_negative_numbers = true,
          value_parser = whole::<u32>(1..=100_000))]
    pub rounds: u32,
    /// 10 rounds, the practical minimum
    #[arg(long, conflicts_with = "rounds")]
    pub quick: bool,
    /// Rounds that are run first and thrown away [range: 0 to 1000]
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true,
          value_parser = whole::<u32>(0..=1000))]
    pub warmup: u32,
    #[command(flatten)]
    pub seed: SeedArgs,
}

impl RoundArgs {
    /// Counted rounds.
    pub fn counted(&self) -> u32 {
        if self.quick { 10 } else { self.rounds }
    }
}

/// `build`.
#[derive(Clone, Debug, Args)]
pub struct BuildArgs {
    /// Which containerd shim to build, by its engine
    #[arg(long, value_enum, default_value = "wasmedge")]
    pub shim: Shim,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `image`.
#[derive(Clone, Debug, Args)]
pub struct ImageArgs {
    /// The images that this pattern matches, by their definitions' names; without one, those of a default `bench`
    #[arg(value_name = "IMAGE", conflicts_with = "verify")]
    pub images: Vec<String>,
    /// Check every blob, digest, platform and tar header of the layout instead of making it
    #[arg(long)]
    pub verify: bool,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// What to do while something else measures on this machine.
#[derive(Clone, Copy, Debug, Args)]
pub struct BusyArgs {
    /// Wait while something else is measuring on this machine, instead of giving up
    #[arg(long)]
    pub wait: bool,
}

impl BusyArgs {
    /// As `lock` understands it.
    pub fn busy(self) -> Busy {
        if self.wait { Busy::Wait } else { Busy::Refuse }
    }
}

/// Where images are pushed.
#[derive(Clone, Debug, Default, Args)]
pub struct RegistryArgs {
    /// Push to this registry instead of the embedded one
    #[arg(long, value_name = "HOST[:PORT]/PREFIX")]
    pub registry: Option<String>,
    /// Speak plain HTTP to a registry that is not on loopback
    #[arg(long, requires = "registry")]
    pub plain_http: bool,
}

/// `push`.
#[derive(Clone, Debug, Args)]
pub struct PushArgs {
    /// The images that this pattern matches, by their definitions' names; without one, those of a default `bench`
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    #[command(flatten)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The case, for example `wasm-aot/wasmedge`
    pub case: String,
    #[command(flatten)]
    pub of: MatrixArgs,
    /// The bench [default: array-sum, or the first of your own program's]
    #[arg(long)]
    pub bench: Option<String>,
    #[command(flatten)]
    pub limit: LimitArgs,
    #[command(flatten)]
    pub busy: BusyArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub input: InputArgs,
}

/// `bench`.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub rounds: RoundArgs,
    /// Go on, in preset looks, until the widest ratio interval is at most this wide [range: above 0 to 1000]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
    pub until: Option<f64>,
    /// With `--until`: begin no round after so long [range: 1 to 10000]
    #[arg(long, value_name = "MINUTES", requires = "until", allow_negative_numbers = true,
          value_parser = whole::<u64>(1..=10_000))]
    pub budget: Option<u64>,
    /// The difference that does not matter: verdicts use the greater of this and the A/A resolution [range: above 0 to 1000]
    #[arg(long, value_name = "PERCENT", default_value = "2", allow_negative_numbers = true, value_parser = percent)]
    pub delta: f64,
    #[command(flatten)]
    pub limit: LimitArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Read the bench definitions from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["program", "native", "file"])]
    pub benches_file: Option<PathBuf>,
    #[command(flatten)]
    pub first_use: FirstUseArgs,
    #[command(flatten)]
    pub measures: MeasureArgs,
    #[command(flatten)]
    pub busy: BusyArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `toolbox`.
#[derive(Clone, Debug, Args)]
pub struct ToolboxArgs {
    /// Fetch the programs that only the tests need, too
    #[arg(long)]
    pub tests: bool,
    /// Fetch or build this program, which only some cases need, too (`all`, or a pattern); may be repeated
    #[arg(long, value_name = "NAME")]
    pub with: Vec<String>,
    /// Hash every file and repair what is damaged
    #[arg(long)]
    pub verify: bool,
    #[command(flatten)]
    pub programs: ProgramArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `cases`.
#[derive(Clone, Debug, Args)]
pub struct CasesArgs {
    #[command(flatten)]
    pub select: CaseArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub rounds: RoundArgs,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `coverage`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CoverageArgs {
    /// Simulated runs of each kind [range: 1 to 1000000]
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true,
          value_parser = whole::<u32>(1..=1_000_000))]
    pub runs: u32,
    /// Rounds of each simulated run [range: 6 to 10000]
    #[arg(long, value_name = "N", default_value_t = 30, allow_negative_numbers = true,
          value_parser = whole::<u32>(6..=10_000))]
    pub rounds: u32,
}

/// `test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    /// Only the stages that this pattern matches; may be repeated
    #[arg(long = "stage", value_name = "PATTERN")]
    pub stages: Vec<String>,
    /// List the stages
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub busy: BusyArgs,
}

/// `clean`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CleanArgs {
    /// The toolbox and everything else below `target`, too
    #[arg(long)]
    pub all: bool,
}

#[cfg(test)]
mod tests;
