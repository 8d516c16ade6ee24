//! apt in a private folder: its own configuration, lists and cache, a status file of our making. The host's
//! apt is asked for mirrors and proxies, and never changed.
//!
//! Not here: which packages (`suite`), and what becomes of them (`tree`).

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::manifest::Package;
use super::mirror::Mirror;
use super::suite::{ASSUMED, Family};
use crate::cmd::Cmd;
use crate::progress::{Amount, Progress, Unit};
use files::sha256_file;
use results::PackageRecord;

mod sources;

/// Enough for 80 MB over a line of 64 kB/s; apt itself gives up on a silent server after 30 s.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(30);

/// The columns that [`mirrors`] reads.
const FORMAT: &str = "$(CREATED_BY)|$(TARGET_OF)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)";

/// Settings of the host's apt without which it would not reach its mirrors.
const KEPT_SETTINGS: [&str; 5] =
    ["Acquire::http", "Acquire::ftp", "Acquire::socks", "Acquire::Retries", "Acquire::ForceIPv"];

/// A private apt.
#[derive(Debug)]
pub struct Apt {
    dir: PathBuf,
}

/// Those of its files that can hold a password: of a proxy among the host's settings, and of the mirror. They are for
/// this user alone, and go when the value does.
const PRIVATE: [&str; 2] = ["apt.conf", "auth.conf"];

impl Drop for Apt {
    fn drop(&mut self) {
        if let Err(error) = remove_private(&self.dir) {
            crate::console::note(format_args!("{error:#}"));
        }
    }
}

impl Apt {
    /// Lays out the folder for one suite from one mirror.
    ///
    /// # Errors
    /// When files can not be written.
    pub fn prepare(dir: &Path, family: &Family, mirror: &Mirror, settings: &str) -> anyhow::Result<Self> {
        for folder in ["lists/partial", "cache/archives/partial"] {
            let folder = dir.join(folder);
            std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
        }
        let netrc = mirror.netrc()?;
        remove_private(dir)?;
        let apt = Self { dir: dir.to_path_buf() };
        let keyring = family.keyrings.iter().find(|keyring| Path::new(keyring).is_file());
        let files = [("sources.list", sources(family, mirror.address(), keyring.copied())), ("status", status())];
        for (name, text) in files {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| format!("can not write `{}`", path.display()))?;
        }
        let account = netrc.as_ref().map(|_| format!("Dir::Etc::netrc \"{}/auth.conf\";\n", dir.display()));
        write_private(&dir.join("apt.conf"), &(configuration(dir, settings) + account.as_deref().unwrap_or_default()))?;
        if let Some(netrc) = netrc {
            write_private(&dir.join("auth.conf"), netrc.expose())?;
        }
        Ok(apt)
    }

    /// Fetches the suite's signed index.
    ///
    /// # Errors
    /// When the mirror can not be reached, or its signature is not by a key of the host's keyring.
    pub fn update(&self) -> anyhow::Result<()> {
        self.get().args(["-o", "APT::Update::Error-Mode=any", "update"]).limit(Duration::from_mins(5)).run()?;
        Ok(())
    }

    /// The packages that `names` need, themselves included.
    ///
    /// # Errors
    /// When the suite lacks one, or they can not be installed together.
    pub fn resolve(&self, names: &[&str]) -> anyhow::Result<Vec<Package>> {
        // apt names only what it would download, so it must not find what is there already.
        let nowhere = self.dir.join("nowhere");
        std::fs::create_dir_all(nowhere.join("partial"))
            .with_context(|| format!("can not make `{}`", nowhere.display()))?;
        let command = self.get().args(["--print-uris", "-y", "-qq", "-o", "Acquire::ForceHash=sha256", "-o"]);
        let command = command.arg(format!("Dir::Cache::archives={}", nowhere.display())).arg("install");
        let packages = parse_uris(&command.args(names).run()?.text())?;
        ensure!(!packages.is_empty(), "apt resolved `{}` to no package at all", names.join(" "));
        Ok(packages)
    }

    /// Downloads what is missing of `packages`, which `names` resolved to. Damaged files are fetched again,
    /// half-fetched ones continued.
    ///
    /// # Errors
    /// When the download fails, or leaves a file that is not the one that the index describes.
    pub fn download(&self, names: &[&str], packages: &[Package], progress: &mut dyn Progress) -> anyhow::Result<()> {
        let mut missing = Vec::new();
        for package in packages {
            if let Err(reason) = self.check(package) {
                let path = self.archive(package);
                if path.exists() {
                    progress.note(&format!("{reason:#}: fetching it again"));
                    std::fs::remove_file(&path).with_context(|| format!("can not remove `{}`", path.display()))?;
                }
                missing.push(package);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let command = self.get().args(["-y", "-qq", "--download-only", "install"]).args(names).limit(DOWNLOAD_LIMIT);
        let total = missing.iter().map(|package| package.size_bytes).sum::<u64>().max(1);
        let what = format!("downloading {} packages", missing.len());
        let advance =
            |progress: &mut dyn Progress, done| progress.advance(&what, Amount { done, total, unit: Unit::Bytes });
        std::thread::scope(|scope| {
            let (ended, end) = channel();
            scope.spawn(move || ended.send(command.run()));
            loop {
                advance(progress, self.present_bytes(&missing).min(total - 1));
                match end.recv_timeout(Duration::from_millis(200)) {
                    Ok(result) => break result.map(drop),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => bail!("the download ended without a result"),
                }
            }
        })?;
        missing.iter().try_for_each(|package| self.check(package))?;
        advance(progress, total);
        Ok(())
    }

    /// Where a package's file is or would be.
    pub fn archive(&self, package: &Package) -> PathBuf {
        archive(&self.dir, package)
    }

    fn check(&self, package: &Package) -> anyhow::Result<()> {
        check_archive(&self.dir, package)
    }

    fn present_bytes(&self, packages: &[&Package]) -> u64 {
        let archives = self.dir.join("cache/archives");
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        packages
            .iter()
            .map(|package| {
                let whole = size(archives.join(&package.file));
                if whole > 0 { whole } else { size(archives.join("partial").join(&package.file)) }
            })
            .sum()
    }

    fn get(&self) -> Cmd {
        plain("apt-get").env("APT_CONFIG", self.dir.join("apt.conf"))
    }
}

fn remove_private(dir: &Path) -> anyhow::Result<()> {
    PRIVATE.iter().map(|name| dir.join(name)).try_for_each(|path| match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can not remove `{}`", path.display()))
        }
        _ => Ok(()),
    })
}

/// A new file that only this user can read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("can not write `{}`", path.display()))
}

/// Where below a private apt's folder a package's file is.
pub fn archive(dir: &Path, package: &Package) -> PathBuf {
    dir.join("cache/archives").join(&package.file)
}

/// Whether a package's file is there and the one that the index described.
///
/// # Errors
/// When it is missing, or another.
pub fn check_archive(dir: &Path, package: &Package) -> anyhow::Result<()> {
    let path = archive(dir, package);
    let found = sha256_file(&path)?;
    ensure!(
        found == package.record.sha256,
        "`{}` is damaged: its SHA-256 is {found}, not {}",
        path.display(),
        package.record.sha256
    );
    Ok(())
}

/// A host program without what `cargo run` puts into the environment.
pub fn plain(program: &str) -> Cmd {
    Cmd::new(program).env("LC_ALL", "C.UTF-8").env("LD_LIBRARY_PATH", "")
}

/// The host's mirrors of a family's archive, best first.
///
/// # Errors
/// When apt can not be asked.
pub fn mirrors(family: &Family) -> anyhow::Result<Vec<Mirror>> {
    let targets = plain("apt-get").args(["indextargets", "--format", FORMAT]).run()?;
    parse_targets(&targets.text(), family).iter().map(|address| Mirror::parse(address)).collect()
}

/// The host's settings that concern reaching mirrors, in apt's own syntax.
///
/// # Errors
/// When apt can not be asked.
pub fn settings() -> anyhow::Result<String> {
    let dump = plain("apt-config").arg("dump").run()?.text();
    let kept = |line: &&str| KEPT_SETTINGS.iter().any(|prefix| line.starts_with(prefix));
    Ok(dump.lines().filter(kept).fold(String::new(), |text, line| text + line + "\n"))
}

/// Mirrors by index target. Where lists were fetched, `Origin` tells whose archive it is; where they were not
/// (apt leaves the placeholder), the last part of the address is the better guess, and the signature decides.
fn parse_targets(text: &str, family: &Family) -> Vec<String> {
    let mut found: Vec<(bool, String)> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let &[created_by, target_of, mirror, release, component, origin, label] = fields.as_slice() else { continue };
        let known = !origin.starts_with('$') && !origin.is_empty();
        let other_suite = ["-security", "-backports", "/updates"].iter().any(|end| release.ends_with(end));
        let wanted = created_by == "Packages"
            && target_of == "deb"
            && family.components.split(' ').any(|name| name == component)
            && !other_suite
            && !mirror.starts_with("cdrom:")
            && (!known || (origin == family.origin && label == family.origin));
        if wanted && !found.iter().any(|(_, known)| known == mirror) {
            let likely = known || mirror.trim_end_matches('/').ends_with(family.id);
            found.push((likely, mirror.to_owned()));
        }
    }
    found.sort_by_key(|(likely, _)| !likely);
    found.into_iter().map(|(_, mirror)| mirror).collect()
}

/// `'URI' FILE SIZE SHA256:HEX`, a line per package.
fn parse_uris(text: &str) -> anyhow::Result<Vec<Package>> {
    text.lines().filter(|line| !line.is_empty()).map(parse_uri).collect()
}

fn parse_uri(line: &str) -> anyhow::Result<Package> {
    let parse = || {
        let mut fields = line.split_whitespace().skip(1);
        let (file, size, hash) = (fields.next()?, fields.next()?, fields.next()?);
        let mut parts = file.strip_suffix(".deb")?.splitn(3, '_');
        let (name, version, architecture) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Package {
            record: PackageRecord {
                name: name.to_owned(),
                version: version.replace("%3a", ":"),
                architecture: architecture.to_owned(),
                sha256: hash.strip_prefix("SHA256:")?.to_owned(),
            },
            file: file.to_owned(),
            size_bytes: size.parse().ok()?,
        })
    };
    parse().with_context(|| format!("apt described a package as `{line}`, without a file name, size and SHA-256"))
}

/// The host's own configuration is not read: its hooks (as Docker's images have) would clean the host's cache.
fn configuration(dir: &Path, settings: &str) -> String {
    let dir = dir.display();
    format!(
        r#"{settings}Dir::Etc::Parts "/dev/null";
Dir::Etc::Main "/dev/null";
Dir::Etc::SourceList "{dir}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{dir}";
Dir::State::Lists "{dir}/lists";
Dir::State::status "{dir}/status";
Dir::Cache "{dir}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
// As root, apt would fetch as the user `_apt`, who can not write here.
APT::Sandbox::User "";
"#
    )
}

fn sources(family: &Family, mirror: &str, keyring: Option<&str>) -> String {
    let signed_by = keyring.map(|path| format!(" signed-by={path}")).unwrap_or_default();
    format!("deb [arch=amd64{signed_by}] {mirror} {} {}\n", family.suite, family.components)
}

/// The packages that are taken for installed.
fn status() -> String {
    ASSUMED.iter().fold(String::new(), |mut text, name| {
        let written = write!(
            text,
            "Package: {name}\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: all\n\
             Multi-Arch: foreign\nVersion: 9999\nDescription: assumed\n\n"
        );
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests;
