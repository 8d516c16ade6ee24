//! What is not the same in two manifests, and whether that makes the runs unlike.
//!
//! Another program is what a comparison is for: listed, allowed. Another machine or stack is what spoils it.
//! Names, times, seeds and positions differ in any two runs and are no differences.

use serde::Serialize;
use serde_json::Value;

use super::NotCompared;
use crate::{BenchRecord, Manifest, ProgramRecord};

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind of thing.
    pub kind: DifferenceKind,
    /// Its name, for example `machine.kernel`.
    pub what: String,
    /// In run A; absent where run A does not have it.
    pub a: Option<String>,
    /// In run B, likewise.
    pub b: Option<String>,
}

/// What kind of thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Hardware, kernel, cgroups, and how containers are stored.
    Machine,
    /// Compiler, profile, packages, and programs that this project did not build.
    Stack,
    /// A bench of the same name with other arguments or another output.
    Task,
    /// The measured files, images, the source, and programs that this project built (the shim).
    Program,
    /// Rounds, confidence, margin: the ratio stays comparable, its interval is another.
    Design,
}

/// Whether two runs that differ so may be compared without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// They may.
    Like,
    /// A ratio would be of the circumstances, not of the program.
    Unlike,
}

impl DifferenceKind {
    /// Whether it spoils the comparison.
    pub const fn likeness(self) -> Likeness {
        match self {
            Self::Machine | Self::Stack | Self::Task => Likeness::Unlike,
            Self::Program | Self::Design => Likeness::Like,
        }
    }
}

/// Every difference between two manifests, the spoiling ones first.
pub fn differences([a, b]: [&Manifest; 2]) -> Vec<Difference> {
    let mut all: Vec<Difference> = facts(a, b)
        .into_iter()
        .map(|(kind, what, value)| (kind, what, Some(value)))
        .map(|(kind, what, value)| Difference { kind, what, a: value, b: None })
        .collect();
    for (kind, what, value) in facts(b, a) {
        match all.iter_mut().find(|known| known.what == what) {
            Some(known) => known.b = Some(value),
            None => all.push(Difference { kind, what, a: None, b: Some(value) }),
        }
    }
    all.retain(|difference| difference.a != difference.b);
    // A bench that only one run has, or containers that only one run had, spoil no row: such rows are not
    // compared, and listed as that.
    all.retain(|difference| {
        difference.kind != DifferenceKind::Task || (difference.a.is_some() && difference.b.is_some())
    });
    // Neither does a program that only one run needed: the rows that both have were made without it.
    for difference in all.iter_mut().filter(|difference| difference.what.starts_with("program ")) {
        if difference.a.is_none() || difference.b.is_none() {
            difference.kind = DifferenceKind::Design;
        }
    }
    if a.host.is_none() || b.host.is_none() {
        all.retain(|difference| !difference.what.starts_with("host."));
    }
    all.sort_by_key(|difference| difference.kind as u8);
    all
}

/// What a manifest says that the other one can contradict: kind, name and value.
fn facts(manifest: &Manifest, other: &Manifest) -> Vec<(DifferenceKind, String, String)> {
    use DifferenceKind::{Design, Machine, Program, Stack};
    let mut facts = Vec::new();
    let mut add = |kind, what: String, value: String| facts.push((kind, what, value));
    for (what, value) in fields("machine", &manifest.machine).into_iter().chain(fields("host", &manifest.host)) {
        add(Machine, what, value);
    }
    add(Stack, "toolchain".to_owned(), manifest.source.toolchain.clone());
    add(Stack, "profile".to_owned(), manifest.source.profile.clone());
    for program in &manifest.programs {
        let kind = if program.origin == "built" { Program } else { Stack };
        let theirs = other.programs.iter().find(|theirs| theirs.name == program.name);
        add(kind, format!("program {}", program.name), identity(program, theirs));
    }
    for package in &manifest.packages {
        let what = format!("package {} {}", package.name, package.architecture);
        add(Stack, what, format!("{} ({})", package.version, package.sha256));
    }
    for bench in &manifest.benches {
        add(DifferenceKind::Task, format!("bench {}", bench.name), task(bench));
    }
    let dirty = if manifest.source.dirty == Some(true) { " with changes" } else { "" };
    add(Program, "revision".to_owned(), format!("{}{dirty}", manifest.source.revision));
    for artifact in &manifest.artifacts {
        let what = format!("artifact {} {}", artifact.program, artifact.kind);
        add(Program, what, format!("{} bytes ({})", artifact.size_bytes, artifact.sha256));
    }
    for image in &manifest.images {
        add(Program, format!("image {} {}", image.program, image.name()), image.manifest_digest.clone());
    }
    add(Design, "rounds".to_owned(), manifest.rounds.to_string());
    add(Design, "warm-up rounds".to_owned(), manifest.warmup_rounds.to_string());
    add(Design, "confidence".to_owned(), manifest.confidence.to_string());
    add(Design, "delta".to_owned(), manifest.delta.to_string());
    add(Design, "cells".to_owned(), manifest.cells.iter().map(|cell| cell.name.as_str()).collect::<Vec<_>>().join(" "));
    facts
}

/// What makes a program the program that it is. The file of a toolbox program or of the shim holds the path of its
/// checkout, so its own digest says nothing: the file before patching does, and the shim's source. A run that did not
/// record these yet is held against what it has, the version; the digests of the toolbox's packages are facts of their
/// own.
fn identity(program: &ProgramRecord, other: Option<&ProgramRecord>) -> String {
    let shared = |field: fn(&ProgramRecord) -> Option<&String>| {
        let ours = field(program)?;
        other.and_then(field).map(|_| ours.clone())
    };
    let version = &program.version;
    match program.origin.as_str() {
        "toolbox" => match (shared(|each| each.package.as_ref()), shared(|each| each.sha256_unpatched.as_ref())) {
            (Some(package), Some(digest)) => format!("{version}, of package {package} ({digest})"),
            _ => format!("{version}, of the toolbox"),
        },
        "built" => match shared(|each| each.source_sha256.as_ref()) {
            Some(source) => format!("{version}, of source {source}"),
            None => format!("{version} ({})", program.sha256),
        },
        _ => format!("{version} ({})", program.sha256),
    }
}

/// The fields of a record by their names in JSON, so that a field that is added later is compared too.
fn fields(name: &str, record: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(record) else { return Vec::new() };
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(field, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (format!("{name}.{field}"), text)
        })
        .collect()
}

fn task(bench: &BenchRecord) -> String {
    format!("{} {} expecting {}", bench.program, bench.args.join(" "), bench.expected_sha256)
}

/// The benches that only one run has, or that are another task under the same name.
pub fn other_benches([a, b]: [&Manifest; 2]) -> Vec<NotCompared> {
    let find = |manifest: &Manifest, name: &str| manifest.benches.iter().find(|bench| bench.name == name).map(task);
    let not = |bench: &BenchRecord, reason: &str| NotCompared {
        bench: bench.name.clone(),
        case: None,
        reason: reason.to_owned(),
    };
    let from_a = a.benches.iter().filter_map(|bench| match find(b, &bench.name) {
        None => Some(not(bench, "only run A has this bench")),
        Some(other) if other != task(bench) => {
            Some(not(bench, "its program, arguments or expected output are not the same in both runs"))
        }
        Some(_) => None,
    });
    let from_b = b.benches.iter().filter(|bench| find(a, &bench.name).is_none());
    from_a.chain(from_b.map(|bench| not(bench, "only run B has this bench"))).collect()
}

/// Set when the canary's native file is not the same in both runs.
pub fn canary_caveat([a, b]: [&Manifest; 2], bench: &str) -> Option<String> {
    let digest = |manifest: &Manifest| {
        let program = &manifest.benches.iter().find(|each| each.name == bench)?.program;
        let built = manifest.artifacts.iter().find(|each| each.program == *program && each.kind == "native")?;
        Some(built.sha256.clone())
    };
    (digest(a) != digest(b)).then(|| {
        format!("the native file of `{bench}` is not the same in both runs: a step may be its own, not the machine's")
    })
}
