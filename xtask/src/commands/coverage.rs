//! `coverage`: how often the intervals of the statistics hold the truth, by simulation.

use crate::cli::{CoverageArgs, Exit};
use crate::commands;
use stats::simulation::{Setup, coverage_table};

/// Prints the table, interleaved beside sequential.
pub fn run(args: CoverageArgs) -> anyhow::Result<Exit> {
    let setup = Setup { rounds: args.rounds, replicates: args.runs, ..Setup::default() };
    commands::print(&coverage_table(&setup).to_string())?;
    Ok(Exit::Done)
}
