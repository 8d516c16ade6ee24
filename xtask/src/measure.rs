//! Schedule → timed runs → check of the output → sample rows. One of three modules that start processes.

mod bar;
pub mod calibration;
pub mod calls;
pub mod child;
mod difference;
pub mod expectation;
pub mod feed;
pub mod marks;
pub mod orphans;
pub mod output;
pub mod resources;
pub mod rounds;
pub mod runs;
pub mod single;
mod stamps;
pub mod traced;
pub mod watchdog;
