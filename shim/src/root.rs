//! A container's root directory, looked at from outside before the container is there. Every path is resolved inside
//! it, symbolic links too (`openat2` with `RESOLVE_IN_ROOT`): an image can not point the shim at the host's files.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use serde_json::Value;

/// How much of an image's `/etc/passwd` is read.
const PASSWD_LIMIT: u64 = 1 << 20;

/// How much of a program's file is read: the part of an ELF file's header that says whose file it is.
const HEADER: usize = 8;

/// A root directory, and what will be mounted over parts of it.
pub struct Root {
    directory: OwnedFd,
    /// Where in the container, and what of the host.
    volumes: Vec<(PathBuf, PathBuf)>,
    /// Whether a file with this header is the engine's, whatever else it looks like.
    is_engines: fn(&[u8]) -> bool,
}

impl Root {
    /// Opens the root directory of a container; its file system has to be mounted already.
    ///
    /// # Errors
    /// The specification names no root, or it is not there.
    pub fn open(specification: &Value, is_engines: fn(&[u8]) -> bool) -> Result<Self> {
        let path = specification["root"]["path"].as_str().context("the specification names no `root.path`")?;
        let directory = open_directory(Path::new(path))?;
        let mounts = specification["mounts"].as_array().into_iter().flatten();
        let volumes = mounts.filter_map(volume).collect();
        Ok(Self { directory, volumes, is_engines })
    }

    /// Whether this is a file that the kernel can execute: an ELF file, or a script that names its interpreter.
    /// `None` when there is no executable file there.
    pub fn is_native_program(&self, path: &Path) -> Option<bool> {
        let file = self.file(path)?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || metadata.mode() & 0o111 == 0 {
            return None;
        }
        let mut header = Vec::with_capacity(HEADER);
        file.take(HEADER as u64).read_to_end(&mut header).ok()?;
        let native = header.starts_with(b"\x7fELF") || header.starts_with(b"#!");
        Some(native && !(self.is_engines)(&header))
    }

    /// Whether there is a file, of whatever kind of contents.
    pub fn is_file(&self, path: &Path) -> bool {
        self.file(path).and_then(|file| file.metadata().ok()).is_some_and(|metadata| metadata.is_file())
    }

    /// The home directory of a user: what the image's `/etc/passwd` says, else `/`, as under runc.
    pub fn home(&self, uid: u64) -> String {
        let mut text = String::new();
        let read = self.file(Path::new("/etc/passwd")).map(|file| file.take(PASSWD_LIMIT).read_to_string(&mut text));
        match read {
            Some(Ok(_)) => home_in(&text, uid).unwrap_or("/").to_owned(),
            _ => "/".to_owned(),
        }
    }

    fn file(&self, path: &Path) -> Option<File> {
        // The volume whose place is the longest part of the path hides what the image has there.
        let volume = self
            .volumes
            .iter()
            .filter_map(|(place, source)| Some((source, path.strip_prefix(place).ok()?)))
            .min_by_key(|(_, rest)| rest.components().count());
        let Some((source, rest)) = volume else {
            return inside(&self.directory, path);
        };
        if rest.as_os_str().is_empty() {
            return File::open(source).ok();
        }
        inside(&open_directory(source).ok()?, rest)
    }
}

fn volume(mount: &Value) -> Option<(PathBuf, PathBuf)> {
    let mut options = mount["options"].as_array().into_iter().flatten();
    let bound = mount["type"] == "bind" || options.any(|option| option == "bind" || option == "rbind");
    bound.then(|| Some((mount["destination"].as_str()?.into(), mount["source"].as_str()?.into())))?
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .with_context(|| format!("cannot open `{}`", path.display()))
}

/// Not blocking, because an image may hold a FIFO under any name.
fn inside(directory: &OwnedFd, path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(directory, path, flags, Mode::empty(), resolve).ok().map(File::from)
}

/// passwd(5): name, password, uid, gid, comment, home, shell.
fn home_in(passwd: &str, uid: u64) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let home = *fields.get(5)?;
        (fields[2].parse() == Ok(uid) && !home.is_empty()).then_some(home)
    })
}

#[cfg(test)]
mod tests {
    use super::{Root, home_in};
    use serde_json::json;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    #[test]
    fn home_is_the_sixth_field_of_the_users_line() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nu:x:1000:1000:A U:/home/u:/bin/sh\nempty:x:7:7:::\n";
        assert_eq!(home_in(passwd, 0), Some("/root"));
        assert_eq!(home_in(passwd, 1000), Some("/home/u"));
        assert_eq!(home_in(passwd, 7), None);
        assert_eq!(home_in(passwd, 1), None);
    }

    #[test]
    fn a_link_out_of_the_image_stays_inside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("rootfs");
        std::fs::create_dir_all(root.join("etc")).expect("a root");
        // On the host there is such a file and root's home is not `/`; in the image there is none.
        symlink("../../../../../../../../etc/passwd", root.join("etc/passwd")).expect("a link");
        let opened = Root::open(&json!({ "root": { "path": root } }), |_| false).expect("the root");
        assert_eq!(opened.home(0), "/");
    }

    #[test]
    fn programs_are_known_by_mode_and_header_in_image_and_volume() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("rootfs");
        let volume = folder.path().join("volume");
        std::fs::create_dir_all(&root).expect("a root");
        std::fs::create_dir_all(&volume).expect("a volume");
        let put = |path: &Path, bytes: &[u8], mode: u32| {
            std::fs::write(path, bytes).expect("written");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode set");
        };
        put(&root.join("elf"), b"\x7fELF....", 0o755);
        put(&root.join("engines"), b"\x7fELFMINE....", 0o755);
        put(&root.join("short"), b"#!", 0o755);
        put(&root.join("script"), b"#!/proc/self/exe\n", 0o700);
        put(&root.join("module"), b"\0asm\x01\0\0\0", 0o755);
        put(&root.join("data"), b"\x7fELF....", 0o644);
        put(&volume.join("elf"), b"\x7fELF....", 0o755);
        let mounts = json!([{ "type": "bind", "destination": "/v", "source": volume, "options": ["rbind"] }]);
        let opened =
            Root::open(&json!({ "root": { "path": root }, "mounts": mounts }), |header| header == b"\x7fELFMINE")
                .expect("the root");
        let is = |path: &str| opened.is_native_program(Path::new(path));
        assert_eq!((is("/elf"), is("/script"), is("/module")), (Some(true), Some(true), Some(false)));
        assert_eq!((is("/engines"), is("/short")), (Some(false), Some(true)));
        assert_eq!((is("/data"), is("/absent"), is("/v/elf"), is("/v/absent")), (None, None, Some(true), None));
    }
}
