//! How runs are made, and where they go: options that several subcommands share.

use std::path::PathBuf;

use clap::Args;

use super::values::whole;

/// The seed of a random order.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct SeedArgs {
    /// The seed of the order [default: from the clock, recorded with the run] [range: 0 to 18446744073709551615]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: Option<u64>,
}

/// How long a run may take.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitArgs {
    /// The time limit of one run or start [range: 1 to 86400]
    #[arg(long, value_name = "SECONDS", default_value_t = 60, allow_negative_numbers = true,
          value_parser = whole::<u64>(1..=86_400))]
    pub timeout: u64,
}

impl LimitArgs {
    /// In milliseconds.
    pub fn timeout_ms(self) -> u64 {
        self.timeout * 1000
    }
}

/// Folders of a run.
#[derive(Clone, Debug, Args)]
pub struct FolderArgs {
    /// Write the run to this new folder instead of `results/<UTC>-<revision>`
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Keep the private containerd's root below this folder instead of `target/host`
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}
