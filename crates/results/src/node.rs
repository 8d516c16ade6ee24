//! What a node must have before it can run a case, and what it holds of an image after a pull: as they are stored with a
//! run. Sizes only; no path of the machine that measured.
//!
//! Not here: what follows from them (`ledger`).

use serde::{Deserialize, Serialize};

/// The files that a node must have once, whatever it runs of them, and which case needs which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Programs, and the libraries that they load.
    pub files: Vec<NodeFile>,
    /// The files of each case of the run.
    pub needs: Vec<NodeNeeds>,
}

/// A file of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// Its name: that of the program or library.
    pub name: String,
    /// What it is for.
    pub part: NodePart,
    /// Its length.
    pub size_bytes: u64,
    /// The blocks that it takes (`st_blocks`), where this run measured.
    pub disk_bytes: u64,
}

/// What a file of a node is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodePart {
    /// The daemon.
    Containerd,
    /// A containerd shim.
    Shim,
    /// An OCI runtime.
    Runtime,
    /// An engine: its command line, and its library.
    Engine,
    /// What an engine loads for its compiler alone: running what was compiled before calls none of it.
    Compiler,
    /// Libraries of the system: the C library, its loader, and what else any of the others load.
    System,
}

impl NodePart {
    /// Every part, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::Containerd, Self::Shim, Self::Runtime, Self::Engine, Self::Compiler, Self::System];

    /// What a table calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Shim => "shim",
            Self::Runtime => "OCI runtime",
            Self::Engine => "engine",
            Self::Compiler => "engine's compiler (LLVM)",
            Self::System => "system libraries",
        }
    }
}

/// What one case needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeNeeds {
    /// The case.
    pub case: String,
    /// The names of its files.
    pub files: Vec<String>,
}

/// What containerd's root grew by when an image was pulled and unpacked: blocks (`st_blocks`), folders included. What was
/// there already, such as a layer that an image pulled before has too, is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBytes {
    /// The content store: manifest, config and compressed layers.
    pub content_bytes: u64,
    /// The snapshots: layers as unpacked.
    pub snapshot_bytes: u64,
}
