//! A tree in its place: looked at, or made anew from what was resolved and fetched. It is built beside its place and
//! renamed into it, so it is whole or absent.
//!
//! Not here: what is in it (`suite`), and the steps from packages to programs (`tree`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::apt::{self, Apt};
use super::manifest::{self, FileRecord, Package, Packaged, TreeManifest, Verification};
use super::mirror::Mirror;
use super::suite::{self, Contents, Family};
use super::{Options, find_on_path, tree};
use crate::lock::Lock;
use crate::machine;
use crate::progress::Progress;
use crate::workspace::Workspace;
use results::PackageRecord;

/// Changes when the steps in `tree` do, so that trees of older steps are made anew.
const STEPS: &str = "1";

/// A whole tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its folder.
    pub home: PathBuf,
    /// What it consists of.
    pub manifest: Box<TreeManifest>,
}

impl Tree {
    /// The path of a program; `None` when the tree is not made for it.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        tree::find_program(&self.home, name)
    }

    /// What was recorded of a file, by its path.
    pub fn file(&self, path: &Path) -> Option<&FileRecord> {
        let inside = path.strip_prefix(&self.home).ok()?;
        self.manifest.files.iter().find(|file| file.path == inside)
    }

    /// A program as its package holds it, and that package.
    pub fn packaged(&self, name: &str) -> Option<(&Packaged, &PackageRecord)> {
        let program = self.manifest.programs.iter().find(|program| program.name == name)?;
        let package = self.manifest.packages.iter().find(|package| package.record.name == program.package)?;
        Some((program, &package.record))
    }
}

/// A tree, fetched and repaired as necessary. A whole one is recognised in milliseconds.
///
/// # Errors
/// When something is missing that can not be fetched, saying what to provide.
pub fn ensure_tree(
    workspace: &Workspace,
    contents: Contents,
    options: &Options,
    check: Verification,
    progress: &mut dyn Progress,
) -> anyhow::Result<Tree> {
    let place = TreePlace::new(workspace, contents)?;
    let manifest = match place.look(check) {
        State::Whole(manifest) => manifest,
        State::Absent | State::Damaged(_) => {
            workspace.make(&place.folder)?;
            place.set_up(options, check, progress)?
        }
    };
    Ok(Tree { home: place.home, manifest })
}

/// A tree that is there, without changing or fetching anything; `None` when there is none.
///
/// # Errors
/// When what is there can not be used.
pub fn find_tree(workspace: &Workspace, contents: Contents) -> anyhow::Result<Option<Tree>> {
    let place = TreePlace::new(workspace, contents)?;
    match place.look(Verification::Quick) {
        State::Whole(manifest) => Ok(Some(Tree { home: place.home, manifest })),
        State::Absent => Ok(None),
        State::Damaged(why) => bail!("{why}"),
    }
}

/// What is in a tree's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A whole tree.
    Whole(Box<TreeManifest>),
    /// Nothing.
    Absent,
    /// Something else, and why it can not be used.
    Damaged(String),
}

/// What was resolved, kept outside the tree so that a tree can be made again without network.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Resolved {
    pub(super) recipe: String,
    pub(super) suite: String,
    pub(super) mirror: String,
    pub(super) packages: Vec<Package>,
}

/// Where a tree is.
#[derive(Debug)]
pub(super) struct TreePlace {
    contents: Contents,
    folder: PathBuf,
    pub(super) home: PathBuf,
}

impl TreePlace {
    pub(super) fn new(workspace: &Workspace, contents: Contents) -> anyhow::Result<Self> {
        let folder = std::path::absolute(workspace.toolbox())?;
        Ok(Self { home: folder.join(&contents.name), contents, folder })
    }

    pub(super) fn look(&self, check: Verification) -> State {
        let whole = || {
            let Some(manifest) = TreeManifest::read(&self.home)? else {
                ensure!(!self.home.exists(), "`{}` has no manifest", self.home.display());
                return Ok(None);
            };
            ensure!(manifest.recipe == recipe(&self.contents), "it was made by another version of this program");
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

    /// The packages alone, fetched as necessary.
    pub(super) fn resolve(
        &self,
        workspace: &Workspace,
        options: &Options,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Resolved> {
        if let Some(resolved) = self.cached(options) {
            return Ok(resolved);
        }
        workspace.make(&self.folder)?;
        let why = "the toolbox of this checkout is being set up";
        let _lock = Lock::wait_with_children(&self.folder.join("lock"), why, &mut |text| progress.note(text))?;
        // Whoever held the lock may have done it.
        self.cached(options).map_or_else(|| self.fetch(options, progress), Ok)
    }

    fn set_up(
        &self,
        options: &Options,
        check: Verification,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Box<TreeManifest>> {
        let why = "the toolbox of this checkout is being set up";
        let _lock = Lock::wait_with_children(&self.folder.join("lock"), why, &mut |text| progress.note(text))?;
        match self.look(check) {
            // Whoever held the lock has done it.
            State::Whole(manifest) => return Ok(manifest),
            State::Absent => progress.note(&format!("setting up the toolbox `{}`", self.home.display())),
            State::Damaged(why) => progress.note(&format!("making the toolbox anew: {why}")),
        }
        let resolved = match self.cached(options) {
            Some(resolved) => resolved,
            None => self.fetch(options, progress)?,
        };
        self.make(resolved, progress)
    }

    /// What was resolved before, if every package file of it is there and undamaged.
    pub(super) fn cached(&self, options: &Options) -> Option<Resolved> {
        let bytes = std::fs::read(self.resolved_json()).ok()?;
        let resolved: Resolved = serde_json::from_slice(&bytes).ok()?;
        let apt = self.apt();
        let usable = resolved.recipe == recipe(&self.contents)
            && options.mirror.as_ref().is_none_or(|mirror| mirror.address() == resolved.mirror)
            && resolved.packages.iter().all(|package| apt::check_archive(&apt, package).is_ok());
        usable.then_some(resolved)
    }

    fn fetch(&self, options: &Options, progress: &mut dyn Progress) -> anyhow::Result<Resolved> {
        let otherwise = &self.contents.otherwise;
        let family = host_family(otherwise)?;
        let mirrors = match &options.mirror {
            Some(mirror) => vec![mirror.clone()],
            None => apt::mirrors(family)?,
        };
        ensure!(
            !mirrors.is_empty(),
            "apt's sources name no {} archive: give one with `--mirror URL`, {otherwise}",
            family.origin
        );
        let settings = apt::settings()?;
        let (mirror, apt) = self.first_that_answers(family, &mirrors, &settings, progress)?;
        let names: Vec<&str> = self.contents.packages.iter().map(String::as_str).collect();
        let packages = apt.resolve(&names).with_context(|| format!("suite `{}` of `{mirror}`", family.suite))?;
        let recipe = recipe(&self.contents);
        let resolved = Resolved { recipe, suite: family.suite.to_owned(), mirror, packages };
        files::write_whole(&self.resolved_json(), &serde_json::to_vec_pretty(&resolved)?)?;
        apt.download(&names, &resolved.packages, progress).with_context(|| {
            format!("can not fetch packages from `{}`; call again to go on, {otherwise}", resolved.mirror)
        })?;
        // The suite's index is larger than most packages, and is fetched anew with the next resolution.
        tree::remove(&self.apt().join("lists"))?;
        Ok(resolved)
    }

    fn first_that_answers(
        &self,
        family: &Family,
        mirrors: &[Mirror],
        settings: &str,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<(String, Apt)> {
        let mut failures = Vec::new();
        for mirror in mirrors {
            let address = mirror.address().to_owned();
            progress.note(&format!("asking `{address}` for suite `{}`", family.suite));
            let apt = Apt::prepare(&self.apt(), family, mirror, settings)?;
            match apt.update() {
                Ok(()) => return Ok((address, apt)),
                Err(error) => failures.push(format!("`{address}`: {error:#}")),
            }
        }
        let otherwise = &self.contents.otherwise;
        bail!(
            "there is no toolbox, and no mirror to fetch it from: connect this machine to its mirror, name another with \
             `--mirror URL`, {otherwise}; {}",
            failures.join("; ")
        )
    }

    fn make(&self, resolved: Resolved, progress: &mut dyn Progress) -> anyhow::Result<Box<TreeManifest>> {
        let new = self.home.with_extension("new");
        tree::remove(&new)?;
        let archives: Vec<(&str, PathBuf)> = resolved
            .packages
            .iter()
            .map(|package| (package.record.name.as_str(), apt::archive(&self.apt(), package)))
            .collect();
        let programs = tree::build(&new, &self.home, &archives, &self.contents.programs, progress)?;
        let (files, links) = manifest::record(&new)?;
        let Resolved { recipe, suite, mirror, packages } = resolved;
        let manifest =
            TreeManifest { recipe, suite, mirror, root: self.home.clone(), packages, programs, files, links };
        manifest.write(&new)?;
        tree::replace(&self.home, &new)?;
        Ok(Box::new(manifest))
    }

    pub(super) fn apt(&self) -> PathBuf {
        self.folder.join("apt")
    }

    pub(super) fn resolved_json(&self) -> PathBuf {
        self.folder.join(format!("{}.packages.json", self.contents.name))
    }
}

pub(super) fn recipe(contents: &Contents) -> String {
    let suites: Vec<String> = suite::FAMILIES.iter().map(|family| format!("{}={}", family.id, family.suite)).collect();
    let lists = [
        contents.packages.join(" "),
        contents.program_names().join(" "),
        suite::EXTRAS.join(" "),
        suite::ASSUMED.join(" "),
    ];
    let parts = [lists.join("\n"), suites.join(" "), STEPS.to_owned()];
    files::sha256_hex(parts.join("\n").as_bytes())
}

/// The family of this host's distribution; `otherwise` is the way out for a host of none.
///
/// # Errors
/// When it is of no known one, or lacks apt.
pub fn host_family(otherwise: &str) -> anyhow::Result<&'static Family> {
    ensure!(std::env::consts::ARCH == "x86_64", "the toolbox is for x86-64 hosts only");
    for program in ["apt-get", "apt-config", "dpkg-deb"] {
        ensure!(
            find_on_path(program).is_some(),
            "this host has no `{program}`, with which the toolbox is fetched: use Debian or one of its kin, {otherwise}"
        );
    }
    let release = machine::os_release();
    let field = |name: &str| release.get(name).map_or("", String::as_str);
    suite::family(field("ID"), field("ID_LIKE")).with_context(|| {
        format!("`{}` is no distribution whose archive is known: use Debian or Ubuntu, {otherwise}", field("ID"))
    })
}
