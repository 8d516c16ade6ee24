//! How modules are compiled ahead of time for each shim, and how what was compiled becomes another version's.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use xtask::cmd::Cmd;
use xtask::compile::shims::Shim;
use xtask::toolbox::Toolbox;

/// The compiler that belongs to a shim.
#[derive(Debug)]
pub struct ModuleCompiler {
    shim: Shim,
    program: PathBuf,
}

impl ModuleCompiler {
    /// WasmEdge's own, or the shim itself.
    pub fn of(shim: Shim, toolbox: &Toolbox, program: &Path) -> anyhow::Result<Self> {
        let program = match shim {
            Shim::WasmEdge => toolbox.program("wasmedge")?,
            Shim::Wasmtime => program.to_path_buf(),
        };
        Ok(Self { shim, program })
    }

    /// A compiled module.
    pub fn compile(&self, module: &Path) -> anyhow::Result<Vec<u8>> {
        self.run(&[], module)
    }

    /// The same for the interpreter, where it has instructions of its own.
    pub fn compile_for_interpreter(&self, module: &Path) -> anyhow::Result<Option<Vec<u8>>> {
        match self.shim {
            Shim::WasmEdge => Ok(None),
            Shim::Wasmtime => self.run(&["--mode", "interpreter"], module).map(Some),
        }
    }

    fn run(&self, options: &[&str], module: &Path) -> anyhow::Result<Vec<u8>> {
        let compiled = module.with_extension("compiled");
        Cmd::new(&self.program).arg("compile").args(options).args([module, compiled.as_path()]).run()?;
        std::fs::read(&compiled).with_context(|| format!("can not read `{}`", compiled.display()))
    }

    /// A compiled module whose native code is for another version of the engine.
    pub fn for_another_version(&self, compiled: &[u8]) -> anyhow::Result<Vec<u8>> {
        Self::for_another_version_of(self.shim, compiled)
    }

    /// The same, whoever compiled it.
    pub fn for_another_version_of(shim: Shim, compiled: &[u8]) -> anyhow::Result<Vec<u8>> {
        let at = match shim {
            // The first four bytes of its custom section are the version.
            Shim::WasmEdge => behind(compiled, b"\x08wasmedge").context("it has no section `wasmedge`")?,
            // The version's last digit stands before the target, which a byte with its length precedes.
            Shim::Wasmtime => {
                let target = b"x86_64-unknown-linux-gnu";
                behind(compiled, target).context("it names no target")? - target.len() - 2
            }
        };
        let mut changed = compiled.to_vec();
        changed[at] ^= if shim == Shim::WasmEdge { 0x40 } else { 1 };
        Ok(changed)
    }
}

/// Where the last of these ends.
fn behind(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part).map(|at| at + part.len())
}
