//! `known-cost`, with the monotonic clock as the first and the last line: what runs of it are traced by.

use std::process::ExitCode;

#[expect(dead_code, reason = "its own `main` has no stamp in it")]
#[path = "known-cost.rs"]
mod known_cost;

fn main() -> ExitCode {
    known_cost::start();
    workload::stamp::print();
    let code = known_cost::work();
    workload::stamp::print();
    code
}
