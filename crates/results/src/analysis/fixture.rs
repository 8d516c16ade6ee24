//! Tests only: a made-up run with a seed, of the size and shape of a real one.

use crate::case::{Cell, FirstEdition, TWIN_SUFFIX};
use crate::metric::HEADLINE;
use crate::own_program::{InputRecord, JudgedBy};
use crate::{
    ArtifactRecord, BenchRecord, Finished, HostRecord, ImageRecord, LoadDuring, Machine, Manifest, MaybeNs, Outcome,
    PackageRecord, ProgramRecord, Role, RunStatus, SCHEMA, Sample, Source, SweepPoint,
};
use stats::random::{Random, Stream};

/// A manifest of a complete, quiet run: array-sum, noop and a sweep, in the default cases with their twins.
pub fn manifest(rounds: u32) -> Manifest {
    Manifest {
        schema: SCHEMA,
        run: "20261123T100000Z-0123456".to_owned(),
        command: vec!["cargo".to_owned(), "xtask".to_owned(), "bench".to_owned()],
        started_utc: "2026-11-23T10:00:00Z".to_owned(),
        seed: 42,
        rounds,
        warmup_rounds: 1,
        confidence: 0.95,
        delta: 0.02,
        sequential: None,
        density: None,
        timeout_ms: 60_000,
        source: Source {
            revision: "0123456789abcdef".to_owned(),
            dirty: Some(false),
            toolchain: "rustc 1.95.0".to_owned(),
            profile: "workload".to_owned(),
            program_revision: "0123456789abcdef".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        },
        own_program: None,
        benches: benches(),
        traced: Vec::new(),
        cells: cells(),
        artifacts: [("native", 418_000), ("wasm", 77_000), ("wasm-aot", 190_000)]
            .map(|(kind, size_bytes)| ArtifactRecord {
                program: "array-sum".to_owned(),
                kind: kind.to_owned(),
                target: kind.to_owned(),
                size_bytes,
                sha256: format!("{size_bytes:064x}"),
            })
            .to_vec(),
        images: [("native", 208_000, 419_000), ("wasm", 32_000, 78_000)]
            .map(|(kind, transfer_bytes, layers_unpacked_bytes)| image(kind, [transfer_bytes, layers_unpacked_bytes]))
            .to_vec(),
        programs: vec![program("containerd", "toolbox"), program("containerd-shim-wasmedge-v1", "built")],
        packages: vec![PackageRecord {
            name: "runc".to_owned(),
            version: "1.1.15".to_owned(),
            architecture: "amd64".to_owned(),
            sha256: "d0".repeat(32),
        }],
        node: None,
        machine: Machine {
            kernel: Some("Linux 6.18".to_owned()),
            cpu_model: Some("A processor".to_owned()),
            cpus: Some(2),
            governor: Some("performance".to_owned()),
            ..Machine::default()
        },
        isolation: Vec::new(),
        host: Some(HostRecord {
            containerd: "private".to_owned(),
            snapshotter: "overlayfs".to_owned(),
            cgroup_driver: "cgroupfs".to_owned(),
            filesystem: "ext4".to_owned(),
        }),
        resources: None,
        not_measured: Vec::new(),
        finished: Some(finished()),
    }
}

fn finished() -> Finished {
    Finished {
        finished_utc: "2026-11-23T10:10:00Z".to_owned(),
        status: RunStatus::Complete,
        rounds_wall_ns: 600_000_000_000,
        timed_ns: 500_000_000_000,
        samples: None,
        until: None,
        load: LoadDuring::default(),
    }
}

fn program(name: &str, origin: &str) -> ProgramRecord {
    ProgramRecord {
        name: name.to_owned(),
        version: format!("{name} 1.7.24"),
        sha256: "c0".repeat(32),
        package: None,
        sha256_unpatched: None,
        source_sha256: None,
        origin: origin.to_owned(),
        size_bytes: 40_000_000,
    }
}

fn benches() -> Vec<BenchRecord> {
    let role = |name: &str| match name {
        "array-sum" => Some(Role::Headline),
        "noop" => Some(Role::Canary),
        _ => None,
    };
    let bench = |name: &str, program: &str, sweep| BenchRecord {
        role: role(name),
        name: name.to_owned(),
        program: program.to_owned(),
        args: Vec::new(),
        expected_sha256: "e0".repeat(32),
        judged_by: JudgedBy::default(),
        input: InputRecord::default(),
        why: "because".to_owned(),
        sweep,
        on_node: None,
    };
    let mut benches = vec![bench("array-sum", "array-sum", None), bench("noop", "noop", None)];
    for n in [1_000, 100_000, 10_000_000] {
        let point = SweepPoint { name: "sweep".to_owned(), n };
        benches.push(bench(&format!("sweep/{n}"), "array-sum", Some(point)));
    }
    benches
}

fn cells() -> Vec<Cell> {
    let with_twin = |case: crate::case::Case| {
        let twin = case.is_baseline().then(|| Cell::twin_of(case.clone()));
        [Some(Cell::of(case)), twin].into_iter().flatten()
    };
    FirstEdition::read().cases.into_iter().flat_map(with_twin).collect()
}

fn image(kind: &str, [transfer_bytes, layers_unpacked_bytes]: [u64; 2]) -> ImageRecord {
    ImageRecord {
        image: None,
        packages: Vec::new(),
        program: "array-sum".to_owned(),
        kind: kind.to_owned(),
        reference: format!("127.0.0.1:5000/array-sum:{kind}"),
        manifest_digest: format!("sha256:{transfer_bytes:064x}"),
        platform: "linux/amd64".to_owned(),
        compression: "gzip".to_owned(),
        manifest_bytes: 500,
        config_bytes: 500,
        layers_compressed_bytes: transfer_bytes - 1000,
        layers_unpacked_bytes,
        transfer_bytes,
        pulled_digest: None,
        pull_ns: None,
        stored: None,
    }
}

/// Fixed cost (ns) and cost per number (ns) of a case.
fn costs(cell: &str) -> (f64, f64) {
    match cell.trim_end_matches(TWIN_SUFFIX) {
        "native/process" => (1.0e6, 2.0),
        "wasm-interpreter/process" => (3.0e7, 60.0),
        "wasm-aot/process" => (2.8e7, 2.6),
        "native/runc" => (1.6e8, 2.0),
        "native/wasmedge" => (1.5e8, 2.0),
        "wasm-interpreter/wasmedge" => (1.8e8, 60.0),
        _ => (1.8e8, 2.6),
    }
}

/// Every sample of a run: 3 % noise of each run and 2 % of each round, all outputs right.
pub fn samples(manifest: &Manifest) -> Vec<Sample> {
    let mut random = Random::new(manifest.seed, Stream(77));
    let mut samples = Vec::new();
    for round in 0..manifest.warmup_rounds + manifest.rounds {
        let level = (0.02 * random.normal()).exp();
        let mut position = 0;
        for bench in &manifest.benches {
            let n = bench.sweep.as_ref().map_or(if bench.name == "noop" { 0 } else { 1_000_000 }, |point| point.n);
            for cell in &manifest.cells {
                let (fixed, marginal) = costs(&cell.name);
                let time = level * (fixed + marginal * n as f64) * (0.03 * random.normal()).exp();
                samples.push(sample([&bench.name, &cell.name], [round, position], time));
                position += 1;
            }
        }
    }
    for sample in &mut samples {
        sample.warmup = sample.round < manifest.warmup_rounds;
    }
    samples
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a made-up time above 0")]
fn sample([bench, case]: [&str; 2], [round, position]: [u32; 2], wall_ns: f64) -> Sample {
    Sample {
        bench: bench.into(),
        case: case.into(),
        round,
        position,
        warmup: false,
        values: [(HEADLINE, wall_ns as u64)].into(),
        user_ns: MaybeNs::NONE,
        system_ns: MaybeNs::NONE,
        outcome: Outcome::Ok,
        reason: None,
        output_sha256: None,
    }
}

/// The same with a second metric, a multiple of the first.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a made-up time above 0")]
pub fn with_second(mut samples: Vec<Sample>, metric: &str, factor: f64) -> Vec<Sample> {
    for sample in &mut samples {
        let value = sample.wall_ns().map(|wall_ns| (wall_ns as f64 * factor) as u64);
        sample.values.extend(value.map(|value| (metric, value)));
    }
    samples
}

/// Makes a run of a sample fail.
pub fn fail(sample: &mut Sample, reason: &str) {
    sample.outcome = Outcome::NonZeroExit;
    sample.reason = Some(reason.into());
}

/// Multiplies a sample's time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a made-up time above 0")]
pub fn slow(sample: &mut Sample, factor: f64) {
    if let Some(wall_ns) = sample.values.get_mut(HEADLINE) {
        *wall_ns = (*wall_ns as f64 * factor) as u64;
    }
}
