//! The whole program, in a checkout as where it was installed: the command line, and what each command does.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{self, Cli, Command, Exit};
use crate::workspace::Workspace;
use crate::{cluster, commands, console, precision, session};

/// Does what the command line says, where `locate` finds everything.
pub fn main(locate: impl FnOnce() -> anyhow::Result<Workspace>) -> ExitCode {
    commands::exit_code(run(parse(), locate))
}

/// The command line, under the name by which it was called.
fn parse() -> Cli {
    let mut command = Cli::command();
    let name = console::called();
    if name != console::IN_A_CHECKOUT {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        command = command.name(name).bin_name(name).after_help(console::by_name(&examples).into_owned());
    }
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

fn run(cli: Cli, locate: impl FnOnce() -> anyhow::Result<Workspace>) -> anyhow::Result<Exit> {
    // Under sudo Cargo's variables are gone, and the checkout may have been moved since this was compiled: what these
    // need stands in their file.
    match &cli.command {
        Command::Inside { session } => {
            return session::inside::inside(session, &precision::widest).map(|()| Exit::Done);
        }
        Command::ClusterInside(args) => return cluster::control::run(&args.request).map(|()| Exit::Done),
        Command::ClusterNode(args) => return cluster::node::run(&args.request, args.number).map(|()| Exit::Done),
        Command::RemoveLeftovers { leftovers } => {
            return session::leftovers::remove(leftovers).map(|()| Exit::Done);
        }
        _ => {}
    }
    let workspace = locate()?;
    match cli.command {
        Command::Doctor(args) => commands::doctor::run(&workspace, args),
        Command::Build(args) => commands::build::run(&workspace, &args),
        Command::Image(args) => commands::image::run(&workspace, &args),
        Command::Push(args) => commands::push::run(&workspace, &args),
        Command::Init(args) => commands::init::run(&args),
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
            anyhow::bail!(
                "the tests are a program of their own: Cargo builds and starts it in a checkout, by `xtask test`"
            )
        }
        Command::Clean(args) => commands::clean::run(&workspace, args),
        Command::Completions { shell } => console::result(&cli::completions::script(shell)).map(|()| Exit::Done),
        Command::Cluster(args) => commands::cluster::run(&workspace, args),
        Command::Inside { .. }
        | Command::ClusterInside(_)
        | Command::ClusterNode(_)
        | Command::RemoveLeftovers { .. } => Ok(Exit::Done),
    }
}
