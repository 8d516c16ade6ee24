//! A program with arguments in front of its own, as one file: for whoever starts programs by path alone, as containerd's
//! runc shim does OCI runtimes.
//!
//! `launcher/src/bin/prepend.rs` is that file, with a list beside it. No shell is between containerd and the runtime.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{NATIVE_TARGET, NO_FLAGS, PROFILE, cargo_build, check_program, place, toolchain};
use crate::progress::Progress;
use crate::workspace::Workspace;
use files::{sha256_hex, write_whole};

/// The binary of the package `launcher`.
const BINARY: &str = "prepend";

/// A file that becomes `program`, an absolute path, with `arguments` in front of its own. The same for the same.
///
/// # Errors
/// When it can not be built or written.
pub fn with_arguments(
    workspace: &Workspace,
    program: &Path,
    arguments: &[String],
    progress: &mut dyn Progress,
) -> anyhow::Result<PathBuf> {
    let list = list(program, arguments)?;
    workspace.make(&workspace.artifacts())?;
    let toolchain = toolchain::find(workspace)?;
    toolchain::add_targets(workspace, &toolchain, &BTreeSet::from([NATIVE_TARGET]), progress)?;
    let what = ["--package", "launcher", "--bin", BINARY, "--profile", PROFILE, "--target", NATIVE_TARGET];
    let files = cargo_build(workspace, &NO_FLAGS.map(OsString::from), &what.map(OsString::from), progress)?;
    let file = files.iter().find(|file| file.program == BINARY);
    let file = file.with_context(|| format!("Cargo built `launcher`, but no program `{BINARY}`"))?;
    check_program(&file.bytes).with_context(|| format!("`{}`", file.path.display()))?;
    let name = program.file_name().with_context(|| format!("`{}` names no program", program.display()))?;
    let digest = sha256_hex(&list);
    let path = std::path::absolute(workspace.artifacts())?.join("prepend").join(&digest[..16]).join(name);
    place(&path, &file.bytes)?;
    let mut beside = path.clone().into_os_string();
    beside.push(".argv");
    write_whole(Path::new(&beside), &list)?;
    Ok(path)
}

fn list(program: &Path, arguments: &[String]) -> anyhow::Result<Vec<u8>> {
    ensure!(
        program.is_absolute(),
        "`{}` is no absolute path, and would be another program elsewhere",
        program.display()
    );
    let words = std::iter::once(program.as_os_str().as_bytes()).chain(arguments.iter().map(String::as_bytes));
    let mut list = Vec::new();
    for word in words {
        ensure!(!word.contains(&0), "an argument of `{}` holds a NUL", program.display());
        list.extend_from_slice(word);
        list.push(0);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_unambiguous() {
        let list = |program: &str, arguments: &[&str]| {
            list(Path::new(program), &arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(list("/a b", &["", "--c=d e"]).unwrap(), b"/a b\0\0--c=d e\0");
        assert!(list("runsc", &[]).unwrap_err().to_string().contains("`runsc` is no absolute path"));
        assert!(list("/a", &["b\0c"]).unwrap_err().to_string().contains("NUL"));
    }
}
