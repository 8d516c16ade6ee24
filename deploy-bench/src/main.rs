//! `deploy-bench`: what `cargo xtask` is in a checkout, as one program that is installed and called anywhere:
//! `cargo install --path deploy-bench`.
//!
//! It has inside what it needs of the checkout: the definitions, and the sources that the shims are built from. They are
//! unpacked once for each version below `$XDG_CACHE_HOME/deploy-bench`, where everything that is built or fetched goes too.
//! Runs go to the folder that it is called in.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use xtask::workspace::{Workspace, cache};

/// What the build script packed.
const SOURCE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/source.tar.zst"));

fn main() -> ExitCode {
    xtask::program::main(workspace)
}

fn workspace() -> anyhow::Result<Workspace> {
    let cache = cache()?;
    let root = cache.join(format!("source-{}", &files::sha256_hex(SOURCE)[..12]));
    if !root.is_dir() {
        unpack(&cache, &root)
            .with_context(|| format!("can not unpack what this program needs to `{}`", root.display()))?;
    }
    Workspace::installed(&root, &cache)
}

/// Whole or not at all, whoever else does the same at this moment.
fn unpack(cache: &Path, root: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(cache)?;
    let folder = tempfile::tempdir_in(cache)?;
    tar::Archive::new(zstd::Decoder::new(SOURCE)?).unpack(folder.path())?;
    match std::fs::rename(folder.path(), root) {
        Err(_) if root.is_dir() => Ok(()),
        renamed => Ok(renamed?),
    }
}
