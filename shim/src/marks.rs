//! Moments of the shim's own work, noted for whoever asks: each a name and what the kernel's monotonic clock says. They go
//! into a file that the annotation [`ANNOTATION`] names, which is mapped into memory, so that every process of the shim and
//! the container's own inherit it, whatever they see of the host's files, and noting is a clock reading and five stores.
//! Without the annotation nothing is opened, and noting is one look at a variable.
//!
//! The format, in numbers of the machine's own order: 16 bytes [`MAGIC`]; how many entries were begun (8 bytes); 8 bytes of
//! nothing; entries of 32 bytes, a name of at most 24 bytes and a moment in nanoseconds (8 bytes), which is 0 until the entry
//! is whole. `xtask/src/measure/marks.rs` reads it.
//!
//! Who may annotate a container may not therefore write into any file of the host: one that does not begin with
//! [`MAGIC`], or has another size, is left alone, and so is a link.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use rustix::fs::{Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::kernel;

/// The annotation that names the file.
pub const ANNOTATION: &str = "run.deploy-bench.marks";

const MAGIC: &[u8; 16] = b"shim marks, v1\n\0";
const FILE_BYTES: usize = 4096;
/// Where the number of entries is, in numbers.
const COUNT: usize = 2;
/// Where the entries begin, and what one takes.
const ENTRIES: usize = 4;
const ENTRY: usize = 4;
const NAME_BYTES: usize = 24;

static MARKS: OnceLock<&'static [AtomicU64]> = OnceLock::new();

/// What the clock says.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Begins to note in this process, and in those that are forked from it. What stands in the way is said in containerd's log.
pub fn open(path: &Path) {
    match map(path) {
        Ok(marks) => drop(MARKS.set(marks)),
        Err(error) => log::warn!("nothing is noted: {error:#}"),
    }
}

fn map(path: &Path) -> Result<&'static [AtomicU64]> {
    let context = || format!("`{}`, named by `{ANNOTATION}`", path.display());
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty()).with_context(context)?);
    let found = file.metadata().with_context(context)?;
    ensure!(found.is_file() && found.len() == FILE_BYTES as u64, "{}: not made for marks", context());
    let mut magic = [0; MAGIC.len()];
    file.read_exact_at(&mut magic, 0).with_context(context)?;
    ensure!(magic == *MAGIC, "{}: not made for marks", context());
    kernel::shared_numbers(&file, FILE_BYTES).with_context(context)
}

/// Notes that something is so now.
pub fn note(name: &str) {
    if MARKS.get().is_some() {
        note_at(name, now_ns());
    }
}

/// Notes since when something is so.
pub fn note_at(name: &str, moment_ns: u64) {
    if let Some(marks) = MARKS.get() {
        write(marks, name, moment_ns);
    }
}

fn write(marks: &[AtomicU64], name: &str, moment_ns: u64) {
    let begun = marks[COUNT].fetch_add(1, Ordering::Relaxed);
    let at = usize::try_from(begun).ok().and_then(|begun| begun.checked_mul(ENTRY)?.checked_add(ENTRIES));
    let Some(entry) = at.and_then(|at| marks.get(at..)?.get(..ENTRY)) else { return };
    let mut bytes = [0; NAME_BYTES];
    let length = name.len().min(NAME_BYTES);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    for (word, part) in entry.iter().zip(bytes.chunks_exact(size_of::<u64>())) {
        let part = part.try_into().map_or(0, u64::from_ne_bytes);
        word.store(part, Ordering::Relaxed);
    }
    entry[ENTRY - 1].store(moment_ns, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES, ENTRY, FILE_BYTES, MAGIC, map, write};

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("it can be written");
        file
    }

    fn empty() -> Vec<u8> {
        let mut bytes = vec![0; FILE_BYTES];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes
    }

    #[test]
    fn a_moment_is_in_the_file_by_its_name() {
        let file = file(&empty());
        let marks = map(file.path()).expect("made for it");
        write(marks, "engine-loaded", 7);
        write(marks, "a-name-of-more-than-twenty-four-bytes", u64::MAX);
        let bytes = std::fs::read(file.path()).expect("it is there");
        assert_eq!((&bytes[..16], bytes[16]), (&MAGIC[..], 2));
        assert_eq!(&bytes[32..64], b"engine-loaded\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0");
        assert_eq!(&bytes[64..96], b"a-name-of-more-than-twen\xff\xff\xff\xff\xff\xff\xff\xff");
    }

    #[test]
    fn more_than_the_file_holds_is_not_written_beside_it() {
        let file = file(&empty());
        let marks = map(file.path()).expect("made for it");
        for moment in 0..200 {
            write(marks, "x", moment + 1);
        }
        let bytes = std::fs::read(file.path()).expect("it is there");
        assert_eq!(bytes.len(), FILE_BYTES);
        let last = (FILE_BYTES / 8 - ENTRIES) / ENTRY;
        assert_eq!(bytes[FILE_BYTES - 8], u8::try_from(last).expect("127"));
    }

    /// Whoever may annotate a container could otherwise have root write into any file.
    #[test]
    fn a_file_that_was_not_made_for_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = file(&empty());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(made.path(), &link).expect("a link");
        assert!(map(&link).is_err() && map(folder.path()).is_err() && map(&folder.path().join("none")).is_err());
        for other in [&b"root:x:0:0::/root:/bin/sh\n"[..], &vec![0; FILE_BYTES], &empty()[1..], &[]] {
            let file = file(other);
            assert!(map(file.path()).is_err());
            assert_eq!(std::fs::read(file.path()).expect("it is there"), other);
        }
    }
}
