//! What is done with a module, and what each of the engine's answers means.

use std::mem::ManuallyDrop;

use shim::{Failure, Loaded, marks};
use wasmtime::{Engine, Error, Instance, Module, Precompiled, Store, Trap};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::artifact;
use crate::compile;
use crate::engine::{Engines, Mode, Prepared};

/// `\0asm`, then the version of the format of modules. Components have another one.
const MODULE_HEADER: &[u8; 8] = b"\0asm\x01\0\0\0";

impl Loaded for Engines {
    fn run(&self, module: &shim::Module<'_>) -> Result<i32, Failure> {
        // The shim's library runs this in a runtime for asynchronous work, which WASI here has to wait for.
        tokio::task::block_in_place(|| run(self, module))
    }
}

fn run(engines: &Engines, module: &shim::Module<'_>) -> Result<i32, Failure> {
    let (prepared, compiled) = open(engines, module)?;
    // Wasmtime validates what it compiles, and what was compiled before is not validated again.
    marks::note("module-loaded");
    let context = context(module).map_err(|error| Failure::Engine(format!("{error:#}")))?;
    // Never dropped: the process ends with its module, and the kernel is faster at taking its memory back.
    let mut store = ManuallyDrop::new(Store::new(&prepared.engine, context));
    let ready = prepared.linker.instantiate_pre(&compiled);
    let ready = ready.map_err(|error| Failure::ForeignImport(format!("{error:#}")))?;
    match ready.instantiate(&mut *store) {
        Ok(instance) => {
            marks::note("module-instantiated");
            call(&mut store, &instance, module.function)
        }
        Err(error) => ended(&error).unwrap_or_else(|| Err(not_instantiated(&error))),
    }
}

/// The module as code: opened when it was compiled before, compiled now otherwise.
fn open<'a>(engines: &'a Engines, module: &shim::Module<'_>) -> Result<(&'a Prepared, Module), Failure> {
    let asked = module.mode.map(Mode::of).transpose().map_err(|error| Failure::Engine(format!("{error:#}")))?;
    match Engine::detect_precompiled(module.bytes) {
        Some(Precompiled::Module) => {
            let found = artifact::mode(module.bytes);
            if let Some(asked) = asked.filter(|asked| *asked != found) {
                let reason = format!("it was compiled for the mode `{}` and not for `{}`", found.name(), asked.name());
                return Err(Failure::CodeNotAccepted { reason, compiler: compile::USAGE });
            }
            let prepared = engines.of(found);
            Ok((prepared, artifact::open(&prepared.engine, module.bytes)?))
        }
        None if module.bytes.starts_with(MODULE_HEADER) => {
            let prepared = engines.of(asked.unwrap_or(Mode::Compiler));
            let compiled = Module::from_binary(&prepared.engine, module.bytes);
            Ok((prepared, compiled.map_err(|error| not_compiled(&prepared.engine, module.bytes, &error))?))
        }
        _ => Err(Failure::NotAModule),
    }
}

/// The container's arguments, environment, standard streams and root directory.
fn context(module: &shim::Module<'_>) -> wasmtime::Result<WasiP1Ctx> {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio().args(module.arguments);
    for (name, value) in module.environment.iter().filter_map(|entry| entry.split_once('=')) {
        builder.env(name, value);
    }
    // Of a container the root only, as with the other engine (`shim/wasmedge/src/run.rs` says why).
    for directory in module.directories {
        builder.preopened_dir(directory, directory, FsPerms::ReadWrite)?;
    }
    // Nobody else needs this thread, and files would otherwise be handed to another one.
    builder.allow_blocking_current_thread(true);
    Ok(builder.build_p1())
}

/// Calls an exported function without arguments, and drops what it returns.
fn call(store: &mut Store<WasiP1Ctx>, instance: &Instance, name: &str) -> Result<i32, Failure> {
    let function = instance.get_func(&mut *store, name);
    let function = function.ok_or_else(|| Failure::NoFunction(name.to_owned()))?;
    let (parameters, results) = {
        let kind = function.ty(&*store);
        (kind.params().len(), kind.results().len())
    };
    if parameters > 0 {
        return Err(Failure::NoFunction(name.to_owned()));
    }
    let mut returned = vec![wasmtime::Val::I32(0); results];
    match function.call(&mut *store, &[], &mut returned) {
        Ok(()) => Ok(0),
        Err(error) => ended(&error).unwrap_or_else(|| Err(Failure::Trap(name.to_owned(), reason(&error)))),
    }
}

/// The exit status, if the module called `proc_exit`.
fn ended(error: &Error) -> Option<Result<i32, Failure>> {
    error.downcast_ref::<I32Exit>().map(|exit| Ok(exit.0))
}

/// Instantiating also runs the module's start section, which may trap.
fn not_instantiated(error: &Error) -> Failure {
    if error.is::<Trap>() {
        Failure::Trap("the start section".to_owned(), reason(error))
    } else {
        Failure::Rejected("instantiated", format!("{error:#}"))
    }
}

/// Wasmtime checks and compiles in one: which of the two failed is asked only then.
fn not_compiled(engine: &Engine, bytes: &[u8], error: &Error) -> Failure {
    let step = if Module::validate(engine, bytes).is_err() { "validated" } else { "compiled" };
    Failure::Rejected(step, format!("{error:#}"))
}

/// A trap in Wasmtime's words, without its list of functions.
fn reason(error: &Error) -> String {
    error.downcast_ref::<Trap>().map_or_else(|| format!("{error:#}"), ToString::to_string)
}

#[cfg(test)]
mod tests;
