//! A plan's builds as artifacts: through Cargo's JSON messages, checked, under stable names.
//!
//! One call of Cargo makes both targets with one profile; the engines' compilers make further kinds from the
//! second. Not here: what is built for (`plan`), in what it is packed (`oci`), and the shims (`shims`).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cargo_metadata::Message;

use crate::plan::Build;
use crate::progress::Progress;
use crate::toolbox::elf;
use crate::workspace::Workspace;
use aot::Compiler;
use files::{sha256_hex, write_whole_as};
use results::ArtifactRecord;
use results::case::{Kind, names};
use toolchain::Toolchain;

pub mod aot;
pub mod cargo;
pub mod own;
pub mod package;
pub mod prepend;
pub mod shims;
pub mod source;
pub mod toolchain;
mod wasm;

/// The Rust target of native binaries: static, so that an image needs nothing beside the binary.
pub const NATIVE_TARGET: &str = "x86_64-unknown-linux-musl";
/// The Rust target of modules.
pub const WASM_TARGET: &str = "wasm32-wasip1";
/// The Cargo profile of both.
pub const PROFILE: &str = "workload";
/// Set but empty, it outranks every `rustflags` of a configuration file: a person's own `-C target-cpu=native`
/// would reach one kind only, and no other machine would make the same bytes.
pub const NO_FLAGS: [&str; 1] = ["CARGO_ENCODED_RUSTFLAGS="];
/// The only module that a module may import from.
const WASI: &str = "wasi_snapshot_preview1";

/// A built and checked file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The program.
    pub program: String,
    /// What it is.
    pub kind: Kind,
    /// Its stable place.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// The Rust target, and what was made from it.
    pub target: String,
    /// `rustc --version`.
    pub toolchain: String,
    /// The Cargo profile.
    pub profile: String,
}

impl Artifact {
    /// As it is stored with a run.
    pub fn record(&self) -> ArtifactRecord {
        ArtifactRecord {
            program: self.program.clone(),
            kind: self.kind.name().to_owned(),
            target: self.target.clone(),
            size_bytes: self.size_bytes,
            sha256: self.sha256.clone(),
        }
    }
}

/// A program of this project that is no workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its stable place.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// What compiles modules ahead of time, by the kind that it makes.
pub type Compilers = BTreeMap<Kind, Compiler>;

/// Builds and checks, in the order of `builds`. Missing Rust targets are added first. Only modules compiled
/// ahead of time need compilers.
///
/// # Errors
/// When a target can not be added, the compiler refuses the source, or a file is not what it should be.
pub fn build(
    workspace: &Workspace,
    builds: &[Build],
    compilers: &Compilers,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Artifact>> {
    if builds.is_empty() {
        return Ok(Vec::new());
    }
    workspace.make(&workspace.artifacts())?;
    let targets: BTreeSet<&str> = builds.iter().map(|build| target(build.kind)).collect();
    let toolchain = toolchain::find(workspace)?;
    toolchain::add_targets(workspace, &toolchain, &targets, progress)?;
    let files = cargo_workload(workspace, builds, &targets, progress)?;
    let finish = |build: &Build| {
        let from = find(&files, build)?;
        let target = target(build.kind);
        if matches!(build.kind, Kind::Native | Kind::Wasm) {
            return publish(workspace, build, &from.bytes, target.to_owned(), &toolchain);
        }
        let context = || format!("`{}`, made for {target}", from.path.display());
        let compiler = compilers.get(&build.kind).with_context(|| format!("nothing compiles `{}`", build.kind))?;
        let bytes = compiler.compile(&from.bytes, build.kind, &workspace.artifacts().join("aot"));
        let target = format!("{target}, compiled by {}", compiler.title);
        publish(workspace, build, &bytes.with_context(context)?, target, &toolchain)
    };
    builds.iter().map(finish).collect()
}

/// The Rust target that a kind is made from.
pub const fn target(kind: Kind) -> &'static str {
    match kind {
        Kind::Native => NATIVE_TARGET,
        Kind::Wasm | Kind::WasmAot | Kind::Cwasm => WASM_TARGET,
    }
}

/// What Cargo says it built.
#[derive(Debug)]
struct File {
    program: String,
    path: PathBuf,
    bytes: Vec<u8>,
}

fn cargo_workload(
    workspace: &Workspace,
    builds: &[Build],
    targets: &BTreeSet<&str>,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<File>> {
    let programs: BTreeSet<&str> = builds.iter().map(|build| build.program.as_str()).collect();
    let mut args: Vec<OsString> = ["--package", "workload", "--profile", PROFILE].map(OsString::from).to_vec();
    for program in programs {
        args.extend(["--bin".into(), program.into()]);
    }
    for target in targets {
        args.extend(["--target".into(), target.into()]);
    }
    cargo_build(workspace, &NO_FLAGS.map(OsString::from), &args, progress)
}

fn cargo_build(
    workspace: &Workspace,
    settings: &[OsString],
    what: &[OsString],
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<File>> {
    let build = ["build", "--locked", "--message-format=json-render-diagnostics"].map(OsString::from);
    let messages =
        cargo::run(workspace, settings, &[&build[..], what].concat(), progress).context("Cargo could not build")?;
    executables(&messages)?
        .into_iter()
        .map(|(program, path)| {
            let bytes = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
            Ok(File { program, path, bytes })
        })
        .collect()
}

/// Names and paths of executables, from Cargo's messages.
fn executables(messages: &str) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        if let Message::CompilerArtifact(artifact) = message.context("can not read Cargo's messages")?
            && let Some(path) = artifact.executable
        {
            found.push((artifact.target.name, path.into_std_path_buf()));
        }
    }
    Ok(found)
}

/// Cargo's messages do not say for which target a file is; its own bytes do.
fn find<'a>(files: &'a [File], build: &Build) -> anyhow::Result<&'a File> {
    let fits = |file: &&File| {
        file.program == build.program
            && match build.kind {
                Kind::Native => elf::is_elf(&file.bytes),
                Kind::Wasm | Kind::WasmAot | Kind::Cwasm => wasm::is_wasm(&file.bytes),
            }
    };
    files.iter().find(fits).with_context(|| {
        let paths: Vec<_> = files.iter().map(|file| file.path.display()).collect();
        format!("Cargo built no `{}` for {}, only {}", build.program, target(build.kind), names(&paths))
    })
}

fn publish(
    workspace: &Workspace,
    build: &Build,
    bytes: &[u8],
    target: String,
    toolchain: &Toolchain,
) -> anyhow::Result<Artifact> {
    let name = match build.kind {
        Kind::Native => format!("{}-{}", build.program, build.kind),
        kind => format!("{}-{kind}.{}", build.program, aot::extension(kind)),
    };
    let path = workspace.artifacts().join(name);
    check(build.kind, bytes).with_context(|| format!("`{}`, made for {target}", path.display()))?;
    place(&path, bytes)?;
    Ok(Artifact {
        program: build.program.clone(),
        kind: build.kind,
        path,
        size_bytes: bytes.len() as u64,
        sha256: sha256_hex(bytes),
        target,
        toolchain: toolchain.version.clone(),
        profile: PROFILE.to_owned(),
    })
}

/// Whether a file is what its kind promises.
fn check(kind: Kind, bytes: &[u8]) -> anyhow::Result<()> {
    if kind == Kind::Cwasm {
        return aot::check(kind, bytes);
    }
    if kind == Kind::Native {
        let elf = check_program(bytes)?;
        ensure!(!elf.interpreted, "it is not static: it names a dynamic linker, which an empty image does not have");
        return Ok(());
    }
    let module = wasm::parse(bytes)?;
    let others: Vec<&String> = module.imports_from.iter().filter(|from| *from != WASI).collect();
    ensure!(others.is_empty(), "it imports from {}, not only from `{WASI}`", names(&others));
    if kind == Kind::WasmAot { aot::check(kind, bytes) } else { Ok(()) }
}

fn check_program(bytes: &[u8]) -> anyhow::Result<elf::Elf> {
    let elf = elf::parse(bytes)?;
    ensure!(elf.machine == elf::X86_64 && elf.executable, "it is no x86-64 program");
    Ok(elf)
}

/// A copy, not a link: a later build may write into Cargo's own file. Untouched when nothing changed.
fn place(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let folder = path.parent().with_context(|| format!("`{}` has no folder", path.display()))?;
    std::fs::create_dir_all(folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    write_whole_as(path, bytes, std::fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolbox::elf::tests::tiny_elf;
    use wasm::tests::tiny_module;

    const PT_LOAD: u32 = 1;
    const PT_INTERP: u32 = 3;

    fn file(program: &str, bytes: Vec<u8>) -> File {
        File { program: program.to_owned(), path: PathBuf::from(format!("/t/{program}")), bytes }
    }

    fn wanted(kind: Kind) -> Build {
        Build { program: "a".to_owned(), kind }
    }

    #[test]
    fn a_dynamic_binary_is_no_native_artifact() {
        check(Kind::Native, &tiny_elf(PT_LOAD)).unwrap();
        let error = check(Kind::Native, &tiny_elf(PT_INTERP)).unwrap_err().to_string();
        assert!(error.contains("not static"), "{error}");
        assert!(check(Kind::Native, &tiny_module(WASI, "name")).is_err());
    }

    #[test]
    fn a_module_may_import_from_wasi_only() {
        check(Kind::Wasm, &tiny_module(WASI, "name")).unwrap();
        let error = check(Kind::Wasm, &tiny_module("env", "name")).unwrap_err().to_string();
        assert!(error.contains("`env`"), "{error}");
        assert!(check(Kind::WasmAot, &tiny_module(WASI, "name")).is_err());
        check(Kind::WasmAot, &tiny_module(WASI, "wasmedge")).unwrap();
    }

    #[test]
    fn files_are_told_apart_by_their_bytes() {
        let files = [file("b", tiny_elf(1)), file("a", tiny_module(WASI, "n")), file("a", tiny_elf(1))];
        assert!(elf::is_elf(&find(&files, &wanted(Kind::Native)).unwrap().bytes));
        assert!(wasm::is_wasm(&find(&files, &wanted(Kind::WasmAot)).unwrap().bytes));
        let error = find(&files[..1], &wanted(Kind::Wasm)).unwrap_err().to_string();
        assert!(error.contains("`a`") && error.contains(WASM_TARGET) && error.contains("`/t/b`"), "{error}");
    }

    #[test]
    fn executables_come_from_cargos_messages() {
        let target = |name: &str| {
            format!(
                r#"{{"kind":["bin"],"crate_types":["bin"],"name":"{name}","src_path":"/s","edition":"2024","doc":true,"doctest":false,"test":true}}"#
            )
        };
        let artifact = |name: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/m","target":{},"profile":{{"opt_level":"3","debuginfo":0,"debug_assertions":false,"overflow_checks":false,"test":false}},"features":[],"filenames":[],"executable":{executable},"fresh":true}}"#,
                target(name)
            )
        };
        let messages = [
            artifact("lib", "null"),
            artifact("a", r#""/t/a.wasm""#),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        assert_eq!(executables(&messages.join("\n")).unwrap(), [("a".to_owned(), PathBuf::from("/t/a.wasm"))]);
    }

    #[test]
    fn every_bench_names_a_program_of_the_workload() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workload");
        let benches = crate::bench::load(&package.join("benches.toml")).unwrap();
        for bench in benches {
            assert!(package.join("src/bin").join(format!("{}.rs", bench.program)).is_file(), "{}", bench.name);
        }
    }

    #[test]
    fn an_unchanged_artifact_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("artifacts/a");
        place(&path, b"one").unwrap();
        let written = path.metadata().unwrap();
        assert_eq!(written.permissions().mode() & 0o700, 0o700);
        place(&path, b"one").unwrap();
        assert_eq!(path.metadata().unwrap().modified().unwrap(), written.modified().unwrap());
        place(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
    }
}
