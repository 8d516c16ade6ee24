//! The fingerprint of a run as pairs of name and value, in the order in which people look for them. What the
//! machine did not say is said to be unknown.
//!
//! Not here: judging it (warnings come with the summary).

use crate::Run;
use crate::number::{NONE, confidence, fixed, percent};
use results::{LoadDuring, Machine};

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
