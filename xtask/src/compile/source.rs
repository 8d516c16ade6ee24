//! What a shim is made from, as one digest: WasmEdge's binary holds the path of the checkout (its dynamic linker and the
//! engine's library are named by absolute paths), so two checkouts of one commit build two binaries of one shim.
//!
//! Not here: the compiler and the packages, which a run records by themselves.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::shims::Shim;
use files::{sha256_file, sha256_hex};

/// What every shim's build reads below the checkout, besides its own package.
const SHARED: [&str; 5] = ["Cargo.lock", "Cargo.toml", "rust-toolchain.toml", "shim/Cargo.toml", "shim/src"];

/// SHA-256, in hex, of the shim's sources: of a line for each file, its digest and its path below the root, in the
/// order of the paths.
///
/// # Errors
/// When one can not be read.
pub fn shim_sha256(root: &Path, shim: Shim) -> anyhow::Result<String> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = SHARED.iter().chain([&shim.folder()]).map(|name| root.join(name)).collect();
    while let Some(path) = open.pop() {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let context = || format!("can not list `{}`", path.display());
        for entry in std::fs::read_dir(&path).with_context(context)? {
            open.push(entry.with_context(context)?.path());
        }
    }
    files.sort();
    let mut lines = String::new();
    for file in files {
        let inside = file.strip_prefix(root)?.to_string_lossy().into_owned();
        lines.extend([sha256_file(&file)?.as_str(), "  ", &inside, "\n"]);
    }
    Ok(sha256_hex(lines.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn checkout(root: &Path) {
        let files = ["shim/src/lib.rs", "shim/wasmedge/build.rs", "shim/wasmtime/src/main.rs"];
        let files: Vec<&str> = SHARED.into_iter().filter(|name| *name != "shim/src").chain(files).collect();
        for file in files.into_iter().map(|file| root.join(file)) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, file.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
    }

    #[test]
    fn two_checkouts_of_one_source_have_one_digest_and_a_changed_file_another() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "somewhere/else"].map(|name| dir.path().join(name));
        checkout(&a);
        checkout(&b);
        let digest = |root: &Path| shim_sha256(root, Shim::WasmEdge).unwrap();
        let before = digest(&a);
        assert_eq!(before, digest(&b));
        fs::write(b.join("shim/src/lib.rs"), "changed").unwrap();
        assert_ne!(before, digest(&b));
        // Another engine's.
        let other = shim_sha256(&a, Shim::Wasmtime).unwrap();
        fs::write(a.join("shim/wasmtime/src/main.rs"), "changed").unwrap();
        assert_eq!(before, digest(&a));
        assert_ne!(other, shim_sha256(&a, Shim::Wasmtime).unwrap());
        fs::rename(a.join("shim/wasmedge/build.rs"), a.join("shim/wasmedge/other.rs")).unwrap();
        assert_ne!(before, digest(&a));
    }
}
