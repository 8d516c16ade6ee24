//! The stage on the timeline, memory and processor time: programs whose cost is known, run by the main job like any other.
//! Each cost has to show in its own place, and nowhere else.
//!
//! Bounds are wide, for the machine that runs this may be busy: a wait of 50 ms is at least that, whatever else happens, and
//! what is looked at is the median of the differences by round.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::measuring::failures;
use super::{Check, Rig};
use results::metric::{CLIENT_CPU, CLIENT_MEMORY, CONTAINERD_CPU, CONTAINERD_MEMORY, CPU, MEMORY_PEAK};
use results::store::RunDir;
use results::timeline::{ArmTimeline, Phase, ProgramClock, phases};
use results::{Outcome, Summary};

/// Directly and in containers, native and as a module, in both kinds of runtime.
const CASES: [&str; 4] = ["native/process", "wasm-aot/process", "native/runc", "wasm-aot/wasmedge"];

/// The fewest that have an interval.
const ROUNDS: &str = "6";

const MS: f64 = 1e6;
const MIB: f64 = 1_048_576.0;

/// What another place may differ by: chance, on a machine that has other things to do.
const ELSEWHERE_MS: f64 = 30.0;
const ELSEWHERE_MIB: f64 = 6.0;
/// containerd collects its garbage when it likes.
const CONTAINERD_MIB: f64 = 16.0;

/// One run, and what has to be in it.
pub fn timeline(rig: &Rig) -> Vec<Check> {
    let name = "programs of known cost are measured and traced";
    if let Some(reason) = rig.no_containers() {
        return vec![Check::skipped(name, reason)];
    }
    let out = rig.scratch.join("timeline");
    let found = match run(rig, &out) {
        Ok(found) => found,
        Err(error) => return vec![Check::of(name, Err(error))],
    };
    let (file, summary) = (&out, &found);
    vec![
        Check::of(name, complete(summary)),
        Check::of("the phases of every traced run sum to its wall time", sums(file)),
        Check::of("at most 3 % of the time is unattributed", attributed(summary)),
        Check::of("the shim of this project says where task creation goes, and runc's does not", steps(summary)),
        Check::of("50 ms before the first instruction are in the start", cost(summary, "start", Phase::ProgramStart)),
        Check::of("a wait of 50 ms is in the program's work and no processor time", cost(summary, "wait", Phase::Work)),
        Check::of("64 MiB are in the peak of memory, and not in that of containerd and its shims", memory(summary)),
        Check::of("100 ms of processor time are in it", burnt(summary)),
        Check::of("`--no-resources` measures none", without(rig)),
        Check::of("what can not be traced is refused", refused(rig)),
    ]
}

/// A list of benches of `known-cost`, one for each cost, beside one that costs nothing.
fn benches() -> String {
    let requests = [
        ("nothing", ""),
        ("start", "start 50"),
        ("wait", "wait 50"),
        ("allocate", "allocate 64"),
        ("burn", "burn 100"),
    ];
    let table = |(name, request): (&str, &str)| {
        let args: Vec<String> = request.split_whitespace().map(|word| format!("\"{word}\"")).collect();
        format!(
            "[[bench]]\nname = \"{name}\"\nprogram = \"known-cost\"\nstamped = \"known-cost-stamped\"\nargs = [{}]\n\
             expected = \"done\\n\"\nwhy = \"its cost is known\"\n",
            args.join(", ")
        )
    };
    requests.map(table).concat()
}

/// What runc 1.1.15 says of a container that it could not make, about once in a thousand: its row is a failed sample, as it has
/// to be, and here it says nothing of what is tried.
const OF_RUNC: &str = "runc create failed: unable to start container process: waiting for init preliminary setup";

/// How often everything is tried where runc was at fault.
const TRIES: u32 = 3;

fn run(rig: &Rig, out: &Path) -> anyhow::Result<Summary> {
    for _ in 1..TRIES {
        match once(rig, out) {
            Err(error) if format!("{error:#}").contains(OF_RUNC) => std::fs::remove_dir_all(out)?,
            other => return other,
        }
    }
    once(rig, out)
}

fn once(rig: &Rig, out: &Path) -> anyhow::Result<Summary> {
    let file = rig.scratch.join("known-cost.toml");
    std::fs::write(&file, benches())?;
    let mut args = vec!["bench", "--timeline", "--rounds", ROUNDS, "--warmup", "1", "--benches-file"];
    let (file, folder) = (file.to_string_lossy().into_owned(), out.to_string_lossy().into_owned());
    args.extend([file.as_str(), "--out", &folder]);
    args.extend(CASES.iter().flat_map(|case| ["--case", *case]));
    rig.xtask(&args).run().with_context(|| failures(out))?;
    Ok(serde_json::from_slice(&std::fs::read(out.join("summary.json"))?)?)
}

fn complete(summary: &Summary) -> anyhow::Result<()> {
    ensure!(summary.timeline.len() == 5 * CASES.len(), "{} timelines", summary.timeline.len());
    for row in &summary.timeline {
        ensure!(row.n == 6 && row.failed == 0 && row.cost.ci_low.is_some(), "{} {}: {row:?}", row.bench, row.case);
    }
    let has = |case: &str, metric: &str| summary.resources.iter().any(|row| row.case == case && row.metric == metric);
    for metric in [MEMORY_PEAK, CPU] {
        ensure!(CASES.iter().all(|case| has(case, metric)), "no `{metric}`: {:?}", summary.resources);
    }
    for metric in [CLIENT_CPU, CLIENT_MEMORY, CONTAINERD_CPU, CONTAINERD_MEMORY] {
        ensure!(has("native/runc", metric) && !has("native/process", metric), "`{metric}` is of containers");
    }
    Ok(())
}

fn sums(out: &Path) -> anyhow::Result<()> {
    let run = RunDir::find(out, &out.to_string_lossy())?.read()?;
    ensure!(run.traces.len() == 5 * CASES.len() * 7, "{} traced runs", run.traces.len());
    for trace in &run.traces {
        let is_container = run.manifest.cell(&trace.case).is_some_and(|cell| cell.case.is_container());
        let found = phases(trace, is_container, ProgramClock::Printed).filter(|_| trace.outcome == Outcome::Ok);
        let found = found.with_context(|| format!("{trace:?}"))?;
        ensure!(Some(found.lengths.values().sum()) == trace.wall_ns, "{trace:?}: {found:?}");
        ensure!(trace.clock_error_ns.is_some() == is_container, "{trace:?}");
    }
    Ok(())
}

fn attributed(summary: &Summary) -> anyhow::Result<()> {
    let over = summary.timeline.iter().find(|row| row.unattributed_fraction.is_none_or(|part| part > 0.03));
    ensure!(over.is_none(), "{over:?}");
    let noted = summary.timeline.iter().find_map(|row| row.note.as_ref());
    ensure!(noted.is_none(), "{noted:?}");
    Ok(())
}

fn steps(summary: &Summary) -> anyhow::Result<()> {
    for row in &summary.timeline {
        let marks: Vec<&str> = row.steps.iter().map(|step| step.mark.as_str()).collect();
        if row.case != "wasm-aot/wasmedge" {
            ensure!(marks.is_empty(), "{}: {marks:?}", row.case);
            continue;
        }
        let expected = [
            "shim-started",
            "server-started",
            "rootfs-mounted",
            "specification-adapted",
            "container-prepared",
            "task-created",
            "module-read",
            "module-loaded",
            "module-validated",
            "module-instantiated",
        ];
        let missing = expected.iter().find(|mark| !marks.contains(mark));
        ensure!(missing.is_none(), "it did not note `{}`: {marks:?}", missing.unwrap_or(&""));
        ensure!(row.beside.iter().any(|step| step.mark == "engine-loaded"), "{:?}", row.beside);
    }
    Ok(())
}

fn arm<'a>(summary: &'a Summary, bench: &str, case: &str) -> anyhow::Result<&'a ArmTimeline> {
    let row = summary.timeline.iter().find(|row| row.bench == bench && row.case == case);
    row.with_context(|| format!("no timeline of {bench} {case}"))
}

fn phase(row: &ArmTimeline, phase: Phase) -> f64 {
    row.phases.iter().find(|row| row.phase == phase).map_or(0.0, |row| row.ns.median)
}

fn resource(summary: &Summary, [bench, case, metric]: [&str; 3]) -> anyhow::Result<f64> {
    let row = summary.resources.iter().find(|row| row.bench == bench && row.case == case && row.metric == metric);
    Ok(row.with_context(|| format!("no {metric} of {bench} {case}"))?.value.median)
}

/// What a bench has more of than the one that costs nothing.
fn more(summary: &Summary, [bench, case, metric]: [&str; 3]) -> anyhow::Result<f64> {
    Ok(resource(summary, [bench, case, metric])? - resource(summary, ["nothing", case, metric])?)
}

/// Every phase but one, which has more by at least so many ms, is as long as for the bench that costs nothing.
fn phases_elsewhere(
    summary: &Summary,
    (bench, case): (&str, &str),
    (own, expected_ms): (Phase, RangeInclusive<f64>),
) -> anyhow::Result<()> {
    let (row, nothing) = (arm(summary, bench, case)?, arm(summary, "nothing", case)?);
    for each in Phase::ALL {
        let more = (phase(row, each) - phase(nothing, each)) / MS;
        let bounds = if each == own { expected_ms.clone() } else { -ELSEWHERE_MS..=ELSEWHERE_MS };
        ensure!(bounds.contains(&more), "{bench} {case}: {each:?} has {more:.1} ms more, not {bounds:?}");
    }
    Ok(())
}

/// 50 ms of waiting in one phase.
fn cost(summary: &Summary, bench: &str, own: Phase) -> anyhow::Result<()> {
    for case in CASES {
        // Two medians: 50 ms less what chance does to either.
        phases_elsewhere(summary, (bench, case), (own, 45.0..=45.0 + 2.0 * ELSEWHERE_MS))?;
        let processor = more(summary, [bench, case, CPU])? / MS;
        ensure!(processor.abs() < ELSEWHERE_MS, "{case}: waiting took {processor:.1} ms of processor time");
        let memory = more(summary, [bench, case, MEMORY_PEAK])? / MIB;
        ensure!(memory.abs() < ELSEWHERE_MIB, "{case}: waiting took {memory:.1} MiB");
    }
    Ok(())
}

fn memory(summary: &Summary) -> anyhow::Result<()> {
    for case in CASES {
        // What a runtime needs before the program runs may be the peak without it, and is gone by then.
        let of = |bench: &str| anyhow::Ok(resource(summary, [bench, case, MEMORY_PEAK])? / MIB);
        let (memory, without) = (of("allocate")?, of("nothing")?);
        // The kernel counts in batches of up to 64 pages for each processor.
        let bounds = 63.0..=72.0 + without;
        ensure!(bounds.contains(&memory), "{case}: a peak of {memory:.1} MiB, not {bounds:?}");
        if !case.ends_with("/process") {
            let beside = more(summary, ["allocate", case, CONTAINERD_MEMORY])? / MIB;
            ensure!(beside.abs() < CONTAINERD_MIB, "{case}: containerd and its shim have {beside:.1} MiB more");
            let shim = resource(summary, ["nothing", case, CONTAINERD_MEMORY])? / MIB;
            ensure!((1.0..64.0).contains(&shim), "{case}: containerd and a new shim took {shim:.1} MiB");
        }
        // To be given 16,384 pages takes the kernel time: up to some microseconds each on a busy virtual machine.
        phases_elsewhere(summary, ("allocate", case), (Phase::Work, 0.0..=200.0))?;
    }
    Ok(())
}

fn burnt(summary: &Summary) -> anyhow::Result<()> {
    for case in CASES {
        let processor = more(summary, ["burn", case, CPU])? / MS;
        ensure!((90.0..100.0 + ELSEWHERE_MS).contains(&processor), "{case}: 100 ms are {processor:.1}");
        let memory = more(summary, ["burn", case, MEMORY_PEAK])? / MIB;
        ensure!(memory.abs() < ELSEWHERE_MIB, "{case}: computing took {memory:.1} MiB");
        let (row, nothing) = (arm(summary, "burn", case)?, arm(summary, "nothing", case)?);
        for each in Phase::ALL.into_iter().filter(|each| *each != Phase::Work) {
            let more = (phase(row, each) - phase(nothing, each)) / MS;
            ensure!(more.abs() < ELSEWHERE_MS, "{case}: {each:?} has {more:.1} ms more");
        }
    }
    Ok(())
}

fn without(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("no-resources");
    let folder = out.to_string_lossy().into_owned();
    let args =
        ["bench", "--no-resources", "--rounds", "1", "--warmup", "0", "--case", "native/process", "--out", &folder];
    rig.xtask(&args).run()?;
    let run = RunDir::find(&out, &folder)?.read()?;
    ensure!(run.manifest.resources.is_none(), "{:?}", run.manifest.resources);
    let values: Vec<_> = run.samples.iter().flat_map(|sample| sample.values.keys()).collect();
    ensure!(values.iter().all(|metric| *metric == "wall_ns"), "{values:?}");
    Ok(())
}

fn refused(rig: &Rig) -> anyhow::Result<()> {
    let args = ["bench", "--timeline", "--bench", "array-sum-sweep", "--case", "native/process"];
    super::rig::expect_error(&rig.xtask(&args).output()?, 1, &["nothing can be traced", "`stamped`"])
}
