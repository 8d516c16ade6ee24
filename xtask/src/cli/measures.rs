//! What `bench` measures beside the time of plain runs.

use clap::Args;

/// What is measured beside the time of plain runs.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct MeasureArgs {
    /// Trace every case once more beside each round, in runs of their own, to say where its time goes
    #[arg(long)]
    pub timeline: bool,
    /// Do not measure memory and processor time of plain runs
    #[arg(long)]
    pub no_resources: bool,
}
