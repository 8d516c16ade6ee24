//! Stages on the source: format; unit tests and lints, by one build; and the same for the shims, which need the toolbox.

use std::ffi::OsString;

use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;

use super::{Check, Outcome, Rig, end};
use xtask::cli::ProgramArgs;
use xtask::cmd::Cmd;
use xtask::compile::shims::{self, Shim};
use xtask::prepare::programs;
use xtask::progress::Stderr;

/// `-D warnings` as `cargo clippy` hands it to its driver.
const DENY_WARNINGS: &str = "CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

/// `cargo fmt --check`.
pub fn format(rig: &Rig) -> Vec<Check> {
    vec![Check::of("cargo fmt --all --check", rig.cargo(&["fmt", "--all", "--check"]).run().map(|_| ()))]
}

/// Tests of what needs only Rust, everything but the shims, compiled by Clippy's driver. The program to be installed is no
/// default member, because it is `xtask` once more.
pub fn unit(rig: &Rig) -> Vec<Check> {
    let shims = Shim::value_variants().iter().map(|shim| shim.package());
    let without = shims.chain(["shim"]).flat_map(|package| ["--exclude", package]);
    let args: Vec<&str> = ["--workspace"].into_iter().chain(without).collect();
    vec![linted_tests(rig, "what needs only Rust", &[], &args)]
}

/// What shims share, and the shim for WasmEdge.
pub fn shim(rig: &Rig) -> Vec<Check> {
    unit_of(rig, Shim::WasmEdge)
}

/// A shim's tests, likewise. What it is made of is there since `build`; only its own packages are compiled once more, not
/// optimised and with every assertion.
pub fn unit_of(rig: &Rig, shim: Shim) -> Vec<Check> {
    let settings = match settings(rig, shim) {
        Ok(settings) => settings,
        Err(error) => return vec![Check::of("the shim's build environment", Err(error))],
    };
    let folder = rig.workspace.shims().to_string_lossy().into_owned();
    let mut args: Vec<String> = ["--release", "--target-dir", &folder].map(str::to_owned).into();
    for package in ["shim", shim.package()] {
        args.extend(["-p".to_owned(), package.to_owned()]);
        for setting in ["opt-level=0", "debug-assertions=true", "overflow-checks=true"] {
            args.extend(["--config".to_owned(), format!("profile.release.package.{package}.{setting}")]);
        }
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    vec![linted_tests(rig, "the shim", &settings, &args)]
}

/// That what both shims share is compiled once, and not once more for each: they ask for the same features of it
/// (`shim/wasmedge/Cargo.toml`). Both are built when this is asked, so that Cargo only says what they are made of.
pub fn shared(rig: &Rig) -> Check {
    let made = || {
        let files =
            Shim::value_variants().iter().map(|shim| library(rig, *shim)).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(files.iter().all(|file| *file == files[0]), "they are made of {}", files.join(" and "));
        Ok(())
    };
    Check::of("what both shims share is compiled once", made())
}

/// The file of the crate that needs all of what shims share, as a shim is made of it.
fn library(rig: &Rig, shim: Shim) -> anyhow::Result<String> {
    let folder = rig.workspace.shims().to_string_lossy().into_owned();
    let cmd = Cmd::new("env")
        .args(settings(rig, shim)?)
        .args(["cargo", "build", "--release", "--quiet", "--message-format", "json", "--package", shim.package()])
        .args(["--target-dir", &folder])
        .dir(rig.workspace.root())
        .limit(crate::rig::COMMAND_LIMIT);
    let said = cmd.run()?.text();
    let mut names = said.split('"').filter_map(|file| file.rsplit('/').next());
    let name = names.find(|name| name.starts_with("libcontainerd_shim_wasm-"));
    Ok(name.with_context(|| format!("`{}` is not made of it", shim.package()))?.to_owned())
}

/// `cargo test`, and with it what `cargo clippy` is: Clippy's driver in place of the compiler for the packages of the
/// workspace. That one has everything that they depend on checked on top of the build that tests need; one build for
/// both saves minutes.
fn linted_tests(rig: &Rig, what: &str, settings: &[OsString], args: &[&str]) -> Check {
    let cmd = Cmd::new("env")
        .args(settings)
        .args(["RUSTC_WORKSPACE_WRAPPER=clippy-driver", DENY_WARNINGS])
        .args(["cargo", "test", "--quiet"])
        .args(args)
        .dir(rig.workspace.root())
        .limit(crate::rig::COMMAND_LIMIT);
    tests(&format!("cargo test of {what}, compiled by clippy-driver, warnings denied"), &cmd)
}

/// What a shim is built, tested and linted with: `NAME=value` each.
fn settings(rig: &Rig, shim: Shim) -> anyhow::Result<Vec<OsString>> {
    let toolbox = programs::toolbox(&rig.workspace, &ProgramArgs::default(), &mut Stderr::default())?;
    shims::settings(shim, &toolbox)
}

/// A run of libtest, counted by its closing lines: a run without any has failed.
fn tests(name: &str, cmd: &Cmd) -> Check {
    let outcome = match cmd.output() {
        Err(error) => Outcome::Failed(format!("{error:#}")),
        Ok(output) => match (output.code, counted(&String::from_utf8_lossy(&output.stdout))) {
            (Some(0), Ok(count)) => Outcome::Passed(count),
            (Some(0), Err(error)) => Outcome::Failed(format!("{error:#}")),
            _ => Outcome::Failed(format!("{}\n{}", end(&output.stdout), end(&output.stderr))),
        },
    };
    Check::came_to(name, outcome)
}

/// The number of tests that passed, by libtest's closing lines.
fn counted(stdout: &str) -> anyhow::Result<u32> {
    let mut passed = 0;
    for line in stdout.lines().filter_map(|line| line.strip_prefix("test result: ok. ")) {
        let count = line.split(' ').next().context("a closing line without a number")?;
        passed += count.parse::<u32>()?;
    }
    anyhow::ensure!(passed > 0, "no test ran");
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn closing_lines_are_added_up_and_none_at_all_is_an_error() {
        let two = "test result: ok. 5 passed; 0 failed;\nx\ntest result: ok. 2 passed; 0 failed;\n";
        assert_eq!(counted(two).unwrap(), 7);
        assert!(counted("test result: ok. 0 passed;").is_err());
    }
}
