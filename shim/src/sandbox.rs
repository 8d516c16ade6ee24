//! Runs one module inside its container, and turns every outcome into an exit code and, where it is a
//! failure, into a reason on the container's stderr.
//!
//! The container itself (namespaces, mounts, cgroups, signals) is the library's work, done before this is
//! called. Native programs come here too, and are executed (`native`).
//!
//! | exit code | meaning |
//! |---|---|
//! | as given | the module called `proc_exit`; 0 when its function returned |
//! | 125 | the engine could not be loaded or set up: no fault of the module |
//! | 126 | the program was found but can not be run: malformed, invalid, an import that is not WASI, or native code that the engine does not accept |
//! | 127 | there is no such module in the image, or no such function in the module |
//! | 134 | the module trapped (`unreachable`, out of bounds, division by zero ...) |
//! | 137 | killed with SIGKILL, as for any container |
//!
//! 125, 126 and 127 are what `docker run` uses for the same cases; 134 is what a native program shows that
//! aborts.

use std::borrow::Cow;
use std::path::Path;
use std::{fmt, io};

use anyhow::{Context as _, Result, ensure};
use containerd_shim_wasm::sandbox::Sandbox;
use containerd_shim_wasm::sandbox::context::{RuntimeContext, Source};

use crate::ffi::{Engine, Machine, Refusal};
use crate::module::Form;
use crate::specification::Program;
use crate::{confinement, engine, native, preparation};

/// Runs modules with WasmEdge, and executes native programs. Made in the container's process, before that has a second
/// thread: what has to be done then is done by `default`, and its outcome kept.
pub struct WasmEdgeSandbox {
    confined: Result<Program, String>,
}

impl Default for WasmEdgeSandbox {
    fn default() -> Self {
        let adopted = preparation::adopted().context("the shim did not prepare this container");
        let confined = adopted.and_then(|(_, program)| confinement::confine(*program).map(|()| *program));
        Self { confined: confined.map_err(|error| format!("{error:#}")) }
    }
}

impl Sandbox for WasmEdgeSandbox {
    /// Accepts everything: `specification` sees to it that the library takes nothing for a native program. A refusal
    /// here would reach the user only as "executor can't handle spec"; `run_wasi` can say what is wrong.
    async fn can_handle(&self, _context: &impl RuntimeContext) -> Result<()> {
        Ok(())
    }

    /// Never fails: the library would turn an error into exit code 137 and a line in containerd's log.
    async fn run_wasi(&self, context: &impl RuntimeContext) -> Result<i32> {
        let arguments = own_arguments(context.args());
        let outcome = match (&self.confined, arguments) {
            (Err(reason), _) => Err(Failure::Engine(reason.clone())),
            (_, None) => Err(Failure::NotThisContainer),
            (Ok(Program::Native), Some(arguments)) => Err(execute(context, arguments)),
            (Ok(Program::Module), Some(arguments)) => run(context, arguments),
        };
        let code = outcome.unwrap_or_else(|failure| {
            let entrypoint = arguments.unwrap_or(context.args()).first().map_or("", String::as_str);
            eprintln!("wasmedge: `{entrypoint}`: {failure}");
            failure.exit_code()
        });
        Ok(code)
    }
}

/// The arguments behind the word that this shim's container is known by.
fn own_arguments(arguments: &[String]) -> Option<&[String]> {
    let (mark, _) = preparation::adopted()?;
    arguments.split_first().filter(|(first, _)| *first == mark).map(|(_, rest)| rest)
}

/// Returns why a native program could not be executed.
fn execute(context: &impl RuntimeContext, arguments: &[String]) -> Failure {
    if matches!(context.entrypoint().source, Source::Oci(_)) {
        return Failure::NotAModule;
    }
    Failure::NotExecuted(native::execute(arguments, context.envs()))
}

/// Why a module did not run to its end. Displayed behind the name of the module.
#[derive(Debug)]
enum Failure {
    /// The engine is not there, or could not be set up.
    Engine(String),
    /// Another container than the one that the shim was started for.
    NotThisContainer,
    /// The kernel refused a native program.
    NotExecuted(io::Error),
    /// The image has no file of that name.
    NoModule(String),
    /// The module has no function of that name that can be called without parameters.
    NoFunction(String),
    /// The file is something else.
    NotAModule,
    /// The engine refused the module at one step.
    Rejected(&'static str, Refusal),
    /// The engine would interpret what was compiled; its log says why.
    CodeNotAccepted(String),
    /// The module trapped, in this function.
    Trap(String, Refusal),
}

impl Failure {
    fn exit_code(&self) -> i32 {
        match self {
            Self::Engine(_) | Self::NotThisContainer => 125,
            Self::NotExecuted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotExecuted(_) | Self::NotAModule | Self::Rejected(..) | Self::CodeNotAccepted(_) => 126,
            Self::NoModule(_) | Self::NoFunction(_) => 127,
            Self::Trap(..) => 134,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(reason) => formatter.write_str(reason),
            Self::NotThisContainer => formatter.write_str(
                "this shim was started for another container; it serves one, so start this one with a shim of its own",
            ),
            Self::NotExecuted(error) => {
                write!(formatter, "it could not be executed: {error}; name an executable file for this machine")
            }
            Self::NoModule(reason) => write!(
                formatter,
                "there is no such module in the image ({reason}); name a file of the image as the \
                 entrypoint, or `file#function`"
            ),
            Self::NoFunction(function) => write!(
                formatter,
                "it exports no function `{function}` without parameters; name one that it exports as \
                 `file#function`"
            ),
            Self::NotAModule => formatter.write_str(
                "it is no WebAssembly module; build it for wasm32-wasip1 (components and text are not \
                 supported)",
            ),
            Self::Rejected(step, refusal) if refusal.is_import() => {
                write!(formatter, "it could not be {step}: {refusal}; it may import nothing but WASI preview 1")
            }
            Self::Rejected(step, refusal) => {
                write!(formatter, "it could not be {step}: {refusal}; check it with `wasm-validate` or build it again")
            }
            Self::CodeNotAccepted(log) => write!(
                formatter,
                "it carries native code that this engine does not accept ({log}), and is not interpreted \
                 in silence; compile it again with this version's `wasmedge compile` on this kind of \
                 machine, or ship the plain module"
            ),
            Self::Trap(function, refusal) => {
                write!(formatter, "it trapped in `{function}`: {refusal}")
            }
        }
    }
}

fn run(context: &impl RuntimeContext, arguments: &[String]) -> Result<i32, Failure> {
    let (path, function) = entrypoint(arguments);
    let bytes = match context.entrypoint().source {
        source @ Source::Oci(_) => source.as_bytes(),
        Source::File(_) => read(path, context.envs()).map(Cow::Owned),
    };
    let bytes = bytes.map_err(|error| Failure::NoModule(format!("{error:#}")))?;
    let engine = engine::loaded().map_err(|reason| Failure::Engine(reason.to_owned()))?;
    confinement::close_start().map_err(|error| Failure::Engine(format!("{error:#}")))?;
    let machine = prepare(engine, arguments, context.envs())?;
    load(&machine, &bytes)?;
    machine.validate().map_err(|refusal| Failure::Rejected("validated", refusal))?;
    let exit_code = match machine.instantiate().map_err(not_instantiated)? {
        Some(exit_code) => exit_code,
        None => machine.call(function).map_err(|refusal| not_finished(function, refusal))?,
    };
    // The kernel keeps the lowest 8 bits, as for a native program.
    Ok(exit_code.cast_signed())
}

/// The module and the function that the first argument names: `file` or `file#function`.
fn entrypoint(arguments: &[String]) -> (&str, &str) {
    let name = arguments.first().map_or("", String::as_str);
    name.split_once('#').unwrap_or((name, "_start"))
}

/// The module's file: a path, or a name that is looked for in `PATH` and then in the working directory.
fn read(name: &str, environment: &[String]) -> Result<Vec<u8>> {
    let path = environment.iter().rev().find_map(|entry| entry.strip_prefix("PATH="));
    let folders = path.filter(|_| !name.contains('/')).unwrap_or_default().split(':');
    let found = folders.map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
    let file = found.unwrap_or_else(|| Path::new(name).to_path_buf());
    ensure!(file.is_file(), "no such file");
    Ok(std::fs::read(&file)?)
}

/// A machine with the container's arguments, environment and root directory.
fn prepare<'engine>(
    engine: &'engine Engine,
    arguments: &[String],
    environment: &[String],
) -> Result<Machine<'engine>, Failure> {
    let prepared = || -> Result<Machine<'engine>> {
        let machine = engine.machine()?;
        // The root only, which is the image's files, the volumes and `/dev`: `specification` keeps `/proc` and `/sys`
        // out of a module's container. wasi-libc resolves relative paths against `/`, and takes a second directory
        // `.` for the same prefix: absolute paths would then end up in it. So the image's working directory has no
        // effect on a module.
        machine.init_wasi(arguments, environment, &["/:/".to_owned()])?;
        Ok(machine)
    };
    prepared().map_err(|error| Failure::Engine(format!("{error:#}")))
}

fn load(machine: &Machine<'_>, bytes: &[u8]) -> Result<(), Failure> {
    let loaded = match Form::of(bytes) {
        Form::Foreign => return Err(Failure::NotAModule),
        Form::Plain => machine.load(bytes),
        Form::Compiled => {
            let (loaded, log) = machine.load_logged(bytes).map_err(|error| Failure::Engine(format!("{error:#}")))?;
            if let Some(reason) = interpreter_fallback(&log) {
                return Err(Failure::CodeNotAccepted(reason));
            }
            loaded
        }
    };
    loaded.map_err(|refusal| Failure::Rejected("loaded", refusal))
}

/// What the engine logged when it put native code aside, as one line; `None` when it accepted the code.
///
/// This log is the engine's only sign: loading succeeds either way, and no function of its C interface
/// tells how a module will be executed. What WasmEdge 0.14 writes then ends with "interpreter mode instead".
/// What can not be seen: code compiled for another CPU is accepted, and dies of SIGILL (exit code 132) where
/// it uses an instruction that this CPU lacks.
fn interpreter_fallback(log: &str) -> Option<String> {
    log.contains("interpreter mode").then(|| {
        let messages: Vec<&str> = log.lines().map(log_message).collect();
        messages.join("; ")
    })
}

/// A line of the engine's log without its head `[time] [level]`.
fn log_message(line: &str) -> &str {
    line.splitn(3, ']').last().unwrap_or(line).trim()
}

/// Instantiating also runs the module's start section, which may trap.
fn not_instantiated(refusal: Refusal) -> Failure {
    if refusal.is_trap() {
        Failure::Trap("the start section".to_owned(), refusal)
    } else {
        Failure::Rejected("instantiated", refusal)
    }
}

fn not_finished(function: &str, refusal: Refusal) -> Failure {
    if refusal.is_not_callable() {
        Failure::NoFunction(function.to_owned())
    } else {
        Failure::Trap(function.to_owned(), refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::{interpreter_fallback, not_finished, not_instantiated};
    use crate::ffi::Refusal;

    fn refusal(code: u32, message: &str) -> Refusal {
        Refusal { code, message: message.to_owned() }
    }

    #[test]
    fn a_trap_names_function_and_reason() {
        let failure = not_finished("_start", refusal(0x40a, "unreachable"));
        assert_eq!(failure.to_string(), "it trapped in `_start`: unreachable (WasmEdge code 0x40a)");
        assert_eq!(failure.exit_code(), 134);
    }

    #[test]
    fn a_function_that_can_not_be_called_is_no_trap() {
        for code in [0x005, 0x403] {
            let failure = not_finished("absent", refusal(code, "wasm function not found"));
            assert!(failure.to_string().contains("exports no function `absent`"));
            assert_eq!(failure.exit_code(), 127);
        }
    }

    #[test]
    fn what_goes_wrong_at_instantiation_is_a_refusal_or_a_trap() {
        let missing = not_instantiated(refusal(0x302, "unknown import"));
        assert_eq!(
            missing.to_string(),
            "it could not be instantiated: unknown import (WasmEdge code 0x302); it may import nothing but \
             WASI preview 1"
        );
        assert_eq!(missing.exit_code(), 126);
        assert_eq!(not_instantiated(refusal(0x40a, "unreachable")).exit_code(), 134);
    }

    #[test]
    fn code_that_the_engine_put_aside_is_noticed_and_quoted() {
        let log = "[2026-11-23 10:18:03.182] [info] loading failed: malformed section id, Code: 0x105\n\
                   [2026-11-23 10:18:03.182] [info]     AOT binary version unmatched.\n\
                   [2026-11-23 10:18:03.182] [info]     Load AOT section failed. Use interpreter mode instead.\n";
        assert_eq!(
            interpreter_fallback(log).as_deref(),
            Some(
                "loading failed: malformed section id, Code: 0x105; AOT binary version unmatched.; \
                 Load AOT section failed. Use interpreter mode instead."
            )
        );
    }

    #[test]
    fn other_messages_of_the_engine_are_no_refusal() {
        assert_eq!(interpreter_fallback(""), None);
        assert_eq!(interpreter_fallback("[2026-11-23 10:18:03.182] [debug] loaded\n"), None);
    }
}
