//! A program that costs what it is asked to: what the tests hold the timeline, memory and processor time against.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use workload::stamp::{Clock, now_ns};

/// One thing that it can be asked for; several are done in their order.
const USAGE: &str = "usage: known-cost [start MS] [wait MS] [allocate MIB] [burn MS]\n";

/// Also what `known-cost-stamped` does between its two stamps, but for what is asked for before the first.
pub fn main() -> ExitCode {
    start();
    work()
}

/// Waits, if `start` asks for it: as an engine does that is slow to begin.
pub fn start() {
    for (what, amount) in requests().unwrap_or_default() {
        if what == "start" {
            std::thread::sleep(Duration::from_millis(amount));
        }
    }
}

/// Everything else.
pub fn work() -> ExitCode {
    let Some(requests) = requests() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    for (what, amount) in requests {
        match what.as_str() {
            "wait" => std::thread::sleep(Duration::from_millis(amount)),
            "allocate" => allocate(amount),
            "burn" => burn(amount),
            _ => {}
        }
    }
    println!("done");
    ExitCode::SUCCESS
}

fn requests() -> Option<Vec<(String, u64)>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let request = |pair: &[String]| match pair {
        [what, amount] if ["start", "wait", "allocate", "burn"].contains(&what.as_str()) => {
            Some((what.clone(), amount.parse().ok()?))
        }
        _ => None,
    };
    arguments.chunks(2).map(request).collect()
}

/// Every page is written to: one that is not is not there.
fn allocate(mebibytes: u64) {
    let length = usize::try_from(mebibytes << 20).unwrap_or(usize::MAX);
    let mut bytes = vec![0u8; length];
    for byte in bytes.iter_mut().step_by(4096) {
        *byte = 1;
    }
    black_box(bytes);
}

/// By its own processor time, so that it is the same amount on a machine that has other things to do.
fn burn(milliseconds: u64) {
    let end = now_ns(Clock::Processor) + milliseconds * 1_000_000;
    let mut value = 1u64;
    while now_ns(Clock::Processor) < end {
        for _ in 0..1_000 {
            value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}
