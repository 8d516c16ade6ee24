//! Who may do what beside whom: locks on files, which the kernel releases when their holder ends, however it ends.
//!
//! A lock file is empty and is never written to. Who holds it is asked of the kernel (`/proc/locks`): a holder has a
//! name from the first moment, nothing stale can be believed, and in a folder that everybody may write to nobody can
//! have us overwrite a file of his choice.
//!
//! Two kinds: one lock for the machine, because two measurements measure each other whoever makes them, and one for a
//! checkout's `target`, so that nothing is removed while something is built or run from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use rustix::fs::OFlags;

use crate::console;
use crate::workspace::Workspace;
use report::visible::visible;

/// The lock of the machine, in a folder that all users share.
const MACHINE: &str = "deploy-bench.lock";
/// The lock of a checkout's `target`.
const CHECKOUT: &str = "xtask.lock";
/// Held by the tests of a checkout: they damage and repair what is in `target`.
const TESTS: &str = "test.lock";
/// Held while Kubernetes is built.
const KUBERNETES: &str = "kubernetes.lock";
/// A holder may end between our attempt and our question: so many more attempts.
const ATTEMPTS: u32 = 3;
/// The longest command line of a holder that is shown.
const COMMAND_SHOWN_CHARS: usize = 120;

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// Nobody.
    Nobody,
    /// Others who say the same.
    Others,
}

/// What to do when somebody else holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Say who, and give up.
    Refuse,
    /// Say who, and wait.
    Wait,
}

/// A held lock; released when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// For `bench` and `run`: nobody else on this machine measures, and nobody cleans up this checkout.
///
/// # Errors
/// When somebody does; who is named.
pub fn measure(workspace: &Workspace, busy: Busy) -> anyhow::Result<Vec<Lock>> {
    let machine = machine(workspace, Company::Nobody, busy)?;
    Ok(vec![machine, build(workspace)?])
}

/// For `test`: nobody measures on this machine. Tests of other checkouts may run: what fails for their load can be
/// repeated, and no figure of theirs is kept.
///
/// # Errors
/// As [`measure`].
pub fn test(workspace: &Workspace, busy: Busy) -> anyhow::Result<Vec<Lock>> {
    let machine = machine(workspace, Company::Others, busy)?;
    let why = "the tests of this checkout are running already";
    let tests = Lock::take(&ensure_folder(workspace.target())?.join(TESTS), Company::Nobody, busy, why)?;
    Ok(vec![machine, tests, build(workspace)?])
}

/// For everything that writes below `target`: nobody cleans up.
///
/// # Errors
/// When somebody does; who is named.
pub fn build(workspace: &Workspace) -> anyhow::Result<Lock> {
    let path = ensure_folder(workspace.target())?.join(CHECKOUT);
    let why = format!("`{}` is just being cleaned", workspace.target().display());
    Lock::take(&path, Company::Others, Busy::Refuse, &why)
}

/// For the build of Kubernetes: a second one waits, and then finds it.
///
/// # Errors
/// When the lock can not be had.
pub fn kubernetes(workspace: &Workspace) -> anyhow::Result<Lock> {
    let path = ensure_folder(workspace.target())?.join(KUBERNETES);
    Lock::take(&path, Company::Nobody, Busy::Wait, "Kubernetes is just being built")
}

/// For `clean`: nobody uses what is below `target`.
///
/// # Errors
/// When somebody does; who is named.
pub fn clean(workspace: &Workspace) -> anyhow::Result<Lock> {
    let path = ensure_folder(workspace.target())?.join(CHECKOUT);
    let why = format!("`{}` is in use, and nothing was removed", workspace.target().display());
    Lock::take(&path, Company::Nobody, Busy::Refuse, &why)
}

fn machine(workspace: &Workspace, company: Company, busy: Busy) -> anyhow::Result<Lock> {
    let folder = match workspace.lock_folder() {
        Some(folder) => ensure_folder(folder)?.to_path_buf(),
        None => shared_folder(&["/run/lock", "/tmp"].map(PathBuf::from)).unwrap_or_else(|| {
            console::note(
                "no folder here is shared by all users: a measurement of another checkout would not be noticed",
            );
            workspace.target().to_path_buf()
        }),
    };
    let why = "something else is measuring on this machine, and two at once would measure each other";
    Lock::take(&ensure_folder(&folder)?.join(MACHINE), company, busy, why)
}

fn ensure_folder(folder: &Path) -> anyhow::Result<&Path> {
    std::fs::create_dir_all(folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    Ok(folder)
}

/// The first folder in which every user may make a file and none may remove another's: all users come to the same one.
fn shared_folder(candidates: &[PathBuf]) -> Option<PathBuf> {
    let is_shared = |path: &&PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o1777 == 0o1777)
    };
    candidates.iter().find(is_shared).cloned()
}

impl Lock {
    /// Takes the lock, or says who holds it; `why` says what that means.
    ///
    /// # Errors
    /// When another process holds it and `busy` is to refuse, or the file is none that can be locked.
    pub fn take(path: &Path, company: Company, busy: Busy, why: &str) -> anyhow::Result<Self> {
        Self::take_noting(path, (company, busy), why, &mut |text| console::note(text))
    }

    /// Takes the lock alone, after waiting for whoever holds it; `why` and who that is goes to `note`. Programs that this
    /// process starts hold it too: should this process be killed, they go on for a while, and the next one has to wait for
    /// them rather than collide with them.
    ///
    /// # Errors
    /// When the file is none that can be locked.
    pub fn wait_with_children(path: &Path, why: &str, note: &mut dyn FnMut(&str)) -> anyhow::Result<Self> {
        let lock = Self::take_noting(path, (Company::Nobody, Busy::Wait), why, note)?;
        rustix::io::fcntl_setfd(&lock.file, rustix::io::FdFlags::empty())
            .with_context(|| format!("can not lock `{}`", path.display()))?;
        Ok(lock)
    }

    fn take_noting(
        path: &Path,
        (company, busy): (Company, Busy),
        why: &str,
        note: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Self> {
        for _ in 0..ATTEMPTS {
            let file = open(path)?;
            let context = || format!("can not lock `{}`", path.display());
            let attempt = match company {
                Company::Nobody => file.try_lock(),
                Company::Others => file.try_lock_shared(),
            };
            match attempt {
                // Whoever tidies up lock files may have removed this one since it was opened.
                Ok(()) if is_still(path, &file)? => return Ok(Self { file }),
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error).with_context(context),
            }
            let holders = holders(&file)?;
            if busy == Busy::Wait {
                note(&format!("waiting: {why}: {}", named(&holders)));
                match company {
                    Company::Nobody => file.lock(),
                    Company::Others => file.lock_shared(),
                }
                .with_context(context)?;
                return Ok(Self { file });
            }
            if !holders.is_empty() {
                bail!("{why}: {}. Wait for its end", named(&holders));
            }
        }
        bail!("{why}: {} holds `{}`. Wait for its end", named(&[]), path.display())
    }
}

/// Not only by closing the file: a program that another thread is just starting has a copy of it for a moment, and would
/// hold the lock as long.
impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            console::note(format_args!("can not release a lock: {error}"));
        }
    }
}

/// Reading is enough to lock, so the file may be anybody's; that it is a plain file, and no link to one, has to be
/// certain where others may have put it there.
fn open(path: &Path) -> anyhow::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).context("open flags that are no flags")?;
    for _ in 0..ATTEMPTS {
        match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => {
                ensure!(file.metadata()?.is_file(), "`{}` is no plain file: remove it", path.display());
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => create(path)?,
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("can not open `{}`, which should be an empty file that everybody may read", path.display())
                });
            }
        }
    }
    bail!("`{}` is removed again and again", path.display())
}

/// Appears with its final mode: with that of the caller's umask, others could not read it for a moment, or for ever.
fn create(path: &Path) -> anyhow::Result<()> {
    let context = || format!("can not make `{}`", path.display());
    let folder = path.parent().with_context(context)?;
    let file = tempfile::Builder::new().prefix(".lock-").tempfile_in(folder).with_context(context)?;
    file.as_file().set_permissions(PermissionsExt::from_mode(0o644)).with_context(context)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error).with_context(context),
        _ => Ok(()),
    }
}

fn is_still(path: &Path, file: &File) -> anyhow::Result<bool> {
    let (ours, there) = (file.metadata()?, std::fs::symlink_metadata(path));
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())))
}

/// Who holds a lock on this file; nobody when it was released since, or when they are in another PID namespace.
fn holders(file: &File) -> anyhow::Result<Vec<u32>> {
    let metadata = file.metadata()?;
    let device = metadata.dev();
    let id = format!("{:02x}:{:02x}:{}", rustix::fs::major(device), rustix::fs::minor(device), metadata.ino());
    Ok(parse_locks(&std::fs::read_to_string("/proc/locks").unwrap_or_default(), &id))
}

/// `1: FLOCK  ADVISORY  WRITE 4242 fe:00:6186208 0 EOF` (proc(5)); whoever waits has an arrow before the kind.
fn parse_locks(text: &str, id: &str) -> Vec<u32> {
    let holder = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [_, "FLOCK", _, _, process, file, ..] if file == id => process.parse().ok(),
            _ => None,
        }
    };
    text.lines().filter_map(holder).collect()
}

fn named(holders: &[u32]) -> String {
    if holders.is_empty() {
        return "a process that can not be seen from here".to_owned();
    }
    let name = |process: &u32| match std::fs::read(format!("/proc/{process}/cmdline")) {
        Ok(line) if !line.is_empty() => format!("process {process} (`{}`)", shown(&line)),
        _ => format!("process {process}"),
    };
    holders.iter().map(name).collect::<Vec<_>>().join(" and ")
}

/// A command line of somebody else's making, on one line and safe for a terminal.
fn shown(line: &[u8]) -> String {
    let words = String::from_utf8_lossy(line).trim_end_matches('\0').replace(['\0', '\n', '\t'], " ");
    match words.char_indices().nth(COMMAND_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", visible(&words[..end])),
        None => visible(&words).into_owned(),
    }
}

#[cfg(test)]
mod tests;
