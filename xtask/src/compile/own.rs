//! Somebody's own program as files: a package that Cargo builds for each target by itself, or a pair as it is. What one
//! target can not have bars the kinds that are made of it, with what was said and the way out, and no others.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use files::sha256_hex;

use super::package::{Inspected, feature_words};
use super::{
    Artifact, Compilers, NATIVE_TARGET, NO_FLAGS, PROFILE, WASM_TARGET, aot, cargo, check, executables, place,
    toolchain,
};
use crate::own_program::{Package, Pair};
use crate::plan::Build;
use crate::progress::Progress;
use crate::toolbox::elf;
use crate::workspace::Workspace;
use results::case::Kind;
use results::own_program::{OriginRecord, OwnProgramRecord};

/// This project's profile in Cargo's words, for a package that has none of this name. The root manifest says the same, and
/// a test holds both together.
const WORKLOAD: [&str; 6] = [
    "profile.workload.inherits=\"release\"",
    "profile.workload.opt-level=3",
    "profile.workload.lto=\"fat\"",
    "profile.workload.codegen-units=1",
    "profile.workload.panic=\"abort\"",
    "profile.workload.strip=\"symbols\"",
];

/// Somebody's own program, looked at.
#[derive(Clone, Debug)]
pub struct Known {
    /// The name of its artifacts and images.
    pub name: String,
    /// Where it comes from.
    pub origin: KnownOrigin,
}

/// Where somebody's own program comes from, looked at.
#[derive(Clone, Debug)]
pub enum KnownOrigin {
    /// A package, with what Cargo says of it.
    Package(Package, Box<Inspected>),
    /// Two files that are there.
    Pair(Pair),
}

impl Known {
    /// As it is stored with a run.
    pub fn record(&self) -> OwnProgramRecord {
        let file_name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let origin = match &self.origin {
            KnownOrigin::Package(_, inspected) => OriginRecord::Package(inspected.record.clone()),
            KnownOrigin::Pair(pair) => {
                OriginRecord::Pair { native: file_name(&pair.native), wasm: file_name(&pair.wasm) }
            }
        };
        OwnProgramRecord { name: self.name.clone(), origin }
    }
}

/// The two files that everything else is made of: there, or why not.
#[derive(Debug)]
pub struct OwnFiles {
    program: String,
    native: Result<Found, String>,
    wasm: Result<Found, String>,
    toolchain: String,
    profile: String,
}

#[derive(Debug)]
struct Found {
    bytes: Vec<u8>,
    target: String,
}

/// What became of builds.
#[derive(Debug, Default)]
pub struct OwnArtifacts {
    /// The program.
    pub program: String,
    /// The files that there are.
    pub artifacts: Vec<Artifact>,
    /// Why there is none of a kind.
    pub absent_files: BTreeMap<Kind, String>,
    /// Why a kind is in no image.
    pub absent_images: BTreeMap<Kind, String>,
}

/// Builds a package for both targets, or reads a pair.
///
/// # Errors
/// When no folder can be made to build in, or there is no toolchain.
pub fn files(workspace: &Workspace, known: &Known, progress: &mut dyn Progress) -> anyhow::Result<OwnFiles> {
    let program = known.name.clone();
    match &known.origin {
        KnownOrigin::Package(package, inspected) => {
            let folder = inspected.manifest.parent().context("the package has no folder")?;
            let toolchain = inspected.toolchain.find(folder)?;
            workspace.make(&workspace.own_programs())?;
            let mut build = |target| cargo_build(workspace, (package, inspected), (target, &toolchain), progress);
            let (native, wasm) = (build(NATIVE_TARGET)?, build(WASM_TARGET)?);
            Ok(OwnFiles { program, native, wasm, toolchain: toolchain.version, profile: package.profile.clone() })
        }
        KnownOrigin::Pair(Pair { native, wasm }) => {
            let read = |path: &PathBuf, target: &str| {
                let bytes =
                    std::fs::read(path).map_err(|error| format!("can not read `{}`: {error}", path.display()))?;
                Ok(Found { bytes, target: format!("{target}, as it was given") })
            };
            let (native, wasm) = (read(native, "linux/amd64"), read(wasm, "WASI"));
            let unknown = "not built here".to_owned();
            Ok(OwnFiles { program, native, wasm, toolchain: unknown.clone(), profile: unknown })
        }
    }
}

/// What Cargo makes for a target, or in three lines why it does not, with the way out.
fn cargo_build(
    workspace: &Workspace,
    (package, inspected): (&Package, &Inspected),
    (target, toolchain): (&str, &toolchain::Toolchain),
    progress: &mut dyn Progress,
) -> anyhow::Result<Result<Found, String>> {
    let own = &inspected.toolchain;
    if !toolchain.has(target) {
        if own.is_its_own {
            return Ok(Err(format!(
                "the toolchain that the package names ({}) has no standard library for {target}: add it in the package's \
                 folder with `rustup target add {target}`",
                toolchain.version
            )));
        }
        if let Err(error) = toolchain::add_targets(workspace, toolchain, &[target].into(), progress) {
            return Ok(Err(format!("{error:#}")));
        }
    }
    let folder = inspected.manifest.parent().unwrap_or(Path::new("."));
    let mut settings = own.settings.clone();
    let mut command: Vec<OsString> = ["build", "--message-format=json-render-diagnostics"].map(OsString::from).into();
    if package.profile == PROFILE {
        settings.extend(NO_FLAGS.map(OsString::from));
        command.extend(WORKLOAD.iter().flat_map(|setting| ["--config".into(), OsString::from(setting)]));
    }
    // Without a lock file of its own Cargo writes one; with one, it builds exactly what that says.
    command.extend(inspected.lock.iter().map(|_| "--locked".into()));
    command.extend(inspected.selection.iter().cloned());
    command.extend(feature_words(package).into_iter().map(OsString::from));
    command.extend(["--profile".into(), OsString::from(&package.profile), "--target".into(), target.into()]);
    command.extend(["--target-dir".into(), workspace.own_programs().into(), "--manifest-path".into()]);
    command.push(inspected.manifest.clone().into());
    let said = match cargo::run_in((folder, own.cargo.clone()), &settings, &command, progress) {
        Ok(said) => said,
        Err(said) => return Ok(Err(format!("it can not be built for {target}:\n{said}\n{}", way_out(target)))),
    };
    let made = executables(&said)?.into_iter().find(|(name, _)| *name == inspected.program);
    let (_, path) = made.with_context(|| format!("Cargo built no `{}` for {target}", inspected.program))?;
    let bytes = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
    Ok(Ok(Found { bytes, target: target.to_owned() }))
}

/// What helps most often where a build fails.
fn way_out(target: &str) -> &'static str {
    if target == WASM_TARGET {
        "a crate that needs sockets, threads or a C library can often be left out by its features \
         (`--no-default-features --features …`), or in the package by `[target.'cfg(not(target_os = \"wasi\"))'.dependencies]`"
    } else {
        "native is linked with musl, so that it runs in an empty image: a dependency in C needs `musl-gcc` (Debian: \
         `musl-tools`)"
    }
}

/// Finishes builds of these files: checks them, and compiles modules ahead of time.
///
/// # Errors
/// When a file can not be put into its place.
pub fn artifacts(
    workspace: &Workspace,
    files: &OwnFiles,
    builds: &[Build],
    compilers: &Compilers,
) -> anyhow::Result<OwnArtifacts> {
    let mut made = OwnArtifacts { program: files.program.clone(), ..OwnArtifacts::default() };
    for build in builds {
        let found = if build.kind == Kind::Native { &files.native } else { &files.wasm };
        let finished = match found {
            Ok(found) => finish(workspace, build.kind, found, compilers).map_err(|error| format!("{error:#}")),
            Err(reason) => Err(reason.clone()),
        };
        let (bytes, target) = match finished {
            Ok(finished) => finished,
            Err(reason) => {
                made.absent_files.insert(build.kind, reason);
                continue;
            }
        };
        if let Some(reason) = not_for_an_image(build.kind, &bytes) {
            made.absent_images.insert(build.kind, reason);
        }
        made.artifacts.push(publish(workspace, files, build.kind, (&bytes, target))?);
    }
    Ok(made)
}

fn finish(
    workspace: &Workspace,
    kind: Kind,
    found: &Found,
    compilers: &Compilers,
) -> anyhow::Result<(Vec<u8>, String)> {
    let context = || format!("the program for {}", found.target);
    match kind {
        Kind::Native => super::check_program(&found.bytes).map(|_| ()).with_context(context)?,
        _ => check(Kind::Wasm, &found.bytes).with_context(context)?,
    }
    if matches!(kind, Kind::Native | Kind::Wasm) {
        return Ok((found.bytes.clone(), found.target.clone()));
    }
    let compiler = compilers.get(&kind).with_context(|| format!("nothing compiles `{kind}`"))?;
    let bytes = compiler.compile(&found.bytes, kind, &workspace.artifacts().join("aot"));
    let bytes = bytes.with_context(|| format!("{} can not compile the module", compiler.title))?;
    Ok((bytes, format!("{}, compiled by {}", found.target, compiler.title)))
}

/// Why a file is of no use in an image that holds nothing else.
fn not_for_an_image(kind: Kind, bytes: &[u8]) -> Option<String> {
    let linked = kind == Kind::Native && elf::parse(bytes).is_ok_and(|elf| elf.interpreted);
    linked.then(|| {
        "the native program is linked dynamically: it names a dynamic linker, which an empty image does not have; link it \
         statically (C: `-static`, Go: `CGO_ENABLED=0`, Rust: the target `x86_64-unknown-linux-musl`)"
            .to_owned()
    })
}

fn publish(
    workspace: &Workspace,
    files: &OwnFiles,
    kind: Kind,
    (bytes, target): (&[u8], String),
) -> anyhow::Result<Artifact> {
    let name = match kind {
        Kind::Native => files.program.clone(),
        kind => format!("{}-{kind}.{}", files.program, aot::extension(kind)),
    };
    let path = workspace.artifacts().join("own").join(name);
    place(&path, bytes)?;
    Ok(Artifact {
        program: files.program.clone(),
        kind,
        path,
        size_bytes: bytes.len() as u64,
        sha256: sha256_hex(bytes),
        target,
        toolchain: files.toolchain.clone(),
        profile: files.profile.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::target;

    #[test]
    fn our_profile_for_somebody_elses_package_is_that_of_the_workload() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest: toml::Value = toml::from_str(&std::fs::read_to_string(root.join("Cargo.toml")).unwrap()).unwrap();
        let own = manifest["profile"][PROFILE].as_table().unwrap();
        assert_eq!(own.len(), WORKLOAD.len());
        for (name, value) in own {
            assert!(WORKLOAD.contains(&format!("profile.workload.{name}={value}").as_str()), "{name}");
        }
    }

    #[test]
    fn every_target_has_a_way_out() {
        assert!(way_out(target(Kind::Wasm)).contains("features") && way_out(target(Kind::Native)).contains("musl"));
    }
}
