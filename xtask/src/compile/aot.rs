//! Modules compiled ahead of time by an engine's compiler, kept by what they depend on.
//!
//! Which compilers there are and how they are called is data (`matrix/engines.toml`). An engine falls back to its
//! interpreter without a word when the code is another version's: the version is part of the key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::wasm;
use crate::cmd::Cmd;
use crate::matrix::{FILE, OUTPUT};
use crate::toolbox::elf;
use files::{sha256_hex, write_whole};
use results::case::Kind;

/// The custom section of a `wasm-aot` that holds the compiled code.
pub const SECTION: &str = "wasmedge";

/// The value of `e_ident[EI_OSABI]` in a `cwasm`, and where it is (`wasmtime-environ`, `src/obj.rs`).
const WASMTIME: u8 = 200;
const OS_ABI: usize = 7;

/// A compiler of modules.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// Its program.
    pub program: PathBuf,
    /// Its arguments, with [`FILE`] and [`OUTPUT`].
    pub args: Vec<String>,
    /// Whose it is and of which version, for example `WasmEdge 0.14.1`.
    pub title: String,
    /// What tells it from every other that makes other files, beside that.
    pub identity: String,
}

impl Compiler {
    /// What the compiler makes of a module, from `cache` when it is there.
    ///
    /// # Errors
    /// When the compiler fails, or leaves no compiled code.
    pub fn compile(&self, module: &[u8], form: Kind, cache: &Path) -> anyhow::Result<Vec<u8>> {
        let key =
            [&sha256_hex(module), &self.title, &self.identity, &self.args.join(" ")].map(String::as_str).join("\n");
        let kept = cache.join(format!("{}.{}", sha256_hex(key.as_bytes()), extension(form)));
        if let Ok(bytes) = std::fs::read(&kept)
            && check(form, &bytes).is_ok()
        {
            return Ok(bytes);
        }
        std::fs::create_dir_all(cache).with_context(|| format!("can not make `{}`", cache.display()))?;
        let work = tempfile::tempdir_in(cache).with_context(|| format!("can not write to `{}`", cache.display()))?;
        let (input, output) = (work.path().join("in.wasm"), work.path().join("out.wasm"));
        std::fs::write(&input, module).with_context(|| format!("can not write `{}`", input.display()))?;
        let put = |arg: &String| arg.replace(FILE, &input.to_string_lossy()).replace(OUTPUT, &output.to_string_lossy());
        let compile = Cmd::new(&self.program).args(self.args.iter().map(put)).env("LD_LIBRARY_PATH", "");
        compile.limit(Duration::from_mins(10)).run()?;
        let bytes = std::fs::read(&output).with_context(|| format!("can not read `{}`", output.display()))?;
        check(form, &bytes).with_context(|| format!("`{}` compiled a module, but", self.program.display()))?;
        write_whole(&kept, &bytes)?;
        Ok(bytes)
    }
}

/// What the name of a module of this form ends in.
pub const fn extension(form: Kind) -> &'static str {
    match form {
        Kind::Cwasm => "cwasm",
        Kind::Native | Kind::Wasm | Kind::WasmAot => "wasm",
    }
}

/// Whether a file holds compiled code of this form.
///
/// # Errors
/// When it is no such file, or holds none.
pub fn check(form: Kind, bytes: &[u8]) -> anyhow::Result<()> {
    if form == Kind::Cwasm {
        let is_wasmtimes = elf::is_elf(bytes) && bytes.get(OS_ABI) == Some(&WASMTIME);
        ensure!(is_wasmtimes, "it is no file of Wasmtime's compiler");
        return Ok(());
    }
    let module = wasm::parse(bytes)?;
    ensure!(module.custom_sections.iter().any(|name| name == SECTION), "it has no custom section `{SECTION}`");
    Ok(())
}

/// `…/wasmedge version 0.14.1`: what is behind the last ` version `; all of it where there is none.
pub fn version(line: &str) -> &str {
    line.rsplit_once(" version ").map_or(line, |(_, version)| version).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::wasm::tests::tiny_module;

    #[test]
    fn the_version_is_told_without_the_path() {
        assert_eq!(version("/a/b/wasmedge version 0.14.1"), "0.14.1");
        assert_eq!(version("odd"), "odd");
    }

    #[test]
    fn a_file_without_compiled_code_is_refused() {
        check(Kind::WasmAot, &tiny_module("wasi_snapshot_preview1", SECTION)).unwrap();
        let error = check(Kind::WasmAot, &tiny_module("wasi_snapshot_preview1", "name")).unwrap_err().to_string();
        assert!(error.contains("`wasmedge`"), "{error}");
        check(Kind::Cwasm, b"\x7fELF\x02\x01\x01\xc8").unwrap();
        let error = check(Kind::Cwasm, b"\x7fELF\x02\x01\x01\0").unwrap_err().to_string();
        assert!(error.contains("Wasmtime"), "{error}");
    }

    #[test]
    fn what_was_compiled_is_kept_by_all_that_decides_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("made");
        std::fs::write(&made, tiny_module("wasi_snapshot_preview1", SECTION)).unwrap();
        let program = PathBuf::from("/bin/sh");
        let script = format!("cp {} \"$1\"; echo >> {}", made.display(), dir.path().join("runs").display());
        let args = ["-c", &script, FILE, OUTPUT].map(str::to_owned).to_vec();
        let compiler = Compiler { program, args, title: "a 1".to_owned(), identity: String::new() };
        let other = Compiler { identity: "x".to_owned(), ..compiler.clone() };
        for compiler in [&compiler, &compiler, &other] {
            compiler.compile(b"module", Kind::WasmAot, &dir.path().join("cache")).unwrap();
        }
        assert_eq!(std::fs::read_to_string(dir.path().join("runs")).unwrap().lines().count(), 2);
        let refused = compiler.compile(b"module", Kind::Cwasm, &dir.path().join("cache")).unwrap_err();
        assert!(format!("{refused:#}").contains("no file of Wasmtime's compiler"), "{refused:#}");
    }
}
