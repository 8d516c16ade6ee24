//! The stage on faults: what goes wrong around a run, one kind a check, and what must come of it: a clear error,
//! nothing of others touched, nothing lost that was measured. By area: one module each.

use super::{Check, Rig};
use xtask::clock::Stopwatch;

mod access;
mod folders;
mod processes;
mod records;
mod registries;
mod runs;
mod secrets;
mod text;

/// How long the whole stage may take.
const STAGE_LIMIT_SECONDS: u64 = 600;

/// Every fault.
pub fn faults(rig: &Rig) -> Vec<Check> {
    // A cold build is no fault, and takes minutes.
    let built = Check::of("what the stage needs is built", rig.xtask(&["build"]).run().map(|_| ()));
    let clock = Stopwatch::start();
    let areas = [
        access::checks,
        folders::checks,
        processes::checks,
        records::checks,
        registries::checks,
        runs::checks,
        secrets::checks,
        text::checks,
    ];
    let mut checks = vec![built];
    checks.extend(areas.iter().flat_map(|area| area(rig)));
    checks.push(Check::of("the stage ends within 10 minutes", within(clock.elapsed().as_secs())));
    checks
}

fn within(seconds: u64) -> anyhow::Result<()> {
    anyhow::ensure!(seconds <= STAGE_LIMIT_SECONDS, "it took {seconds} s");
    Ok(())
}
