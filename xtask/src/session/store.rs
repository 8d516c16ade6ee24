//! How much of the disk a private containerd's images take: the blocks of its content store and of its snapshots.
//!
//! Not here: containerd's own databases, which grow by pages whatever the image.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use oci::digest::Digest;
use results::node::StoredBytes;

use super::scratch;

/// Where containerd keeps blobs, below its root.
const CONTENT: &str = "io.containerd.content.v1.content";
/// What the folders of its snapshotters begin with.
const SNAPSHOTTER: &str = "io.containerd.snapshotter.v1.";
/// The folder of the snapshots themselves, below that of their snapshotter.
const SNAPSHOTS: &str = "snapshots";

/// The root of a private containerd.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The root in the folder of a run.
    pub fn below(scratch: &Path) -> Self {
        Self { root: scratch.join(scratch::ROOT) }
    }

    /// What is stored now. `None` where it can not be read: then it is not measured, and not zero.
    pub fn bytes(&self) -> Option<StoredBytes> {
        let content_bytes = blocks(&self.root.join(CONTENT))?;
        let mut snapshot_bytes = 0;
        for entry in std::fs::read_dir(&self.root).ok()? {
            let entry = entry.ok()?;
            if entry.file_name().to_string_lossy().starts_with(SNAPSHOTTER) {
                snapshot_bytes += blocks(&entry.path().join(SNAPSHOTS))?;
            }
        }
        Some(StoredBytes { content_bytes, snapshot_bytes })
    }

    /// Whether a blob is in the content store.
    pub fn holds(&self, digest: Digest) -> bool {
        self.root.join(CONTENT).join("blobs/sha256").join(digest.hex()).exists()
    }

    /// Every plain file that is stored: blobs, and what was unpacked of them.
    pub fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(kind) if kind.is_file() => files.push(entry.path()),
                    _ => {}
                }
            }
        }
        files
    }
}

/// What came to it. Nothing is removed between the two.
pub fn growth(before: StoredBytes, after: StoredBytes) -> StoredBytes {
    StoredBytes {
        content_bytes: after.content_bytes.saturating_sub(before.content_bytes),
        snapshot_bytes: after.snapshot_bytes.saturating_sub(before.snapshot_bytes),
    }
}

/// The blocks of everything below a folder, itself included; 0 where it is not there yet. Links are not followed.
fn blocks(folder: &Path) -> Option<u64> {
    let metadata = match std::fs::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(0),
        metadata => metadata.ok()?,
    };
    // `st_blocks` counts units of 512 bytes, whatever the file system's blocks are (stat(3type)).
    let mut bytes = metadata.blocks() * 512;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(folder).ok()? {
            bytes += blocks(&entry.ok()?.path())?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_and_snapshots_are_told_apart_and_databases_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::below(dir.path());
        let write = |path: &str, bytes: usize| {
            let path = dir.path().join(scratch::ROOT).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![7; bytes]).unwrap();
        };
        write("io.containerd.content.v1.content/blobs/sha256/a", 1);
        write("io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/a", 1);
        let before = store.bytes().unwrap();
        write("io.containerd.content.v1.content/blobs/sha256/b", 100_000);
        write("io.containerd.snapshotter.v1.overlayfs/snapshots/2/fs/b", 300_000);
        write("io.containerd.metadata.v1.bolt/meta.db", 500_000);
        let grown = growth(before, store.bytes().unwrap());
        // At least the bytes; at most these with a block for each file and folder, whatever the file system's block is.
        assert!((100_000..200_000).contains(&grown.content_bytes), "{grown:?}");
        assert!((300_000..500_000).contains(&grown.snapshot_bytes), "{grown:?}");
        assert_eq!(store.files().len(), 5);
    }

    #[test]
    fn a_root_that_is_not_there_is_not_measured() {
        assert_eq!(Store::below(Path::new("/no/such")).bytes(), None);
    }
}
