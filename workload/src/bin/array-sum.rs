//! Fills an array with pseudorandom numbers and sums it.
//!
//! Exit status: 0 with the answer on stdout, 2 for a command line that it does not understand, 1 for anything
//! else; then the reason is on stderr.

use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;

use workload::{Refusal, Request, answer, fill, parse, sum};

const STAMP: &str = concat!(
    "array-sum ",
    env!("CARGO_PKG_VERSION"),
    " (target ",
    env!("WORKLOAD_TARGET"),
    ", profile ",
    env!("WORKLOAD_PROFILE"),
    ", ",
    env!("WORKLOAD_TOOLCHAIN"),
    ")\n"
);

/// Also what `array-sum-stamped` does between its two stamps.
pub fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    match parse(arguments) {
        Ok(Request::Version) => say(STAMP),
        Ok(Request::Sum(n)) => run(n),
        Err(refusal) => refuse(&refusal),
    }
}

/// The optimiser may know neither how many numbers there are, nor which, nor that their sum is all that is
/// wanted.
fn run(n: u64) -> ExitCode {
    let Some(mut values) = fill(black_box(n)) else {
        return fail("there is not enough memory for so many numbers: say a smaller `--n`\n", 1);
    };
    black_box(values.as_mut_slice());
    say(&answer(n, black_box(sum(&values))))
}

fn refuse(refusal: &Refusal) -> ExitCode {
    fail(&refusal.to_string(), 2)
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => fail("can not write to stdout\n", 1),
    }
}

fn fail(reason: &str, status: u8) -> ExitCode {
    // When stderr is gone too, the status is all that can be said.
    std::io::stderr().write_all(reason.as_bytes()).unwrap_or_default();
    ExitCode::from(status)
}
