//! What the shim needs of an engine; when the engine is loaded, and in which process.
//!
//! The container's process sees nothing of the host's file system, so the engine has to be in memory
//! before that process exists. It is forked from the zygote, a process that the library
//! `containerd-shim-wasm` keeps for this: the engine is loaded there, while the server answers
//! containerd's first requests.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use anyhow::Result;

use crate::failure::Failure;
use crate::lifetime;
use crate::marks;
use crate::preparation::{self, Prepared};

/// The annotation by which a container asks for one of the engine's modes.
pub const MODE: &str = "run.deploy-bench.wasm.mode";

/// The annotation by which a container asks for its engine to be loaded as [`LINKED`] says.
pub const LOADING: &str = "run.deploy-bench.wasm.loading";

/// As the dynamic linker does it for a shim that is linked with its engine: all of the library and of what that names,
/// in each process of the shim, before anything else. What others ship is measured this way.
pub const LINKED: &str = "linked";

/// An engine, as a shim is made of it. The shim of the engine `x` is `containerd-shim-x-v1`.
///
/// Not a trait, whose every implementation would have all of the library compiled once more: most of what building a
/// shim takes.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// What containerd's name for the runtime is made of, the library's name for its folder, and the first word of what
    /// a container says on stderr.
    pub name: &'static str,
    /// The variables of containerd's environment that the engine reads. Every other one is kept from it.
    pub variables: &'static [&'static str],
    /// The modes that a container may ask for ([`MODE`]). Without a choice the file alone decides.
    pub modes: &'static [&'static str],
    /// Whether an executable file that begins with these bytes, eight at most, is the engine's although it looks like a
    /// native program.
    pub owns: fn(&[u8]) -> bool,
    /// Loads everything that does not depend on the module. It is called in a process that is forked later, and may
    /// leave no thread there. It fails when the engine is not there, or not what the shim was made for, which is then
    /// told by every container.
    pub load: fn() -> Result<Box<dyn Loaded>>,
    /// Loads what the dynamic linker would load for a shim that is linked with the engine ([`LINKED`]). It fails as the
    /// other does.
    pub load_linked: fn() -> Result<Box<dyn Loaded>>,
}

/// An engine in memory.
pub trait Loaded: Send + Sync {
    /// Runs one module to its end, in the container's own process, which runs nothing else. Returns the exit status.
    ///
    /// # Errors
    /// Why it did not run to its end.
    fn run(&self, module: &Module<'_>) -> Result<i32, Failure>;
}

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// The file's contents, whatever they are.
    pub bytes: &'a [u8],
    /// The exported function to call.
    pub function: &'a str,
    /// The module's arguments, its own name among them.
    pub arguments: &'a [String],
    /// Its environment, `NAME=value` each.
    pub environment: &'a [String],
    /// The directories that it may see, under their own names.
    pub directories: &'a [&'a str],
    /// How it is to be run, one of [`Engine::modes`]; `None` when nobody asked.
    pub mode: Option<&'a str>,
}

/// This shim's, for what the library calls: it knows types and no values.
static ENGINE: OnceLock<&'static Engine> = OnceLock::new();

/// Makes an engine this shim's. Once, before anything else.
pub fn choose(engine: &'static Engine) {
    ENGINE.get_or_init(|| engine);
}

/// This shim's engine.
///
/// # Panics
/// None was chosen.
pub fn this() -> &'static Engine {
    ENGINE.get().expect("`run` chooses an engine first of all")
}

/// The outcome of loading in the zygote, inherited by every container that is forked from it. A failure is
/// kept as text: it is reported in another process than the one where it happened.
static LOADED: OnceLock<Result<Box<dyn Loaded>, String>> = OnceLock::new();

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
                log::error!("loading the engine ended the process that containers are made from: {error}");
            })
            .ok()
    });
    *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
}

/// Waits until what `preload` started has ended, however it ended. Usually it has. `None` when it failed, or was
/// waited for before.
pub fn await_preload() -> Option<Prepared> {
    let waiting = PRELOAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    waiting?.join().inspect_err(|_| log::error!("the thread that loads the engine panicked")).ok().flatten()
}

fn prepare_zygote((): ()) -> Prepared {
    lifetime::end_with_parent();
    load_here();
    marks::note("engine-loaded");
    let prepared = preparation::prepare();
    marks::note("zygote-prepared");
    prepared
}

/// The engine, loaded now if this process was not forked from one that has it.
pub fn loaded() -> Result<&'static dyn Loaded, &'static str> {
    load_here();
    match LOADED.get() {
        Some(Ok(engine)) => Ok(engine.as_ref()),
        Some(Err(reason)) => Err(reason),
        None => Err("the engine was not loaded"),
    }
}

/// Loads the engine in this process, as [`LINKED`] says: the process that containers are made from inherits it.
pub fn load_linked() {
    LOADED.get_or_init(|| (this().load_linked)().map_err(|error| format!("{error:#}")));
}

fn load_here() {
    LOADED.get_or_init(|| (this().load)().map_err(|error| format!("{error:#}")));
}
