//! `containerd-shim-wasmtime-v1`: the shim of `shim` with Wasmtime as its engine; and, called with `compile`, the
//! compiler of the files that it runs without compiling. How the engine is set up is in `engine`, what is done with a
//! module in `run`.

mod artifact;
mod compile;
mod engine;
mod run;

use anyhow::Result;
use shim::{Engine, Loaded};

/// Wasmtime, which is linked into the shim: there is no other way to load it.
const WASMTIME: Engine = Engine {
    name: "wasmtime",
    variables: &[],
    modes: &engine::Mode::NAMES,
    owns: artifact::has_header,
    load,
    load_linked: load,
};

fn load() -> Result<Box<dyn Loaded>> {
    Ok(Box::new(engine::Engines::new()?))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == compile::COMMAND => compile::run(rest),
        _ => shim::run(&WASMTIME),
    }
}
