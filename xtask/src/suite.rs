//! `cargo xtask test`: every test, stage by stage. The stages that need the real system use it: the real
//! toolbox, containerd, registries and this very program, started as a person would start it.
//!
//! A stage is a list of checks. A check passes, fails with a reason, or could not run, with a reason; none
//! is ever left out silently. Unit tests stay with their modules and are one stage here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::{Exit, TestArgs};
use crate::clock::Stopwatch;
use crate::cmd::{Cmd, Output};
use crate::commands;
use crate::lock;
use crate::session::privileges::{Namespaces, Privileges};
use crate::workspace::{KEEP_BUILDS, LOCK_FOLDER, MARKER, Workspace};
use results::names::{Misnamed, Names};

mod bad_input;
mod browser;
mod documents;
mod endings;
mod faults;
mod images;
mod isolation;
mod matrix;
mod measuring;
mod programs;
mod registries;
pub mod shim;
mod source;
mod tools;
mod variants;

/// How long a command of this program may take in a check.
const COMMAND_LIMIT: Duration = Duration::from_mins(25);

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many tests passed (one, but for a stage that runs other tests).
    Passed(u32),
    /// It does not hold, and why.
    Failed(String),
    /// It could not run here, and why.
    Skipped(String),
}

/// One thing that must hold.
#[derive(Clone, Debug)]
pub struct Check {
    /// What must hold.
    pub name: String,
    /// Whether it does.
    pub outcome: Outcome,
}

impl Check {
    /// A check from its result: an error is the reason of its failure.
    pub fn of(name: impl Into<String>, result: anyhow::Result<()>) -> Self {
        let outcome = match result {
            Ok(()) => Outcome::Passed(1),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        Self { name: name.into(), outcome }
    }

    /// A check that could not run.
    pub fn skipped(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Skipped(reason.into()) }
    }
}

/// A check's name, and the check.
type Named = (&'static str, fn(&Rig) -> anyhow::Result<()>);

struct Stage {
    name: &'static str,
    what: &'static str,
    run: fn(&Rig) -> Vec<Check>,
}

const STAGES: &[Stage] = &[
    Stage { name: "format", what: "the source is formatted", run: source::format },
    Stage { name: "unit", what: "cargo test: needs only Rust", run: source::unit },
    Stage { name: "lint", what: "clippy, warnings denied", run: source::lint },
    Stage { name: "toolbox", what: "fetched, verified, repaired", run: tools::toolbox },
    Stage { name: "programs", what: "fetched and built on request, repaired, refused", run: programs::programs },
    Stage { name: "build", what: "both targets and the shim, checked", run: tools::build },
    Stage { name: "shim-unit", what: "the shim's own tests and lints", run: source::shim },
    Stage { name: "image", what: "reproducible, verified, read by skopeo", run: images::images },
    Stage { name: "registry", what: "pushed to Debian's docker-registry", run: registries::registries },
    Stage { name: "shim", what: "modules in real containers", run: shim::stage },
    Stage { name: "matrix", what: "rows by file alone, and runtimes of one's own", run: matrix::matrix },
    Stage { name: "bench", what: "a short real run, its files, its rebuild", run: measuring::bench },
    Stage { name: "variants", what: "--until, a sweep, an existing containerd", run: variants::variants },
    Stage { name: "endings", what: "SIGKILL, Ctrl-C, two at once, not root", run: endings::endings },
    Stage { name: "bad-input", what: "clear errors, nothing lost", run: bad_input::bad_input },
    Stage { name: "isolation", what: "the shim beside runc, and attacks from inside", run: isolation::isolation },
    Stage { name: "shim-wasmtime", what: "the same, and isolation, for the shim for Wasmtime", run: shim::wasmtime },
    Stage { name: "faults", what: "what goes wrong around a run", run: faults::faults },
    Stage { name: "documents", what: "what documents say is current", run: documents::documents },
    Stage { name: "browser", what: "report.html in headless Chromium", run: browser::browser },
];

/// What every stage needs.
#[derive(Debug)]
pub struct Rig {
    /// The checkout.
    pub workspace: Workspace,
    /// A folder that is removed at the end.
    pub scratch: PathBuf,
    /// This program.
    program: PathBuf,
    /// How this user may become root.
    pub privileges: Privileges,
}

/// Runs the stages and prints what each check came to.
pub fn run(workspace: &Workspace, args: &TestArgs) -> anyhow::Result<Exit> {
    let stages = select(&args.stages)?;
    if args.list {
        return stages
            .iter()
            .try_for_each(|stage| commands::print(&format!("{:13} {}\n", stage.name, stage.what)))
            .map(|()| Exit::Done);
    }
    let _locks = lock::test(workspace, args.busy.busy())?;
    let scratch =
        tempfile::Builder::new().prefix("xtask-test-").tempdir().context("can not make a temporary folder")?;
    let rig = Rig {
        workspace: workspace.clone().keeping_builds(),
        scratch: scratch.path().to_path_buf(),
        program: std::env::current_exe().context("can not find this program's own file")?,
        privileges: Privileges::find(Namespaces::Private),
    };
    let mut checks = Vec::new();
    for stage in stages {
        commands::print(&format!("\n{}: {}\n", stage.name, stage.what))?;
        let clock = Stopwatch::start();
        let mut done = (stage.run)(&rig);
        done.iter().try_for_each(show)?;
        commands::print(&format!("  ({:.1} s)\n", clock.elapsed().as_secs_f64()))?;
        checks.append(&mut done);
    }
    conclude(&checks)
}

fn show(check: &Check) -> anyhow::Result<()> {
    let line = match &check.outcome {
        Outcome::Passed(1) => format!("  passed   {}\n", check.name),
        Outcome::Passed(count) => format!("  passed   {} ({count} tests)\n", check.name),
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

fn select(patterns: &[String]) -> Result<Vec<&'static Stage>, Misnamed> {
    if patterns.is_empty() {
        return Ok(STAGES.iter().collect());
    }
    let known = STAGES.iter().map(|stage| stage.name.to_owned()).collect();
    let names = Names { one: "stage", several: "stages", known };
    let mut chosen = BTreeSet::new();
    for text in patterns {
        chosen.extend(names.matching(text)?);
    }
    Ok(chosen.into_iter().map(|index| &STAGES[index]).collect())
}

impl Rig {
    /// This program with arguments, as `cargo xtask` starts it.
    pub fn xtask(&self, args: &[&str]) -> Cmd {
        self.in_checkout(Cmd::new(&self.program)).args(args)
    }

    /// This program as an argument of another one, which it is started by; its own arguments are still to be added.
    pub fn xtask_below<S: AsRef<std::ffi::OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Cmd {
        self.in_checkout(Cmd::new(program)).args(args).arg(&self.program)
    }

    /// A command that will start this program. The suite itself holds the machine's lock: what it starts excludes only
    /// each other.
    pub fn in_checkout(&self, cmd: Cmd) -> Cmd {
        cmd.env(LOCK_FOLDER, self.scratch.join("locks"))
            .env(KEEP_BUILDS, "1")
            .dir(self.workspace.root())
            .limit(COMMAND_LIMIT)
    }

    /// This program's file.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A `target` of its own, as another checkout has it, whose toolbox needs no network: it has the package files of
    /// this one.
    pub fn second_target(&self, name: &str) -> anyhow::Result<PathBuf> {
        let target = self.scratch.join(name);
        let toolbox = target.join("toolbox");
        std::fs::create_dir_all(&toolbox)?;
        std::fs::write(toolbox.join(MARKER), "")?;
        for name in ["apt", "run.packages.json"] {
            Cmd::new("cp").arg("-r").arg(self.workspace.toolbox().join(name)).arg(&toolbox).run()?;
        }
        Ok(target)
    }

    /// Cargo in the checkout.
    pub fn cargo(&self, args: &[&str]) -> Cmd {
        Cmd::new("cargo").args(args).dir(self.workspace.root()).limit(COMMAND_LIMIT)
    }

    /// Why containers can not be tried; `None` when they can.
    pub fn no_containers(&self) -> Option<String> {
        match &self.privileges {
            Privileges::Root => None,
            Privileges::Sudo => Some("the suite tries containers as root: run `sudo -E make test`".to_owned()),
            Privileges::Denied(reason) => Some(reason.clone()),
        }
    }
}

/// Fails unless a command ended with this exit status.
pub fn expect_code(output: &Output, code: i32) -> anyhow::Result<()> {
    anyhow::ensure!(
        output.code == Some(code),
        "exit status {:?} instead of {code}\nstdout: {}\nstderr: {}",
        output.code,
        end(&output.stdout),
        end(&output.stderr)
    );
    Ok(())
}

/// Fails unless a command ended with an error that says all of this, and did not panic.
pub fn expect_error(output: &Output, code: i32, says: &[&str]) -> anyhow::Result<()> {
    expect_code(output, code)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(!stderr.contains("panicked"), "it panicked: {stderr}");
    for words in says {
        anyhow::ensure!(stderr.contains(words), "its error does not say {words:?}:\n{stderr}");
    }
    Ok(())
}

/// The end of what a program wrote.
pub fn end(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    let start = text.ceil_char_boundary(text.len().saturating_sub(3_000));
    text[start..].to_owned()
}
