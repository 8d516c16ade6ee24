//! What a run stores of somebody's own program: where it came from, what it was given, and by what its output was judged.
//! Of what may be a secret the digest.

use serde::{Deserialize, Serialize};

/// A program that is not of this project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnProgramRecord {
    /// The name of its artifacts and images.
    pub name: String,
    /// Where it came from.
    #[serde(flatten)]
    pub origin: OriginRecord,
}

/// Where somebody's own program came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "origin")]
pub enum OriginRecord {
    /// A package that Cargo built.
    Package(PackageOriginRecord),
    /// Two files that were there: nobody here knows whether they are of one source and one toolchain.
    Pair {
        /// The native file's name; its digest is among the artifacts.
        native: String,
        /// The module's, likewise.
        wasm: String,
    },
}

/// A package that Cargo built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageOriginRecord {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What of it was built: `bin <name>` or `example <name>`.
    pub target: String,
    /// Its features, as Cargo was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The commit of its repository; absent outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether tracked files differed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// SHA-256 of its `Cargo.lock`, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_sha256: Option<String>,
}

/// What a bench was given beside its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Its standard input; absent where that was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<StdinRecord>,
    /// Its environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<VariableRecord>,
    /// The folders of the host that it saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<FolderRecord>,
}

impl InputRecord {
    /// Whether it was given nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A file that was somebody's standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdinRecord {
    /// SHA-256, in hex.
    pub sha256: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableRecord {
    /// Its name.
    pub name: String,
    /// SHA-256 of what it held, in hex.
    pub value_sha256: String,
}

/// A folder of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRecord {
    /// Where it was, as it was typed.
    pub host: String,
    /// Where the program saw it.
    pub guest: String,
}

/// By what the output of a bench was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// By bytes that were known before.
    #[default]
    Expected,
    /// By what the native program printed before the first round.
    FirstNative,
    /// By a regular expression.
    Pattern(String),
    /// Not at all: only its exit status counted.
    Nothing,
}

impl JudgedBy {
    /// Whether it was judged by bytes that were known before, as every bench was once.
    pub fn is_expected(&self) -> bool {
        *self == Self::Expected
    }
}
