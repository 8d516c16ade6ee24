//! Files that are there in full or not at all, and the SHA-256 of bytes: one way to do either for the whole workspace.
//!
//! Not here: what a digest names (`oci::digest`), and whose folder a file is in.

use std::fs::{File, Permissions};
use std::io::{Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// The names of files that are not finished begin with this; one that stays is of a process that was killed.
pub const UNFINISHED: &str = ".new-";

/// Writes a file so that it is either there in full or not at all, also after a power cut. Anyone may read it.
///
/// # Errors
/// When its folder is missing, read-only or full; a file that was there before is untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole_as(path, bytes, Permissions::from_mode(0o644))
}

/// As [`write_whole`], with permissions of the caller's choice.
///
/// # Errors
/// As [`write_whole`].
pub fn write_whole_as(path: &Path, bytes: &[u8], permissions: Permissions) -> anyhow::Result<()> {
    stream_whole(path, permissions, |file| Ok(file.write_all(bytes)?))
}

/// As [`write_whole_as`], of what is written piece by piece.
///
/// # Errors
/// As [`write_whole`], and when `write` fails.
pub fn stream_whole(
    path: &Path,
    permissions: Permissions,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let context = || format!("can not write `{}`", path.display());
    let folder = path.parent().with_context(context)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).with_context(context)?;
    write(file.as_file_mut()).with_context(context)?;
    // Not when it is made: the caller's umask would take some away.
    file.as_file().set_permissions(permissions).with_context(context)?;
    file.as_file().sync_all().with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}

/// The SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of bytes, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// The SHA-256 of a file's bytes, in hex. The file is never whole in memory.
///
/// # Errors
/// When it can not be read.
pub fn sha256_file(path: &Path) -> anyhow::Result<String> {
    let context = || format!("can not read `{}`", path.display());
    let mut file = File::open(path).with_context(context)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).with_context(context)?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}

/// Lower-case hexadecimal digits, two a byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_and_its_bytes_have_one_digest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(sha256_hex(b"abc"), ABC);
        assert_eq!(sha256_file(&path).unwrap(), ABC);
    }

    #[test]
    fn a_file_that_can_not_be_replaced_stays_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_whole(&path, b"first").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        write_whole_as(&path, b"second", Permissions::from_mode(0o755)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        let folder = dir.path().join("folder");
        std::fs::create_dir_all(folder.join("in the way")).unwrap();
        let error = write_whole(&folder, b"third").unwrap_err().to_string();
        assert!(error.contains("can not write"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
