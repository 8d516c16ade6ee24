//! The fingerprint of a run as pairs of name and value, in the order in which people look for them. What the
//! machine did not say is said to be unknown.
//!
//! Not here: judging it (warnings come with the summary).

use crate::Run;
use crate::number::{NONE, confidence, fixed, percent};
use results::own_program::{JudgedBy, OriginRecord, OwnProgramRecord};
use results::{BenchRecord, LoadDuring, Machine};

/// Name and value of everything that must be alike before two runs may be compared, and what happened meanwhile.
pub fn circumstances(run: &Run) -> Vec<(&'static str, String)> {
    let manifest = &run.manifest;
    let dirty = match manifest.source.dirty {
        Some(true) => ", with changes that were not committed",
        Some(false) => "",
        None => ", and whether anything was changed is unknown",
    };
    let mut pairs = vec![
        ("started (UTC)", manifest.started_utc.clone()),
        ("revision", format!("{}{dirty}", manifest.source.revision)),
        ("toolchain, profile", format!("{}, {}", manifest.source.toolchain, manifest.source.profile)),
        ("rounds", format!("{} after {} of warm-up", manifest.rounds, manifest.warmup_rounds)),
        ("seed", manifest.seed.to_string()),
        ("nominal confidence", confidence(manifest.confidence)),
        ("margin δ", percent(manifest.delta)),
        ("time limit of a run", format!("{} ms", manifest.timeout_ms)),
    ];
    if let Some(own) = &manifest.own_program {
        pairs.insert(1, ("program measured", own_program(own)));
        pairs.extend(manifest.benches.iter().map(|bench| ("bench", given(bench))));
    }
    if let Some(sequential) = &manifest.sequential {
        let looks: Vec<String> = sequential.looks.iter().map(u32::to_string).collect();
        let text = format!(
            "until {} % wide, looks after {} rounds at {} each",
            sequential.until_percent,
            looks.join(", "),
            confidence(sequential.look_confidence)
        );
        pairs.push(("stop on precision", text));
    }
    machine(&manifest.machine, &mut pairs);
    if let Some(host) = &manifest.host {
        pairs.push(("containerd", host.containerd.clone()));
        pairs.push(("snapshotter", format!("{} on {}", host.snapshotter, host.filesystem)));
        pairs.push(("cgroup driver", host.cgroup_driver.clone()));
    }
    if let Some(finished) = &manifest.finished {
        let share = finished.timed_ns as f64 / finished.rounds_wall_ns as f64;
        pairs.push(("finished (UTC)", finished.finished_utc.clone()));
        pairs.push(("time inside timed regions", percent(share)));
        load(&finished.load, &mut pairs);
    }
    for program in &manifest.programs {
        pairs.push(("program", format!("{}: {} ({})", program.name, program.version, program.origin)));
    }
    pairs
}

/// Somebody's own program: where it came from.
fn own_program(own: &OwnProgramRecord) -> String {
    match &own.origin {
        OriginRecord::Package(package) => {
            let revision = package.revision.as_ref().map(|revision| {
                let dirty = if package.dirty == Some(true) { ", with changes that were not committed" } else { "" };
                format!(", revision {revision}{dirty}")
            });
            let features =
                if package.features.is_empty() { String::new() } else { format!(" {}", package.features.join(" ")) };
            let revision = revision.unwrap_or_default();
            format!("package {} {}, {}{features}{revision}", package.package, package.version, package.target)
        }
        OriginRecord::Pair { native, wasm } => {
            format!("the files {native} and {wasm}, as they were given: whether they are of one source is not known")
        }
    }
}

/// What a bench was given beside its arguments, and by what its output was judged.
fn given(bench: &BenchRecord) -> String {
    let mut parts = Vec::new();
    if let Some(stdin) = &bench.input.stdin {
        parts.push(format!("{} bytes on its standard input", stdin.size_bytes));
    }
    parts.extend(bench.input.env.iter().map(|variable| format!("the variable {}", variable.name)));
    parts.extend(bench.input.folders.iter().map(|folder| format!("the folder {} as {}", folder.host, folder.guest)));
    parts.push(match &bench.judged_by {
        JudgedBy::Expected => "held against an output that was known before".to_owned(),
        JudgedBy::FirstNative => "held against what native printed before the first round".to_owned(),
        JudgedBy::Pattern(pattern) => format!("every output had to match {pattern}"),
        JudgedBy::Nothing => "its output was not looked at, only its exit status".to_owned(),
    });
    format!("{}: {}", bench.name, parts.join(", "))
}

fn machine(machine: &Machine, pairs: &mut Vec<(&'static str, String)>) {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let yes = |value: Option<bool>| match value {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => "unknown".to_owned(),
    };
    pairs.extend([
        ("system", text(&machine.os)),
        ("kernel", text(&machine.kernel)),
        ("architecture", text(&machine.architecture)),
        ("processor", text(&machine.cpu_model)),
        ("processors", machine.cpus.map_or_else(|| "unknown".to_owned(), |cpus| cpus.to_string())),
        (
            "memory",
            machine
                .memory_bytes
                .map_or_else(|| "unknown".to_owned(), |bytes| format!("{} GB", fixed(bytes as f64 / 1e9, 1))),
        ),
        ("governor", text(&machine.governor)),
        ("turbo", yes(machine.turbo)),
        ("SMT", yes(machine.smt)),
        ("virtualised", yes(machine.virtualised)),
        ("cgroup", text(&machine.cgroup)),
    ]);
}

fn load(load: &LoadDuring, pairs: &mut Vec<(&'static str, String)>) {
    let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| fixed(value, 2));
    let share = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), percent);
    pairs.extend([
        ("load before, after", format!("{}, {}", number(load.load_before), number(load.load_after))),
        ("steal", share(load.steal_fraction)),
        ("busy", share(load.busy_fraction)),
        ("pressure on processors", share(load.cpu_pressure_fraction)),
        ("throttling events", load.throttle_events.map_or_else(|| "unknown".to_owned(), |events| events.to_string())),
    ]);
}
