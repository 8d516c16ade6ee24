//! `array-sum`, with the monotonic clock as the first and the last line: what runs of it are traced by.

use std::process::ExitCode;

#[path = "array-sum.rs"]
mod array_sum;

fn main() -> ExitCode {
    workload::stamp::print();
    let code = array_sum::main();
    workload::stamp::print();
    code
}
