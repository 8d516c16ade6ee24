//! What `cargo xtask` starts: it builds the program, says from the first second how far that is, and becomes it.
//!
//! Without it Cargo would have to be quiet for minutes in a fresh checkout, or wordy in every later call too. It has no
//! dependencies, so it is there in a second. Nothing is said when there is nothing to build.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use launcher::{CargoLine, SETTINGS, follow};

/// What is built: the program of a call, and what it needs beside itself.
struct Target {
    /// The binary that this becomes, of the package of the same name.
    program: &'static str,
    /// Everything that is built with it.
    binaries: &'static [&'static str],
    /// What that is called while it is built.
    what: &'static str,
}

/// What people measure with.
const XTASK: Target = Target { program: "xtask", binaries: &["xtask"], what: "the program `cargo xtask`" };

/// The tests, which are no part of it and start it.
const SUITE: Target = Target { program: "suite", binaries: &["suite", "xtask"], what: "the tests of `cargo xtask`" };

impl Target {
    /// What a call is for, by its first word.
    fn of(first: Option<&OsStr>) -> &'static Self {
        if first.is_some_and(|word| word == "test") { &SUITE } else { &XTASK }
    }
}

/// As Cargo's own, when it can not build.
const NOT_BUILT: u8 = 101;

fn main() -> ExitCode {
    let Err(reason) = run();
    note(&format!("error: {reason}"));
    ExitCode::from(NOT_BUILT)
}

fn run() -> Result<Infallible, String> {
    let target = Target::of(std::env::args_os().nth(1).as_deref());
    build(target)?;
    let own = std::env::current_exe().map_err(|error| format!("can not find this program's own file: {error}"))?;
    let program = own.with_file_name(target.program);
    Err(become_program(&program))
}

#[expect(clippy::disallowed_methods, reason = "it starts Cargo, and nothing else")]
fn build(target: &Target) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .arg("build")
        .args(target.binaries.iter().flat_map(|name| ["--package", name, "--bin", name]))
        .envs(SETTINGS)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("can not start Cargo: {error}"))?;
    let mut shown = Shown { what: target.what, ..Shown::default() };
    if let Some(stderr) = child.stderr.take() {
        follow(stderr, |line| shown.take(line)).map_err(|error| format!("can not read what Cargo says: {error}"))?;
    }
    shown.clear();
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("Cargo could not build {}: what it said is above", target.what)),
        Err(error) => Err(format!("can not wait for Cargo: {error}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "it becomes the program")]
fn become_program(program: &std::path::Path) -> String {
    let error = Command::new(program).args(std::env::args_os().skip(1)).exec();
    format!("can not start `{}`: {error}", program.display())
}

/// What was said so far.
#[derive(Debug, Default)]
struct Shown {
    what: &'static str,
    tenths: Option<u64>,
    waits: String,
    drawn: bool,
}

impl Shown {
    fn take(&mut self, said: CargoLine) {
        match said {
            CargoLine::Built { done, total } => self.built(done, total),
            CargoLine::Waits(text) if text != self.waits => {
                self.clear();
                note(&format!("cargo: {text}"));
                self.waits = text;
            }
            CargoLine::Waits(_) | CargoLine::Status => {}
            CargoLine::Other(line) => {
                self.clear();
                note(&line);
            }
        }
    }

    /// On a terminal in one line; elsewhere a line at the beginning, at each further tenth, and for the last one, which
    /// is the program itself and takes longest.
    fn built(&mut self, done: u64, total: u64) {
        let text = format!("building {}: {done} of {total} crates and build scripts", self.what);
        if std::io::stderr().is_terminal() {
            write(&format!("\r\x1b[K{text}"));
            self.drawn = true;
            return;
        }
        let tenths = if done + 1 == total { 10 } else { done * 10 / total.max(1) };
        if self.tenths.is_none_or(|before| tenths > before) {
            note(&text);
            self.tenths = Some(tenths);
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write("\r\x1b[K");
        }
    }
}

fn note(line: &str) {
    write(&format!("{line}\n"));
}

/// A note that can not be written is dropped: the program itself decides what a closed or full stderr means.
fn write(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tests_build_the_tests() {
        let program = |first: Option<&str>| Target::of(first.map(OsStr::new)).program;
        assert_eq!(program(Some("test")), "suite");
        for first in [None, Some("bench"), Some("help"), Some("--help"), Some("tests")] {
            assert_eq!(program(first), "xtask", "{first:?}");
        }
        assert!(!XTASK.binaries.contains(&"suite") && SUITE.binaries.contains(&"xtask"));
    }
}
