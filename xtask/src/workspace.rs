//! The root of the workspace and every path below it. The environment is read here, once.
//!
//! Not here: anything that is in those paths.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The checkout that this program belongs to, and where things are in it.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The checkout that `cargo xtask` runs in: Cargo sets `CARGO_MANIFEST_DIR`; without Cargo, the folder
    /// this program was compiled from.
    ///
    /// # Errors
    /// When that folder is gone.
    pub fn locate() -> anyhow::Result<Self> {
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir.parent().context("the xtask crate has no parent folder")?;
        anyhow::ensure!(
            root.join("workload/benches.toml").is_file(),
            "`{}` is not this project's checkout (no `workload/benches.toml`): run `cargo xtask` inside it",
            root.display()
        );
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root: root.to_path_buf(), target })
    }

    /// A workspace at a folder of the caller's choice, for tests.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf(), target: root.join("target") }
    }

    /// The checkout itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder: everything that is built or downloaded is below it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The programs that the host lacks.
    pub fn toolbox(&self) -> PathBuf {
        self.target.join("toolbox")
    }

    /// The OCI image layout.
    pub fn oci(&self) -> PathBuf {
        self.target.join("oci")
    }

    /// Built artifacts under their stable names.
    pub fn artifacts(&self) -> PathBuf {
        self.target.join("artifacts")
    }

    /// Roots, states and logs of private containerds, a folder each.
    pub fn hosts(&self) -> PathBuf {
        self.target.join("host")
    }

    /// Bench definitions.
    pub fn benches_toml(&self) -> PathBuf {
        self.root.join("workload/benches.toml")
    }

    /// Image definitions, a file each.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// Published figures, as data.
    pub fn claims_toml(&self) -> PathBuf {
        self.results().join("claims.toml")
    }

    /// Recorded runs.
    pub fn results(&self) -> PathBuf {
        self.root.join("results")
    }
}
