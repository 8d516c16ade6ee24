//! Schedule → timed runs → check of the output → sample rows. One of three modules that start processes.

pub mod child;
mod difference;
pub mod orphans;
pub mod output;
mod progress;
pub mod rounds;
pub mod watchdog;
