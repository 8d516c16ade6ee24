//! What is done with a module, and what each of the engine's answers means.

use anyhow::Result;
use shim::{Failure, Loaded, Module, marks};

use crate::ffi::{Engine, Machine, Refusal};
use crate::module::Form;

impl Loaded for Engine {
    fn run(&self, module: &Module<'_>) -> Result<i32, Failure> {
        let machine = prepare(self, module)?;
        load(&machine, module.bytes)?;
        marks::note("module-loaded");
        machine.validate().map_err(|refusal| rejected("validated", &refusal))?;
        marks::note("module-validated");
        let instantiated = machine.instantiate().map_err(|refusal| not_instantiated(&refusal))?;
        marks::note("module-instantiated");
        let exit_code = match instantiated {
            Some(exit_code) => exit_code,
            None => machine.call(module.function).map_err(|refusal| not_finished(module.function, &refusal))?,
        };
        // The kernel keeps the lowest 8 bits, as for a native program.
        Ok(exit_code.cast_signed())
    }
}

/// A machine with the container's arguments, environment and root directory.
fn prepare<'engine>(engine: &'engine Engine, module: &Module<'_>) -> Result<Machine<'engine>, Failure> {
    let prepared = || -> Result<Machine<'engine>> {
        let machine = engine.machine()?;
        // Of a container the root only, which is the image's files, the volumes and `/dev`: the shim keeps `/proc` and `/sys`
        // out of a module's container. wasi-libc resolves relative paths against `/`, and takes a second directory
        // `.` for the same prefix: absolute paths would then end up in it. So the image's working directory has no
        // effect on a module.
        let directories: Vec<String> = module.directories.iter().map(|name| format!("{name}:{name}")).collect();
        machine.init_wasi(module.arguments, module.environment, &directories)?;
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
                return Err(Failure::CodeNotAccepted { reason, compiler: "wasmedge compile" });
            }
            loaded
        }
    };
    loaded.map_err(|refusal| rejected("loaded", &refusal))
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

fn rejected(step: &'static str, refusal: &Refusal) -> Failure {
    Failure::Rejected(step, refusal.to_string())
}

/// Instantiating also runs the module's start section, which may trap.
fn not_instantiated(refusal: &Refusal) -> Failure {
    if refusal.is_trap() {
        Failure::Trap("the start section".to_owned(), refusal.to_string())
    } else if refusal.is_import() {
        Failure::ForeignImport(refusal.to_string())
    } else {
        rejected("instantiated", refusal)
    }
}

fn not_finished(function: &str, refusal: &Refusal) -> Failure {
    if refusal.is_not_callable() {
        Failure::NoFunction(function.to_owned())
    } else {
        Failure::Trap(function.to_owned(), refusal.to_string())
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
        let failure = not_finished("_start", &refusal(0x40a, "unreachable"));
        assert_eq!(failure.to_string(), "it trapped in `_start`: unreachable (WasmEdge code 0x40a)");
        assert_eq!(failure.exit_code(), 134);
    }

    #[test]
    fn a_function_that_can_not_be_called_is_no_trap() {
        for code in [0x005, 0x403] {
            let failure = not_finished("absent", &refusal(code, "wasm function not found"));
            assert!(failure.to_string().contains("exports no function `absent`"));
            assert_eq!(failure.exit_code(), 127);
        }
    }

    #[test]
    fn what_goes_wrong_at_instantiation_is_a_refusal_or_a_trap() {
        let missing = not_instantiated(&refusal(0x302, "unknown import"));
        assert_eq!(
            missing.to_string(),
            "it could not be instantiated: unknown import (WasmEdge code 0x302); it may import nothing but \
             WASI preview 1"
        );
        assert_eq!(missing.exit_code(), 126);
        assert_eq!(not_instantiated(&refusal(0x40a, "unreachable")).exit_code(), 134);
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
