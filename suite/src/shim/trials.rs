//! What is tried, and what must come of it. The modules' own heads say the same in prose.

use serde::{Deserialize, Serialize};

use super::archive::{Form, GREETING, ImageSpec};
use xtask::compile::shims::Shim;

/// The module that breaks the type rules.
pub const ILL_TYPED: &str = "ill-typed";
/// The native program that does something and ends.
pub const NATIVE: &str = "array-sum";
/// The native program that goes on for ever.
pub const NATIVE_ENDLESS: &str = "misbehave";
/// The compiled module whose native code is another engine version's.
pub const FOREIGN_CODE: &str = "foreign-code";
/// A module that was compiled for the engine's interpreter.
pub const INTERPRETER_CODE: &str = "interpreter-code";
/// The annotation by which a container asks for a mode (`shim/src/engine.rs`).
const MODE: &str = "run.deploy-bench.wasm.mode";

/// The annotation by which a container asks for the way that its engine is loaded in.
const LOADING: &str = "run.deploy-bench.wasm.loading";

/// What must come of a trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Want {
    /// This exit status and stdout, and nothing on stderr.
    Exactly {
        /// Exit status.
        code: i32,
        /// Everything on stdout.
        stdout: String,
    },
    /// Success, and both streams.
    Streams {
        /// Everything on stdout.
        stdout: String,
        /// Everything on stderr.
        stderr: String,
    },
    /// Success, and these lines among those on stdout.
    Lines {
        /// The lines.
        lines: Vec<String>,
    },
    /// This exit status, nothing on stdout, and a reason on stderr that holds these words.
    Refused {
        /// Exit status.
        code: i32,
        /// The words.
        says: Vec<String>,
    },
    /// It runs until it is killed, and then ends at once.
    KilledAtOnce,
}

/// One container to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// What is tried.
    pub name: String,
    /// The image's name in containerd.
    pub image: String,
    /// `os/architecture` of the image.
    pub platform: String,
    /// The whole command; empty for the image's own.
    pub command: Vec<String>,
    /// Additional environment.
    pub env: Vec<(String, String)>,
    /// An annotation of the container's.
    pub annotation: Option<(String, String)>,
    /// What it can read.
    pub stdin: String,
    /// What must come of it.
    pub want: Want,
}

/// What is in the name of the trials in which a module is interpreted.
pub const fn interpreted(shim: Shim) -> &'static str {
    match shim {
        Shim::WasmEdge => "(plain",
        Shim::Wasmtime => "mode interpreter)",
    }
}

/// The trials of every image, and of what a container may ask for.
pub fn trials(images: &[ImageSpec], shim: Shim) -> Vec<Trial> {
    let mut trials: Vec<Trial> = images.iter().map(trial).collect();
    let plain = |image: &&ImageSpec| image.form == Form::Tar && !image.compiled;
    if shim == Shim::Wasmtime {
        trials.extend(images.iter().filter(plain).map(|image| asking(image, "interpreter")));
    }
    let with_refusal = |trial: Trial, code, says: &[&str]| {
        let says = says.iter().map(|word| (*word).to_owned()).collect();
        Trial { want: Want::Refused { code, says }, ..trial }
    };
    let refused = |image: &ImageSpec, mode: &str, code, says: &[&str]| with_refusal(asking(image, mode), code, says);
    let in_files = images.iter().filter(|image| image.form != Form::WasmLayer);
    trials.extend(in_files.map(|image| loading(image, "linked")));
    let one = images.iter().find(|image| plain(image));
    trials.extend(one.map(|image| with_refusal(loading(image, "other"), 125, &[LOADING, "`linked`"])));
    for image in images.iter().filter(|image| image.module == "exit-code" && image.form == Form::Tar) {
        match (shim, image.compiled) {
            (Shim::WasmEdge, _) => trials.push(refused(image, "interpreter", 125, &[MODE, "leave it out"])),
            (Shim::Wasmtime, true) => trials.push(refused(image, "interpreter", 126, &["native code"])),
            (Shim::Wasmtime, false) => trials.push(refused(image, "other", 125, &[MODE, "`compiler`"])),
        }
    }
    trials
}

/// The same in a mode that is asked for.
fn asking(image: &ImageSpec, mode: &str) -> Trial {
    annotated(trial(image), MODE, mode, "mode")
}

/// The same with the engine loaded in a way that is asked for.
fn loading(image: &ImageSpec, way: &str) -> Trial {
    annotated(trial(image), LOADING, way, "loading")
}

fn annotated(trial: Trial, annotation: &str, value: &str, word: &str) -> Trial {
    let name = format!("{}, {word} {value})", trial.name.trim_end_matches(')'));
    Trial { name, annotation: Some((annotation.to_owned(), value.to_owned())), ..trial }
}

fn trial(image: &ImageSpec) -> Trial {
    let form = match image.form {
        Form::Tar => "tar layer",
        Form::WasmLayer => "wasm layer",
        Form::Native => "native",
    };
    let compiled = if image.compiled { "compiled" } else { "plain" };
    let entry = image.entrypoint.trim_start_matches("/x.wasm");
    let mut trial = Trial {
        name: format!("{}{entry} ({compiled}, {form})", image.module),
        image: image.name.clone(),
        platform: if image.form == Form::Native { "linux/amd64" } else { "wasip1/wasm" }.to_owned(),
        command: Vec::new(),
        env: Vec::new(),
        annotation: None,
        stdin: String::new(),
        want: Want::KilledAtOnce,
    };
    if image.module == "echo" {
        trial.stdin = "one\ntwo\n".repeat(20_000);
    }
    if image.module == "environment" {
        trial.env = vec![("COLOR".to_owned(), "green".to_owned())];
    }
    if image.module == "arguments" {
        trial.command = ["/x.wasm", "one", "two three", ""].map(str::to_owned).to_vec();
    }
    if image.module == NATIVE {
        "a native image runs through the same shim".clone_into(&mut trial.name);
        trial.command = ["/array-sum", "--n", "1000"].map(str::to_owned).to_vec();
    }
    if image.module == NATIVE_ENDLESS {
        trial.command = ["/misbehave", "hang"].map(str::to_owned).to_vec();
    }
    trial.want = want(image, &trial.stdin);
    trial
}

fn want(image: &ImageSpec, stdin: &str) -> Want {
    let exactly = |code, stdout: &str| Want::Exactly { code, stdout: stdout.to_owned() };
    let refused =
        |code, says: &[&str]| Want::Refused { code, says: says.iter().map(|word| (*word).to_owned()).collect() };
    let lines = |lines: &[&str]| Want::Lines { lines: lines.iter().map(|line| (*line).to_owned()).collect() };
    match (image.module.as_str(), image.entrypoint.as_str(), image.form) {
        (NATIVE, ..) => lines(&["n=1000 sum=508.941048"]),
        ("exit-code" | INTERPRETER_CODE, ..) => exactly(7, ""),
        ("exit-in-start-section", ..) => exactly(9, ""),
        ("start-section", ..) => refused(134, &["start section", "unreachable"]),
        ("trap", ..) => refused(134, &["trapped in `_start`", "unreachable"]),
        ("out-of-bounds", ..) => refused(134, &["trapped in `_start`", "out of bounds"]),
        ("echo", ..) => exactly(0, stdin),
        ("arguments", ..) => exactly(0, "/x.wasm\none\ntwo three\n\n"),
        ("environment", ..) => lines(&["COLOR=green", "SEASON=autumn"]),
        ("streams", "/y.wasm", Form::Tar) => refused(127, &["`/y.wasm`", "no such module"]),
        ("streams", ..) => Want::Streams { stdout: "to stdout\n".to_owned(), stderr: "to stderr\n".to_owned() },
        // A wasm layer has no root file system.
        ("read-file", _, Form::WasmLayer) => exactly(2, ""),
        ("read-file", ..) => exactly(0, GREETING),
        ("function", "/x.wasm#greet", _) => exactly(0, "greet\n"),
        ("function", "/x.wasm#absent", _) => refused(127, &["exports no function `absent`"]),
        ("function", "/x.wasm#twice", _) => refused(127, &["`twice`"]),
        ("function", ..) => exactly(0, "_start\n"),
        ("foreign-import", ..) => refused(126, &["could not be instantiated", "unknown import"]),
        (ILL_TYPED, ..) => refused(126, &["could not be validated"]),
        (FOREIGN_CODE, ..) => refused(126, &["native code"]),
        ("spin" | NATIVE_ENDLESS, ..) => Want::KilledAtOnce,
        // A module without an expectation here must do nothing, and do it well.
        _ => exactly(0, ""),
    }
}
