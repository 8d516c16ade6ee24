//! What a shim of this project notes of its own work, when it is asked to: a file that it maps into its memory, and that its
//! processes inherit. The format is `shim/src/marks.rs`'s, which writes it: 16 bytes that say what the file is, a number of
//! entries, and entries of 32 bytes from the 32nd byte on, each a name of at most 24 bytes and a moment on the monotonic clock.
//!
//! A shim writes into no file that does not begin so: whoever may name a file in an annotation need not be who may write it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The annotation that names the file.
pub const ANNOTATION: &str = "run.deploy-bench.marks";

const MAGIC: &[u8; 16] = b"shim marks, v1\n\0";
const FILE_BYTES: usize = 4096;
const ENTRIES: usize = 32;
const ENTRY_BYTES: usize = 32;
const NAME_BYTES: usize = 24;

/// A file for the marks of one run.
#[derive(Debug)]
pub struct MarksFile(PathBuf);

impl MarksFile {
    /// Makes it, empty.
    ///
    /// # Errors
    /// When it can not be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut bytes = vec![0; FILE_BYTES];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        let context = || format!("can not make `{}`", path.display());
        File::create_new(path).and_then(|mut file| file.write_all(&bytes)).with_context(context)?;
        Ok(Self(path.to_path_buf()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was noted, by name, on the monotonic clock; then the file is removed. Nothing for a runtime that notes nothing.
    ///
    /// # Errors
    /// When it can not be read or removed.
    pub fn take(self) -> anyhow::Result<BTreeMap<String, i64>> {
        let context = || format!("can not read and remove `{}`", self.0.display());
        let bytes = std::fs::read(&self.0).with_context(context)?;
        std::fs::remove_file(&self.0).with_context(context)?;
        Ok(entries(&bytes))
    }
}

fn entries(bytes: &[u8]) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for entry in bytes.get(ENTRIES..).unwrap_or_default().chunks_exact(ENTRY_BYTES) {
        let (name, moment) = entry.split_at(NAME_BYTES);
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let moment = moment.try_into().map_or(0, i64::from_ne_bytes);
        // An entry whose moment is 0 was begun and not finished. What is noted twice began with the first.
        if !name.is_empty() && moment > 0 {
            found.entry(String::from_utf8_lossy(name).into_owned()).or_insert(moment);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_by_name_and_the_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t1-p1");
        let file = MarksFile::create(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!((bytes.len(), &bytes[..16]), (FILE_BYTES, &MAGIC[..]));
        for (place, name, moment) in [(0, "engine-loaded", 7i64), (1, "twenty-four-bytes-of-name", 9), (2, "begun", 0)]
        {
            let entry = &mut bytes[ENTRIES + place * ENTRY_BYTES..][..ENTRY_BYTES];
            let length = name.len().min(NAME_BYTES);
            entry[..length].copy_from_slice(&name.as_bytes()[..length]);
            entry[NAME_BYTES..].copy_from_slice(&moment.to_ne_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        let found = file.take().unwrap();
        let found: Vec<_> = found.iter().map(|(name, moment)| (name.as_str(), *moment)).collect();
        assert_eq!(found, [("engine-loaded", 7), ("twenty-four-bytes-of-nam", 9)]);
        assert!(!path.exists());
    }
}
