//! `containerd-shim-wasmedge-v1`: the shim of `shim` with WasmEdge as its engine. Which library that is, is in `engine`;
//! its C interface in `ffi`; what is done with a module in `run`.

mod engine;
mod ffi;
mod module;
mod run;

use shim::{Engine, Loaded};

/// WasmEdge, whose library is opened when it is needed.
struct WasmEdge;

impl Engine for WasmEdge {
    const NAME: &'static str = "wasmedge";
    const VARIABLES: &'static [&'static str] = &[engine::LIBRARY_VARIABLE];

    fn load() -> anyhow::Result<Box<dyn Loaded>> {
        Ok(Box::new(engine::load(engine::Compiler::Substituted)?))
    }

    fn load_linked() -> anyhow::Result<Box<dyn Loaded>> {
        Ok(Box::new(engine::load(engine::Compiler::Loaded)?))
    }
}

fn main() -> anyhow::Result<()> {
    shim::run::<WasmEdge>()
}
