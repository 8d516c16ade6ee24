//! Writes to so much memory, says that it waits, and waits until it is ended: an instance that does nothing, for what one
//! more of them costs a node.
//!
//! It sleeps by the clock: in WASI that is `poll_oneoff`, for which no engine needs to spin. Waiting for stdin would end
//! with a container's client, who holds the other end.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// A page is written to as a whole by one byte.
const PAGE_BYTES: usize = 4096;

/// How long one sleep is. More than a day would be as good; it is not what limits the wake-ups.
const SLEEP: Duration = Duration::from_hours(24);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let wanted = match (arguments.next().as_deref(), arguments.next()) {
        (None, None) => Some(0),
        (Some("--dirty-mib"), Some(text)) => text.parse::<usize>().ok().and_then(|mib| mib.checked_mul(1 << 20)),
        _ => None,
    };
    let Some(bytes) = wanted else { return fail("usage: wait [--dirty-mib NUMBER]\n", 2) };
    let mut memory: Vec<u8> = Vec::new();
    if memory.try_reserve_exact(bytes).is_err() {
        return fail("there is not the memory for that: say a smaller `--dirty-mib`\n", 1);
    }
    memory.resize(bytes, 0);
    for page in memory.chunks_mut(PAGE_BYTES) {
        page[0] = 1;
    }
    // Nobody may be listening, as behind a client that has gone: that is no reason to end.
    std::io::stdout().write_all(b"waiting\n").unwrap_or_default();
    loop {
        std::hint::black_box(&memory);
        std::thread::sleep(SLEEP);
    }
}

fn fail(reason: &str, status: u8) -> ExitCode {
    // When stderr is gone too, the status is all that can be said.
    std::io::stderr().write_all(reason.as_bytes()).unwrap_or_default();
    ExitCode::from(status)
}
