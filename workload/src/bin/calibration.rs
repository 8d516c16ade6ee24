//! Walks along a generator several times, each step of which needs the one before, and prints where each walk led and how
//! long it took: time in proportion to the number of steps, and to nothing else. What `bench` tells an interpreter from
//! compiled code by. Before the first step it says so: of a walk without end that is the only line.
//!
//! Exit status: 0 with the answers on stdout, 2 for anything but `--n NUMBER`.

use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use workload::{BEGIN, Request, WALKS, parse, position, walk};

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let Ok(Request::Sum(n)) = parse(arguments) else { return ExitCode::from(2) };
    match walks(n) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a walk takes is what it is for")]
fn walks(n: u64) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(BEGIN.as_bytes())?;
    stdout.flush()?;
    for _ in 0..WALKS {
        let begin = Instant::now();
        let reached = black_box(walk(black_box(n)));
        let ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        stdout.write_all(position(reached, ns).as_bytes())?;
    }
    stdout.flush()
}
