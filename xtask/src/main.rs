//! `cargo xtask`: see `cli` for the subcommands and ARCHITECTURE.md for the map.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::program::main(xtask::workspace::Workspace::locate)
}
