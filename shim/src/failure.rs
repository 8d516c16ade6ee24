//! Why a container's program did not run to its end: as an exit status, and as a reason on the container's stderr.

use std::{fmt, io};

/// Why a module did not run to its end. Displayed behind the name of the module.
#[derive(Debug)]
pub enum Failure {
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
    /// The engine refused the module at one step, which is a participle, with this reason.
    Rejected(&'static str, String),
    /// The module asks for something that the engine does not provide.
    ForeignImport(String),
    /// The file holds code for another engine or machine than this one.
    CodeNotAccepted {
        /// What the engine says of it.
        reason: String,
        /// The command that compiles for this engine.
        compiler: &'static str,
    },
    /// The module trapped, in this function, for this reason.
    Trap(String, String),
}

impl Failure {
    /// As the container's exit status (the table in `sandbox`).
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Engine(_) | Self::NotThisContainer => 125,
            Self::NotExecuted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotExecuted(_)
            | Self::NotAModule
            | Self::Rejected(..)
            | Self::ForeignImport(_)
            | Self::CodeNotAccepted { .. } => 126,
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
            Self::ForeignImport(reason) => {
                write!(formatter, "it could not be instantiated: {reason}; it may import nothing but WASI preview 1")
            }
            Self::Rejected(step, reason) => {
                write!(formatter, "it could not be {step}: {reason}; check it with `wasm-validate` or build it again")
            }
            Self::CodeNotAccepted { reason, compiler } => write!(
                formatter,
                "it carries native code that this engine does not accept ({reason}), and is not interpreted \
                 in silence; compile it again with this version's `{compiler}` on this kind of \
                 machine, or ship the plain module"
            ),
            Self::Trap(function, reason) => write!(formatter, "it trapped in `{function}`: {reason}"),
        }
    }
}
