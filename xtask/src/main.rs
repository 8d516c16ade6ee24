//! `cargo xtask`: see `cli` for the subcommands and ARCHITECTURE.md for the map.
#![allow(dead_code)]

mod analysis;
mod bench;
mod case;
mod claims;
mod cli;
mod cmd;
mod commands;
mod compare;
mod compile;
mod conduct;
mod containerd;
mod doctor;
mod host;
mod lock;
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

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Command, Exit};
use workspace::Workspace;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            Exit::Failed.into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let workspace = Workspace::locate()?;
    match cli.command {
        Command::Plan(args) => commands::plan::run(&workspace, &args),
        Command::Clean(args) => commands::clean::run(&workspace, args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "cargo-xtask", &mut std::io::stdout());
            Ok(Exit::Done)
        }
        Command::Inside { session } => conduct::inside(&session, &|_, _| false).map(|()| Exit::Done),
        _ => anyhow::bail!("not wired yet"),
    }
}
