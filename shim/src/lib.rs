//! A containerd shim that runs WebAssembly modules and native programs, but for the engine: what the one binary does in
//! each of the processes it is started as.
//!
//! containerd executes it with `start`; that process executes it again as the server, which serves one
//! container; and with `delete` when it has to clean up (`launch`). Everything else between containerd and the container
//! (protocol, namespaces, mounts, cgroups) belongs to the library `containerd-shim-wasm`; what an engine has to do is
//! in `engine`, and each engine has a crate of its own below this one's folder.
//!
//! What the library does not do and runc does is in four places, by the process and the moment: `sealed` (the server,
//! before anything), `preparation` (the zygote), `specification` (the server, before the container is made),
//! `confinement` (the container's process).

mod bundle;
mod confinement;
mod content;
mod direct;
mod engine;
mod failure;
mod journal;
pub mod kernel;
mod launch;
mod lifetime;
pub mod marks;
mod native;
mod order;
mod output;
mod preparation;
mod readiness;
mod root;
mod sandbox;
mod sealed;
mod specification;

use std::hash::Hash;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use containerd_shim_wasm::sandbox::context::WasmLayer;
use containerd_shim_wasm::shim::{Cli as _, Compiler, Config, Shim, Version};

use crate::sandbox::EngineSandbox;

pub use crate::engine::{Engine, LINKED, LOADING, Loaded, MODE, Module};
pub use crate::failure::Failure;

/// The shim as the library sees it: a name, a version, and who runs a module.
struct EngineShim;

impl Shim for EngineShim {
    type Sandbox = EngineSandbox;

    fn name() -> &'static str {
        engine::this().name
    }

    fn version() -> Version {
        // No revision: the library's macro would build the shim anew with every commit of the project.
        Version { version: env!("CARGO_PKG_VERSION"), ..Version::default() }
    }

    /// No compiler: what is to run compiled comes compiled, or is compiled in its container. The library asks in the
    /// server, when the container's root file system is mounted and before it makes the container, which is the moment
    /// by which the engine has to be in the zygote, and the specification adapted.
    async fn compiler() -> Option<impl Compiler> {
        marks::note("rootfs-mounted");
        // Once more: what was begun with the server may be over.
        readiness::begin();
        if let Some(prepared) = engine::await_preload() {
            match bundle::adapt(&prepared.namespaces) {
                Ok(bundle::Found::File) => {
                    if let Err(error) = content::leave_out() {
                        log::warn!("containerd is asked for what it need not be asked for: {error:#}");
                    }
                }
                Ok(bundle::Found::Nothing) => {}
                Err(error) => log::error!("the container's specification could not be adapted: {error:#}"),
            }
            CGROUP.get_or_init(|| prepared.cgroup);
        }
        content::pass_on();
        marks::note("specification-adapted");
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

/// The container's cgroup that the library does not know, and does not remove.
static CGROUP: OnceLock<Option<PathBuf>> = OnceLock::new();

/// The whole of a shim's `main`, for one engine.
///
/// # Errors
/// The pod of a container can not be left, or the shim can not be executed from a file that no container can change.
pub fn run(engine: &'static Engine) -> Result<()> {
    engine::choose(engine);
    let began_ns = marks::now_ns();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((_, rest)) = arguments.split_first().filter(|(first, _)| *first == direct::COMMAND) {
        std::process::exit(direct::run(engine, rest)?);
    }
    let last = arguments.last().map(String::as_str);
    if last == Some("start") {
        bundle::leave_pod()?;
    }
    let serves = is_server(&arguments);
    if serves {
        sealed::ensure(&arguments)?;
    }
    if serves || matches!(last, Some("start" | "delete")) {
        let wishes = bundle::wishes();
        if let Some(file) = wishes.marks.filter(|_| last != Some("delete")) {
            marks::open(&file);
            marks::note_at(if serves { "server-started" } else { "shim-started" }, began_ns);
        }
        if wishes.linked {
            engine::load_linked();
        }
    }
    match last {
        Some("start") if !serves => return launch::start(&arguments),
        Some("delete") if !serves => {
            lifetime::remove_remains(engine.name, &arguments);
            return launch::say_deleted();
        }
        _ => {}
    }
    if serves {
        journal::open(engine.name, arguments.iter().any(|argument| argument == "-debug"));
        kernel::heed_signals().context("cannot have signals heeded")?;
        order::keep();
        engine::preload();
        preparation::begin_network();
        readiness::begin();
        // Not before: who was forked with the socket would keep it open.
        content::listen()?;
        lifetime::end_as_a_whole();
        kernel::let_library_sleep();
    }
    // The journal is ours: the library would set its own up through the zygote, and wait there until
    // the engine is loaded.
    EngineShim::run(Config { no_setup_logger: true, ..Config::default() });
    if let Some(folder) = CGROUP.get().and_then(Option::as_deref) {
        preparation::remove_cgroup(folder);
    }
    Ok(())
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
