//! `containerd-shim-wasmedge-v1`: what the one binary does in each of the processes it is started as.
//!
//! containerd executes it with `start`; that process executes it again as the server, which serves one
//! container; and with `delete` when it has to clean up. Everything between containerd and the container
//! (protocol, namespaces, mounts, cgroups) belongs to the library `containerd-shim-wasm`; running a
//! module is in `sandbox`, the engine's C interface in `ffi`.

mod engine;
mod environment;
mod ffi;
mod journal;
mod module;
mod sandbox;

use std::hash::Hash;

use anyhow::Result;
use containerd_shim_wasm::sandbox::context::WasmLayer;
use containerd_shim_wasm::shim::{Cli as _, Compiler, Config, Shim, Version};

use crate::sandbox::WasmEdgeSandbox;

/// The shim as the library sees it: a name, a version, and who runs a module.
struct WasmEdge;

impl Shim for WasmEdge {
    type Sandbox = WasmEdgeSandbox;

    fn name() -> &'static str {
        "wasmedge"
    }

    fn version() -> Version {
        // No revision: the library's macro would build the shim anew with every commit of the project.
        Version { version: env!("CARGO_PKG_VERSION"), ..Version::default() }
    }

    /// No compiler: what is to run compiled comes compiled. The library asks in the server, before it
    /// makes its first container, which is the moment by which the engine has to be in the zygote.
    async fn compiler() -> Option<impl Compiler> {
        engine::await_preload();
        None::<NoCompiler>
    }
}

/// The type of the compiler that there is not: it has no values.
#[derive(Clone, Copy)]
enum NoCompiler {}

impl Compiler for NoCompiler {
    fn cache_key(&self) -> impl Hash {
        match *self {}
    }

    async fn compile(&self, _layers: &[WasmLayer]) -> Result<Vec<Option<Vec<u8>>>> {
        match *self {}
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if is_server(&arguments) {
        journal::open(arguments.iter().any(|argument| argument == "-debug"));
        engine::preload();
    }
    // The journal is ours: the library would set its own up through the zygote, and wait there until
    // the engine is loaded.
    WasmEdge::run(Config { no_setup_logger: true, ..Config::default() });
}

/// Whether these arguments make the process that serves a container: the identity of the container, and no
/// action as the last word. `start`, `delete`, `-v` and `-info` never need the engine.
fn is_server(arguments: &[String]) -> bool {
    let identified = arguments.iter().any(|argument| argument == "-namespace");
    let acts = arguments.last().is_some_and(|last| last == "start" || last == "delete");
    identified && !acts
}

#[cfg(test)]
mod tests {
    use super::is_server;

    fn arguments(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_the_server_loads_the_engine() {
        assert!(is_server(&arguments("-namespace default -id x -address /c.sock")));
        assert!(is_server(&arguments("-namespace default -id x -address /c.sock -debug")));
        assert!(is_server(&arguments("-namespace default -id start -address /c.sock")));
        assert!(!is_server(&arguments("-namespace default -id x -address /c.sock start")));
        assert!(!is_server(&arguments("-namespace default -id x -address /c.sock -bundle /b delete")));
        assert!(!is_server(&arguments("-v")));
        assert!(!is_server(&arguments("-info")));
        assert!(!is_server(&[]));
    }
}
