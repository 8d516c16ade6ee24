//! The matrix: what is run ([`Kind`]) and how ([`Runner`]), and the names of both, in both directions.
//!
//! Not here: what a bench is (`bench`), in which order cells run (`plan`), how one is started (`measure`).

use std::fmt;
use std::str::FromStr;

pub use oci::kind::Kind;
use serde::{Deserialize, Serialize};

use crate::names::Names;

/// How a kind is executed: a native binary by the kernel, a module in one of the engine's two modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The processor executes the file.
    Native,
    /// The engine interprets the module.
    Interpreter,
    /// The engine executes code that it compiled ahead of time.
    Aot,
}

/// What starts the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runner {
    /// A process: the binary itself, or the engine's command line with the module.
    Process,
    /// A container by containerd with runc.
    Runc,
    /// A container by containerd with the WasmEdge shim of this project.
    WasmEdge,
}

impl Runner {
    /// The name after the slash of a case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Runc => "runc",
            Self::WasmEdge => "wasmedge",
        }
    }

    /// Whether this runner needs containerd, and with it root.
    pub const fn is_container(self) -> bool {
        !matches!(self, Self::Process)
    }
}

/// One row of the matrix. Only pairs that can exist have a value: runc starts no modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    mode: Mode,
    runner: Runner,
}

impl Case {
    /// Every case, in the order of the table. `native/wasmedge` is the control arm: the native image through the
    /// WasmEdge shim, which separates what the shim costs from what the engine costs.
    pub const ALL: [Self; 7] = [
        Self::NATIVE_PROCESS,
        Self { mode: Mode::Interpreter, runner: Runner::Process },
        Self { mode: Mode::Aot, runner: Runner::Process },
        Self::NATIVE_RUNC,
        Self::NATIVE_WASMEDGE,
        Self { mode: Mode::Interpreter, runner: Runner::WasmEdge },
        Self { mode: Mode::Aot, runner: Runner::WasmEdge },
    ];

    /// The native binary, run directly: what every other direct case is compared with.
    pub const NATIVE_PROCESS: Self = Self { mode: Mode::Native, runner: Runner::Process };
    /// The native image under runc: what every other container case is compared with.
    pub const NATIVE_RUNC: Self = Self { mode: Mode::Native, runner: Runner::Runc };
    /// The control arm: the native image in the runtime of the modules.
    pub const NATIVE_WASMEDGE: Self = Self { mode: Mode::Native, runner: Runner::WasmEdge };

    /// The names of all cases.
    pub fn names() -> Names {
        Names { one: "case", several: "cases", known: Self::ALL.iter().map(ToString::to_string).collect() }
    }

    /// How the program is executed.
    pub const fn mode(self) -> Mode {
        self.mode
    }

    /// What starts the program.
    pub const fn runner(self) -> Runner {
        self.runner
    }

    /// The file that this case runs.
    pub const fn kind(self) -> Kind {
        match self.mode {
            Mode::Native => Kind::Native,
            Mode::Interpreter => Kind::Wasm,
            Mode::Aot => Kind::WasmAot,
        }
    }

    /// The case that this one is compared with: the native one on the same side of the container wall.
    #[must_use]
    pub const fn baseline(self) -> Self {
        if self.runner.is_container() { Self::NATIVE_RUNC } else { Self::NATIVE_PROCESS }
    }

    /// Whether both are containers, and made by different runtimes: what the runtimes cost is then a part of their
    /// ratio.
    pub fn is_across_runtimes(self, other: Self) -> bool {
        self.runner.is_container() && other.runner.is_container() && self.runner != other.runner
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Native => "native",
            Mode::Interpreter => "wasm-interpreter",
            Mode::Aot => "wasm-aot",
        };
        f.pad(&format!("{mode}/{}", self.runner.name()))
    }
}

impl FromStr for Case {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|case| case.to_string() == text)
            .ok_or_else(|| anyhow::anyhow!("{}", Self::names().unknown(text)))
    }
}

/// Names in backticks with commas, for error messages.
pub fn names<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

/// A case as one column of a run: itself, or measured a second time under another name (the A/A row).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cell {
    /// What is run.
    pub case: Case,
    /// Whether this is the case or its twin.
    pub replica: Replica,
}

/// First or second measurement of one case within a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Replica {
    /// The case under its own name.
    First,
    /// The same once more: the name ends in `#2`.
    Twin,
}

/// What the name of a twin ends in.
pub const TWIN_SUFFIX: &str = "#2";

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replica {
            Replica::First => f.pad(&self.case.to_string()),
            Replica::Twin => f.pad(&format!("{}{TWIN_SUFFIX}", self.case)),
        }
    }
}

impl From<Cell> for String {
    fn from(cell: Cell) -> Self {
        cell.to_string()
    }
}

impl TryFrom<String> for Cell {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        text.parse()
    }
}

impl FromStr for Cell {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, replica) = match text.strip_suffix(TWIN_SUFFIX) {
            Some(name) => (name, Replica::Twin),
            None => (text, Replica::First),
        };
        Ok(Self { case: name.parse()?, replica })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_the_cell_that_it_names() {
        for case in Case::ALL {
            for replica in [Replica::First, Replica::Twin] {
                let cell = Cell { case, replica };
                assert_eq!(cell.to_string().parse::<Cell>().unwrap(), cell);
            }
        }
    }

    #[test]
    fn an_unknown_case_names_the_known_ones() {
        let error = "wasm/runc".parse::<Case>().unwrap_err().to_string();
        assert!(error.contains("`wasm/runc`") && error.contains("`native/runc`"), "{error}");
    }

    #[test]
    fn two_containers_of_different_runtimes_are_across_runtimes() {
        let across = |case: &str, other: &str| -> bool {
            case.parse::<Case>().unwrap().is_across_runtimes(other.parse().unwrap())
        };
        assert!(across("wasm-aot/wasmedge", "native/runc") && across("native/wasmedge", "native/runc"));
        assert!(!across("wasm-aot/wasmedge", "native/wasmedge") && !across("native/runc", "native/process"));
        assert!(!across("native/runc", "native/runc") && !across("wasm-aot/process", "native/process"));
    }

    #[test]
    fn a_baseline_is_its_own_baseline() {
        for case in Case::ALL {
            assert_eq!(case.baseline().baseline(), case.baseline());
            assert_eq!(case.baseline().kind(), Kind::Native);
        }
    }
}
