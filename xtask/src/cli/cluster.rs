//! What can be typed after `cluster`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{percent, whole};
use super::{
    BusyArgs, FormatArgs, InputArgs, LimitArgs, OriginArgs, ProgramArgs, RegistryArgs, ReportArgs, RoundArgs,
    SelectArgs,
};
use crate::matrix::handler::OwnHandler;

/// `cluster`.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    #[command(subcommand)]
    pub command: ClusterCommand,
}

/// What is to be done with a cluster.
#[derive(Clone, Debug, Subcommand)]
pub enum ClusterCommand {
    /// A Kubernetes of this machine's own (1.20.2, January 2021, out of support), for trying and for tests
    Local(LocalArgs),
    /// Say what a cluster has and lacks for these runs, each finding with its remedy
    Doctor(ClusterDoctorArgs),
    /// Print everything that would be applied to a cluster, and what its nodes need, for review
    Manifests(ClusterManifestsArgs),
    /// Measure: Jobs one by one on each node, in randomised blocks; the report is that of any other run
    Run(Box<ClusterRunArgs>),
    /// Rebuild a run's report, as `report` does: a run on a cluster is one like any other
    Report(ReportArgs),
    /// Remove everything of ours from a cluster, by its label
    Clean(TargetArgs),
}

/// Which cluster.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Read this configuration instead of kubectl's own
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Use this context of it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The namespace that is made for it, and removed by `clean`
    #[arg(long, value_name = "NAME", default_value = "deploy-bench")]
    pub namespace: String,
    /// The cluster of `cluster local up`
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    pub local: bool,
    /// Use this `kubectl` instead of the one in `PATH`
    #[arg(long, value_name = "FILE")]
    pub kubectl: Option<PathBuf>,
}

/// Which runtime handlers of its nodes.
#[derive(Clone, Debug, Args)]
pub struct HandlerArgs {
    /// Also this runtime handler of the nodes, by its name there: it has the rows of `runc`, or of the one that it is like, as
    /// in `mine:wasmedge`; may be repeated
    #[arg(long = "handler", value_name = "NAME[:LIKE]")]
    pub own: Vec<OwnHandler>,
}

/// The handlers of the rows that are measured without a word.
pub const USUAL_HANDLERS: [&str; 2] = ["runc", "wasmedge"];

impl HandlerArgs {
    /// All of them, each once.
    pub fn all(&self) -> Vec<String> {
        let own = self.own.iter().map(|own| own.name.as_str());
        let all: BTreeSet<&str> = USUAL_HANDLERS.into_iter().chain(own).collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

/// `cluster manifests`.
#[derive(Clone, Debug, Args)]
pub struct ClusterManifestsArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub of: HandlerArgs,
}

/// `cluster doctor`.
#[derive(Clone, Debug, Args)]
pub struct ClusterDoctorArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub of: HandlerArgs,
    /// Make a pod on each node for each handler, whether it has it and reaches this registry; they are removed again
    #[arg(long, value_name = "HOST[:PORT]/PREFIX")]
    pub probe: Option<String>,
}

/// `cluster run`.
#[derive(Clone, Debug, Args)]
pub struct ClusterRunArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub of: HandlerArgs,
    /// Only on this node; may be repeated [default: every one that takes pods]
    #[arg(long = "node", value_name = "NAME")]
    pub nodes: Vec<String>,
    /// Also so many pods of each case at once, over all of these nodes; may be repeated [range: 2 to 1000]
    #[arg(long = "burst", value_name = "PODS", allow_negative_numbers = true, value_parser = whole::<u32>(2..=1000))]
    pub bursts: Vec<u32>,
    /// Also measure each program on each node in an image that the node has never had, made for the run and pushed before it: the
    /// images stay in the registry
    #[arg(long)]
    pub pull: bool,
    /// Nodes pull with the account that the images are pushed with: in a Secret of the namespace, for the time of the run
    #[arg(long)]
    pub pull_secret: bool,
    /// Pods have their node's network instead of one of their own
    #[arg(long)]
    pub host_network: bool,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub rounds: RoundArgs,
    /// The difference that does not matter: verdicts use the greater of this and the A/A resolution [range: above 0 to 1000]
    #[arg(long, value_name = "PERCENT", default_value = "2", allow_negative_numbers = true, value_parser = percent)]
    pub delta: f64,
    #[command(flatten)]
    pub limit: LimitArgs,
    /// Write the run to this new folder instead of `results/<UTC>-<revision>`
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Read the bench definitions from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["program", "native", "file"])]
    pub benches_file: Option<PathBuf>,
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

/// `cluster local`.
#[derive(Clone, Debug, Args)]
pub struct LocalArgs {
    #[command(subcommand)]
    pub command: LocalCommand,
}

/// What is to be done with the local cluster.
#[derive(Clone, Debug, Subcommand)]
pub enum LocalCommand {
    /// Start it, built where it is not yet (4 to 9 minutes of processor time, 111 MB to fetch); its nodes are namespaces on this machine
    Up {
        /// How many nodes [range: 1 to 9]
        #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true, value_parser = whole::<u8>(1..=9))]
        nodes: u8,
        /// Leave a runtime handler out on a node, as in `n2=wasmedge`, to see what becomes of its pods; may be repeated
        #[arg(long, value_name = "NODE=HANDLER", value_parser = lacking)]
        lacking: Vec<(String, String)>,
        #[command(flatten)]
        programs: ProgramArgs,
    },
    /// End it, and remove every trace of it
    Down,
    /// Build its programs and no more
    Build {
        #[command(flatten)]
        programs: ProgramArgs,
    },
}

/// The first process of a local cluster.
#[derive(Clone, Debug, Args)]
pub struct ClusterInsideArgs {
    /// What it is made of
    pub request: PathBuf,
}

/// The first process of a node.
#[derive(Clone, Debug, Args)]
pub struct ClusterNodeArgs {
    /// What the cluster is made of
    pub request: PathBuf,
    /// Which node
    pub number: u8,
}

fn lacking(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((node, handler)) if !node.is_empty() && !handler.is_empty() => Ok((node.to_owned(), handler.to_owned())),
        _ => Err("write a node and a handler, as in `n2=wasmedge`".to_owned()),
    }
}
