//! The OCI image layout on disk (OCI image-spec 1.1, image-layout.md): written so that an interruption at any
//! moment leaves either the old layout or the new one, never half a blob.
//!
//! Every file gets its name by a rename, blobs before `index.json`, and what nothing refers to goes last. Files
//! are not flushed to the disk: after a power cut `verify` tells, and the next [`write`] repairs. One writer at
//! a time. Not here: the search for damage (`verify`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::index::Index;
use super::manifest::Descriptor;
use super::{ImageSet, Tagged};

/// The file that makes a folder a layout.
pub const MARKER: &str = "oci-layout";
/// The file that names what is in a layout.
pub const INDEX: &str = "index.json";
/// The folder of blobs.
pub const BLOBS: &str = "blobs/sha256";
/// The name of an entry, as skopeo and others look it up (OCI image-spec, annotations.md).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The name that `ctr image import` gives to an entry.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// What to do about a layout that is not as it should be.
pub const WAY_OUT: &str = "run `cargo xtask image` to rebuild it";

/// The content of [`MARKER`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// Always `1.0.0`.
    pub image_layout_version: String,
}

impl Marker {
    /// The only version there is.
    pub fn current() -> Self {
        Self { image_layout_version: "1.0.0".to_owned() }
    }
}

/// Where a blob is, below the layout's folder.
pub fn blob_path(digest: Digest) -> PathBuf {
    Path::new(BLOBS).join(digest.hex())
}

/// Makes the folder a layout of exactly these images. Blobs that are there already and right are left alone,
/// wrong ones replaced, and those that nothing refers to any more removed.
///
/// # Errors
/// When a file can not be read, written, renamed or removed; the layout is then still a whole one, or `verify`
/// finds what is missing.
pub fn write(dir: &Path, set: &ImageSet) -> anyhow::Result<()> {
    let blobs = dir.join(BLOBS);
    fs::create_dir_all(&blobs).with_context(|| format!("can not make the folder `{}`", blobs.display()))?;
    let tagged = set.tagged();
    let mut referenced = BTreeSet::new();
    for blob in tagged.iter().flat_map(|tagged| tagged.blobs.iter().copied().chain([tagged.document])) {
        referenced.insert(blob.digest().hex());
        store(&dir.join(blob_path(blob.digest())), blob.bytes())?;
    }
    store(&dir.join(MARKER), &serde_json::to_vec(&Marker::current())?)?;
    let index = Index::new(tagged.iter().map(entry).collect());
    store(&dir.join(INDEX), &serde_json::to_vec(&index)?)?;
    remove(&blobs, |name| !referenced.contains(name))?;
    // Elsewhere only what an interrupted `store` left: the folder may be somebody's own.
    remove(dir, |name| name.starts_with(files::UNFINISHED))
}

fn entry(tagged: &Tagged<'_>) -> Descriptor {
    // Without `platform`: `ctr image import` drops entries of a foreign one (facts: Images).
    Descriptor {
        annotations: BTreeMap::from([
            (REF_NAME.to_owned(), tagged.name()),
            (CONTAINERD_NAME.to_owned(), format!("localhost/{}", tagged.name())),
        ]),
        ..tagged.document.descriptor()
    }
}

fn store(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    match fs::read(path) {
        Ok(present) if present == bytes => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("can not read `{}`", path.display()));
        }
        Ok(_) | Err(_) => {}
    }
    files::write_whole(path, bytes)
}

fn remove(folder: &Path, which: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("can not list `{}`", folder.display()))? {
        let entry = entry.with_context(|| format!("can not list `{}`", folder.display()))?;
        if which(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).with_context(|| format!("can not remove `{}`", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::Epoch;
    use crate::example;
    use crate::verify::verify;

    fn written() -> (tempfile::TempDir, ImageSet) {
        let dir = tempfile::tempdir().unwrap();
        let set = example::images(Epoch::ZERO).unwrap();
        write(dir.path(), &set).unwrap();
        (dir, set)
    }

    #[test]
    fn a_right_blob_is_left_alone_a_wrong_one_replaced_and_strangers_removed() {
        let (dir, set) = written();
        let blob = |at: usize| dir.path().join(blob_path(set.images()[at].manifest().digest()));
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        let before = inode(&blob(0));
        fs::write(blob(1), b"half a ma").unwrap();
        for folder in [dir.path().to_path_buf(), dir.path().join(BLOBS)] {
            fs::write(folder.join(".new-abandoned"), b"x").unwrap();
        }
        write(dir.path(), &set).unwrap();
        assert_eq!(inode(&blob(0)), before);
        assert_eq!(verify(dir.path(), &[], &example::definitions().unwrap()).unwrap(), []);
    }

    #[test]
    fn fewer_images_leave_no_blob_of_the_others() {
        let (dir, set) = written();
        let fewer = ImageSet::new(set.images()[..1].to_vec()).unwrap();
        write(dir.path(), &fewer).unwrap();
        assert_eq!(fs::read_dir(dir.path().join(BLOBS)).unwrap().count(), 4);
        assert_eq!(verify(dir.path(), &[], &example::definitions().unwrap()).unwrap(), []);
    }
}
