//! Somebody's own package: what is in it, as Cargo says, and by which toolchain it is built.
//!
//! Not here: building it (`own`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use cargo_metadata::{Metadata, TargetKind};
use files::sha256_file;

use super::toolchain::{self, Toolchain};
use super::{cargo, toolchain::channel};
use crate::cmd::Cmd;
use crate::own_program::{Package, Target};
use crate::toolbox::find_on_path;
use crate::workspace::Workspace;
use results::case::names;
use results::own_program::PackageOriginRecord;

/// A package, and what of it is built.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The name of the binary or example.
    pub program: String,
    /// What Cargo is told to build: `--bin NAME`, or `--example NAME`.
    pub selection: [OsString; 2],
    /// Its manifest.
    pub manifest: PathBuf,
    /// The `Cargo.lock` that decides on its dependencies, if there is one.
    pub lock: Option<PathBuf>,
    /// By which toolchain.
    pub toolchain: OwnToolchain,
    /// As it is stored with a run.
    pub record: PackageOriginRecord,
}

/// The toolchain of somebody's package: its own where it names one, and that of this project everywhere else.
#[derive(Clone, Debug)]
pub struct OwnToolchain {
    /// Whether the package names it: then it is not ours to change.
    pub is_its_own: bool,
    /// What `env` has to be told for it.
    pub settings: Vec<OsString>,
    /// Its Cargo.
    pub cargo: OsString,
}

impl OwnToolchain {
    fn of(workspace: &Workspace, folder: &Path) -> Self {
        let named = folder.ancestors().find_map(|folder| {
            let files = ["rust-toolchain.toml", "rust-toolchain"].map(|name| folder.join(name));
            files.into_iter().find(|file| file.is_file())
        });
        let ours = workspace.root().join("rust-toolchain.toml");
        let is_ours = |file: &Path| std::fs::canonicalize(file).ok() == std::fs::canonicalize(&ours).ok();
        if named.is_some_and(|file| !is_ours(&file)) {
            let settings = ["-u", "RUSTUP_TOOLCHAIN"].map(OsString::from).to_vec();
            return Self { is_its_own: true, settings, cargo: "cargo".into() };
        }
        let channel = channel(&std::fs::read_to_string(ours).unwrap_or_default());
        let set = std::env::var_os("RUSTUP_TOOLCHAIN").is_none() && find_on_path("rustup").is_some();
        let settings = channel.filter(|_| set).map(|channel| OsString::from(format!("RUSTUP_TOOLCHAIN={channel}")));
        Self { is_its_own: false, settings: settings.into_iter().collect(), cargo: toolchain::cargo() }
    }

    fn command(&self, folder: &Path, program: &OsString) -> Cmd {
        Cmd::new("env").args(cargo::clean_environment()).args(&self.settings).arg(program).dir(folder)
    }

    /// What it is.
    ///
    /// # Errors
    /// When there is no rustc.
    pub fn find(&self, folder: &Path) -> anyhow::Result<Toolchain> {
        let rustc = |arguments: &[&str]| {
            let output = self.command(folder, &"rustc".into()).args(arguments).run();
            output.map(|output| output.text()).context("can not ask the Rust compiler: install Rust with rustup")
        };
        Ok(Toolchain { version: rustc(&["--version"])?, sysroot: rustc(&["--print", "sysroot"])?.into() })
    }
}

/// What a package is.
///
/// # Errors
/// When there is none, Cargo refuses its manifest, or what is to be built is not in it or not clear.
pub fn inspect(workspace: &Workspace, package: &Package) -> anyhow::Result<Inspected> {
    let shown = package.folder.display();
    let folder = std::fs::canonicalize(&package.folder).with_context(|| format!("there is no folder `{shown}`"))?;
    let manifest = folder.join("Cargo.toml");
    ensure!(manifest.is_file(), "`{shown}` is no Cargo package: it has no `Cargo.toml`");
    let toolchain = OwnToolchain::of(workspace, &folder);
    let command = toolchain.command(&folder, &toolchain.cargo);
    let output =
        command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest).run();
    let output = output.with_context(|| format!("Cargo can not read the package in `{shown}`"))?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("can not read Cargo's metadata")?;
    let found = metadata.packages.iter().find(|found| found.manifest_path.as_std_path() == manifest);
    let found = found.with_context(|| {
        let folders: Vec<_> = metadata.packages.iter().filter_map(|found| found.manifest_path.parent()).collect();
        format!("`{shown}` is a workspace and no package: name one of {}", names(&folders))
    })?;
    let (word, program) = target(found, &package.target)?;
    let lock = metadata.workspace_root.join("Cargo.lock").into_std_path_buf();
    let lock = lock.is_file().then_some(lock);
    let git = |arguments: &[&str]| {
        let command = Cmd::new("git").args(["-c", "safe.directory=*"]).args(arguments).dir(&folder);
        command.run().ok().map(|output| output.text())
    };
    let record = PackageOriginRecord {
        package: found.name.to_string(),
        version: found.version.to_string(),
        target: format!("{word} {program}"),
        features: feature_words(package),
        revision: git(&["rev-parse", "HEAD"]),
        dirty: git(&["status", "--porcelain", "--untracked-files=no", "."]).map(|changes| !changes.is_empty()),
        lock_sha256: lock.as_ref().map(|lock| sha256_file(lock)).transpose()?,
    };
    let selection = [format!("--{word}").into(), program.clone().into()];
    Ok(Inspected { program, selection, manifest, lock, toolchain, record })
}

/// What is built: which kind, and its name.
fn target(package: &cargo_metadata::Package, wanted: &Target) -> anyhow::Result<(&'static str, String)> {
    let of = |kind: TargetKind| -> Vec<&str> {
        let all = package.targets.iter().filter(|target| target.kind.contains(&kind));
        all.map(|target| target.name.as_str()).collect()
    };
    let (bins, examples) = (of(TargetKind::Bin), of(TargetKind::Example));
    let named = |word: &'static str, name: &String, all: &[&str]| {
        let known = if all.is_empty() { "it has none".to_owned() } else { format!("it has {}", names(all)) };
        ensure!(all.contains(&name.as_str()), "the package `{}` has no {word} `{name}`: {known}", package.name);
        Ok((word, name.clone()))
    };
    match wanted {
        Target::Bin(name) => named("bin", name, &bins),
        Target::Example(name) => named("example", name, &examples),
        Target::Default => match (&package.default_run, &bins[..]) {
            (Some(name), _) => Ok(("bin", name.clone())),
            (None, [only]) => Ok(("bin", (*only).to_owned())),
            (None, []) if examples.is_empty() => {
                bail!("the package `{}` is a library: it has nothing to run", package.name)
            }
            (None, []) => {
                bail!(
                    "the package `{}` has no binary: name an example with `--example`: {}",
                    package.name,
                    names(&examples)
                )
            }
            (None, several) => {
                bail!("the package `{}` has several binaries: name one with `--bin`: {}", package.name, names(several))
            }
        },
    }
}

/// The words by which Cargo is told of a package's features.
pub fn feature_words(package: &Package) -> Vec<String> {
    use crate::own_program::BaseFeatures;
    let mut words = match package.features.base {
        BaseFeatures::Default => Vec::new(),
        BaseFeatures::All => vec!["--all-features".to_owned()],
        BaseFeatures::None => vec!["--no-default-features".to_owned()],
    };
    if !package.features.named.is_empty() {
        words.extend(["--features".to_owned(), package.features.named.join(",")]);
    }
    words
}
