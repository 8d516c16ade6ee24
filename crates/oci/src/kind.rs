//! What a shipped file is: one image per program and kind, and the tag of each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file that is built and shipped. All of them come from one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A static ELF executable for linux/amd64.
    Native,
    /// A WebAssembly module for WASI preview 1, as rustc made it.
    Wasm,
    /// The same module with WasmEdge's ahead-of-time code in a custom section.
    WasmAot,
    /// The same module as Wasmtime's ahead-of-time code and nothing else: an ELF file that no kernel executes.
    Cwasm,
}

impl Kind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; 4] = [Self::Native, Self::Wasm, Self::WasmAot, Self::Cwasm];

    /// The name in tables, files, tags and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
            Self::WasmAot => "wasm-aot",
            Self::Cwasm => "cwasm",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
