//! A small image set of fixed bytes, an image in each compression and form: what the golden
//! tests and the conformance check of registries use.
//!
//! Not here: the definitions of this project's images, which may change without any code being wrong.

use anyhow::Context as _;

use super::base::{Base, Package};
use super::definition::{self, Definition, parse};
use super::epoch::Epoch;
use super::layer::{Algorithm, Compression, Entry, Layer, MODULE_MAGIC, Node};
use super::{Bases, Content, ImageSet, build};
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

const BASED: &str = r#"
kind = "native"
why = "two layers: a base below the program"
platform = "linux/amd64"
[base]
packages = ["base", "tools"]
why = "a link that others go through, a manual that is left out, a link that no package has"
leave_out = ["/usr/share/man"]
links = { "/usr/bin/sh" = "tool" }
[layer]
compression = "gzip"
path = "/{program}"
mode = 0o755
[config]
entrypoint = ["/{program}"]
working_dir = "/"
"#;
/// The name of the definition with a base.
const BASED_NAME: &str = "native-based";
/// The same in several layers.
const LAYERED_NAME: &str = "native-layered";

const MODULE: &str = r#"
kind = "wasm"
why = "the module is the layer"
platform = "wasip1/wasm"
form = "module"
[config]
entrypoint = ["/{program}.wasm"]
working_dir = "/"
"#;

const ARTIFACT: &str = r#"
kind = "wasm"
why = "the module is the layer, and the config is the artifact's"
platform = "wasip1/wasm"
form = "artifact"
[config]
entrypoint = ["/{program}.wasm"]
working_dir = "/"
"#;

/// The kinds that there are images of.
const KINDS: [Kind; 3] = [Kind::Native, Kind::Wasm, Kind::WasmAot];

/// How they are made.
///
/// # Errors
/// Never, as long as the definitions above are right.
pub fn definitions() -> anyhow::Result<Vec<Definition>> {
    let layered = BASED.replace("leave_out", "layers = 2\nleave_out");
    let wasi = WASM.replace("wasip1/wasm", "wasi/wasm");
    let texts = [
        ("native", NATIVE),
        (BASED_NAME, BASED),
        (LAYERED_NAME, &layered),
        ("wasm", WASM),
        ("wasm-artifact", ARTIFACT),
        ("wasm-module", MODULE),
        ("wasm-wasi", &wasi),
        ("wasm-aot", WASM_AOT),
    ];
    texts.into_iter().map(|(name, text)| parse(name, text)).collect()
}

/// Two packages that nobody installed.
fn packages() -> anyhow::Result<[Package; 2]> {
    let entry = |path, node| Entry { path, mode: 0o755, node };
    let base = [entry("bin", Node::Link("usr/bin")), entry("usr/bin", Node::Folder), entry("tmp", Node::Folder)];
    let tools = [entry("bin/tool", Node::File(b"a tool")), entry("usr/share/man/man1/tool.1", Node::File(b"a manual"))];
    let package = |identity: &str, entries: &[Entry<'_>]| {
        let stored = Layer::pack(entries, Compression::new(Algorithm::None, None)?, Epoch::ZERO)?;
        anyhow::Ok(Package { identity: identity.to_owned(), tar: stored.bytes })
    };
    Ok([package("tools 2 amd64", &tools)?, package("base 1 all", &base)?])
}

/// What lies below them.
///
/// # Errors
/// As [`definitions`].
pub fn bases(definitions: &[Definition], epoch: Epoch) -> anyhow::Result<Bases> {
    let based = definitions.iter().filter_map(|definition| Some((definition, definition.base.as_ref()?)));
    let pack = |(definition, base): (&Definition, &definition::Base)| {
        let compression = definition.form.compression().context("a base lies below a tar layer")?;
        let packed = Base::pack(base, &packages()?, compression, epoch)?;
        Ok((definition.name.clone(), packed))
    };
    based.map(pack).collect()
}

/// Bytes that are no program, but always the same. What is called a module begins as one.
fn content(kind: Kind) -> Vec<u8> {
    let magic = if kind == Kind::Native { &[][..] } else { MODULE_MAGIC };
    let text = format!("{kind}: not a program, but always the same bytes\n").repeat(100);
    [magic, text.as_bytes()].concat()
}

/// The images at an epoch.
///
/// # Errors
/// As [`definitions`].
pub fn images(epoch: Epoch) -> anyhow::Result<ImageSet> {
    let contents = KINDS.map(|kind| Content { program: PROGRAM.to_owned(), kind, bytes: content(kind) });
    let definitions = definitions()?;
    build(&definitions, &bases(&definitions, epoch)?, &contents, epoch)
}
