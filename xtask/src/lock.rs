//! One of a kind at a time: a lock on a file, released by the kernel when its holder ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// A held lock; released when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock or says who holds it.
    ///
    /// # Errors
    /// When another process holds it; `what` names what that process does.
    pub fn take(path: &Path, what: &str) -> anyhow::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("can not make `{}`", parent.display()))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("can not open `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                bail!(
                    "{what} is already running (process {holder}): two at once would measure each other. Wait for it to end"
                )
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("can not lock `{}`", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_about_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.lock");
        let first = Lock::take(&path, "`bench`").unwrap();
        let error = Lock::take(&path, "`bench`").unwrap_err().to_string();
        assert!(error.contains("already running") && error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        assert!(Lock::take(&path, "`bench`").is_ok());
    }
}
