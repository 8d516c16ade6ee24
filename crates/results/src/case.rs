//! What a cell of a run is: a program in some form, what executes it, and what starts it. Records that a run stores and
//! that everything later reads; no name is ever taken apart.
//!
//! Not here: which cases there are (definitions, beside the program that measures them), in which order cells run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Role;
use crate::observed::ModeObserved;

pub use oci::kind::Kind;

/// How a program is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The processor executes the file.
    Native,
    /// An engine interprets the module.
    Interpreter,
    /// An engine compiles the module when it starts, and executes that.
    Jit,
    /// An engine executes code that was compiled ahead of time.
    Aot,
}

impl Mode {
    /// Every mode, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Native, Self::Interpreter, Self::Jit, Self::Aot];

    /// The name of a table's row.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Interpreter => "wasm-interpreter",
            Self::Jit => "wasm-jit",
            Self::Aot => "wasm-aot",
        }
    }

    /// What a sentence calls it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Interpreter => "the interpreter",
            Self::Jit => "code compiled at the start",
            Self::Aot => "code compiled ahead of time",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// What executes a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its name.
    pub name: String,
    /// Its version, as it says itself; absent before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What starts a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// Its name.
    pub name: String,
    /// What a sentence calls it.
    pub title: String,
    /// Whether it makes containers.
    pub container: bool,
    /// Its version, as it says itself; absent before it was asked, and for a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The pod around the container; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
}

/// A pod of Kubernetes, as containerd's Container Runtime Interface makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// The runtime that makes its containers.
    pub handler: String,
    /// Which runs it is there for.
    pub life: PodLife,
}

/// Which runs a pod is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PodLife {
    /// For one: making it is a part of the run.
    Own,
    /// It has run a container before the run begins.
    Warm,
    /// For one, made by a cluster's kubelet for a Job.
    Job,
}

/// One row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    #[serde(rename = "case")]
    pub name: String,
    /// The form of file that is executed, and shipped.
    pub form: Kind,
    /// The mode that was asked for.
    pub mode: Mode,
    /// What executes a module; absent for a native program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// What starts it.
    pub runtime: Runtime,
    /// The image definition; absent for a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The case that it is compared with; absent for one that others are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// For a module in a container: the case that is the native program in the same runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The sets that it belongs to.
    pub sets: Vec<String>,
    /// Why it is worth anybody's time.
    pub why: String,
    /// For a row that is tried though its runtime is known not to take it: what is said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// What is expected of a row that can not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Words of the runtime's reason. With any other reason the row has failed.
    pub says: String,
    /// What is behind it.
    pub why: String,
}

impl Runtime {
    /// The name of the runtime that makes its containers: that of a pod's are made by another than itself.
    pub fn maker(&self) -> &str {
        self.pod.as_ref().map_or(&self.name, |pod| &pod.handler)
    }
}

impl Case {
    /// Whether it needs containerd, and with it root.
    pub fn is_container(&self) -> bool {
        self.runtime.container
    }

    /// Whether others are compared with it.
    pub fn is_baseline(&self) -> bool {
        self.baseline.is_none()
    }

    /// Whether both are containers, and made by different runtimes: what the runtimes cost is then a part of their
    /// ratio.
    pub fn is_across_runtimes(&self, other: &Self) -> bool {
        self.is_container() && other.is_container() && self.runtime.maker() != other.runtime.maker()
    }

    /// What is behind a reason for not running, where it is the one that is expected of this row.
    pub fn expected(&self, reason: &str) -> Option<&str> {
        let refusal = self.refused.as_ref().filter(|refusal| reason.contains(&refusal.says));
        refusal.map(|refusal| refusal.why.as_str())
    }

    /// Whether its image is another than its form's usual one.
    pub fn has_own_image(&self) -> bool {
        self.image.as_deref().is_some_and(|image| image != self.form.name())
    }

    /// The name of its engine.
    pub fn engine_name(&self) -> Option<&str> {
        self.engine.as_ref().map(|engine| engine.name.as_str())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// A case as one column of a run: itself, or measured a second time under another name (the A/A row).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The name in `samples.jsonl`.
    pub name: String,
    /// For a twin: the cell that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin_of: Option<String>,
    /// What is run.
    #[serde(flatten)]
    pub case: Case,
    /// For a module: how it was executed, as far as that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode_observed: Option<ModeObserved>,
}

/// What the name of a twin ends in.
pub(crate) const TWIN_SUFFIX: &str = "#2";

impl Cell {
    /// A case under its own name.
    pub fn of(case: Case) -> Self {
        Self { name: case.name.clone(), twin_of: None, case, mode_observed: None }
    }

    /// The same once more.
    pub fn twin_of(case: Case) -> Self {
        Self { name: format!("{case}{TWIN_SUFFIX}"), twin_of: Some(case.name.clone()), case, mode_observed: None }
    }

    /// Whether it is there to be compared with itself.
    pub fn is_twin(&self) -> bool {
        self.twin_of.is_some()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// What runs of schema 1 name and do not describe.
#[derive(Debug, Default, Deserialize)]
pub struct FirstEdition {
    /// What a bench of this name was there for.
    pub roles: BTreeMap<String, Role>,
    /// What a case of this name was.
    pub cases: Vec<Case>,
}

impl FirstEdition {
    /// What the names meant.
    pub fn read() -> Self {
        serde_json::from_str(include_str!("case/first_edition.json")).unwrap_or_default()
    }
}

/// Cells as records, or as runs of schema 1 have them: by name.
pub(crate) fn cells<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cell>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Name(String),
        Record(Box<Cell>),
    }
    let known = FirstEdition::read().cases;
    let cell = |wire| match wire {
        Wire::Record(cell) => *cell,
        Wire::Name(name) => named(&known, &name),
    };
    Ok(Vec::<Wire>::deserialize(deserializer)?.into_iter().map(cell).collect())
}

/// A cell of schema 1. A name that is unknown stands for nothing but itself: it has rows, and no comparisons.
fn named(known: &[Case], name: &str) -> Cell {
    let first = name.strip_suffix(TWIN_SUFFIX);
    let case = known.iter().find(|case| case.name == first.unwrap_or(name)).cloned();
    match (case, first) {
        (Some(case), Some(_)) => Cell::twin_of(case),
        (Some(case), None) => Cell::of(case),
        (None, _) => Cell::of(unknown(name)),
    }
}

fn unknown(name: &str) -> Case {
    Case {
        name: name.to_owned(),
        form: Kind::Native,
        mode: Mode::Native,
        engine: None,
        runtime: Runtime {
            name: "unknown".to_owned(),
            title: "unknown".to_owned(),
            container: false,
            version: None,
            pod: None,
        },
        image: None,
        baseline: None,
        control: None,
        sets: Vec::new(),
        why: "The run names it and does not say what it is.".to_owned(),
        refused: None,
    }
}

/// Names in backticks with commas, for error messages.
pub fn names<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells_of(json: &str) -> Vec<Cell> {
        cells(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn a_name_of_schema_1_is_the_record_that_it_meant() {
        let cells = cells_of(r#"["native/runc", "native/runc#2", "wasm-aot/wasmedge", "native/youki"]"#);
        assert_eq!(cells[1].twin_of.as_deref(), Some("native/runc"));
        assert_eq!((cells[0].case.clone(), cells[0].is_twin()), (cells[1].case.clone(), false));
        assert_eq!((cells[2].case.mode, cells[2].case.form), (Mode::Aot, Kind::WasmAot));
        assert_eq!(cells[2].case.baseline.as_deref(), Some("native/runc"));
        assert_eq!((cells[3].name.as_str(), cells[3].case.runtime.name.as_str()), ("native/youki", "unknown"));
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let written: Vec<Cell> = FirstEdition::read()
            .cases
            .into_iter()
            .flat_map(|case| [Cell::of(case.clone()), Cell::twin_of(case)])
            .collect();
        assert_eq!(cells_of(&serde_json::to_string(&written).unwrap()), written);
    }

    #[test]
    fn the_first_edition_has_seven_cases_whose_baselines_are_among_them() {
        let cases = FirstEdition::read().cases;
        assert_eq!(cases.len(), 7);
        for case in &cases {
            let baseline = case.baseline.as_ref().map(|name| cases.iter().find(|other| other.name == *name).unwrap());
            assert!(baseline.is_none_or(|baseline| baseline.is_baseline() && baseline.mode == Mode::Native), "{case}");
        }
    }

    #[test]
    fn two_containers_of_different_runtimes_are_across_runtimes() {
        let cases = FirstEdition::read().cases;
        let find = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
        let across = |case: &str, other: &str| find(case).is_across_runtimes(find(other));
        assert!(across("wasm-aot/wasmedge", "native/runc") && across("native/wasmedge", "native/runc"));
        assert!(!across("wasm-aot/wasmedge", "native/wasmedge") && !across("native/runc", "native/process"));
        assert!(!across("native/runc", "native/runc") && !across("wasm-aot/process", "native/process"));
    }
}
