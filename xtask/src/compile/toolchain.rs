//! The Rust toolchain: which it is, whether it has the targets, and the environment that it is called in.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::cmd::Cmd;
use crate::progress::Progress;
use crate::toolbox::find_on_path;
use crate::workspace::Workspace;
use results::case::names;

/// The compiler that builds every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// `rustc --version`.
    pub version: String,
    /// Where it is, with the targets' libraries.
    pub sysroot: PathBuf,
}

/// The toolchain that rust-toolchain.toml (or the caller's `cargo +…`) names.
///
/// # Errors
/// When there is no rustc.
pub fn find(workspace: &Workspace) -> anyhow::Result<Toolchain> {
    let rustc = |argument: &[&str]| {
        let command = Cmd::new("rustc").args(argument).dir(workspace.root()).env("LD_LIBRARY_PATH", "");
        command.run().map(|output| output.text()).context("can not ask the Rust compiler: install Rust with rustup")
    };
    Ok(Toolchain { version: rustc(&["--version"])?, sysroot: rustc(&["--print", "sysroot"])?.into() })
}

impl Toolchain {
    /// Whether the standard library for a target is there.
    pub fn has(&self, target: &str) -> bool {
        let folder = self.sysroot.join("lib/rustlib").join(target).join("lib");
        let is_core = |name: &OsStr| name.to_string_lossy().starts_with("libstd-");
        std::fs::read_dir(folder)
            .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| is_core(&file.file_name()))))
    }
}

/// Adds missing targets through rustup. Nothing is asked of the network when none is missing.
///
/// rust-toolchain.toml lists the targets too, but where `RUSTUP_AUTO_INSTALL=0` is set, or the toolchain was
/// installed before, nobody adds them.
///
/// # Errors
/// When there is no rustup, or it fails, or the toolchain is another than this project's, which is not ours to change: names the targets, and the commands that would add them.
pub fn add_targets(
    workspace: &Workspace,
    toolchain: &Toolchain,
    targets: &BTreeSet<&str>,
    progress: &mut dyn Progress,
) -> anyhow::Result<()> {
    let missing: Vec<&str> = targets.iter().copied().filter(|target| !toolchain.has(target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    ensure!(
        find_on_path("rustup").is_some(),
        "the Rust toolchain in `{}` has no standard library for {}, and there is no `rustup` to add it: install Rust \
         with rustup, or put the libraries of this very version there",
        toolchain.sysroot.display(),
        names(&missing)
    );
    let rustup = || Cmd::new("rustup").dir(workspace.root()).env("LD_LIBRARY_PATH", "").env("RUST_BACKTRACE", "0");
    let active = rustup().args(["show", "active-toolchain"]).run()?.text();
    let Some(name) = active.split_whitespace().next() else { bail!("rustup names no active toolchain") };
    let own = channel(&std::fs::read_to_string(workspace.root().join("rust-toolchain.toml")).unwrap_or_default());
    ensure!(
        own.as_deref().is_some_and(|own| is_channel(name, own)),
        "the toolchain `{name}` lacks the Rust targets {}, and it is not the one of rust-toolchain.toml{}: call without \
         `+` and `RUSTUP_TOOLCHAIN`, or add them yourself with `rustup target add --toolchain {name} {}`",
        names(&missing),
        own.map_or_else(String::new, |own| format!(" (`{own}`)")),
        missing.join(" ")
    );
    progress.note(&format!("adding the Rust targets {} to `{name}`", names(&missing)));
    let add = rustup().args(["target", "add", "--toolchain", name]).args(&missing).limit(Duration::from_mins(10));
    add.run().with_context(|| {
        format!(
            "can not add the Rust targets {}: connect this machine to rustup's server (or a mirror of it, in \
             `RUSTUP_DIST_SERVER`) and call again",
            names(&missing)
        )
    })?;
    let still: Vec<&str> = missing.into_iter().filter(|target| !toolchain.has(target)).collect();
    ensure!(
        still.is_empty(),
        "rustup added {} to `{name}`, but not to `{}`, which `rustc` is from: put rustup's own `rustc` first on PATH",
        names(&still),
        toolchain.sysroot.display()
    );
    Ok(())
}

/// The channel that a rust-toolchain.toml names.
pub fn channel(text: &str) -> Option<String> {
    let value: toml::Value = toml::from_str(text).ok()?;
    Some(value.get("toolchain")?.get("channel")?.as_str()?.to_owned())
}

/// Whether a toolchain's name is this channel's, with or without the host at its end.
fn is_channel(name: &str, channel: &str) -> bool {
    name.strip_prefix(channel).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Cargo's variables that say where things are or how it reaches its registry, not what is built.
const KEPT: [&str; 8] = [
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_JOBS",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
];

/// Variables outside `CARGO_` that change what is built.
const DROPPED: [&str; 9] = [
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// Which of these variables a build must not see. `cargo xtask` runs with those of its own package, and a
/// person's `RUSTFLAGS` would reach one kind in another way than the other: what is built depends on this
/// project's files and the toolchain alone.
pub fn leaking(variables: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let leaks = |name: &OsString| {
        let name = name.to_string_lossy();
        let kept = KEPT.iter().any(|kept| name == *kept || (kept.ends_with('_') && name.starts_with(kept)));
        DROPPED.contains(&&*name) || (name.starts_with("CARGO") && !kept)
    };
    let mut names: Vec<OsString> = variables.into_iter().filter(leaks).collect();
    names.sort();
    names
}

/// The Cargo that called us, else the one on `PATH`.
pub fn cargo() -> OsString {
    let caller = std::env::var_os("CARGO").filter(|path| Path::new(path).is_absolute());
    caller.unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_change_what_is_built_are_dropped() {
        let given = [
            "CARGO",
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_MANIFEST_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS",
            "HOME",
            "LD_LIBRARY_PATH",
            "PATH",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ];
        let expected = [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS",
            "LD_LIBRARY_PATH",
            "RUSTFLAGS",
        ];
        assert_eq!(leaking(given.map(OsString::from)), expected);
    }

    #[test]
    fn only_the_projects_own_toolchain_is_changed() {
        let own = channel("[toolchain]\nchannel = \"1.95.0\"\n").unwrap();
        assert!(is_channel("1.95.0-x86_64-unknown-linux-gnu", &own) && is_channel("1.95.0", &own));
        for other in ["nightly-x86_64-unknown-linux-gnu", "1.95.0.1", "1.95", "stable", ""] {
            assert!(!is_channel(other, &own), "{other}");
        }
        assert_eq!(channel("1.95.0"), None);
    }

    #[test]
    fn a_target_is_there_when_its_standard_library_is() {
        let dir = tempfile::tempdir().unwrap();
        let toolchain = Toolchain { version: String::new(), sysroot: dir.path().to_path_buf() };
        let folder = dir.path().join("lib/rustlib/wasm32-wasip1/lib");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!toolchain.has("wasm32-wasip1"));
        std::fs::write(folder.join("libstd-0123.rlib"), "").unwrap();
        assert!(toolchain.has("wasm32-wasip1") && !toolchain.has("x86_64-unknown-linux-musl"));
    }
}
