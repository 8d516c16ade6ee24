//! The link settings of the shim, and the substitute for the engine's compiler.
//!
//! Reads from the environment, where `cargo xtask` sets it from the toolbox:
//!
//! - `WASMEDGE_LIBRARY` (required): the `libwasmedge.so` that the shim will open when it runs.
//! - `TOOLBOX_SYSROOT` (optional): a directory of unpacked Debian packages. The shim then runs with the
//!   dynamic linker and the C library found there, because the engine may need a newer C library than
//!   the machine's own. Without it the shim is linked like any program.
//!
//! Nothing is downloaded or searched for here, and libwasmedge itself is never linked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use object::elf::{self, FileHeader64, STT_FUNC, STT_TLS};
use object::read::elf::FileHeader as _;
use object::{Endianness, SymbolIndex};

/// Where Debian puts libraries, and the dynamic linker among them.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let library = required_file("WASMEDGE_LIBRARY")?;
    println!("cargo::rustc-env=WASMEDGE_LIBRARY={}", library.display());
    println!("cargo::rerun-if-changed={}", library.display());
    link_settings()?;
    let output = std::env::var_os("OUT_DIR").context("`OUT_DIR` is not set: run this through cargo")?;
    compiler_substitute(&library, Path::new(&output))
}

/// The absolute path of an existing file, named by an environment variable.
fn required_file(variable: &str) -> Result<PathBuf> {
    println!("cargo::rerun-if-env-changed={variable}");
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        bail!(
            "`{variable}` is not set: it has to name the libwasmedge.so of WasmEdge 0.14 that the shim \
             will open; `cargo xtask build` sets it from the toolbox"
        );
    };
    ensure!(
        path.is_absolute() && path.is_file(),
        "`{variable}` is `{}`, which is no absolute path of a file: name the libwasmedge.so itself",
        path.display()
    );
    Ok(path)
}

fn link_settings() -> Result<()> {
    println!("cargo::rerun-if-env-changed=TOOLBOX_SYSROOT");
    let Some(sysroot) = std::env::var_os("TOOLBOX_SYSROOT").map(PathBuf::from) else {
        return Ok(());
    };
    let libraries = sysroot.join(LIBRARIES);
    let linker = libraries.join("ld-linux-x86-64.so.2");
    ensure!(
        sysroot.is_absolute() && linker.is_file(),
        "`TOOLBOX_SYSROOT` is `{}`, where there is no `{LIBRARIES}/ld-linux-x86-64.so.2`: name the \
         directory into which Debian's libc6 was unpacked, as an absolute path",
        sysroot.display()
    );
    println!("cargo::rustc-link-arg-bins=-Wl,--dynamic-linker={}", linker.display());
    // DT_RPATH, not DT_RUNPATH: it must also hold for the libraries that libwasmedge asks for.
    println!("cargo::rustc-link-arg-bins=-Wl,--disable-new-dtags");
    println!("cargo::rustc-link-arg-bins=-Wl,-rpath,{}", libraries.display());
    Ok(())
}

/// What the library wants from another one: names of functions, of thread-local and of other data.
#[derive(Default)]
struct Wanted {
    functions: Vec<String>,
    thread_locals: Vec<String>,
    objects: Vec<String>,
}

/// Makes the shared object that `src/engine.rs` puts in LLVM's place: the same name, the same
/// symbols in the same version, and nothing behind them. An empty file where the library does not ask for LLVM.
fn compiler_substitute(library: &Path, output: &Path) -> Result<()> {
    let bytes = std::fs::read(library).with_context(|| format!("cannot read `{}`", library.display()))?;
    let found = wanted_from_llvm(&bytes)
        .with_context(|| format!("`{}` is no ELF library for this machine", library.display()))?;
    let target = output.join("compiler-substitute.so");
    let Some((name, versions)) = found else {
        return std::fs::write(&target, []).context("cannot write the empty substitute");
    };
    let assembly = output.join("compiler-substitute.s");
    let script = output.join("compiler-substitute.map");
    std::fs::write(&assembly, assembly_text(&versions)?).context("cannot write assembly")?;
    std::fs::write(&script, version_script(&versions)?).context("cannot write a version script")?;
    assemble(&assembly, &script, &name, &target)
}

/// The name of the LLVM library that this one needs, and its wanted symbols by version.
fn wanted_from_llvm(bytes: &[u8]) -> Result<Option<(String, BTreeMap<String, Wanted>)>> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some(versions) = sections.versions(endian, bytes)? else {
        return Ok(None);
    };
    let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
    let mut name = None;
    let mut wanted = BTreeMap::<String, Wanted>::new();
    for (index, symbol) in symbols.enumerate() {
        let Some(version) = version_of(&versions, endian, index)? else {
            continue;
        };
        let Some(file) = version.file().filter(|file| file.starts_with(b"libLLVM")) else {
            continue;
        };
        name.get_or_insert_with(|| String::from_utf8_lossy(file).into_owned());
        let entry = wanted.entry(String::from_utf8(version.name().to_vec())?).or_default();
        let list = match symbol.st_type() {
            STT_FUNC => &mut entry.functions,
            STT_TLS => &mut entry.thread_locals,
            _ => &mut entry.objects,
        };
        list.push(String::from_utf8(symbols.symbol_name(endian, symbol)?.to_vec())?);
    }
    Ok(name.map(|name| (name, wanted)))
}

fn version_of<'data>(
    versions: &object::read::elf::VersionTable<'data, FileHeader64<Endianness>>,
    endian: Endianness,
    index: SymbolIndex,
) -> Result<Option<object::read::elf::Version<'data>>> {
    let number = versions.version_index(endian, index);
    Ok(versions.version(number)?.copied())
}

/// Every function is the same one, which returns zero. It does not abort, because libwasmedge calls LLVM
/// outside of compiling too: seen when a process ends that ran a module, not before. The shim has no function
/// that compiles.
fn assembly_text(versions: &BTreeMap<String, Wanted>) -> Result<String> {
    let mut text = String::from(".text\nnothing:\n  xorl %eax, %eax\n  ret\n");
    for name in versions.values().flat_map(|wanted| &wanted.functions) {
        write!(text, ".globl {name}\n.type {name},@function\n.set {name}, nothing\n")?;
    }
    // Large enough for any table of virtual functions; all zero.
    text.push_str(".bss\n.balign 64\nblank:\n  .zero 4096\n");
    for name in versions.values().flat_map(|wanted| &wanted.objects) {
        write!(text, ".globl {name}\n.type {name},@object\n.set {name}, blank\n")?;
    }
    text.push_str(".section .tbss,\"awT\",@nobits\n.balign 16\n");
    for name in versions.values().flat_map(|wanted| &wanted.thread_locals) {
        write!(text, ".globl {name}\n.type {name},@tls_object\n{name}:\n  .zero 16\n")?;
    }
    text.push_str(".section .note.GNU-stack,\"\",@progbits\n");
    Ok(text)
}

fn version_script(versions: &BTreeMap<String, Wanted>) -> Result<String> {
    let mut text = String::new();
    for (version, wanted) in versions {
        writeln!(text, "{version} {{ global:")?;
        for name in [&wanted.functions, &wanted.objects, &wanted.thread_locals].into_iter().flatten() {
            writeln!(text, "  \"{name}\";")?;
        }
        writeln!(text, "local: *; }};")?;
    }
    Ok(text)
}

/// Links with the C compiler that rustc links with.
#[expect(clippy::disallowed_methods, reason = "a build script has no `cmd` module")]
fn assemble(assembly: &Path, script: &Path, name: &str, target: &Path) -> Result<()> {
    let linker = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(&linker)
        .args(["-shared", "-nostdlib", "-Wl,--build-id=none", "-Wl,-z,now", "-s", "-o"])
        .arg(target)
        .arg(format!("-Wl,-soname,{name}"))
        .arg(format!("-Wl,--version-script={}", script.display()))
        .arg(assembly)
        .output()
        .with_context(|| format!("cannot start `{}`: install a C compiler (gcc)", linker.display()))?;
    ensure!(
        output.status.success(),
        "`{}` could not link the substitute for LLVM: {}",
        linker.display(),
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(())
}
