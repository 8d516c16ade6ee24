//! `containerd-shim-wasmedge-v1`: the shim of `shim` with WasmEdge as its engine. Which library that is, is in `engine`;
//! its C interface in `ffi`; what is done with a module in `run`.

mod engine;
mod ffi;
mod module;
mod run;

use shim::{Engine, Loaded};

use crate::engine::Compiler;

/// WasmEdge, whose library is opened when it is needed.
const WASMEDGE: Engine = Engine {
    name: "wasmedge",
    variables: &[engine::LIBRARY_VARIABLE],
    modes: &[],
    owns: |_header| false,
    load: || load(Compiler::Substituted),
    load_linked: || load(Compiler::Loaded),
};

fn load(compiler: Compiler) -> anyhow::Result<Box<dyn Loaded>> {
    Ok(Box::new(engine::load(compiler)?))
}

fn main() -> anyhow::Result<()> {
    shim::run(&WASMEDGE)
}
