//! What `cargo xtask` does, as a library: for its own binary, and for the tests of it, which are a program of their own
//! (`suite`). ARCHITECTURE.md is the map.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod bench;
pub mod cgroups;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod cmd;
pub mod commands;
pub mod compile;
pub mod console;
pub mod containerd;
pub mod density;
pub mod doctor;
pub mod invocation;
pub mod isolation;
pub mod lock;
pub mod machine;
pub mod matrix;
pub mod measure;
pub mod own_program;
pub mod plan;
pub mod precision;
pub mod prepare;
pub mod program;
pub mod programs;
pub mod progress;
pub mod registry;
pub mod secret;
pub mod session;
pub mod stop;
pub mod toolbox;
pub mod workspace;
