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

use anyhow::{Context as _, Result, ensure};
use containerd_shim_wasm::sandbox::Sandbox;
use containerd_shim_wasm::sandbox::context::{RuntimeContext, Source};

use crate::engine::{self, LINKED, LOADING, MODE, Module};
use crate::failure::Failure;
use crate::specification::Program;
use crate::{confinement, marks, native, preparation};

/// Runs modules with an engine, and executes native programs. Made in the container's process, before that has a second
/// thread: what has to be done then is done by `default`, and its outcome kept.
pub struct EngineSandbox {
    confined: Result<Program, String>,
}

impl Default for EngineSandbox {
    fn default() -> Self {
        let adopted = preparation::adopted().context("the shim did not prepare this container");
        let confined = adopted.and_then(|adopted| confinement::confine(adopted.program).map(|()| adopted.program));
        Self { confined: confined.map_err(|error| format!("{error:#}")) }
    }
}

impl Sandbox for EngineSandbox {
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
            eprintln!("{}: `{entrypoint}`: {failure}", engine::this().name);
            failure.exit_code()
        });
        Ok(code)
    }
}

/// The arguments behind the word that this shim's container is known by.
fn own_arguments(arguments: &[String]) -> Option<&[String]> {
    let adopted = preparation::adopted()?;
    arguments.split_first().filter(|(first, _)| **first == adopted.mark).map(|(_, rest)| rest)
}

/// Returns why a native program could not be executed.
fn execute(context: &impl RuntimeContext, arguments: &[String]) -> Failure {
    if matches!(context.entrypoint().source, Source::Oci(_)) {
        return Failure::NotAModule;
    }
    marks::note("program-executed");
    Failure::NotExecuted(native::execute(arguments, context.envs()))
}

fn run(context: &impl RuntimeContext, arguments: &[String]) -> Result<i32, Failure> {
    let (path, function) = entrypoint(arguments);
    let adopted = preparation::adopted();
    let mode = adopted.and_then(|adopted| adopted.mode.as_deref());
    check_mode(mode, engine::this().modes)?;
    check_loading(adopted.and_then(|adopted| adopted.loading.as_deref()))?;
    let bytes = match context.entrypoint().source {
        source @ Source::Oci(_) => source.as_bytes(),
        Source::File(_) => read(path, context.envs()).map(Cow::Owned),
    };
    let bytes = bytes.map_err(|error| Failure::NoModule(format!("{error:#}")))?;
    marks::note("module-read");
    let engine = engine::loaded().map_err(|reason| Failure::Engine(reason.to_owned()))?;
    confinement::close_start().map_err(|error| Failure::Engine(format!("{error:#}")))?;
    let environment = context.envs();
    engine.run(&Module { bytes: &bytes, function, arguments, environment, directories: &["/"], mode })
}

/// A container whose wish is not understood does not run in another mode than it wished for.
fn check_mode(asked: Option<&str>, known: &[&str]) -> Result<(), Failure> {
    let Some(asked) = asked.filter(|asked| !known.contains(asked)) else { return Ok(()) };
    let remedy = if known.is_empty() {
        "leave it out: with this engine the file alone decides".to_owned()
    } else {
        format!("this engine has `{}`", known.join("` and `"))
    };
    Err(Failure::Engine(format!("the annotation `{MODE}` asks for the mode `{asked}`, which there is not; {remedy}")))
}

/// As [`check_mode`], for the way of loading.
fn check_loading(asked: Option<&str>) -> Result<(), Failure> {
    let Some(asked) = asked.filter(|asked| *asked != LINKED) else { return Ok(()) };
    Err(Failure::Engine(format!(
        "the annotation `{LOADING}` asks for `{asked}`, which there is not; leave it out, or ask for `{LINKED}`"
    )))
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

#[cfg(test)]
mod tests {
    use super::{check_loading, check_mode};

    #[test]
    fn a_way_of_loading_that_there_is_not_is_refused_with_the_one_that_there_is() {
        assert!(check_loading(None).is_ok() && check_loading(Some("linked")).is_ok());
        let error = check_loading(Some("")).expect_err("refused");
        assert_eq!(error.exit_code(), 125);
        assert!(error.to_string().contains("ask for `linked`"), "{error}");
    }

    #[test]
    fn a_mode_that_the_engine_has_not_is_refused_with_those_that_it_has() {
        assert!(check_mode(None, &[]).is_ok() && check_mode(Some("a"), &["a", "b"]).is_ok());
        let error = check_mode(Some("c"), &["a", "b"]).expect_err("refused");
        assert_eq!(error.exit_code(), 125);
        assert!(error.to_string().contains("`c`") && error.to_string().contains("`a` and `b`"), "{error}");
        let error = check_mode(Some(""), &[]).expect_err("refused").to_string();
        assert!(error.contains("leave it out"), "{error}");
    }
}
