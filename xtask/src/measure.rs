//! Schedule → clock → check of the output → sample rows. The only module that reads the clock, and one of
//! three that start processes.

pub mod child;
pub mod clock;
mod difference;
pub mod output;
mod progress;
pub mod rounds;
pub mod session;
pub mod stop;
pub mod watchdog;
