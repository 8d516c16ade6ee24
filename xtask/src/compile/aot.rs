//! Modules compiled ahead of time by WasmEdge, kept by what they depend on.
//!
//! Compiled for any x86-64 processor, as the native binary is: what is shipped has to run elsewhere too, and code for
//! this very processor would be compared with code for none in particular. The engine falls back to its interpreter
//! without a word when the code is another version's: its version is part of the key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::wasm;
use crate::cmd::Cmd;
use files::{sha256_hex, write_whole};

/// The custom section that holds the compiled code.
pub const SECTION: &str = "wasmedge";

/// The compiler's option.
const FOR_ANY_PROCESSOR: &str = "--generic-binary";

/// A compiler of modules.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    /// What it says of itself, for example `0.14.1`.
    pub version: String,
}

impl Compiler {
    /// The engine's command line at this path.
    ///
    /// # Errors
    /// When it does not start.
    pub fn new(program: PathBuf) -> anyhow::Result<Self> {
        let said = Cmd::new(&program).arg("--version").env("LD_LIBRARY_PATH", "").run()?.text();
        Ok(Self { program, version: version(&said).to_owned() })
    }

    /// The module with compiled code in it, from `cache` when it is there.
    ///
    /// # Errors
    /// When the compiler fails, or leaves no compiled code.
    pub fn compile(&self, module: &[u8], cache: &Path) -> anyhow::Result<Vec<u8>> {
        let key = sha256_hex([&sha256_hex(module), &self.version, FOR_ANY_PROCESSOR].join("\n").as_bytes());
        let kept = cache.join(format!("{key}.wasm"));
        if let Ok(bytes) = std::fs::read(&kept)
            && check(&bytes).is_ok()
        {
            return Ok(bytes);
        }
        std::fs::create_dir_all(cache).with_context(|| format!("can not make `{}`", cache.display()))?;
        let work = tempfile::tempdir_in(cache).with_context(|| format!("can not write to `{}`", cache.display()))?;
        let (input, output) = (work.path().join("in.wasm"), work.path().join("out.wasm"));
        std::fs::write(&input, module).with_context(|| format!("can not write `{}`", input.display()))?;
        let compile = Cmd::new(&self.program)
            .args(["compile", FOR_ANY_PROCESSOR])
            .arg(&input)
            .arg(&output)
            .env("LD_LIBRARY_PATH", "");
        compile.limit(Duration::from_mins(10)).run()?;
        let bytes = std::fs::read(&output).with_context(|| format!("can not read `{}`", output.display()))?;
        check(&bytes).with_context(|| format!("`{}` compiled a module, but", self.program.display()))?;
        write_whole(&kept, &bytes)?;
        Ok(bytes)
    }
}

/// Whether a module holds compiled code.
///
/// # Errors
/// When it is no module, or does not.
pub fn check(bytes: &[u8]) -> anyhow::Result<()> {
    let module = wasm::parse(bytes)?;
    ensure!(module.custom_sections.iter().any(|name| name == SECTION), "it has no custom section `{SECTION}`");
    Ok(())
}

/// `…/wasmedge version 0.14.1`, with plugins on further lines.
fn version(said: &str) -> &str {
    let first = said.lines().next().unwrap_or_default();
    first.rsplit_once(" version ").map_or(first, |(_, version)| version).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::wasm::tests::tiny_module;

    #[test]
    fn the_version_is_told_without_the_path() {
        assert_eq!(version("/a/b/wasmedge version 0.14.1\n (plugin \"wasi_logging\") version 0.1.0.0"), "0.14.1");
        assert_eq!(version("odd"), "odd");
    }

    #[test]
    fn a_module_without_compiled_code_is_refused() {
        check(&tiny_module("wasi_snapshot_preview1", SECTION)).unwrap();
        let error = check(&tiny_module("wasi_snapshot_preview1", "name")).unwrap_err().to_string();
        assert!(error.contains("`wasmedge`"), "{error}");
    }
}
