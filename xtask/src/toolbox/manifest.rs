//! What a finished tree consists of, and whether it still does.
//!
//! The manifest is written last and inside the tree, which is then renamed into place: a tree with a manifest
//! is a whole one.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use files::sha256_file;
use serde::{Deserialize, Serialize};

use results::PackageRecord;

/// The manifest's name within its tree.
const NAME: &str = "manifest.json";

/// A package file, as the signed index describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Name, version, architecture and SHA-256.
    #[serde(flatten)]
    pub record: PackageRecord,
    /// The name of the downloaded file.
    pub file: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A file of the tree, as it was when the tree was finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path within the tree.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its SHA-256, after patching, in hex.
    pub sha256: String,
}

impl FileRecord {
    /// Whether the file is what this says.
    ///
    /// # Errors
    /// Names the file, and how it differs.
    pub fn check(&self, tree: &Path, check: Verification) -> anyhow::Result<()> {
        let path = tree.join(&self.path);
        let metadata = std::fs::symlink_metadata(&path).with_context(|| format!("`{}`", path.display()))?;
        ensure!(
            metadata.is_file() && metadata.len() == self.size_bytes,
            "`{}` has {} bytes, not {}",
            path.display(),
            metadata.len(),
            self.size_bytes
        );
        ensure!(mtime_ns(&metadata) == self.mtime_ns, "`{}` was modified", path.display());
        if check == Verification::Full {
            let found = sha256_file(&path)?;
            ensure!(found == self.sha256, "`{}` has SHA-256 {found}, not {}", path.display(), self.sha256);
        }
        Ok(())
    }
}

/// A program as its package holds it, before it was patched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packaged {
    /// Its name.
    pub name: String,
    /// The name of the package.
    pub package: String,
    /// Its SHA-256, before patching, in hex.
    pub sha256: String,
    /// The first line of what it says of its version; absent in trees of older versions, and where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A symbolic link of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Its path within the tree.
    pub path: PathBuf,
    /// What it points at.
    pub target: PathBuf,
}

/// `manifest.json` of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeManifest {
    /// What made the tree: changes whenever the lists or the steps of this program do.
    pub recipe: String,
    /// The suite.
    pub suite: String,
    /// The mirror.
    pub mirror: String,
    /// Where the tree was finished: programs hold the absolute path of their dynamic linker.
    pub root: PathBuf,
    /// What was unpacked.
    pub packages: Vec<Package>,
    /// The programs before patching; empty in trees of older versions.
    #[serde(default)]
    pub programs: Vec<Packaged>,
    /// Every regular file.
    pub files: Vec<FileRecord>,
    /// Every symbolic link.
    pub links: Vec<LinkRecord>,
}

/// How thoroughly a tree is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Sizes and modification times: a few milliseconds.
    Quick,
    /// Every byte, by SHA-256.
    Full,
}

impl TreeManifest {
    /// Reads a tree's manifest; `None` when it has none.
    ///
    /// # Errors
    /// When there is one that can not be read or understood.
    pub fn read(tree: &Path) -> anyhow::Result<Option<Self>> {
        let path = tree.join(NAME);
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).with_context(|| format!("`{}` is damaged", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("can not read `{}`", path.display())),
        }
    }

    /// Writes it into a tree and brings it to the disk.
    ///
    /// # Errors
    /// When that fails.
    pub fn write(&self, tree: &Path) -> anyhow::Result<()> {
        let path = tree.join(NAME);
        files::write_whole(&path, &serde_json::to_vec_pretty(self)?)
    }

    /// Whether the tree is what this manifest says.
    ///
    /// # Errors
    /// Names the first file that is missing or differs, and how.
    pub fn check(&self, tree: &Path, check: Verification) -> anyhow::Result<()> {
        self.files.iter().try_for_each(|file| file.check(tree, check))?;
        for link in &self.links {
            let path = tree.join(&link.path);
            let target = std::fs::read_link(&path).with_context(|| format!("`{}`", path.display()))?;
            ensure!(target == link.target, "`{}` points at `{}`", path.display(), target.display());
        }
        Ok(())
    }
}

/// Records every file and link below `tree`, in order of their paths.
///
/// # Errors
/// When something in it can not be read.
pub fn record(tree: &Path) -> anyhow::Result<(Vec<FileRecord>, Vec<LinkRecord>)> {
    let (mut files, mut links) = (Vec::new(), Vec::new());
    let mut folders = vec![tree.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let context = || format!("can not read `{}`", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(context)? {
            let path = entry.with_context(context)?.path();
            let metadata = std::fs::symlink_metadata(&path).with_context(context)?;
            let inside = path.strip_prefix(tree)?.to_path_buf();
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_symlink() {
                links.push(LinkRecord { path: inside, target: std::fs::read_link(&path).with_context(context)? });
            } else if metadata.is_file() {
                files.push(FileRecord {
                    path: inside,
                    size_bytes: metadata.len(),
                    mtime_ns: mtime_ns(&metadata),
                    sha256: sha256_file(&path)?,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    links.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((files, links))
}

/// Wraps in the year 2262: only equality matters.
fn mtime_ns(metadata: &Metadata) -> i64 {
    metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec())
}
