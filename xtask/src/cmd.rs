//! The door to other programs that are not measured: argument vector, time limit, end of stderr.
//!
//! Daemons are `session`'s, measured children `measure`'s.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock::Stopwatch;
use crate::secret::without_accounts;

mod following;
mod running;

pub use following::Following;
pub use running::{Running, Watched, pids};

/// How many bytes of a failed program's stderr an error quotes.
const STDERR_QUOTED_BYTES: usize = 2_000;
/// How long a program's file may be open for writing before that is an error ([`start`]).
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait before it is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// A command that is run to its end with its output captured.
#[derive(Clone, Debug)]
pub struct Cmd {
    program: OsString,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    inherited: Inherited,
    dir: Option<PathBuf>,
    stdin: Stdin,
    limit: Duration,
}

/// Which variables of this process a command gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inherited {
    Everything,
    Nothing,
}

/// What a command reads.
#[derive(Clone, Debug)]
enum Stdin {
    Bytes(Vec<u8>),
    File(Arc<File>),
}

/// What a finished command left.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything it wrote to stdout.
    pub stdout: Vec<u8>,
    /// Everything it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Stdout as text, without the line end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

impl Cmd {
    /// A program by name or path, with a time limit of a minute.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            envs: Vec::new(),
            inherited: Inherited::Everything,
            dir: None,
            stdin: Stdin::Bytes(Vec::new()),
            limit: Duration::from_mins(1),
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Nothing of this process's environment: only what [`Cmd::env`] sets.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.inherited = Inherited::Nothing;
        self
    }

    /// The folder to run in.
    #[must_use]
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_path_buf());
        self
    }

    /// Bytes for its stdin, which is otherwise empty.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// A file for its stdin.
    #[must_use]
    pub fn stdin_file(mut self, file: File) -> Self {
        self.stdin = Stdin::File(Arc::new(file));
        self
    }

    /// The time after which it is killed.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it, whatever its exit status.
    ///
    /// # Errors
    /// When it can not be started or exceeds its time limit.
    pub fn output(&self) -> anyhow::Result<Output> {
        let handle = self.begin()?;
        let Some(output) = handle.wait_timeout(self.limit)? else {
            handle.kill()?;
            bail!("`{self}` was still running after {} s and was killed", self.limit.as_secs());
        };
        Ok(Output { code: output.status.code(), stdout: output.stdout.clone(), stderr: output.stderr.clone() })
    }

    /// Runs it and expects exit status 0.
    ///
    /// # Errors
    /// As [`Cmd::output`], and with the end of its stderr when it exits with anything but 0.
    pub fn run(&self) -> anyhow::Result<Output> {
        self.check(self.output()?)
    }

    /// The output of this command, if it exited with status 0.
    ///
    /// # Errors
    /// With the end of its stderr when it did not.
    pub fn check(&self, output: Output) -> anyhow::Result<Output> {
        match output.code {
            Some(0) => Ok(output),
            Some(code) => bail!("`{self}` exited with status {code}{}", stderr_end(&output.stderr)),
            None => bail!("`{self}` was ended by a signal{}", stderr_end(&output.stderr)),
        }
    }

    /// Starts it and goes on, with its output captured.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn start(&self) -> anyhow::Result<Running> {
        let handle = self.begin()?;
        Ok(Running { handle, line: self.to_string() })
    }

    /// Starts it for whoever sits at the screen, and leaves it: it has no stream of this process, nobody ends it, and it may
    /// outlive us. It is watched for `moment` only, because what can not do its work says so soon.
    ///
    /// # Errors
    /// When it can not be started, or ends with anything but 0 within that time.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn leave(&self, moment: Duration) -> anyhow::Result<()> {
        let expression = duct::cmd(&self.program, &self.args).stdin_null().stdout_null().stderr_null().unchecked();
        let handle =
            start(&expression).with_context(|| format!("can not start `{}`", self.program.to_string_lossy()))?;
        match handle.wait_timeout(moment)? {
            Some(ended) if !ended.status.success() => bail!("`{self}` ended with {}", ended.status),
            _ => Ok(()),
        }
    }

    fn begin(&self) -> anyhow::Result<duct::Handle> {
        start(&self.expression()?.stdout_capture())
            .with_context(|| format!("can not start `{}`", self.program.to_string_lossy()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn expression(&self) -> anyhow::Result<duct::Expression> {
        let expression = duct::cmd(&self.program, &self.args);
        let expression = match &self.stdin {
            Stdin::Bytes(bytes) => expression.stdin_bytes(bytes.clone()),
            Stdin::File(file) => expression.stdin_file(file.try_clone()?),
        };
        let mut expression = expression.stderr_capture().unchecked();
        match self.inherited {
            Inherited::Nothing => expression = expression.full_env(self.envs.iter().cloned()),
            Inherited::Everything => {
                // `duct` lets the first one win; here the last one does, as everywhere.
                for (name, value) in self.envs.iter().rev() {
                    expression = expression.env(name, value);
                }
            }
        }
        if let Some(dir) = &self.dir {
            expression = expression.dir(dir);
        }
        Ok(expression)
    }
}

/// Starts a program, also one that was written a moment ago. Whatever another thread starts in that moment has, between its
/// `fork` and its `exec`, every descriptor of this process, that of the file too, however well it was closed here; and a file
/// that somebody can write to is not executed (`ETXTBSY`).
fn start(expression: &duct::Expression) -> std::io::Result<duct::Handle> {
    let clock = Stopwatch::start();
    loop {
        match expression.start() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && clock.elapsed() < BUSY_LIMIT => {
                std::thread::sleep(BUSY_PAUSE);
            }
            started => return started,
        }
    }
}

/// For errors, which reach reports: without the accounts that addresses can hold. A password that is an argument by itself
/// would be shown, to every user of the machine even: there is none.
impl std::fmt::Display for Cmd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&without_accounts(&self.program.to_string_lossy()))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", without_accounts(&arg.to_string_lossy())))
    }
}

/// The end of a program's stderr, ready to be appended to an error; empty when it said nothing.
pub fn stderr_end(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim_end();
    let start = text.ceil_char_boundary(text.len().saturating_sub(STDERR_QUOTED_BYTES));
    if text.is_empty() { String::new() } else { format!("; it said:\n{}", without_accounts(&text[start..])) }
}

/// Runs Cargo by `program` and `args` in `dir` and returns its stdout; what it says on stderr goes to `each` as it comes. It
/// gets no stderr of ours: should that be closed or full, Cargo would end with an error.
///
/// # Errors
/// When it can not be started or exits with anything but 0.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn build_step(
    dir: &Path,
    program: &OsStr,
    args: &[OsString],
    each: impl FnMut(launcher::CargoLine),
) -> anyhow::Result<String> {
    let (reader, writer) = std::io::pipe().context("can not make a pipe")?;
    let mut step = duct::cmd(program, args).dir(dir).stdin_null().stdout_capture().stderr_file(writer).unchecked();
    for (name, value) in launcher::SETTINGS {
        step = step.env(name, value);
    }
    let handle = start(&step).with_context(|| format!("can not start `{}`", program.to_string_lossy()))?;
    // Its end of the pipe would keep ours from seeing the end.
    drop(step);
    launcher::follow(reader, each).context("can not read what the build says")?;
    let output = handle.into_output()?;
    anyhow::ensure!(
        output.status.success(),
        "the build step `{}` ended with {}",
        program.to_string_lossy(),
        output.status
    );
    String::from_utf8(output.stdout).context("the build's messages are not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_command_status_and_stderr() {
        let error = Cmd::new("sh").args(["-c", "echo broken >&2; exit 3"]).run().unwrap_err().to_string();
        assert!(error.contains("status 3") && error.contains("broken"), "{error}");
    }

    #[test]
    fn an_error_shows_no_account_of_an_address() {
        let script = "echo reading http://u:hunter2@h/ >&2; exit 3";
        let error = Cmd::new("sh").args(["-c", script, "https://u:hunter2@h/x"]).run().unwrap_err().to_string();
        assert!(error.contains("https://***@h/x") && error.contains("http://***@h/"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_hanging_command_is_killed_at_its_limit() {
        let error = Cmd::new("sleep").arg("60").limit(Duration::from_millis(20)).run().unwrap_err().to_string();
        assert!(error.contains("still running"), "{error}");
    }

    #[test]
    fn a_bare_command_has_no_variable_but_its_own() {
        let said = Cmd::new("/usr/bin/env").bare().env("OWN", "1").run().unwrap().text();
        assert_eq!(said, "OWN=1");
        for command in [Cmd::new("/usr/bin/env"), Cmd::new("/usr/bin/env").bare()] {
            let said = command.env("OWN", "1").env("OWN", "2").run().unwrap().text();
            assert!(said.lines().any(|line| line == "OWN=2"), "{said}");
        }
        assert!(Cmd::new("/usr/bin/env").run().unwrap().text().contains("PATH="));
    }

    #[test]
    fn a_build_step_is_heard_and_its_stdout_returned() {
        let step = |script: &str| {
            let mut lines = Vec::new();
            let args = ["-c", script].map(OsString::from);
            let stdout = build_step(Path::new("/"), "sh".as_ref(), &args, |line| lines.push(line));
            (stdout, lines)
        };
        let (stdout, lines) = step("echo messages; echo 'warning: x' >&2; echo \"    Building [> ] 1/2: a\" >&2");
        assert_eq!(stdout.unwrap(), "messages\n");
        let warning = launcher::CargoLine::Other("warning: x".to_owned());
        assert_eq!(lines, [warning, launcher::CargoLine::Built { done: 1, total: 2 }]);
        assert!(step("exit 3").0.unwrap_err().to_string().contains("`sh` ended with"));
    }

    #[test]
    fn a_program_that_was_written_a_moment_ago_is_started() {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&program).unwrap();
        file.write_all(b"#!/bin/sh\necho started\n").unwrap();
        let busy = expression_error(&program);
        assert_eq!(busy, ErrorKind::ExecutableFileBusy);
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(file);
        });
        assert_eq!(Cmd::new(&program).run().unwrap().text(), "started");
        writer.join().unwrap();
    }

    /// What a single try comes to.
    fn expression_error(program: &Path) -> ErrorKind {
        Cmd::new(program).expression().unwrap().start().unwrap_err().kind()
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Cmd::new("no-such-program-here").run().unwrap_err().to_string();
        assert!(error.contains("`no-such-program-here`"), "{error}");
    }
}
