//! The layer below a program's: a root file system put together from packages, as bytes that depend on nothing but the
//! packages and the definition.
//!
//! Every entry belongs to root and has the image's one time. Modes are the packages'. A path below a folder that is a link
//! (merged `/usr`) stands where the link leads to. Hard links become files of their own. Packages' scripts are not run.
//! Not here: where packages come from, and how their tar streams are got out of them.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::{Context as _, bail, ensure};
use glob::{MatchOptions, Pattern};

use crate::definition;
use crate::epoch::Epoch;
use crate::layer::{Compression, Entry, Layer, Node};

#[cfg(test)]
mod tests;

/// How many links a path may go through before it is taken for a circle.
const LINKS_MAX: usize = 16;

/// A package, taken apart.
#[derive(Clone, Debug)]
pub struct Package {
    /// Name, version, architecture and digest, as the image's history is to name it.
    pub identity: String,
    /// The files that it installs: an uncompressed tar stream.
    pub tar: Vec<u8>,
}

/// The base of an image, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its layers, from the lowest.
    pub layers: Vec<Layer>,
    /// What they were made of, for the image's history.
    pub created_by: String,
    /// Every path, and what is there: what a program's layer must not hide.
    paths: BTreeMap<String, Kept>,
}

/// What is at a path of a base.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    File,
    Folder,
    Link(String),
}

/// Something in the root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    mode: u32,
    node: OwnedNode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum OwnedNode {
    File(Vec<u8>),
    Folder,
    Link(String),
}

/// Paths below the root, without a slash at either end.
type Tree = BTreeMap<String, Owned>;

impl Base {
    /// The base of a definition from these packages, whose order does not matter.
    ///
    /// # Errors
    /// When a tar stream is damaged or holds a device, two packages hold one file, a link of the definition stands where a
    /// package has something, or a path does not fit a layer.
    pub fn pack(
        definition: &definition::Base,
        packages: &[Package],
        compression: Compression,
        epoch: Epoch,
    ) -> anyhow::Result<Self> {
        let mut packages: Vec<&Package> = packages.iter().collect();
        packages.sort_by(|a, b| a.identity.cmp(&b.identity));
        let mut tree = Tree::new();
        for package in &packages {
            add(&mut tree, package).with_context(|| format!("package `{}`", package.identity))?;
        }
        let mut tree = merged(tree)?;
        tree.retain(|path, _| !is_left_out(definition, path));
        for (path, target) in &definition.links {
            let link = Owned { mode: 0o777, node: OwnedNode::Link(target.clone()) };
            ensure!(tree.insert(path.clone(), link).is_none(), "`links` has `{path}`, which a package has too");
        }
        let layers = split(&tree, definition.layers)?;
        let layers = layers.iter().map(|entries| Layer::pack(entries, compression, epoch)).collect::<Result<_, _>>()?;
        let identities: Vec<&str> = packages.iter().map(|package| package.identity.as_str()).collect();
        Ok(Self {
            layers,
            created_by: format!("the files of {}", identities.join(", ")),
            paths: tree.into_iter().map(|(path, owned)| (path, owned.kept())).collect(),
        })
    }

    /// Whether a program can be put at a path above this base.
    ///
    /// # Errors
    /// When a folder on the way is a link or a file of the base, which the program's layer would hide, or when something is
    /// there already.
    pub fn accepts(&self, path: &str) -> anyhow::Result<()> {
        let path = path.trim_start_matches('/');
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let there = &path[..end];
            match self.paths.get(there) {
                Some(Kept::Link(target)) => bail!("the base image has a link to `{target}` at `/{there}`"),
                Some(Kept::File) => bail!("the base image has a file at `/{there}`"),
                Some(Kept::Folder) if there == path => bail!("the base image has a folder at `/{there}`"),
                Some(Kept::Folder) | None => {}
            }
        }
        Ok(())
    }
}

impl Owned {
    fn entry<'a>(&'a self, path: &'a str) -> Entry<'a> {
        let node = match &self.node {
            OwnedNode::File(bytes) => Node::File(bytes),
            OwnedNode::Folder => Node::Folder,
            OwnedNode::Link(target) => Node::Link(target),
        };
        Entry { path, mode: self.mode, node }
    }

    fn kept(self) -> Kept {
        match self.node {
            OwnedNode::File(_) => Kept::File,
            OwnedNode::Folder => Kept::Folder,
            OwnedNode::Link(target) => Kept::Link(target),
        }
    }
}

/// The tree in so many parts, by the order of its paths. In each part the folders on the way to what is in it are there
/// again, with their modes: without them a layer would give them another.
fn split(tree: &Tree, parts: usize) -> anyhow::Result<Vec<Vec<Entry<'_>>>> {
    ensure!(parts <= tree.len(), "`layers` is {parts}, and the base has no more than {} paths", tree.len());
    let all: Vec<(&String, &Owned)> = tree.iter().collect();
    let ends = (0..=parts).map(|part| part * all.len() / parts).collect::<Vec<_>>();
    let part = |range: &[usize]| {
        let mut paths: BTreeMap<&str, &Owned> = BTreeMap::new();
        for (path, owned) in &all[range[0]..range[1]] {
            let folders = path.match_indices('/').filter_map(|(end, _)| tree.get_key_value(&path[..end]));
            paths.extend(folders.map(|(path, owned)| (path.as_str(), owned)));
            paths.insert(path, owned);
        }
        paths.into_iter().map(|(path, owned)| owned.entry(path)).collect()
    };
    Ok(ends.windows(2).map(part).collect())
}

fn links(tree: &Tree) -> BTreeMap<String, String> {
    let link = |(path, owned): (&String, &Owned)| match &owned.node {
        OwnedNode::Link(target) => Some((path.clone(), target.clone())),
        _ => None,
    };
    tree.iter().filter_map(link).collect()
}

/// Adds what a package installs.
fn add(tree: &mut Tree, package: &Package) -> anyhow::Result<()> {
    let mut archive = tar::Archive::new(&package.tar[..]);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = plain(&String::from_utf8(entry.path_bytes().into_owned()).context("a path is not UTF-8")?)?;
        if path.is_empty() {
            continue;
        }
        let link = || -> anyhow::Result<String> {
            let name = entry.link_name_bytes().with_context(|| format!("the link `{path}` leads nowhere"))?;
            String::from_utf8(name.into_owned()).context("a link is not UTF-8")
        };
        let kind = entry.header().entry_type();
        let node = match kind {
            tar::EntryType::Directory => OwnedNode::Folder,
            tar::EntryType::Symlink => OwnedNode::Link(link()?),
            tar::EntryType::Link => {
                let target = plain(&link()?)?;
                let found = tree.get(&target).map(|owned| owned.node.clone());
                found.with_context(|| format!("`{path}` is linked to `{target}`, which is not before it"))?
            }
            kind if kind.is_file() => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                OwnedNode::File(bytes)
            }
            other => bail!("`{path}` is of type `{}`: an image has no devices", other.as_byte().escape_ascii()),
        };
        put(tree, &path, Owned { mode: entry.header().mode()? & 0o7777, node })?;
    }
    Ok(())
}

/// Puts something at a path. A folder that is there keeps its mode, as dpkg has it; a link stands for the folder.
fn put(tree: &mut Tree, path: &str, owned: Owned) -> anyhow::Result<()> {
    let Some(there) = tree.get_mut(path) else {
        tree.insert(path.to_owned(), owned);
        return Ok(());
    };
    match (&there.node, &owned.node) {
        (OwnedNode::Folder, OwnedNode::Link(_)) => *there = owned,
        (OwnedNode::Folder | OwnedNode::Link(_), OwnedNode::Folder) => {}
        _ => ensure!(*there == owned, "`{path}` is in another package too, and differs"),
    }
    Ok(())
}

/// `./usr/bin/` as `usr/bin`.
fn plain(path: &str) -> anyhow::Result<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    ensure!(!parts.contains(&".."), "the path `{path}` leads out of the package");
    Ok(parts.join("/"))
}

/// The same with every path where it is found when links on its way are followed.
fn merged(tree: Tree) -> anyhow::Result<Tree> {
    let links = links(&tree);
    let mut merged = Tree::new();
    for (path, owned) in tree {
        put(&mut merged, &followed(&links, &path)?, owned)?;
    }
    Ok(merged)
}

/// A path whose folders are no links.
fn followed(links: &BTreeMap<String, String>, path: &str) -> anyhow::Result<String> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let through = path.match_indices('/').map(|(end, _)| end).find(|&end| links.contains_key(&path[..end]));
        let Some(end) = through else { return Ok(path) };
        let (link, rest) = path.split_at(end);
        path = target(link, &links[link])? + rest;
    }
    bail!("links lead in a circle from `{path}`")
}

/// Where a link leads to.
fn target(link: &str, to: &str) -> anyhow::Result<String> {
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from = if to.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in to.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            ensure!(parts.pop().is_some(), "the link `{link}` leads out of the root, to `{to}`");
        } else {
            parts.push(part);
        }
    }
    Ok(parts.join("/"))
}

/// Whether a path, or a folder that it is in, is left out, and the path itself is not kept.
fn is_left_out(definition: &definition::Base, path: &str) -> bool {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    let matches = |patterns: &[Pattern], path: &str| patterns.iter().any(|one| one.matches_with(path, options));
    let mut prefixes = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]);
    prefixes.any(|prefix| matches(&definition.leave_out, prefix)) && !matches(&definition.keep, path)
}
