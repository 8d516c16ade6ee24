//! `compare`: two runs, case by case.

use crate::cli::{CompareArgs, Exit};
use crate::workspace::Workspace;

/// Compares.
pub fn run(_workspace: &Workspace, _args: &CompareArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("not wired yet")
}
