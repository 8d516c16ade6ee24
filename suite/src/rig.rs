//! What every check has: a checkout, a folder, the program under test, and how its outcome is said.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use xtask::clock::Stopwatch;
use xtask::cmd::{Cmd, Output};
use xtask::session::privileges::Privileges;
use xtask::workspace::{KEEP_BUILDS, LOCK_FOLDER, MARKER, Workspace};

/// How long a command of this program may take in a check.
pub const COMMAND_LIMIT: Duration = Duration::from_mins(25);

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
    /// How long it took, counted from when the check before it was made.
    pub took: Duration,
}

/// When the last check was made, or the stage began.
static LAST: Mutex<Option<Stopwatch>> = Mutex::new(None);

/// Begins to count the time of the next check; how long it is since the last time.
pub fn lap() -> Duration {
    let before = LAST.lock().unwrap_or_else(PoisonError::into_inner).replace(Stopwatch::start());
    before.map_or(Duration::ZERO, Stopwatch::elapsed)
}

impl Check {
    /// A check from its result: an error is the reason of its failure.
    pub fn of(name: impl Into<String>, result: anyhow::Result<()>) -> Self {
        let outcome = match result {
            Ok(()) => Outcome::Passed(1),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        Self::came_to(name, outcome)
    }

    /// A check from what it came to.
    pub fn came_to(name: impl Into<String>, outcome: Outcome) -> Self {
        Self { name: name.into(), outcome, took: lap() }
    }

    /// A check that could not run.
    pub fn skipped(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::came_to(name, Outcome::Skipped(reason.into()))
    }
}

/// A check's name, and the check.
pub type Named = (&'static str, fn(&Rig) -> anyhow::Result<()>);

/// What every stage needs.
#[derive(Debug)]
pub struct Rig {
    /// The checkout.
    pub workspace: Workspace,
    /// A folder that is removed at the end.
    pub scratch: PathBuf,
    /// This program.
    pub suite: PathBuf,
    /// The program under test.
    pub program: PathBuf,
    /// How this user may become root.
    pub privileges: Privileges,
}

impl Rig {
    /// The program under test with arguments, as `cargo xtask` starts it.
    pub fn xtask(&self, args: &[&str]) -> Cmd {
        self.in_checkout(Cmd::new(&self.program)).args(args)
    }

    /// This program with arguments, as `cargo xtask test` starts it.
    pub fn suite(&self, args: &[&str]) -> Cmd {
        self.in_checkout(Cmd::new(&self.suite)).args(args)
    }

    /// The program under test as an argument of another one, which it is started by; its own arguments are still to be added.
    pub fn xtask_below<S: AsRef<std::ffi::OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Cmd {
        self.in_checkout(Cmd::new(program)).args(args).arg(&self.program)
    }

    /// A command that will start the program under test. The suite itself holds the machine's lock: what it starts excludes only
    /// each other.
    pub fn in_checkout(&self, cmd: Cmd) -> Cmd {
        cmd.env(LOCK_FOLDER, self.scratch.join("locks"))
            .env(KEEP_BUILDS, "1")
            .dir(self.workspace.root())
            .limit(COMMAND_LIMIT)
    }

    /// The file of the program under test.
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

/// Copies what a run consists of without its report: the manifest, and the lines of its files.
pub fn copy_facts(run: &Path, to: &Path) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(run)?.collect::<Result<Vec<_>, _>>()?;
    let is_fact = |path: &&PathBuf| path.ends_with("manifest.json") || path.extension() == Some("jsonl".as_ref());
    for file in entries.iter().map(std::fs::DirEntry::path).collect::<Vec<_>>().iter().filter(is_fact) {
        std::fs::copy(file, to.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
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
