//! The folder of one run's containerd, among those of other runs and whatever else its parent holds.
//!
//! A folder is this program's own when its name is one of ours and our marker is in it. As long as a run goes on, both
//! of its processes hold a lock on the marker. So what a killed run left is known by a free lock, and is removed; a run
//! of another checkout, and everything that is not ours, is never touched.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::fs::OFlags;

use super::leftovers::process_of;
use super::namespace;
use crate::workspace::MARKER;

/// What a run puts into its folder beside the marker: folders first.
const FOLDERS: [&str; 2] = [ROOT, namespace::OVERLAY_PROBE];
const FILES: [&str; 2] = [CONFIG, LOG];
/// containerd's root.
pub const ROOT: &str = "root";
/// containerd's configuration.
pub const CONFIG: &str = "config.toml";
/// containerd's log.
pub const LOG: &str = "containerd.log";

/// A folder in use; others leave it alone until this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes the folder of a run. It belongs to this user, who can then remove what root leaves in it.
    ///
    /// # Errors
    /// When it is there already, or can not be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("can not make `{}` for containerd", path.display());
        ensure!(path.to_str().is_some(), "`{}` is no UTF-8, which containerd's configuration needs", path.display());
        let parent = path.parent().with_context(context)?;
        std::fs::create_dir_all(parent).with_context(context)?;
        std::fs::create_dir(path).with_context(context)?;
        // Under another name until it is locked: a folder whose marker is not locked may be removed.
        let unfinished = path.join(".new");
        let lock = File::create_new(&unfinished).with_context(context)?;
        lock.lock_shared().with_context(context)?;
        std::fs::rename(&unfinished, path.join(MARKER)).with_context(context)?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// Uses a folder that the process which started this one has made.
    ///
    /// # Errors
    /// When it is gone, or being removed.
    pub fn join(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("can not use `{}`", path.display());
        let lock = open_marker(path).with_context(context)?;
        lock.try_lock_shared().with_context(context)?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The root goes with the run; log and configuration stay until the next one, for whoever wants to know.
    ///
    /// # Errors
    /// When it can not be removed.
    pub fn remove_root(&self) -> anyhow::Result<()> {
        remove(&self.path.join(ROOT), |root| std::fs::remove_dir_all(root))
    }

    /// Removes what killed runs of the same user left in the parent, and says what could not be removed.
    pub fn sweep_beside(&self) -> Vec<String> {
        match (self.path.parent(), std::fs::metadata(&self.path)) {
            (Some(parent), Ok(own)) => sweep(parent, own.uid()),
            _ => Vec::new(),
        }
    }
}

/// Removes what killed runs left among these folders, and says what could not be removed. Only folders of this process's
/// user or of `owner`: somebody else's could be exchanged while they are removed.
pub fn sweep(parent: &Path, owner: u32) -> Vec<String> {
    let own = rustix::process::geteuid().as_raw();
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let candidates = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| {
        let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| process_of(name).is_some());
        let found = std::fs::symlink_metadata(path);
        named && found.is_ok_and(|found| found.is_dir() && [own, owner].contains(&found.uid()))
    });
    candidates.filter_map(|path| remove_abandoned(&path).err().map(|error| format!("{error:#}"))).collect()
}

/// Nothing happens to a folder without our marker, or whose run goes on.
fn remove_abandoned(path: &Path) -> anyhow::Result<()> {
    let Ok(marker) = open_marker(path) else { return Ok(()) };
    match marker.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(()),
        other => other.with_context(|| format!("can not lock `{}`", path.join(MARKER).display()))?,
    }
    FOLDERS.iter().try_for_each(|name| remove(&path.join(name), |folder| std::fs::remove_dir_all(folder)))?;
    FILES.iter().try_for_each(|name| remove(&path.join(name), |file| std::fs::remove_file(file)))?;
    let strangers = std::fs::read_dir(path)?.filter_map(Result::ok).filter(|entry| entry.file_name() != MARKER).count();
    ensure!(strangers == 0, "`{}` was not removed: it holds what this program did not put there", path.display());
    remove(&path.join(MARKER), |file| std::fs::remove_file(file))?;
    remove(path, |folder| std::fs::remove_dir(folder))
}

fn open_marker(path: &Path) -> anyhow::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let marker = path.join(MARKER);
    let context = || format!("can not open `{}`", marker.display());
    let file = OpenOptions::new().read(true).custom_flags(i32::try_from(flags.bits())?).open(&marker);
    let file = file.with_context(context)?;
    ensure!(file.metadata().with_context(context)?.is_file(), "`{}` is no plain file", marker.display());
    Ok(file)
}

fn remove(path: &Path, how: impl Fn(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    match how(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can not remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::leftovers::NAMESPACE_PREFIX;

    fn name(number: u32) -> String {
        format!("{NAMESPACE_PREFIX}20261123T101500Z-{number}")
    }

    /// What a killed run leaves.
    fn left(parent: &Path, number: u32) -> PathBuf {
        let path = parent.join(name(number));
        drop(Scratch::create(&path).unwrap());
        std::fs::create_dir_all(path.join(ROOT).join("a/b")).unwrap();
        std::fs::write(path.join(LOG), "x").unwrap();
        path
    }

    fn swept(parent: &Path) -> Vec<String> {
        sweep(parent, rustix::process::geteuid().as_raw())
    }

    #[test]
    fn only_what_a_killed_run_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let abandoned = left(dir.path(), 1);
        let live = Scratch::create(&dir.path().join(name(2))).unwrap();
        let also_live = Scratch::join(live.path()).unwrap();
        let photos = ["my-photos", "deploy-bench-of-mine", "deploy-bench-20261123T101500Z-3"]
            .map(|name| dir.path().join(name).join("photo"));
        for photo in &photos {
            std::fs::create_dir(photo.parent().unwrap()).unwrap();
            std::fs::write(photo, "x").unwrap();
        }
        // Another's folder, reached by a name of ours.
        let linked = left(&dir.path().join("elsewhere"), 4);
        std::os::unix::fs::symlink(&linked, dir.path().join(name(5))).unwrap();
        assert_eq!(swept(dir.path()), Vec::<String>::new());
        assert!(!abandoned.exists() && live.path().exists() && linked.join(LOG).exists());
        assert!(photos.iter().all(|photo| photo.is_file()));
        drop(live);
        swept(dir.path());
        assert!(also_live.path().exists(), "one of its two processes is still there");
    }

    #[test]
    fn a_strangers_file_in_a_folder_of_ours_stays_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = left(dir.path(), 1);
        std::fs::write(path.join("photo"), "x").unwrap();
        let said = swept(dir.path());
        assert!(said.len() == 1 && said[0].contains(&name(1)), "{said:?}");
        assert!(path.join("photo").is_file() && !path.join(ROOT).exists());
    }

    #[test]
    fn a_folder_that_is_there_is_not_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name(1));
        let _first = Scratch::create(&path).unwrap();
        let error = format!("{:#}", Scratch::create(&path).unwrap_err());
        assert!(error.contains(&name(1)), "{error}");
    }
}
