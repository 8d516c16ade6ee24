//! The programs that the host lacks: fetched from one pinned suite, unpacked below `target/toolbox`, patched to
//! run on any C library. Nothing is installed and no root is needed.
//!
//! `run/` and `tests/` are one tree per [`Group`], each with its `manifest.json`; `apt/` is the private apt with
//! its cache. A tree is built beside its place and renamed into it, so it is whole or absent. Never put a tree's
//! library folder into `LD_LIBRARY_PATH` or a build's `-L`: see [`Toolbox::link_only`].

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::machine;
use crate::workspace::Workspace;
use apt::Apt;
use lock::Lock;
use manifest::{Check, Manifest, Package, Packaged};
use results::PackageRecord;
use suite::Family;
use talk::Talk;

pub use mirror::Mirror;

mod apt;
pub mod elf;
mod identity;
pub mod lock;
pub mod manifest;
mod mirror;
mod suite;
pub mod talk;
mod tree;

/// Changes when the steps in `tree` do, so that trees of older steps are made anew.
const STEPS: &str = "1";

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
    pub fn programs(self) -> impl Iterator<Item = &'static str> {
        suite::programs(self).iter().map(|program| program.name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Tests => "tests",
        }
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
pub fn ensure(workspace: &Workspace, group: Group, options: &Options, talk: &mut dyn Talk) -> anyhow::Result<Toolbox> {
    ensure_checked(workspace, group, options, Check::Quick, talk)
}

/// As [`ensure`], with a check of the caller's choice: [`Check::Full`] reads every byte.
///
/// # Errors
/// As [`ensure`].
pub fn ensure_checked(
    workspace: &Workspace,
    group: Group,
    options: &Options,
    check: Check,
    talk: &mut dyn Talk,
) -> anyhow::Result<Toolbox> {
    let given = options.given()?;
    if group == Group::Run && options.is_complete() {
        return Ok(Toolbox { tree: None, given, packages: Vec::new(), programs: Vec::new() });
    }
    let place = Place::new(workspace, group)?;
    let manifest = match place.look(check) {
        State::Whole(manifest) => manifest,
        State::Absent | State::Damaged(_) => {
            workspace.make(&place.folder)?;
            place.set_up(options, check, talk)?
        }
    };
    let packages = manifest.packages.into_iter().map(|package| package.record).collect();
    Ok(Toolbox { tree: Some(place.home), given, packages, programs: manifest.programs })
}

/// Whether a group's tree is there, without changing or fetching anything.
pub fn inspect(workspace: &Workspace, group: Group) -> State {
    match Place::new(workspace, group) {
        Ok(place) => place.look(Check::Quick),
        Err(error) => State::Damaged(format!("{error:#}")),
    }
}

/// The archive that the toolbox would be fetched from: its name, and the host's mirrors of it. Asks apt, changes
/// nothing.
///
/// # Errors
/// When this host has no apt, or is of no known family.
pub fn sources() -> anyhow::Result<(&'static str, Vec<String>)> {
    let family = host_family()?;
    let addresses = apt::mirrors(family)?.iter().map(|mirror| mirror.address().to_owned()).collect();
    Ok((family.origin, addresses))
}

/// What is in a tree's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A whole tree.
    Whole(Box<Manifest>),
    /// Nothing.
    Absent,
    /// Something else, and why it can not be used.
    Damaged(String),
}

/// What was resolved, kept outside the tree so that a tree can be made again without network.
#[derive(Debug, Serialize, Deserialize)]
struct Resolved {
    recipe: String,
    suite: String,
    mirror: String,
    packages: Vec<Package>,
}

/// Where a group is.
#[derive(Debug)]
struct Place {
    group: Group,
    folder: PathBuf,
    home: PathBuf,
}

impl Place {
    fn new(workspace: &Workspace, group: Group) -> anyhow::Result<Self> {
        let folder = std::path::absolute(workspace.toolbox())?;
        Ok(Self { group, home: folder.join(group.name()), folder })
    }

    fn look(&self, check: Check) -> State {
        let whole = || {
            let Some(manifest) = Manifest::read(&self.home)? else {
                ensure!(!self.home.exists(), "`{}` has no manifest", self.home.display());
                return Ok(None);
            };
            ensure!(manifest.recipe == recipe(self.group), "it was made by another version of this program");
            ensure!(manifest.root == self.home, "it was made in `{}`", manifest.root.display());
            manifest.check(&self.home, check)?;
            Ok(Some(manifest))
        };
        match whole() {
            Ok(Some(manifest)) => State::Whole(Box::new(manifest)),
            Ok(None) => State::Absent,
            Err(error) => State::Damaged(format!("{error:#}")),
        }
    }

    fn set_up(&self, options: &Options, check: Check, talk: &mut dyn Talk) -> anyhow::Result<Box<Manifest>> {
        let _lock = Lock::take(&self.folder.join("lock"), talk)?;
        match self.look(check) {
            // Whoever held the lock has done it.
            State::Whole(manifest) => return Ok(manifest),
            State::Absent => talk.say(&format!("setting up the toolbox `{}`", self.home.display())),
            State::Damaged(why) => talk.say(&format!("making the toolbox anew: {why}")),
        }
        let resolved = match self.cached(options) {
            Some(resolved) => resolved,
            None => self.fetch(options, talk)?,
        };
        self.make(resolved, talk)
    }

    /// What was resolved before, if every package file of it is there and undamaged.
    fn cached(&self, options: &Options) -> Option<Resolved> {
        let bytes = std::fs::read(self.resolved_json()).ok()?;
        let resolved: Resolved = serde_json::from_slice(&bytes).ok()?;
        let apt = self.apt();
        let usable = resolved.recipe == recipe(self.group)
            && options.mirror.as_ref().is_none_or(|mirror| mirror.address() == resolved.mirror)
            && resolved.packages.iter().all(|package| apt::check_archive(&apt, package).is_ok());
        usable.then_some(resolved)
    }

    fn fetch(&self, options: &Options, talk: &mut dyn Talk) -> anyhow::Result<Resolved> {
        let family = host_family()?;
        let mirrors = match &options.mirror {
            Some(mirror) => vec![mirror.clone()],
            None => apt::mirrors(family)?,
        };
        ensure!(
            !mirrors.is_empty(),
            "apt's sources name no {} archive: give one with `--mirror URL`, {}",
            family.origin,
            PROVIDE
        );
        let settings = apt::settings()?;
        let (mirror, apt) = first_that_answers(&self.apt(), family, &mirrors, &settings, talk)?;
        let names = suite::packages(self.group);
        let packages = apt.resolve(names).with_context(|| format!("suite `{}` of `{mirror}`", family.suite))?;
        let recipe = recipe(self.group);
        let resolved = Resolved { recipe, suite: family.suite.to_owned(), mirror, packages };
        manifest::write_durably(&self.resolved_json(), &serde_json::to_vec_pretty(&resolved)?)?;
        apt.download(names, &resolved.packages, talk).with_context(|| {
            format!("can not fetch packages from `{}`; call again to go on, {PROVIDE}", resolved.mirror)
        })?;
        // The suite's index is larger than most packages, and is fetched anew with the next resolution.
        tree::remove(&self.apt().join("lists"))?;
        Ok(resolved)
    }

    fn make(&self, resolved: Resolved, talk: &mut dyn Talk) -> anyhow::Result<Box<Manifest>> {
        let new = self.home.with_extension("new");
        tree::remove(&new)?;
        let archives: Vec<(&str, PathBuf)> = resolved
            .packages
            .iter()
            .map(|package| (package.record.name.as_str(), apt::archive(&self.apt(), package)))
            .collect();
        let programs = tree::build(&new, &self.home, &archives, suite::programs(self.group), talk)?;
        let (files, links) = manifest::record(&new)?;
        let Resolved { recipe, suite, mirror, packages } = resolved;
        let manifest = Manifest { recipe, suite, mirror, root: self.home.clone(), packages, programs, files, links };
        manifest.write(&new)?;
        tree::replace(&self.home, &new)?;
        Ok(Box::new(manifest))
    }

    fn apt(&self) -> PathBuf {
        self.folder.join("apt")
    }

    fn resolved_json(&self) -> PathBuf {
        self.folder.join(format!("{}.packages.json", self.group.name()))
    }
}

/// The way out for those who can not fetch.
const PROVIDE: &str = "or install containerd (1.7 or later), runc and WasmEdge (0.14 or later) and name them with \
                       `--containerd`, `--ctr`, `--runc` and `--wasmedge`";

fn recipe(group: Group) -> String {
    let suites: Vec<String> = suite::FAMILIES.iter().map(|family| format!("{}={}", family.id, family.suite)).collect();
    let programs: Vec<&str> = suite::programs(group).iter().map(|program| program.name).collect();
    let lists = [suite::packages(group), &programs, &suite::EXTRAS, &suite::ASSUMED].map(|list| list.join(" "));
    let parts = [lists.join("\n"), suites.join(" "), STEPS.to_owned()];
    manifest::sha256(parts.join("\n").as_bytes())
}

fn host_family() -> anyhow::Result<&'static Family> {
    ensure!(std::env::consts::ARCH == "x86_64", "the toolbox is for x86-64 hosts only");
    for program in ["apt-get", "apt-config", "dpkg-deb"] {
        ensure!(
            find_on_path(program).is_some(),
            "this host has no `{program}`, with which the toolbox is fetched: use Debian or one of its kin, {PROVIDE}"
        );
    }
    let release = machine::os_release();
    let field = |name: &str| release.get(name).map_or("", String::as_str);
    suite::family(field("ID"), field("ID_LIKE")).with_context(|| {
        format!("`{}` is no distribution whose archive is known: use Debian or Ubuntu, {PROVIDE}", field("ID"))
    })
}

fn first_that_answers(
    dir: &Path,
    family: &Family,
    mirrors: &[Mirror],
    settings: &str,
    talk: &mut dyn Talk,
) -> anyhow::Result<(String, Apt)> {
    let mut failures = Vec::new();
    for mirror in mirrors {
        let address = mirror.address().to_owned();
        talk.say(&format!("asking `{address}` for suite `{}`", family.suite));
        let apt = Apt::prepare(dir, family, mirror, settings)?;
        match apt.update() {
            Ok(()) => return Ok((address, apt)),
            Err(error) => failures.push(format!("`{address}`: {error:#}")),
        }
    }
    bail!(
        "there is no toolbox, and no mirror to fetch it from: connect this machine to its mirror, name another with \
         `--mirror URL`, {PROVIDE}; {}",
        failures.join("; ")
    )
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
