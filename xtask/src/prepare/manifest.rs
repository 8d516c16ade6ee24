//! From what was prepared and measured to the manifest of a run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Prepared;
use super::benches::bench;
use super::node::NodeDaemon;
use super::selection::Selected;
use super::source::source;
use crate::cli::BenchArgs;
use crate::clock::Utc;
use crate::compile::Artifact;
use crate::compile::shims::WASMEDGE;
use crate::machine;
use crate::matrix::{Behaviour, Matrix};
use crate::plan::Plan;
use crate::secret::{without_accounts, without_values};
use crate::session::measured::Measured;
use crate::toolbox::{Origin, Toolbox};
use crate::workspace::Workspace;
use oci::Image;
use results::case::Cell;
use results::{Finished, ImageRecord, Manifest, NotMeasured, ProgramRecord, SCHEMA, Sequential, TracedBench};
use stats::Confidence;

/// The nominal coverage of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// What a manifest records of the options of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The margin below which a difference is called none.
    pub delta: f64,
    /// The looks of a run that stops on precision.
    pub sequential: Option<Sequential>,
    /// The time limit of one run, or of one start.
    pub timeout_ms: u64,
    /// What a density run is to do.
    pub density: Option<results::density::Plan>,
    /// Whose containerd it is.
    pub daemon: NodeDaemon,
}

impl Settings {
    /// Those of `bench`.
    ///
    /// # Errors
    /// When the nominal confidence is none, which means a bug.
    pub fn of(args: &BenchArgs) -> anyhow::Result<Self> {
        Ok(Self {
            delta: args.delta,
            sequential: sequential(args)?,
            timeout_ms: args.limit.timeout_ms(),
            density: None,
            daemon: NodeDaemon::of(&args.programs),
        })
    }
}

/// The manifest of a run that is about to begin.
pub fn begin(
    workspace: &Workspace,
    settings: Settings,
    selected: &Selected,
    prepared: &Prepared,
    started: Utc,
) -> anyhow::Result<Manifest> {
    let plan = &selected.plan;
    let is_measured = |artifact: &&Artifact| plan.measures(&artifact.program);
    let source = source(workspace, prepared.artifacts.iter().find(is_measured));
    let rounds = plan.schedule.rounds();
    let programs = programs(prepared, plan)?;
    // What a run looks at its machinery with has no row.
    let takes_part = |program: &str| plan.measures(program) || plan.traces(program);
    let measured = prepared.artifacts.iter().filter(|artifact| takes_part(&artifact.program));
    let images = prepared.shipped.images.images().iter().filter(|image| takes_part(image.program()));
    Ok(Manifest {
        schema: SCHEMA,
        run: format!("{}-{}", started.compact(), source.revision.get(..9).unwrap_or(&source.revision)),
        command: command(),
        started_utc: started.rfc3339(),
        seed: rounds.seed,
        rounds: rounds.counted,
        warmup_rounds: rounds.warmup,
        confidence: CONFIDENCE,
        delta: settings.delta,
        sequential: settings.sequential,
        timeout_ms: settings.timeout_ms,
        density: settings.density,
        source,
        own_program: selected.own.as_ref().map(|own| own.known.record()),
        benches: plan.benches.iter().map(bench).collect::<anyhow::Result<_>>()?,
        traced: plan.traced.iter().flat_map(|traced| &traced.benches).map(traced_bench).collect(),
        cells: plan.cells.iter().map(|cell| with_versions(cell, &selected.matrix, &programs)).collect(),
        artifacts: measured.map(Artifact::record).collect(),
        images: images.map(|image| image_record(image, prepared)).collect(),
        programs,
        packages: prepared.toolbox.as_ref().map(Toolbox::packages).unwrap_or_default(),
        node: Some(prepared.node((&selected.matrix, plan), settings.daemon).record),
        machine: machine::read(),
        isolation: Vec::new(),
        host: None,
        resources: None,
        not_measured: selected.not_measured.clone(),
        finished: None,
    })
}

/// The looks of a run that stops on precision, as the manifest records them.
fn sequential(args: &BenchArgs) -> anyhow::Result<Option<Sequential>> {
    let Some(until) = args.until else { return Ok(None) };
    let looks = stats::looks::looks(args.rounds.counted());
    let confidence = Confidence::new(CONFIDENCE).context("the nominal confidence is no confidence")?;
    let look_confidence = stats::looks::look_confidence(confidence, looks.len()).value();
    Ok(Some(Sequential { until_percent: until * 100.0, looks, look_confidence }))
}

/// The command as typed, a word each, but for the account in an address and what variables hold. A word that is not UTF-8 has no place in JSON and
/// is kept as far as it is.
fn command() -> Vec<String> {
    let given = std::env::args_os().skip(1).map(|word| without_accounts(&word.to_string_lossy()));
    let words: Vec<String> = crate::console::called().split(' ').map(str::to_owned).chain(given).collect();
    without_values(&words)
}

/// The manifest of a run that has ended.
pub fn finish(mut manifest: Manifest, measured: Measured, finished: Utc) -> Manifest {
    for image in &mut manifest.images {
        let pull = measured.pulls.iter().find(|pull| pull.manifest.to_string() == image.manifest_digest);
        image.pulled_digest = pull.map(|pull| pull.manifest.to_string());
        image.pull_ns = pull.map(|pull| pull.pull_ns);
        image.stored = pull.and_then(|pull| pull.stored);
    }
    for cell in &mut manifest.cells {
        cell.mode_observed = measured.modes.get(&cell.case.name).cloned();
    }
    manifest.isolation = measured.isolation;
    for (bench, digest) in measured.learned {
        if let Some(record) = manifest.benches.iter_mut().find(|record| record.name == bench) {
            record.expected_sha256 = digest.hex();
        }
    }
    manifest.host = measured.host;
    manifest.resources = measured.resources;
    let explained = |row: NotMeasured| {
        let why = manifest.cell(&row.case).and_then(|cell| cell.case.expected(&row.reason));
        let reason = why.map_or_else(|| row.reason.clone(), |why| format!("{}; {why}", row.reason));
        NotMeasured { reason, ..row }
    };
    let not_measured: Vec<NotMeasured> = measured.not_measured.into_iter().map(explained).collect();
    manifest.not_measured.extend(not_measured);
    manifest.finished = Some(Finished {
        finished_utc: finished.rfc3339(),
        status: measured.status,
        rounds_wall_ns: measured.rounds_wall_ns,
        timed_ns: measured.timed_ns,
        samples: Some(measured.samples),
        load: measured.load,
        until: measured.until,
    });
    manifest
}

/// A program that was named by its path is recorded by its file's name.
fn recorded_name(program: &Path) -> &str {
    program.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A cell with what its engine and its runtime say of themselves. The engine of a runtime of the user's says nothing.
fn with_versions(cell: &Cell, matrix: &Matrix, programs: &[ProgramRecord]) -> Cell {
    let version = |name: &str| programs.iter().find(|program| program.name == name).map(|found| found.version.clone());
    let mut cell = cell.clone();
    let behaviour = matrix.runtime(&cell.case).ok().map(|runtime| &runtime.behaviour);
    let runtime = behaviour.and_then(Behaviour::program).map(|program| recorded_name(Path::new(program)));
    cell.case.runtime.version = runtime.and_then(version);
    if behaviour.is_some_and(Behaviour::is_own) {
        return cell;
    }
    let engine = matrix.engine(&cell.case).map(|engine| engine.program.as_str());
    if let (Some(engine), Some(record)) = (engine, &mut cell.case.engine) {
        record.version = version(engine);
    }
    cell
}

fn traced_bench(bench: &crate::bench::Bench) -> TracedBench {
    TracedBench { bench: bench.name.clone(), program: bench.program.clone() }
}

fn image_record(image: &Image, prepared: &Prepared) -> ImageRecord {
    let sizes = image.sizes();
    let pushed = prepared.shipped.pushed(image);
    ImageRecord {
        program: image.program().to_owned(),
        kind: image.kind().to_string(),
        image: Some(image.name().to_owned()),
        packages: prepared.shipped.packages_of(image).to_vec(),
        reference: pushed.map(|pushed| pushed.reference().to_owned()).unwrap_or_default(),
        manifest_digest: image.manifest().digest().to_string(),
        platform: image.platform(),
        compression: image.compression().name().to_owned(),
        manifest_bytes: sizes.manifest_bytes,
        config_bytes: sizes.config_bytes,
        layers_compressed_bytes: sizes.layers_compressed_bytes,
        layers_unpacked_bytes: sizes.layers_unpacked_bytes,
        transfer_bytes: sizes.transfer_bytes,
        pulled_digest: None,
        pull_ns: None,
        stored: None,
    }
}

fn programs(prepared: &Prepared, plan: &Plan) -> anyhow::Result<Vec<ProgramRecord>> {
    let Some(toolbox) = &prepared.toolbox else { return Ok(Vec::new()) };
    let mut programs = Vec::new();
    let always = ["containerd", "ctr", "runc", "wasmedge"].map(str::to_owned);
    let others = plan.programs.iter().filter(|name| !always.contains(name) && !prepared.extra.contains_key(*name));
    let (named, others): (Vec<&String>, Vec<&String>) = others.partition(|name| Path::new(name).is_absolute());
    for path in named.into_iter().map(Path::new) {
        programs.push(machine::program(
            recorded_name(path),
            path,
            Origin::Host.name(),
            crate::toolbox::identity::runtime(path)?.version(),
            &[],
        )?);
    }
    for name in always.iter().chain(others) {
        // The command line needs the engine's library, and that needs LLVM; the shim does without the latter.
        let libraries: &[&str] = if name == "wasmedge" { &[WASMEDGE, "libLLVM.so.19.1"] } else { &[] };
        // What is not there bars its rows, with the reason, and has no record.
        let Ok(path) = toolbox.program(name) else { continue };
        let record = program(name, &path, toolbox.origin(name).name(), (toolbox, libraries))?;
        let packaged = toolbox.packaged(name);
        programs.push(ProgramRecord {
            package: packaged.map(|packaged| packaged.package.clone()),
            sha256_unpatched: packaged.map(|packaged| packaged.sha256.clone()),
            ..record
        });
    }
    programs.extend(prepared.extra.values().flatten().map(|program| program.record.clone()));
    Ok(programs)
}

/// A program that does not even say its version is identified by its digest; what else is wrong with it shows when it is used.
fn program(
    name: &str,
    path: &Path,
    origin: &str,
    (toolbox, libraries): (&Toolbox, &[&str]),
) -> anyhow::Result<ProgramRecord> {
    let libraries: Vec<PathBuf> = libraries.iter().filter_map(|file| toolbox.library(file).ok()).collect();
    machine::program(name, path, origin, "--version", &libraries)
}
