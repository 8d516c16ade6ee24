//! The mounts inside: a `/run` of our own, and a cgroup tree that every runtime accepts. Nothing here is
//! visible outside the mount namespace.

use std::path::Path;

use anyhow::Context as _;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change};

/// Makes the mount namespace private and gives it a `/run` and, where needed, a cgroup tree of its own.
///
/// # Errors
/// When not root in a mount namespace of one's own.
pub fn prepare() -> anyhow::Result<()> {
    prepare_run()?;
    own_cgroups(Path::new("/run/cgroup"))
}

/// Makes the mount namespace private and gives it a `/run` of its own: for whoever mounts cgroups anew.
///
/// # Errors
/// When not root in a mount namespace of one's own.
pub fn prepare_run() -> anyhow::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("can not make the mounts private: is this root in a mount namespace of its own?")?;
    own_run()
}

/// containerd, its shims and `ctr` have fixed places below `/run/containerd`: on a `/run` of our own they
/// collide with nobody's, and vanish with us. Name resolution often needs a file from the old one.
fn own_run() -> anyhow::Result<()> {
    let resolv = std::fs::canonicalize("/etc/resolv.conf").ok().filter(|path| path.starts_with("/run"));
    let kept = resolv.map(|path| std::fs::read(&path).map(|bytes| (path, bytes))).transpose()?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=0755"))
        .context("can not mount a private `/run`")?;
    if let Some((path, bytes)) = kept {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/run")))?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}

/// On a hybrid hierarchy (version 1 controllers and a `unified` mount) some runtimes refuse to work: they
/// get a copy of the tree without `unified`.
fn own_cgroups(copy: &Path) -> anyhow::Result<()> {
    let tree = Path::new("/sys/fs/cgroup");
    if !tree.join("unified").is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(copy)?;
    mount("tmpfs", copy, "tmpfs", MountFlags::empty(), Some(c"mode=0755"))
        .context("can not mount a private cgroup tree")?;
    for entry in std::fs::read_dir(tree)? {
        let entry = entry?;
        let to = copy.join(entry.file_name());
        if entry.file_name() == "unified" {
            continue;
        }
        if entry.file_type()?.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, to)?;
        } else {
            std::fs::create_dir(&to)?;
            mount_bind(entry.path(), &to).with_context(|| format!("can not bind `{}`", entry.path().display()))?;
        }
    }
    mount_bind_recursive(copy, tree).context("can not put the private cgroup tree in its place")
}

/// The folder, in a run's own, in which an overlay is tried.
pub const OVERLAY_PROBE: &str = "overlay-probe";

/// Whether the file system below `scratch` can carry overlays (another overlay, as in a container, can not).
pub fn supports_overlay(scratch: &Path) -> anyhow::Result<bool> {
    let probe = scratch.join(OVERLAY_PROBE);
    for part in ["lower", "upper", "work", "merged"] {
        std::fs::create_dir_all(probe.join(part))?;
    }
    let merged = probe.join("merged");
    let options = format!("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", probe.display());
    let options = std::ffi::CString::new(options)?;
    let supported = mount("overlay", &merged, "overlay", MountFlags::empty(), Some(options.as_c_str())).is_ok();
    if supported {
        rustix::mount::unmount(&merged, rustix::mount::UnmountFlags::DETACH)?;
    }
    std::fs::remove_dir_all(&probe)?;
    Ok(supported)
}
