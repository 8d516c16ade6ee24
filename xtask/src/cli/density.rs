//! `density`: what one more idle instance costs.

use clap::Args;

use super::values::whole;
use super::{
    BusyArgs, CaseArgs, FolderArgs, FormatArgs, InstanceArgs, LimitArgs, OriginArgs, ProgramArgs, RegistryArgs,
    SeedArgs,
};

/// `density`.
#[derive(Clone, Debug, Args)]
pub struct DensityArgs {
    #[command(flatten)]
    pub rows: CaseArgs,
    /// Start 1, 2, 4 … and at last so many instances of each case [range: 2 to 10000]
    #[arg(long, value_name = "N", default_value_t = 32, allow_negative_numbers = true,
          value_parser = whole::<u32>(2..=10_000))]
    pub up_to: u32,
    /// How often, in random order of the cases; below 6 there are no intervals [range: 1 to 1000]
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true,
          value_parser = whole::<u32>(1..=1000))]
    pub repeat: u32,
    /// How long instances are watched while they wait, at each number of them [range: 1 to 3600]
    #[arg(long, value_name = "SECONDS", default_value_t = 2, allow_negative_numbers = true,
          value_parser = whole::<u64>(1..=3600))]
    pub hold: u64,
    /// Memory that each instance writes to before it waits [range: 0 to 1048576]
    #[arg(long, value_name = "MIB", default_value_t = 0, allow_negative_numbers = true,
          conflicts_with_all = ["program", "native", "file"], value_parser = whole::<u64>(0..=1_048_576))]
    pub dirty_mib: u64,
    /// Instead: run and remove so many containers one after the other, and look whether anything grows [range: 20 to
    /// 1000000]
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with_all = ["up_to", "repeat", "hold", "dirty_mib"],
          value_parser = whole::<u32>(20..=1_000_000))]
    pub churn: Option<u32>,
    #[command(flatten)]
    pub seed: SeedArgs,
    #[command(flatten)]
    pub limit: LimitArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
    #[command(flatten)]
    pub busy: BusyArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    pub programs: ProgramArgs,
    /// Of your own program's benches this one's arguments, variables and folders [default: the first]
    #[arg(long, requires = "file")]
    pub bench: Option<String>,
    #[command(flatten)]
    pub origin: OriginArgs,
    #[command(flatten)]
    pub instance: InstanceArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}
