//! Which engine is loaded, when, and in which process.
//!
//! The container's process sees nothing of the host's file system, so the library has to be in memory
//! before that process exists. It is forked from the zygote, a process that the library
//! `containerd-shim-wasm` keeps for this: the engine is loaded there, while the server answers
//! containerd's first requests. How it is called is in `ffi`.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};

use crate::ffi::Engine;
use crate::lifetime;
use crate::preparation::{self, Prepared};

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

/// The outcome of loading in the zygote, inherited by every container that is forked from it. A failure is
/// kept as text: it is reported in another process than the one where it happened.
static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();

/// The thread that waits for the zygote while it loads.
static PRELOAD: Mutex<Option<JoinHandle<Option<Prepared>>>> = Mutex::new(None);

/// Starts loading the engine in the zygote, and preparing it for the container; returns at once.
///
/// Must be the first thing that the server does: the zygote is forked here, from a process with one thread.
pub fn preload() {
    zygote::Zygote::init();
    let waiting = std::thread::spawn(|| {
        let prepared = zygote::Zygote::global().try_run(prepare_zygote, ());
        prepared
            .inspect_err(|error| {
                log::error!("loading WasmEdge ended the process that containers are made from: {error}");
            })
            .ok()
    });
    *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
}

/// Waits until what `preload` started has ended, however it ended. Usually it has. `None` when it failed, or was
/// waited for before.
pub fn await_preload() -> Option<Prepared> {
    let waiting = PRELOAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    waiting?.join().inspect_err(|_| log::error!("the thread that loads WasmEdge panicked")).ok().flatten()
}

fn prepare_zygote((): ()) -> Prepared {
    lifetime::end_with_parent();
    load_here();
    preparation::prepare()
}

/// The engine, loaded now if this process was not forked from one that has it.
pub fn loaded() -> Result<&'static Engine, &'static str> {
    load_here();
    match ENGINE.get() {
        Some(Ok(engine)) => Ok(engine),
        Some(Err(reason)) => Err(reason),
        None => Err("the engine was not loaded"),
    }
}

fn load_here() {
    ENGINE.get_or_init(|| load().map_err(|error| format!("{error:#}")));
}

fn load() -> Result<Engine> {
    let named = std::env::var_os(LIBRARY_VARIABLE).map(PathBuf::from);
    let (path, substitute) = match named {
        Some(path) => (path, &[][..]),
        None => (PathBuf::from(LIBRARY), COMPILER_SUBSTITUTE),
    };
    Engine::open(&path, substitute, MINOR_VERSION).with_context(|| {
        format!(
            "the engine's library could not be used: install WasmEdge 0.{MINOR_VERSION} there, or set \
             {LIBRARY_VARIABLE} to its libwasmedge.so where containerd is started"
        )
    })
}
