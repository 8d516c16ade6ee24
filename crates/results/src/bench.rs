//! A bench as a run stores it.

use serde::{Deserialize, Serialize};

use crate::own_program::{InputRecord, JudgedBy};

/// A bench as it was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRecord {
    /// Its name; a point of a sweep is `<sweep>/<n>`.
    pub name: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// SHA-256 of the expected output, in hex; empty where there was none, or until it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected_sha256: String,
    /// By what the output was judged.
    #[serde(default, skip_serializing_if = "JudgedBy::is_expected")]
    pub judged_by: JudgedBy,
    /// What the program was given beside its arguments.
    #[serde(default, skip_serializing_if = "InputRecord::is_empty")]
    pub input: InputRecord,
    /// Why the bench exists.
    pub why: String,
    /// What it is there for beside its own row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The sweep that it is a point of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepPoint>,
    /// The bench that it is a part of, where its runs are on one node of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_node: Option<OnNode>,
}

/// What a bench is there for beside its own row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Its rows are the central table.
    Headline,
    /// It does nothing: what it takes is the machine and its stack.
    Canary,
}

/// One size of a size sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The bench that sweeps.
    pub name: String,
    /// The size of this point: what `{n}` in the arguments stands for.
    pub n: u64,
}

/// What the name of a bench ends with for each of whose runs a node pulls an image that it never had.
pub const PULLING: &str = "+pull";

impl BenchRecord {
    /// Whether a node pulls an image for each of its runs.
    pub fn is_pulling(&self) -> bool {
        self.on_node.as_ref().is_some_and(|part| part.bench.ends_with(PULLING))
    }
}

/// The part of a bench that one node of a cluster runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnNode {
    /// The bench, without a node.
    pub bench: String,
    /// The node.
    pub node: String,
}
