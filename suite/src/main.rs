//! `cargo xtask test`: every test, stage by stage. The stages that need the real system use it: the real
//! toolbox, containerd, registries and `xtask` itself, started as a person would start it.
//!
//! It is a program of its own: nothing of it is in what people measure with.
//!
//! A stage is a list of checks. A check passes, fails with a reason, or could not run, with a reason; none
//! is ever left out silently. Unit tests stay with their modules and are one stage here.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;

use ahead::Ahead;
use results::names::{Misnamed, Names};
use rig::{Check, Named, Outcome, Rig, end, expect_code, expect_error};
use xtask::cli::{Cli, Command, Exit, TestArgs};
use xtask::clock::Stopwatch;
use xtask::session::privileges::{Namespaces, Privileges};
use xtask::workspace::Workspace;
use xtask::{commands, lock};

mod ahead;
mod bad_input;
mod browser;
mod cluster;
mod density;
mod documents;
mod endings;
mod faults;
mod first_use;
mod images;
mod isolation;
mod large;
mod looks;
mod matrix;
mod measuring;
mod own_program;
mod pods;
mod programs;
mod registries;
mod rig;
mod shim;
mod source;
mod timeline;
mod tools;
mod variants;

/// The program under test, built beside this one.
const PROGRAM: &str = "xtask";

struct Stage {
    name: &'static str,
    what: &'static str,
    run: fn(&Rig) -> Vec<Check>,
}

/// Stages that use every processor.
const COMPUTING: &[Stage] = &[
    Stage { name: "format", what: "the source is formatted", run: source::format },
    Stage { name: "unit", what: "tests and lints of what needs only Rust", run: source::unit },
    Stage { name: "toolbox", what: "fetched, verified, repaired", run: tools::toolbox },
    Stage { name: "programs", what: "fetched and built on request, repaired, refused", run: programs::programs },
    Stage { name: "build", what: "both targets and the shim, checked", run: tools::build },
    Stage { name: "shim-unit", what: "the shim's own tests and lints", run: source::shim },
];

/// Stages that wait more than they compute, and judge no time, or one that is many times another: programs for the measuring ones are built meanwhile, which makes
/// a cold run minutes shorter.
const WAITING: &[Stage] = &[
    Stage { name: "image", what: "reproducible, verified, read by skopeo", run: images::images },
    Stage { name: "registry", what: "pushed to Debian's docker-registry", run: registries::registries },
    Stage { name: "shim", what: "modules in real containers", run: shim::stage },
    Stage { name: "endings", what: "SIGKILL, Ctrl-C, two at once, not root", run: endings::endings },
    Stage { name: "bad-input", what: "clear errors, nothing lost", run: bad_input::bad_input },
    Stage { name: "faults", what: "what goes wrong around a run", run: faults::faults },
    Stage { name: "documents", what: "what documents say is current", run: documents::documents },
    Stage { name: "browser", what: "report.html in headless Chromium", run: browser::browser },
    Stage { name: "isolation", what: "the shim beside runc, and attacks from inside", run: isolation::isolation },
    Stage { name: "cri", what: "containers in pods, by containerd's CRI", run: pods::pods },
    Stage {
        name: "own-program",
        what: "a package, a pair and a file of somebody's own",
        run: own_program::own_program,
    },
    Stage { name: "variants", what: "--until, a sweep, an existing containerd", run: variants::variants },
    Stage { name: "first-use", what: "what is not there yet, and bytes on disk", run: first_use::first_use },
    Stage { name: "density", what: "idle instances against what is known of them", run: density::density },
    CLUSTER,
    WASMTIME,
];

/// Stages that hold times against each other, or need those programs: nothing else runs beside them.
const MEASURING: &[Stage] = &[
    Stage { name: "matrix", what: "rows by file alone, and runtimes of one's own", run: matrix::matrix },
    Stage { name: "looks", what: "how modules are executed, what isolates containers", run: looks::looks },
    Stage { name: "bench", what: "a short real run, its files, its rebuild", run: measuring::bench },
    Stage { name: "timeline", what: "known costs, each in its own place", run: timeline::timeline },
];

/// The stage that needs Kubernetes, which takes minutes to build.
const CLUSTER: Stage =
    Stage { name: "cluster", what: "Jobs on a real Kubernetes of three nodes", run: cluster::cluster };

/// The stage that needs the shim for Wasmtime, which takes minutes to build, too.
const WASMTIME: Stage = Stage {
    name: "shim-wasmtime",
    what: "trials and isolation, as of the other shim, for the one for Wasmtime",
    run: shim::wasmtime,
};

/// Stages that no plain run has: they fetch what nothing else needs.
const ON_REQUEST: &[Stage] = &[Stage {
    name: "languages",
    what: "pairs in C and in Go, with their compilers (on request)",
    run: own_program::languages,
}];

/// What a stage does with the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Computes,
    Waits,
    Measures,
}

/// Every stage, in the order in which they run.
fn all_stages() -> impl Iterator<Item = (Load, &'static Stage)> {
    let of = |load, stages: &'static [Stage]| stages.iter().map(move |stage| (load, stage));
    let usual = of(Load::Computes, COMPUTING).chain(of(Load::Waits, WAITING)).chain(of(Load::Measures, MEASURING));
    usual.chain(of(Load::Measures, ON_REQUEST))
}

/// A word that this program is started again with, and what it then does with a file.
type Hidden = (&'static str, fn(&Path) -> anyhow::Result<()>);

/// What this program is started again for.
const HIDDEN: [Hidden; 2] = [(shim::INSIDE, shim::inside), (looks::DAMAGE, looks::damage)];

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    // Under sudo Cargo's variables are gone, and the checkout may have been moved since this was compiled: what this
    // needs stands in its file.
    let hidden = words.next();
    for (name, work) in HIDDEN {
        if hidden.as_deref() == Some(OsStr::new(name)) {
            let done = words.next().context("it has no file to work with").and_then(|file| work(Path::new(&file)));
            return commands::exit_code(done.map(|()| Exit::Done));
        }
    }
    commands::exit_code(tests(Cli::parse()))
}

fn tests(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Test(args) => run(&Workspace::locate()?, &args),
        _ => anyhow::bail!("this program is `cargo xtask test` alone"),
    }
}

/// Runs the stages and prints what each check came to.
fn run(workspace: &Workspace, args: &TestArgs) -> anyhow::Result<Exit> {
    let stages = select(&args.stages)?;
    if args.list {
        let stages = if args.stages.is_empty() { all_stages().collect() } else { stages };
        return stages
            .iter()
            .try_for_each(|(_, stage)| commands::print(&format!("{:13} {}\n", stage.name, stage.what)))
            .map(|()| Exit::Done);
    }
    let _locks = lock::test(workspace, args.busy.busy())?;
    let scratch =
        tempfile::Builder::new().prefix("xtask-test-").tempdir().context("can not make a temporary folder")?;
    let suite = std::env::current_exe().context("can not find this program's own file")?;
    let rig = Rig {
        workspace: workspace.clone().keeping_builds(),
        scratch: scratch.path().to_path_buf(),
        suite: suite.clone(),
        program: suite.with_file_name(PROGRAM),
        privileges: Privileges::find(Namespaces::Private),
    };
    let mut checks = Vec::new();
    let measures = stages.iter().any(|(load, _)| *load == Load::Measures);
    let mut ahead = Ahead::default();
    if stages.iter().any(|(_, stage)| stage.name == CLUSTER.name) {
        ahead.kubernetes(&rig)?;
    }
    let mut waiting = false;
    for (load, stage) in stages {
        match load {
            Load::Waits if measures && !waiting => {
                ahead.programs(&rig)?;
                waiting = true;
            }
            Load::Measures => ahead.finish(),
            _ => {}
        }
        match stage.name {
            name if name == CLUSTER.name => ahead.finish_kubernetes(),
            name if name == WASMTIME.name => ahead.finish_wasmtime(),
            _ => {}
        }
        commands::print(&format!("\n{}: {}\n", stage.name, stage.what))?;
        let clock = Stopwatch::start();
        rig::lap();
        let mut done = (stage.run)(&rig);
        done.iter().try_for_each(show)?;
        commands::print(&format!("  ({:.1} s)\n", clock.elapsed().as_secs_f64()))?;
        checks.append(&mut done);
    }
    conclude(&checks)
}

/// A check that took so long is shown with its time: it is what makes the whole slow.
const LONG: Duration = Duration::from_secs(5);

fn show(check: &Check) -> anyhow::Result<()> {
    let took = check.took.as_secs_f64();
    let took = if check.took < LONG { String::new() } else { format!(" ({took:.0} s)") };
    let line = match &check.outcome {
        Outcome::Passed(1) => format!("  passed   {}{took}\n", check.name),
        Outcome::Passed(count) => format!("  passed   {} ({count} tests){took}\n", check.name),
        Outcome::Failed(reason) => {
            format!("  FAILED   {}\n           {}\n", check.name, reason.replace('\n', "\n           "))
        }
        Outcome::Skipped(reason) => format!("  skipped  {}\n           {reason}\n", check.name),
    };
    commands::print(&line)
}

fn conclude(checks: &[Check]) -> anyhow::Result<Exit> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for check in checks {
        match check.outcome {
            Outcome::Passed(count) => passed += count,
            Outcome::Failed(_) => failed += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    let again: Vec<&Check> = checks.iter().filter(|check| !matches!(check.outcome, Outcome::Passed(_))).collect();
    if !again.is_empty() {
        commands::print("\nnot passed:\n")?;
        again.into_iter().try_for_each(show)?;
    }
    let tail = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    commands::print(&format!("\n{passed} passed, {failed} failed{tail}\n"))?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

fn select(patterns: &[String]) -> Result<Vec<(Load, &'static Stage)>, Misnamed> {
    let all: Vec<_> = all_stages().collect();
    if patterns.is_empty() {
        let is_usual = |stage: &Stage| ON_REQUEST.iter().all(|other| other.name != stage.name);
        return Ok(all.into_iter().filter(|(_, stage)| is_usual(stage)).collect());
    }
    let known = all.iter().map(|(_, stage)| stage.name.to_owned()).collect();
    let names = Names { one: "stage", several: "stages", known };
    let mut chosen = BTreeSet::new();
    for text in patterns {
        chosen.extend(names.matching(text)?);
    }
    Ok(chosen.into_iter().map(|index| all[index]).collect())
}
