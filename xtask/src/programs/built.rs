//! A program of a crate: built by `cargo install` below `target/toolbox/crates`, with the crate's own lock file.
//!
//! It is built beside its place and renamed into it with its record, so it is whole or absent. What Cargo compiled so far
//! stays after an interruption, and goes when the program is there or can not be built.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use cargo_metadata::Message;
use serde::{Deserialize, Serialize};

use super::definition::{Crate, DefaultFeatures};
use super::{Available, Identity};
use crate::cmd::Cmd;
use crate::compile::{NO_FLAGS, cargo, toolchain};
use crate::lock::Lock;
use crate::machine;
use crate::progress::Progress;
use crate::toolbox::manifest::{FileRecord, Verification, record};
use crate::toolbox::tree;
use crate::workspace::Workspace;
use files::{sha256_file, sha256_hex, write_whole};

/// Changes when the steps here do, so that what older steps made is made anew.
const STEPS: &str = "2";
/// The record's name beside the program.
const RECORD: &str = "record.json";
/// How long a program may take to say its version.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What a program was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateRecord {
    /// The crate.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether its default features were among the following.
    pub default_features: bool,
    /// Features that were asked for.
    pub features: Vec<String>,
    /// `rustc --version`.
    pub toolchain: String,
    /// SHA-256 of the crate's own lock file, which names every other crate that went into it, in hex.
    pub lock_sha256: String,
}

/// `record.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    recipe: String,
    built_from: CrateRecord,
    version: String,
    file: FileRecord,
}

/// Where a built program is or would be.
#[derive(Debug)]
pub struct CratePlace<'a> {
    workspace: &'a Workspace,
    name: &'a str,
    krate: &'a Crate,
    folder: PathBuf,
    home: PathBuf,
}

impl<'a> CratePlace<'a> {
    pub fn new(workspace: &'a Workspace, name: &'a str, krate: &'a Crate) -> anyhow::Result<Self> {
        let folder = std::path::absolute(workspace.toolbox())?.join("crates");
        Ok(Self { workspace, name, krate, home: folder.join(name), folder })
    }

    /// The program; `None` when it is not there.
    ///
    /// # Errors
    /// When what is there can not be used.
    pub fn find(&self) -> anyhow::Result<Option<Available>> {
        self.look(Verification::Quick)
    }

    fn look(&self, check: Verification) -> anyhow::Result<Option<Available>> {
        let path = self.home.join(RECORD);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(_) if !self.home.exists() => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("can not read `{}`", path.display())),
        };
        let record: Record =
            serde_json::from_slice(&bytes).with_context(|| format!("`{}` is damaged", path.display()))?;
        ensure!(
            record.recipe == self.recipe(),
            "`{}` was built from {} {} by {}, or with other features",
            self.home.display(),
            record.built_from.name,
            record.built_from.version,
            record.built_from.toolchain
        );
        record.file.check(&self.home, check)?;
        Ok(Some(Available {
            name: self.name.to_owned(),
            path: self.home.join(&record.file.path),
            version: record.version,
            sha256: record.file.sha256,
            size_bytes: record.file.size_bytes,
            identity: Identity::Crate(record.built_from),
        }))
    }

    /// The program, built if it is not there whole; `takes` says what that takes.
    ///
    /// # Errors
    /// When it can not be built.
    pub fn ensure(&self, check: Verification, takes: &str, progress: &mut dyn Progress) -> anyhow::Result<Available> {
        if let Ok(Some(available)) = self.look(check) {
            return Ok(available);
        }
        self.workspace.make(&self.workspace.toolbox())?;
        std::fs::create_dir_all(&self.folder).with_context(|| format!("can not make `{}`", self.folder.display()))?;
        let lock = self.folder.join(format!("{}.lock", self.name));
        let why = format!("`{}` is being built", self.name);
        let _lock = Lock::wait_with_children(&lock, &why, &mut |text| progress.note(text))?;
        let Crate { name, version, .. } = self.krate;
        match self.look(check) {
            // Whoever held the lock has done it.
            Ok(Some(available)) => return Ok(available),
            Ok(None) => progress.note(&format!("building `{}` from {name} {version} of crates.io: {takes}", self.name)),
            Err(error) => progress.note(&format!("building `{}` anew ({takes}): {error:#}", self.name)),
        }
        let work = self.beside("build");
        let built = self.build(&work, progress).with_context(|| {
            format!(
                "can not build `{}` from {name} {version}: connect this machine to crates.io or to a mirror that Cargo's \
                 own configuration names (where Cargo has the crates already, `CARGO_NET_OFFLINE=true` needs no \
                 network), or leave out the cases that need `{}`",
                self.name, self.name
            )
        });
        // Hundreds of megabytes, which nobody needs again: a failure that could go on from here would fail again.
        tree::remove(&work)?;
        built?;
        self.look(Verification::Quick)?.with_context(|| format!("`{}` vanished", self.home.display()))
    }

    fn build(&self, work: &Path, progress: &mut dyn Progress) -> anyhow::Result<()> {
        let new = self.beside("new");
        tree::remove(&new)?;
        let said = cargo::run(self.workspace, &settings(&new)?, &self.install(&new, work), progress)?;
        let program = PathBuf::from("bin").join(self.name);
        let path = new.join(&program);
        let output = Cmd::new(&path).arg("--version").bare().limit(ANSWER_LIMIT).run().context("it does not start")?;
        let version = output.text().lines().next().unwrap_or_default().to_owned();
        let (files, _) = record(&new)?;
        let file = files.into_iter().find(|file| file.path == program);
        let file = file.with_context(|| format!("Cargo installed no `{}`", program.display()))?;
        let built_from = CrateRecord {
            name: self.krate.name.clone(),
            version: self.krate.version.clone(),
            default_features: self.krate.default_features == DefaultFeatures::With,
            features: self.krate.features.clone(),
            toolchain: toolchain::find(self.workspace)?.version,
            lock_sha256: lock_sha256(&said, self.name)?,
        };
        let record = Record { recipe: self.recipe(), built_from, version, file };
        write_whole(&new.join(RECORD), &serde_json::to_vec_pretty(&record)?)?;
        tree::replace(&self.home, &new)
    }

    fn install(&self, root: &Path, work: &Path) -> Vec<OsString> {
        let Crate { name, version, default_features, features } = self.krate;
        let mut args: Vec<OsString> = ["install", "--locked", "--no-track"].map(OsString::from).to_vec();
        args.push("--message-format=json-render-diagnostics".into());
        args.extend(["--root".into(), root.into(), "--target-dir".into(), work.into()]);
        args.extend(["--bin".into(), self.name.into()]);
        if *default_features == DefaultFeatures::Without {
            args.push("--no-default-features".into());
        }
        if !features.is_empty() {
            args.extend(["--features".into(), features.join(",").into()]);
        }
        args.push(format!("{name}@={version}").into());
        args
    }

    fn recipe(&self) -> String {
        let Crate { name, version, default_features, features } = self.krate;
        let parts = [self.name, name, version, &format!("{default_features:?}"), &features.join(",")];
        sha256_hex([&parts[..], &[machine::RUSTC, STEPS]].concat().join("\n").as_bytes())
    }

    fn beside(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.name))
    }
}

/// A crate is compiled as one unit: Cargo's own 16 take longer, and what they make runs no faster.
const ONE_UNIT: &str = "CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1";

/// `NAME=value` each. Cargo would advise to put the new folder on `PATH`, unless it is there.
fn settings(root: &Path) -> anyhow::Result<Vec<OsString>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(root.join("bin")).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).context("can not put the new program on PATH")?;
    let path = OsString::from_iter(["PATH=".as_ref(), path.as_os_str()]);
    Ok(NO_FLAGS.map(OsString::from).into_iter().chain([ONE_UNIT.into(), path]).collect())
}

/// The digest of the lock file that lies beside the manifest of the crate that a program was built from.
fn lock_sha256(messages: &str, program: &str) -> anyhow::Result<String> {
    for message in Message::parse_stream(messages.as_bytes()) {
        if let Message::CompilerArtifact(artifact) = message.context("can not read Cargo's messages")?
            && artifact.executable.is_some()
            && artifact.target.name == program
        {
            return sha256_file(artifact.manifest_path.with_file_name("Cargo.lock").as_std_path());
        }
    }
    anyhow::bail!("Cargo does not say that it built `{program}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate() -> Crate {
        Crate {
            name: "a_cli".to_owned(),
            version: "1.2.3".to_owned(),
            default_features: DefaultFeatures::Without,
            features: vec!["run".to_owned(), "wasi".to_owned()],
        }
    }

    /// A place that passes for one where the program was built.
    fn built(workspace: &Workspace, krate: &Crate) {
        let place = CratePlace::new(workspace, "a", krate).unwrap();
        std::fs::create_dir_all(place.home.join("bin")).unwrap();
        std::fs::write(place.home.join("bin/a"), "#!/bin/sh\n").unwrap();
        let (files, _) = record(&place.home).unwrap();
        let built_from = CrateRecord {
            name: "a_cli".to_owned(),
            version: "1.2.3".to_owned(),
            default_features: false,
            features: Vec::new(),
            toolchain: "rustc 1".to_owned(),
            lock_sha256: String::new(),
        };
        let record =
            Record { recipe: place.recipe(), built_from, version: "a 1.2.3".to_owned(), file: files[0].clone() };
        std::fs::write(place.home.join(RECORD), serde_json::to_vec(&record).unwrap()).unwrap();
    }

    #[test]
    fn cargo_is_asked_for_exactly_this_version_and_these_features() {
        let workspace = Workspace::at(Path::new("/w"));
        let krate = krate();
        let args = CratePlace::new(&workspace, "a", &krate).unwrap().install(Path::new("/new"), Path::new("/work"));
        let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        assert_eq!(
            args.join(" "),
            "install --locked --no-track --message-format=json-render-diagnostics --root /new --target-dir /work --bin a \
             --no-default-features --features run,wasi a_cli@=1.2.3"
        );
    }

    #[test]
    fn a_program_is_found_until_its_definition_or_its_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(dir.path());
        let (first, mut second) = (krate(), krate());
        second.features.pop();
        let find = |krate: &Crate| CratePlace::new(&workspace, "a", krate).unwrap().find();
        assert_eq!(find(&first).unwrap(), None);
        built(&workspace, &first);
        let found = find(&first).unwrap().unwrap();
        assert_eq!((found.version.as_str(), found.size_bytes), ("a 1.2.3", 10));
        let error = find(&second).unwrap_err().to_string();
        assert!(error.contains("other features"), "{error}");
        std::fs::write(&found.path, "").unwrap();
        let error = find(&first).unwrap_err().to_string();
        assert!(error.contains("0 bytes, not 10"), "{error}");
        std::fs::write(workspace.toolbox().join("crates/a").join(RECORD), "{").unwrap();
        assert!(find(&first).unwrap_err().to_string().contains("is damaged"));
        std::fs::remove_file(workspace.toolbox().join("crates/a").join(RECORD)).unwrap();
        assert!(find(&first).unwrap_err().to_string().contains(RECORD));
    }
}
