//! The programs that the host lacks: fetched from one pinned suite, unpacked below `target/toolbox`, patched to
//! run on any C library. Nothing is installed and no root is needed.
//!
//! `run/` and `tests/` are one tree per [`Group`], each with its `manifest.json`; `apt/` is the private apt with
//! its cache. A tree is built beside its place and renamed into it, so it is whole or absent. Never put a tree's
//! library folder into `LD_LIBRARY_PATH` or a build's `-L`: see [`Toolbox::link_only`].

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::progress::Progress;
use crate::workspace::Workspace;
use manifest::{Packaged, Verification};
use place::TreePlace;
use results::PackageRecord;

pub use mirror::Mirror;
pub use place::{State, Tree, ensure_tree, find_tree};
pub use suite::Contents;

mod apt;
pub mod archive;
pub mod elf;
pub mod identity;
pub mod manifest;
mod mirror;
pub mod packages;
mod place;
mod suite;
pub mod tree;

/// What is fetched together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What building and running containers needs.
    Run,
    /// What only the tests need.
    Tests,
}

impl Group {
    /// The programs that it is fetched for.
    pub fn programs(self) -> Vec<String> {
        Contents::of(self).programs.into_iter().map(|program| program.name).collect()
    }
}

/// Programs of the host's own to use instead, and where to fetch the others from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// containerd.
    pub containerd: Option<PathBuf>,
    /// Its client.
    pub ctr: Option<PathBuf>,
    /// The runtime of native containers.
    pub runc: Option<PathBuf>,
    /// WasmEdge's command line, with its library beside it.
    pub wasmedge: Option<PathBuf>,
    /// An archive that carries the pinned suite, instead of the host's own mirror.
    pub mirror: Option<Mirror>,
}

impl Options {
    /// Asks every program that was named who it is.
    ///
    /// # Errors
    /// When one is not what it is named as.
    pub fn check(&self) -> anyhow::Result<()> {
        self.given()?.iter().try_for_each(|(name, path)| identity::check(name, path))
    }

    fn given(&self) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let mut given = BTreeMap::new();
        let all =
            [("containerd", &self.containerd), ("ctr", &self.ctr), ("runc", &self.runc), ("wasmedge", &self.wasmedge)];
        for (name, path) in all {
            if let Some(path) = path {
                let full = std::path::absolute(path)?;
                let executable =
                    full.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
                ensure!(executable, "`--{name} {}` is no executable file: give the program's path", path.display());
                given.insert(name.to_owned(), full);
            }
        }
        Ok(given)
    }

    const fn is_complete(&self) -> bool {
        self.containerd.is_some() && self.ctr.is_some() && self.runc.is_some() && self.wasmedge.is_some()
    }
}

/// Programs, ready to be started.
#[derive(Clone, Debug)]
pub struct Toolbox {
    tree: Option<PathBuf>,
    given: BTreeMap<String, PathBuf>,
    packages: Vec<PackageRecord>,
    programs: Vec<Packaged>,
}

/// Where a program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The toolbox.
    Toolbox,
    /// The host: named by option, or found on `PATH`.
    Host,
}

impl Origin {
    /// As in `results::ProgramRecord`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toolbox => "toolbox",
            Self::Host => "host",
        }
    }
}

impl Toolbox {
    /// The path of a program. Without a tree (everything was named by option), `PATH` is searched.
    ///
    /// # Errors
    /// When there is no such program, saying how to get it.
    pub fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.given.get(name) {
            return Ok(path.clone());
        }
        match &self.tree {
            Some(tree) => {
                tree::find_program(tree, name).with_context(|| format!("there is no `{name}` in `{}`", tree.display()))
            }
            None => find_on_path(name).with_context(|| {
                format!(
                    "there is no `{name}` on PATH: install it, or leave out one of `--containerd`, `--ctr`, `--runc` \
                     and `--wasmedge`, so that the toolbox is fetched"
                )
            }),
        }
    }

    /// Where [`Toolbox::program`] takes this program from.
    pub fn origin(&self, name: &str) -> Origin {
        if self.tree.is_none() || self.given.contains_key(name) { Origin::Host } else { Origin::Toolbox }
    }

    /// The tree of unpacked packages; `None` when everything was named by option.
    pub fn sysroot(&self) -> Option<&Path> {
        self.tree.as_deref()
    }

    /// A shared library by file name, for `dlopen`. When WasmEdge was named by option, its own prefix is searched
    /// first.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn library(&self, file: &str) -> anyhow::Result<PathBuf> {
        let prefix = self.given.get("wasmedge").and_then(|path| path.parent()?.parent()).map(Path::to_path_buf);
        let beside = prefix
            .iter()
            .flat_map(|prefix| ["lib/x86_64-linux-gnu", "lib64", "lib"].map(|folder| prefix.join(folder).join(file)));
        let fetched = self.tree.iter().map(|tree| tree.join(tree::LIBRARIES).join(file));
        let found = beside.chain(fetched).find(|path| path.is_file());
        found.with_context(|| format!("there is no `{file}`: install WasmEdge with its library beside it"))
    }

    /// A folder that holds only the named library, for a linker; `None` without a tree (the linker's own
    /// folders are then right).
    pub fn link_only(&self, name: &str) -> Option<PathBuf> {
        let folder = self.tree.as_ref()?.join(tree::LINK).join(name);
        folder.is_dir().then_some(folder)
    }

    /// The packages that the tree was made of.
    pub fn packages(&self) -> Vec<PackageRecord> {
        self.packages.clone()
    }

    /// A program of the toolbox as its package holds it; `None` for one of the host, and for a tree that was made
    /// before this was recorded.
    pub fn packaged(&self, name: &str) -> Option<&Packaged> {
        let program = self.programs.iter().find(|program| program.name == name)?;
        (self.origin(name) == Origin::Toolbox).then_some(program)
    }
}

/// The programs of a group, fetched and repaired as necessary. A whole tree is recognised in milliseconds.
///
/// # Errors
/// When something is missing that can not be fetched, saying what to provide.
pub fn ensure(
    workspace: &Workspace,
    group: Group,
    options: &Options,
    progress: &mut dyn Progress,
) -> anyhow::Result<Toolbox> {
    ensure_checked(workspace, group, options, Verification::Quick, progress)
}

/// As [`ensure`], with a check of the caller's choice: [`Verification::Full`] reads every byte.
///
/// # Errors
/// As [`ensure`].
pub fn ensure_checked(
    workspace: &Workspace,
    group: Group,
    options: &Options,
    check: Verification,
    progress: &mut dyn Progress,
) -> anyhow::Result<Toolbox> {
    let given = options.given()?;
    if group == Group::Run && options.is_complete() {
        return Ok(Toolbox { tree: None, given, packages: Vec::new(), programs: Vec::new() });
    }
    let Tree { home, manifest } = ensure_tree(workspace, Contents::of(group), options, check, progress)?;
    let packages = manifest.packages.into_iter().map(|package| package.record).collect();
    Ok(Toolbox { tree: Some(home), given, packages, programs: manifest.programs })
}

/// Whether a group's tree is there, without changing or fetching anything.
pub fn inspect(workspace: &Workspace, group: Group) -> State {
    match TreePlace::new(workspace, Contents::of(group)) {
        Ok(place) => place.look(Verification::Quick),
        Err(error) => State::Damaged(format!("{error:#}")),
    }
}

/// The archive that the toolbox would be fetched from: its name, and the host's mirrors of it. Asks apt, changes
/// nothing.
///
/// # Errors
/// When this host has no apt, or is of no known family.
pub fn sources() -> anyhow::Result<(&'static str, Vec<String>)> {
    let family = place::host_family(&Contents::of(Group::Run).otherwise)?;
    let addresses = apt::mirrors(family)?.iter().map(|mirror| mirror.address().to_owned()).collect();
    Ok((family.origin, addresses))
}

/// The first executable file of this name on `PATH`.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0))
}

#[cfg(test)]
mod tests;
