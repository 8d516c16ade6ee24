//! Which library is the engine. How it is called is in `ffi`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::ffi::Engine;

/// The library that the build was made for.
const LIBRARY: &str = env!("WASMEDGE_LIBRARY");

/// Names another library when the shim runs. It has to be set where containerd is started: shims inherit
/// containerd's environment. Not the variable of the build, which would be set there by accident.
pub const LIBRARY_VARIABLE: &str = "WASMEDGE_SHIM_LIBRARY";

/// The minor version of WasmEdge whose C interface `ffi` declares.
const MINOR_VERSION: u32 = 14;

/// A shared object without code that answers to the name of LLVM's library, made by `build.rs`; empty
/// where the engine does not ask for LLVM.
///
/// `libwasmedge` is linked against LLVM for its compiler. Running a module, compiled or not, calls none of
/// it; but loading and relocating it is most of the time that loading the engine takes. With this
/// in its place the engine is what WasmEdge's own build without compiler is. It is made for
/// exactly the library of the build, so another one named at run time loads everything that it asks for.
const COMPILER_SUBSTITUTE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/compiler-substitute.so"));

/// What becomes of the engine's compiler when its library is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The empty substitute takes its place.
    Substituted,
    /// It is loaded with all that it needs, as for every other program that is linked with the library.
    Loaded,
}

/// Opens the library that was named, or else the one of the build. One that was named loads its compiler always.
///
/// # Errors
/// It is not there, or is no WasmEdge of this version.
pub fn load(compiler: Compiler) -> Result<Engine> {
    let named = std::env::var_os(LIBRARY_VARIABLE).map(PathBuf::from);
    let (path, substitute) = match (named, compiler) {
        (Some(path), _) => (path, &[][..]),
        (None, Compiler::Loaded) => (PathBuf::from(LIBRARY), &[][..]),
        (None, Compiler::Substituted) => (PathBuf::from(LIBRARY), COMPILER_SUBSTITUTE),
    };
    Engine::open(&path, substitute, MINOR_VERSION).with_context(|| {
        format!(
            "the engine's library could not be used: install WasmEdge 0.{MINOR_VERSION} there, or set \
             {LIBRARY_VARIABLE} to its libwasmedge.so where containerd is started"
        )
    })
}
