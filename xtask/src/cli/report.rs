//! What `report` takes.
//!
//! Not here: what it does with it (`commands::report`).

use std::path::PathBuf;

use clap::Args;

use super::FormatArgs;

/// `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// The run: its folder, its name, or the beginning of its name; of several, a page with their history is made
    /// [default: the newest; with `--readme` the newest recorded one]
    #[arg(value_name = "RUN")]
    pub runs: Vec<String>,
    /// Look for the run where this file says that runs go
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long, conflicts_with = "readme")]
    pub open: bool,
    /// Copy the run's result into the project's README, with its picture
    #[arg(long)]
    pub readme: bool,
    /// Print the comment for a pull request instead of the table
    #[arg(long, conflicts_with = "readme")]
    pub markdown: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}
