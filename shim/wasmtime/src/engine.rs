//! How Wasmtime is set up, once for each mode: what the shim and `compile` have in common.
//!
//! Everything here is made in the process that containers are forked from: it may have one thread, so nothing compiles
//! in parallel, and no runtime for WASI is started before a module is.

use anyhow::{Result, anyhow};
use wasmtime::{Config, Engine, Linker};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::{self, WasiP1Ctx};

/// The only module that a module may import from.
const WASI: &str = "wasi_snapshot_preview1";

/// How a module's instructions are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As the processor's: by Cranelift, for any x86-64, as everything else of the project is built.
    Compiler,
    /// As those of a virtual machine (Pulley): by Cranelift too, and then interpreted.
    Interpreter,
}

impl Mode {
    /// Both.
    const ALL: [Self; 2] = [Self::Compiler, Self::Interpreter];

    /// Their names.
    pub const NAMES: [&'static str; 2] = [Self::Compiler.name(), Self::Interpreter.name()];

    /// As annotations and arguments name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compiler => "compiler",
            Self::Interpreter => "interpreter",
        }
    }

    /// The mode of a name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn of(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == name);
        found.ok_or_else(|| anyhow!("there is no mode `{name}`, only `{}`", Self::NAMES.join("` and `")))
    }

    /// Naming a target, even this machine's, keeps Wasmtime from using what this processor has beyond others.
    const fn target(self) -> &'static str {
        match self {
            Self::Compiler => "x86_64-unknown-linux-gnu",
            Self::Interpreter => "pulley64",
        }
    }
}

/// Wasmtime in one mode.
pub struct Prepared {
    /// Compiles, or opens what was compiled.
    pub engine: Engine,
    /// WASI, and nothing else.
    pub linker: Linker<WasiP1Ctx>,
}

/// Wasmtime in every mode.
pub struct Engines {
    compiler: Prepared,
    interpreter: Prepared,
}

impl Engines {
    /// # Errors
    /// Wasmtime does not run on this kind of machine.
    pub fn new() -> Result<Self> {
        Ok(Self { compiler: prepared(Mode::Compiler)?, interpreter: prepared(Mode::Interpreter)? })
    }

    /// The one for a mode.
    pub const fn of(&self, mode: Mode) -> &Prepared {
        match mode {
            Mode::Compiler => &self.compiler,
            Mode::Interpreter => &self.interpreter,
        }
    }
}

fn prepared(mode: Mode) -> Result<Prepared> {
    let set_up = || -> wasmtime::Result<Prepared> {
        let mut config = Config::new();
        config.target(mode.target())?;
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |context| context)?;
        // Wasmtime's own refuses 126 and more, which any other program may end with.
        linker.allow_shadowing(true);
        linker.func_wrap(WASI, "proc_exit", |status: i32| -> wasmtime::Result<()> { Err(I32Exit(status).into()) })?;
        Ok(Prepared { engine, linker })
    };
    set_up().map_err(|error| anyhow!("Wasmtime could not be set up for `{}`: {error:#}", mode.target()))
}

#[cfg(test)]
mod tests {
    use super::{Engines, Mode};

    #[test]
    fn every_name_is_a_modes_and_others_are_refused_with_the_names() {
        assert_eq!(Mode::of("compiler").expect("a mode"), Mode::Compiler);
        assert_eq!(Mode::of("interpreter").expect("a mode"), Mode::Interpreter);
        let error = Mode::of("").expect_err("no mode").to_string();
        assert!(Mode::NAMES.iter().all(|name| error.contains(name)), "{error}");
    }

    fn threads() -> usize {
        std::fs::read_dir("/proc/self/task").expect("/proc").count()
    }

    /// In a process of its own, which this program is started as: the other tests are threads of this one, and a fork of it
    /// may wait for ever for a lock that one of them held.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the process is this test again")]
    fn no_thread_is_started_before_a_module_is() {
        const ALONE: &str = "ALONE";
        if std::env::var_os(ALONE).is_some() {
            let before = threads();
            let _engines = Engines::new().expect("engines");
            assert_eq!(threads(), before);
            return;
        }
        let this = std::env::current_exe().expect("a program");
        let name = "engine::tests::no_thread_is_started_before_a_module_is";
        let mut alone = std::process::Command::new(this);
        let output = alone.args(["--exact", name]).env(ALONE, "1").output().expect("a process");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}
