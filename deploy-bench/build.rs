//! Packs what the program needs of its checkout when it is somewhere else: the definitions, and what the shims are built from.

use std::path::{Path, PathBuf};

/// What is packed. All members of the workspace are among it: Cargo builds none of them without the others' manifests.
const PARTS: [&str; 16] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "clippy.toml",
    "crates",
    "deploy-bench",
    "examples",
    "images",
    "launcher",
    "matrix",
    "results/claims.toml",
    "rust-toolchain.toml",
    "shim",
    "suite",
    "workload",
    "xtask",
];

/// As small as can be had in a second.
const LEVEL: i32 = 12;

fn main() -> std::io::Result<()> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(std::io::ErrorKind::NotFound);
    let root = variable("CARGO_MANIFEST_DIR")?.join("..");
    let archive = std::fs::File::create(variable("OUT_DIR")?.join("source.tar.zst"))?;
    let mut tar = tar::Builder::new(zstd::Encoder::new(archive, LEVEL)?);
    // Neither times nor owners: the same sources are the same archive.
    tar.mode(tar::HeaderMode::Deterministic);
    for part in PARTS {
        println!("cargo::rerun-if-changed=../{part}");
        pack(&mut tar, &root, Path::new(part))?;
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

fn pack<W: std::io::Write>(tar: &mut tar::Builder<W>, root: &Path, part: &Path) -> std::io::Result<()> {
    let path = root.join(part);
    if path.is_file() {
        return tar.append_path_with_name(&path, part);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path)? {
        names.push(entry?.file_name());
    }
    names.sort();
    for name in names.into_iter().filter(|name| name != "target") {
        pack(tar, root, &part.join(name))?;
    }
    Ok(())
}
