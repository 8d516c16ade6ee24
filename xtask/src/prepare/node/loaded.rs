//! Which files a program loads before its first instruction: its dynamic linker and the libraries that it names, and those
//! that these name.
//!
//! After the System V ABI, "Dynamic Linking". Not here: what a program opens later by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};

/// Where the dynamic linker of this host looks, behind what a file names itself (ld.so(8), for x86-64).
const SYSTEM: [&str; 4] = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"];

/// The files that loading these ones needs, these included, in the order in which they are found. Libraries for which
/// `is_skipped` holds are left out with everything that only they need. One that is nowhere is left out too: whether the
/// program starts without it shows when it is started.
pub fn loaded(roots: &[PathBuf], is_skipped: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let mut waiting: Vec<PathBuf> = roots.iter().rev().cloned().collect();
    while let Some(path) = waiting.pop() {
        let Ok(path) = path.canonicalize() else { continue };
        if !known.insert(path.clone()) {
            continue;
        }
        let named = needs(&path).unwrap_or_default();
        found.push(path.clone());
        waiting.extend(named.interpreter);
        let folders = named.folders.iter().map(PathBuf::as_path).chain(path.parent()).chain(SYSTEM.map(Path::new));
        let folders: Vec<&Path> = folders.collect();
        for library in named.libraries.iter().rev().filter(|library| !is_skipped(library)) {
            waiting.extend(folders.iter().map(|folder| folder.join(library)).find(|file| file.is_file()));
        }
    }
    found
}

/// What one file names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    interpreter: Option<PathBuf>,
    libraries: Vec<String>,
    folders: Vec<PathBuf>,
}

/// `None` for a file that is none of ELF's for this machine, such as a module or a script.
fn needs(path: &Path) -> Option<Needs> {
    let cache = ReadCache::new(File::open(path).ok()?);
    read(&cache, path.parent()?).ok()
}

fn read<'data, R: ReadRef<'data>>(data: R, origin: &Path) -> anyhow::Result<Needs> {
    let header = elf::FileHeader64::<object::Endianness>::parse(data)?;
    let endian = header.endian()?;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, data)? {
        if let Some(interpreter) = segment.interpreter(endian, data)? {
            needs.interpreter = Some(PathBuf::from(String::from_utf8_lossy(interpreter).into_owned()));
        }
    }
    let sections = header.sections(endian, data)?;
    let Some((entries, link)) = sections.dynamic(endian, data)? else { return Ok(needs) };
    let strings = sections.strings(endian, data, link)?;
    for entry in entries {
        let Some(tag) = entry.tag32(endian) else { continue };
        if ![elf::DT_NEEDED, elf::DT_RPATH, elf::DT_RUNPATH].contains(&tag) {
            continue;
        }
        let text = entry.val32(endian).and_then(|at| strings.get(at).ok()).context("a name is out of range")?;
        let text = String::from_utf8_lossy(text).into_owned();
        if tag == elf::DT_NEEDED {
            needs.libraries.push(text);
        } else {
            let origin = origin.to_string_lossy();
            needs.folders.extend(text.split(':').map(|folder| PathBuf::from(folder.replace("$ORIGIN", &origin))));
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
    }

    #[test]
    fn this_program_loads_the_c_library_and_its_loader() {
        let this = std::env::current_exe().unwrap();
        let all = names(&loaded(std::slice::from_ref(&this), |_| false));
        assert!(all.iter().any(|name| name.starts_with("libc.so")), "{all:?}");
        assert!(all.iter().any(|name| name.starts_with("ld-linux")), "{all:?}");
        let without = names(&loaded(&[this], |name| name.starts_with("libc.so")));
        assert!(!without.iter().any(|name| name.starts_with("libc.so")), "{without:?}");
    }

    #[test]
    fn a_file_that_is_no_program_is_all_that_it_needs_and_one_that_is_not_there_is_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(loaded(&[file.path().to_path_buf()], |_| false), [file.path().canonicalize().unwrap()]);
        assert_eq!(loaded(&["/no/such".into()], |_| false), Vec::<PathBuf>::new());
    }
}
