//! The root of the workspace and every path below it, and which folders of `target` are this program's own. The
//! environment is read here, once.
//!
//! Not here: anything else that is in those paths.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The file by which a folder is known to be this program's own.
pub const MARKER: &str = ".made-by-xtask";
/// What stands in it, for whoever wonders.
const MARKER_TEXT: &str = "`cargo xtask` made this folder and may remove it, with everything in it.\n";
/// Names another folder for the lock of the machine: for tests, and for machines without a folder that users share.
pub const LOCK_FOLDER: &str = "XTASK_LOCK_DIR";
/// Set for those who will build again: the tests.
pub const KEEP_BUILDS: &str = "XTASK_KEEP_BUILDS";

/// Where an installed program puts runs, in the folder that it is called in.
const RUNS: &str = "wasm-bench-results";

/// Where an installed program keeps what it can make again (XDG Base Directory Specification 0.8).
///
/// # Errors
/// When there is neither such a folder nor a home.
pub fn cache() -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("there is no `HOME`, and no `XDG_CACHE_HOME` to keep anything in")?.join("deploy-bench"))
}

/// The checkout that this program belongs to, and where things are in it.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
    /// Where runs go, when not below the root.
    results: Option<PathBuf>,
    lock_folder: Option<PathBuf>,
    keeps_builds: bool,
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
        let lock_folder = std::env::var_os(LOCK_FOLDER).map(PathBuf::from);
        let keeps_builds = std::env::var_os(KEEP_BUILDS).is_some();
        Ok(Self { root: root.to_path_buf(), target, results: None, lock_folder, keeps_builds })
    }

    /// Where an installed program finds what it brought (`root`), and puts what it builds and fetches (`cache`). Runs go to
    /// the folder that it is called in.
    ///
    /// # Errors
    /// When there is no such folder any more.
    pub fn installed(root: &Path, cache: &Path) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("there is no current folder")?;
        let lock_folder = std::env::var_os(LOCK_FOLDER).map(PathBuf::from);
        let (root, target) = (root.to_path_buf(), cache.join("target"));
        let keeps_builds = std::env::var_os(KEEP_BUILDS).is_some();
        Ok(Self { root, target, results: Some(here.join(RUNS)), lock_folder, keeps_builds })
    }

    /// A workspace at a folder of the caller's choice, for tests.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        let lock_folder = Some(root.join("locks"));
        Self { root: root.to_path_buf(), target: root.join("target"), results: None, lock_folder, keeps_builds: false }
    }

    /// Whether this is no checkout, but what an installed program brought.
    pub fn is_installed(&self) -> bool {
        self.results.is_some()
    }

    /// The checkout itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder: everything that is built or downloaded is below it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where the lock of the machine is, when the caller names a folder for it.
    pub fn lock_folder(&self) -> Option<&Path> {
        self.lock_folder.as_deref()
    }

    /// Whether what Cargo has between source and program stays after a build.
    pub fn keeps_builds(&self) -> bool {
        self.keeps_builds
    }

    /// The same, for somebody who will build again.
    #[must_use]
    pub fn keeping_builds(self) -> Self {
        Self { keeps_builds: true, ..self }
    }

    /// Where shims are built.
    pub fn shims(&self) -> PathBuf {
        self.target.join("shims")
    }

    /// Makes a folder below `target` and marks it as this program's own. What is written there may replace and remove
    /// what is there.
    ///
    /// # Errors
    /// When somebody else's things are in it.
    pub fn make(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("can not make `{}`", folder.display()))?;
        let marker = folder.join(MARKER);
        if marker.is_file() {
            return Ok(());
        }
        let mut entries = std::fs::read_dir(folder).with_context(|| format!("can not list `{}`", folder.display()))?;
        ensure!(
            self.is_own(folder) || entries.next().is_none(),
            "`{}` holds what this program did not put there (it has no `{MARKER}`), and would be overwritten: name \
             another `CARGO_TARGET_DIR`",
            folder.display()
        );
        std::fs::write(&marker, MARKER_TEXT).with_context(|| format!("can not write `{}`", marker.display()))
    }

    /// Removes a folder of this program's own, if it is there.
    ///
    /// # Errors
    /// When it is somebody else's, or can not be removed.
    pub fn remove(&self, folder: &Path) -> anyhow::Result<()> {
        if std::fs::symlink_metadata(folder).is_err() {
            return Ok(());
        }
        ensure!(
            self.is_own(folder),
            "`{0}` was not removed: this program did not make it (it has no `{MARKER}`). If you know better: \
             `rm -r {0}`",
            folder.display()
        );
        std::fs::remove_dir_all(folder).with_context(|| format!("can not remove `{}`", folder.display()))
    }

    /// Below the checkout's own `target` every folder of our names is ours; in another one, which may serve several
    /// projects, those that we marked.
    fn is_own(&self, folder: &Path) -> bool {
        self.target == self.root.join("target") || folder.join(MARKER).is_file()
    }

    /// Whether everything below `target` is Cargo's: it marks the folders that it makes (bford.info/cachedir).
    pub fn is_target_cargos(&self) -> bool {
        self.target == self.root.join("target") || self.target.join("CACHEDIR.TAG").is_file()
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

    /// What Cargo makes of somebody's own programs.
    pub fn own_programs(&self) -> PathBuf {
        self.target.join("own-programs")
    }

    /// Roots, states and logs of private containerds, a folder each.
    pub fn hosts(&self) -> PathBuf {
        self.target.join("host")
    }

    /// Bench definitions.
    pub fn benches_toml(&self) -> PathBuf {
        self.root.join("workload/benches.toml")
    }

    /// What tells how modules are executed.
    pub fn calibration_toml(&self) -> PathBuf {
        self.root.join("workload/calibration.toml")
    }

    /// The matrix: engines, runtimes, cases.
    pub fn matrix(&self) -> PathBuf {
        self.root.join("matrix")
    }

    /// Where programs come from that are had on request.
    pub fn programs_toml(&self) -> PathBuf {
        self.root.join("matrix/programs.toml")
    }

    /// Image definitions, a file each.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// Published figures, as data.
    pub fn claims_toml(&self) -> PathBuf {
        self.root.join("results/claims.toml")
    }

    /// Recorded runs.
    pub fn results(&self) -> PathBuf {
        self.results.clone().unwrap_or_else(|| self.root.join("results"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout whose `target` is elsewhere, as `CARGO_TARGET_DIR` may have it.
    fn elsewhere(dir: &Path) -> Workspace {
        Workspace {
            root: dir.join("checkout"),
            target: dir.join("home"),
            results: None,
            lock_folder: None,
            keeps_builds: false,
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_neither_used_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = elsewhere(dir.path());
        std::fs::create_dir_all(workspace.oci()).unwrap();
        let photo = workspace.oci().join("photo");
        std::fs::write(&photo, "x").unwrap();
        for refused in [workspace.make(&workspace.oci()), workspace.remove(&workspace.oci())] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("home/oci") && error.contains(MARKER), "{error}");
        }
        assert!(photo.is_file() && !workspace.is_target_cargos());
    }

    #[test]
    fn a_folder_of_ours_is_used_again_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = elsewhere(dir.path());
        workspace.make(&workspace.oci()).unwrap();
        std::fs::write(workspace.oci().join("blob"), "x").unwrap();
        workspace.make(&workspace.oci()).unwrap();
        workspace.remove(&workspace.oci()).unwrap();
        assert!(!workspace.oci().exists());
        workspace.remove(&workspace.oci()).unwrap();
    }

    #[test]
    fn below_the_checkouts_own_target_names_are_enough() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(dir.path());
        std::fs::create_dir_all(workspace.oci()).unwrap();
        std::fs::write(workspace.oci().join("blob"), "x").unwrap();
        workspace.make(&workspace.oci()).unwrap();
        workspace.remove(&workspace.oci()).unwrap();
        assert!(!workspace.oci().exists() && workspace.is_target_cargos());
    }
}
