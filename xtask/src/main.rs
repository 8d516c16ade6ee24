//! `cargo xtask`: see `cli` for the subcommands and ARCHITECTURE.md for the map.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cli;
mod clock;
mod cmd;
mod commands;
mod compile;
mod console;
mod containerd;
mod doctor;
mod invocation;
mod lock;
mod machine;
mod matrix;
mod measure;
mod plan;
mod precision;
mod prepare;
mod programs;
mod progress;
mod registry;
mod secret;
mod session;
mod stop;
mod suite;
mod toolbox;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, Exit};
use workspace::Workspace;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::note(format_args!("error: {error:#}"));
            if error.is::<results::names::Misnamed>() { Exit::Usage.into() } else { Exit::Failed.into() }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    // Under sudo Cargo's variables are gone, and the checkout may have been moved since this was compiled: what these
    // need stands in their file.
    match &cli.command {
        Command::Inside { session } => {
            return session::inside::inside(session, &precision::widest).map(|()| Exit::Done);
        }
        Command::RemoveLeftovers { leftovers } => {
            return session::inside::remove_leftovers(leftovers).map(|()| Exit::Done);
        }
        Command::ShimSuite { request } => return suite::shim::inside(request).map(|()| Exit::Done),
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
        Command::Report(args) => commands::report::run(&workspace, &args),
        Command::Compare(args) => commands::compare::run(&workspace, &args),
        Command::Toolbox(args) => commands::toolbox::run(&workspace, &args),
        Command::Cases(args) => commands::cases::run(&workspace, &args),
        Command::Plan(args) => commands::plan::run(&workspace, &args),
        Command::Coverage(args) => commands::coverage::run(args),
        Command::Test(args) => suite::run(&workspace, &args),
        Command::Clean(args) => commands::clean::run(&workspace, args),
        Command::Completions { shell } => console::result(&cli::completions::script(shell)).map(|()| Exit::Done),
        Command::Inside { .. } | Command::RemoveLeftovers { .. } | Command::ShimSuite { .. } => Ok(Exit::Done),
    }
}
