//! The command that compiles a module before it is shipped, with the very settings that the shim runs it with.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::engine::{Engines, Mode};

/// The first argument. containerd never begins with it: a shim is called with options.
pub const COMMAND: &str = "compile";

/// How it is called, as far as errors name it.
pub const USAGE: &str = "containerd-shim-wasmtime-v1 compile MODULE OUTPUT";

/// Compiles a file into another one: for the processor, or for the interpreter.
///
/// # Errors
/// The arguments are others, a file can not be read or written, or Wasmtime refuses the module.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mode, module, output) = match words.as_slice() {
        [module, output] if !module.starts_with('-') => (Mode::Compiler, *module, *output),
        ["--mode", name, module, output] => (Mode::of(name)?, *module, *output),
        _ => bail!("usage: `{USAGE}`, before MODULE `--mode {}`", Mode::NAMES.join("|")),
    };
    compile(mode, Path::new(module), Path::new(output))
}

fn compile(mode: Mode, module: &Path, output: &Path) -> Result<()> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let engines = Engines::new()?;
    let compiled = engines.of(mode).engine.precompile_module(&bytes).map_err(|error| {
        anyhow::anyhow!("`{}` could not be compiled: {error:#}; check it with `wasm-validate`", module.display())
    })?;
    std::fs::write(output, compiled).with_context(|| format!("cannot write `{}`", output.display()))
}

#[cfg(test)]
mod tests {
    use super::run;

    fn error(line: &str) -> String {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        format!("{:#}", run(&arguments).expect_err("refused"))
    }

    #[test]
    fn wrong_arguments_are_told_with_the_right_ones() {
        for line in ["", "a", "a b c", "--mode", "--mode interpreter a"] {
            assert!(error(line).contains("usage: `containerd-shim-wasmtime-v1 compile MODULE OUTPUT`"), "{line}");
        }
        let unknown = error("--mode jit a b");
        assert!(unknown.contains("`jit`") && unknown.contains("`interpreter`"), "{unknown}");
        assert!(error("/absent/module /absent/output").contains("cannot read `/absent/module`"));
    }
}
