//! A small image set of fixed bytes, three images with a different compression each: what the golden
//! tests and the conformance check of registries use.
//!
//! Not here: the definitions of this project's images, which may change without any code being wrong.

use super::definition::{Definition, parse};
use super::epoch::Epoch;
use super::{Content, ImageSet, build};
use crate::kind::Kind;

/// The program's name.
pub const PROGRAM: &str = "example";

const NATIVE: &str = r#"
kind = "native"
why = "an uncompressed layer, a folder, an environment and labels"
platform = "linux/amd64"
[layer]
compression = "none"
path = "/bin/{program}"
mode = 0o755
[config]
entrypoint = ["/bin/{program}", "--fast"]
env = ["LANG=C"]
working_dir = "/bin"
labels = { "org.example.program" = "{program}" }
"#;

const WASM: &str = r#"
kind = "wasm"
why = "a gzip layer and an annotation"
platform = "wasip1/wasm"
[layer]
compression = "gzip"
path = "/{program}.wasm"
mode = 0o644
[config]
entrypoint = ["/{program}.wasm"]
working_dir = "/"
[annotations]
"org.opencontainers.image.title" = "{program}"
"#;

const WASM_AOT: &str = r#"
kind = "wasm-aot"
why = "a zstd layer and a named function"
platform = "wasip1/wasm"
[layer]
compression = "zstd"
level = 3
path = "/{program}.wasm"
mode = 0o644
[config]
entrypoint = ["/{program}.wasm#run"]
working_dir = "/"
"#;

/// The definitions, by the kind that each is named like.
const TEXTS: [(Kind, &str); 3] = [(Kind::Native, NATIVE), (Kind::Wasm, WASM), (Kind::WasmAot, WASM_AOT)];

/// How they are made.
///
/// # Errors
/// Never, as long as the definitions above are right.
pub fn definitions() -> anyhow::Result<Vec<Definition>> {
    TEXTS.into_iter().map(|(kind, text)| parse(kind.name(), text)).collect()
}

/// The images at an epoch.
///
/// # Errors
/// As [`definitions`].
pub fn images(epoch: Epoch) -> anyhow::Result<ImageSet> {
    let contents = TEXTS.map(|(kind, _)| Content {
        program: PROGRAM.to_owned(),
        kind,
        bytes: format!("{kind}: not a program, but always the same bytes\n").repeat(100).into_bytes(),
    });
    build(&definitions()?, &contents, epoch)
}
