//! `cargo xtask`: see `cli` for the subcommands and ARCHITECTURE.md for the map.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser as _;

use xtask::cli::{self, Cli, Command, Exit};
use xtask::workspace::Workspace;
use xtask::{commands, console, precision, session};

fn main() -> ExitCode {
    commands::exit_code(run(Cli::parse()))
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    // Under sudo Cargo's variables are gone, and the checkout may have been moved since this was compiled: what these
    // need stands in their file.
    match &cli.command {
        Command::Inside { session } => {
            return session::inside::inside(session, &precision::widest).map(|()| Exit::Done);
        }
        Command::RemoveLeftovers { leftovers } => {
            return session::leftovers::remove(leftovers).map(|()| Exit::Done);
        }
        _ => {}
    }
    let workspace = Workspace::locate()?;
    match cli.command {
        Command::Doctor(args) => commands::doctor::run(&workspace, args),
        Command::Build(args) => commands::build::run(&workspace, &args),
        Command::Image(args) => commands::image::run(&workspace, &args),
        Command::Push(args) => commands::push::run(&workspace, &args),
        Command::Run(args) => commands::run::run(&workspace, &args),
        Command::Bench(args) => commands::bench::run(&workspace, &args),
        Command::Density(args) => commands::density::run(&workspace, &args),
        Command::Report(args) => commands::report::run(&workspace, &args),
        Command::Compare(args) => commands::compare::run(&workspace, &args),
        Command::Toolbox(args) => commands::toolbox::run(&workspace, &args),
        Command::Cases(args) => commands::cases::run(&workspace, &args),
        Command::Plan(args) => commands::plan::run(&workspace, &args),
        Command::Coverage(args) => commands::coverage::run(args),
        Command::Test(_) => {
            anyhow::bail!("the tests are a program of their own: `cargo xtask test` builds and starts it")
        }
        Command::Clean(args) => commands::clean::run(&workspace, args),
        Command::Completions { shell } => console::result(&cli::completions::script(shell)).map(|()| Exit::Done),
        Command::Inside { .. } | Command::RemoveLeftovers { .. } => Ok(Exit::Done),
    }
}
