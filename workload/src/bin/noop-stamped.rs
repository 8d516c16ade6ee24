//! `noop`, with the monotonic clock as the first and the last line: what runs of it are traced by.

#[path = "noop.rs"]
mod noop;

fn main() {
    workload::stamp::print();
    noop::main();
    workload::stamp::print();
}
