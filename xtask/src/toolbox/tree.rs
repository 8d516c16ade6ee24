//! From package files to a tree of programs that run on this host: unpack, prune, patch, check, record.
//!
//! Programs get the tree's own dynamic linker and C library, so that the host's may be older. Both paths are
//! absolute: the kernel wants it of the dynamic linker, and crun and runc execute copies of themselves from
//! memory, where `$ORIGIN` has no meaning. A tree that was moved is made anew.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::apt::plain;
use super::elf;
use super::manifest::Packaged;
use super::suite::{EXTRAS, LINKABLE, Program};
use crate::cmd::Cmd;
use crate::progress::{Amount, Progress, Unit};
use files::sha256_file;

/// Where the libraries are, in a tree.
pub const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
/// The dynamic linker, in a tree.
pub const LOADER: &str = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
/// Folders with one library each, in a tree.
pub const LINK: &str = "link";
/// Where programs are, in a tree.
pub const PROGRAMS: [&str; 2] = ["usr/bin", "usr/sbin"];
/// What no program of ours reads: more than half of all files.
const PRUNED: [&str; 6] =
    ["etc", "var", "usr/include", "usr/share", "usr/lib/systemd", "usr/lib/x86_64-linux-gnu/gconv"];
/// More than any headers that a linker writes.
const HEADER_BYTES: u64 = 1 << 16;

/// Unpacks these packages (name and file) into `tree` and makes the programs in it run from `home`, where the tree will
/// be renamed to. Returns the programs as their packages hold them: patched, they hold the path of `home`.
///
/// # Errors
/// When a package can not be unpacked, a wanted program is missing, or one can not be patched.
pub fn build(
    tree: &Path,
    home: &Path,
    archives: &[(&str, PathBuf)],
    programs: &[Program],
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Packaged>> {
    let mut packaged = unpack(tree, archives, progress)?;
    for folder in PRUNED {
        remove(&tree.join(folder))?;
    }
    isolate_linkable(tree)?;
    let patched = patch(tree, home)?;
    keep_only(tree, programs)?;
    packaged.retain(|program| find_program(tree, &program.name).is_some());
    for program in programs {
        let said = probe(tree, program, &patched)?;
        if let Some(packaged) = packaged.iter_mut().find(|packaged| packaged.name == program.name) {
            packaged.version = said.lines().next().map(str::to_owned);
        }
    }
    Ok(packaged)
}

/// Where in a tree a program is.
pub fn find_program(tree: &Path, name: &str) -> Option<PathBuf> {
    PROGRAMS.iter().map(|folder| tree.join(folder).join(name)).find(|path| path.is_file())
}

/// Removes a folder and everything in it, if it is there.
///
/// # Errors
/// When it can not be removed.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can not remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

fn unpack(tree: &Path, archives: &[(&str, PathBuf)], progress: &mut dyn Progress) -> anyhow::Result<Vec<Packaged>> {
    std::fs::create_dir_all(tree).with_context(|| format!("can not make `{}`", tree.display()))?;
    let total = archives.len() as u64;
    let what = format!("unpacking {total} packages");
    let mut packaged = Vec::new();
    for (done, (package, archive)) in (0..).zip(archives) {
        progress.advance(&what, Amount { done, total, unit: Unit::Items });
        plain("dpkg-deb").arg("--extract").arg(archive).arg(tree).limit(Duration::from_mins(10)).run()?;
        add_new_programs(tree, package, &mut packaged)?;
    }
    progress.advance(&what, Amount { done: total, total, unit: Unit::Items });
    Ok(packaged)
}

/// The programs that came with the package that was unpacked last. A link is no program of its own.
pub(super) fn add_new_programs(tree: &Path, package: &str, known: &mut Vec<Packaged>) -> anyhow::Result<()> {
    for folder in PROGRAMS {
        for path in entries(&tree.join(folder))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_file = std::fs::symlink_metadata(&path).is_ok_and(|file| file.is_file());
            if is_file && known.iter().all(|program| program.name != name) {
                known.push(Packaged { name, package: package.to_owned(), sha256: sha256_file(&path)?, version: None });
            }
        }
    }
    Ok(())
}

/// Moves each linkable library into a folder of its own, and drops all other build-time files.
fn isolate_linkable(tree: &Path) -> anyhow::Result<()> {
    for (name, file) in LINKABLE {
        let from = tree.join(LIBRARIES).join(file);
        if from.is_file() {
            let folder = tree.join(LINK).join(name);
            std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
            std::fs::rename(&from, folder.join(file)).with_context(|| format!("can not move `{}`", from.display()))?;
        }
    }
    for path in entries(&tree.join(LIBRARIES))? {
        let extension = path.extension().unwrap_or_default();
        if extension == "a" || extension == "o" {
            std::fs::remove_file(&path).with_context(|| format!("can not remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

/// patchelf 0.18 breaks programs that are not position-independent (all of Go's here) when it sets both at once,
/// or the dynamic linker first; hence two calls in this order, and [`probe`]. Returns what it patched: afterwards it can not
/// be seen from the first bytes of a file.
fn patch(tree: &Path, home: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let loader = tree.join(LOADER);
    ensure!(loader.is_file(), "the packages hold no `{LOADER}`");
    let mut programs = Vec::new();
    for folder in PROGRAMS {
        for path in entries(&tree.join(folder))? {
            if is_interpreted_program(&path)? {
                programs.push(path);
            }
        }
    }
    let patchelf = find_program(tree, "patchelf").context("the packages hold no program `patchelf`")?;
    programs.retain(|path| *path != patchelf);
    if programs.is_empty() {
        // All of them are static, as gVisor's is.
        return Ok(programs);
    }
    // patchelf can not run by itself where the host's C library is older.
    let run = |settings: [OsString; 2], more: &[&str]| {
        let command = through_loader(tree, &patchelf).args(settings).args(more).args(&programs);
        command.limit(Duration::from_mins(5)).run()
    };
    run(["--set-rpath".into(), home.join(LIBRARIES).into()], &["--force-rpath"])?;
    run(["--set-interpreter".into(), home.join(LOADER).into()], &[])?;
    Ok(programs)
}

fn through_loader(tree: &Path, program: &Path) -> Cmd {
    let loader = Cmd::new(tree.join(LOADER)).env("LD_LIBRARY_PATH", "");
    loader.arg("--library-path").arg(tree.join(LIBRARIES)).arg(program)
}

fn keep_only(tree: &Path, programs: &[Program]) -> anyhow::Result<()> {
    let kept: Vec<&str> = programs.iter().map(|program| program.name.as_str()).chain(EXTRAS).collect();
    for folder in PROGRAMS {
        for path in entries(&tree.join(folder))? {
            if path.file_name().is_none_or(|name| kept.iter().all(|kept| name != *kept)) {
                std::fs::remove_file(&path).with_context(|| format!("can not remove `{}`", path.display()))?;
            }
        }
    }
    Ok(())
}

/// What a patched program says, if it starts. The tree is not in its place yet, so its dynamic linker is named where it
/// needs one.
fn probe(tree: &Path, program: &Program, patched: &[PathBuf]) -> anyhow::Result<String> {
    let path = find_program(tree, &program.name)
        .with_context(|| format!("the packages hold no program `{}`", program.name))?;
    let file = path.canonicalize().with_context(|| format!("can not follow `{}`", path.display()))?;
    let is_patched = patched.iter().any(|patched| patched.canonicalize().is_ok_and(|patched| patched == file));
    let command = if is_patched { through_loader(tree, &path) } else { Cmd::new(&path) };
    let output = command.arg(program.probe).run();
    Ok(output.context("a program of the toolbox does not start")?.text())
}

/// Only regular files: a link's target is patched under its own name.
fn is_interpreted_program(path: &Path) -> anyhow::Result<bool> {
    let context = || format!("can not read `{}`", path.display());
    if !std::fs::symlink_metadata(path).with_context(context)?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    std::fs::File::open(path).with_context(context)?.take(HEADER_BYTES).read_to_end(&mut head).with_context(context)?;
    if !elf::is_elf(&head) {
        return Ok(false);
    }
    let elf = elf::parse(&head).with_context(context)?;
    Ok(elf.executable && elf.interpreted)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let context = || format!("can not read `{}`", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        paths.push(entry.with_context(context)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Puts a finished tree in its place, and the one that was there away.
///
/// # Errors
/// When renaming fails.
pub fn replace(home: &Path, tree: &Path) -> anyhow::Result<()> {
    let old = home.with_extension("old");
    remove(&old)?;
    if home.exists() {
        std::fs::rename(home, &old).with_context(|| format!("can not move `{}` away", home.display()))?;
    }
    std::fs::rename(tree, home)
        .with_context(|| format!("can not rename `{}` to `{}`", tree.display(), home.display()))?;
    remove(&old)
}
