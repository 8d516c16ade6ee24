//! `cargo xtask`: see `cli` for the subcommands and ARCHITECTURE.md for the map.
#![allow(dead_code)]

mod analysis;
mod bench;
mod case;
mod claims;
mod cmd;
mod compare;
mod compile;
mod containerd;
mod doctor;
mod host;
mod machine;
mod measure;
mod oci;
mod plan;
mod registry;
mod report;
mod results;
mod stats;
mod toolbox;
mod workspace;

fn main() {}
