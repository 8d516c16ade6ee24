//! Traced rounds on small real programs.

use std::path::Path;

use super::*;
use crate::bench::{Expected, Input};
use crate::matrix::Grants;
use crate::measure::runs::{Absent, ComparedOutput, KindFile, RunnableBench};
use crate::plan::{Rounds, Schedule};
use results::case::{Cell, Kind};
use results::timeline::{Phase, phases};

/// Runs of one bench that has to print `x`, in one cell that is this script.
fn traced(folder: &Path, script: &str) -> TracedRuns {
    let case = crate::matrix::tests::ours().case("native/process").unwrap().clone();
    let bench = RunnableBench {
        name: "bench".to_owned(),
        args: Vec::new(),
        input: Input::default(),
        expected: Expected::text("x\n"),
        files: vec![KindFile { kind: Kind::Native, path: "/bin/sh".into() }],
        absent: Absent::default(),
        images: Vec::new(),
    };
    let start = crate::measure::runs::Start::Engine {
        program: "/bin/sh".into(),
        args: ["-c", script].map(str::to_owned).into(),
        grants: Grants::default(),
    };
    let runs = Runs {
        benches: vec![bench],
        schedule: Schedule::new(1, vec![Cell::of(case)], Rounds { warmup: 1, counted: 9, seed: 1 }),
        starts: vec![start],
        until: None,
        timeout_ms: 60_000,
        output: ComparedOutput::Discarded,
    };
    let file = folder.join("timeline.jsonl");
    std::fs::write(&file, "").unwrap();
    TracedRuns { runs, clocks: vec![ProgramClock::Printed], file }
}

fn learned(traced: &TracedRuns, watchdog: &Watchdog) -> Expectations {
    Expectations::learn((&traced.runs, 0..1), watchdog, &mut BTreeMap::new()).unwrap().unwrap()
}

/// What was written in so many rounds.
fn run(script: &str, rounds: u32, barred: BTreeMap<Place, String>) -> Vec<Trace> {
    run_by(ProgramClock::Printed, script, rounds, barred)
}

fn run_by(clock: ProgramClock, script: &str, rounds: u32, barred: BTreeMap<Place, String>) -> Vec<Trace> {
    let dir = tempfile::tempdir().unwrap();
    let traced = TracedRuns { clocks: vec![clock], ..traced(dir.path(), script) };
    let stop = Stop::never().unwrap();
    let watchdog = Watchdog::start(&stop).unwrap();
    let mut expectations = learned(&traced, &watchdog);
    let mut running = TracedRounds::new(&traced, None, barred).unwrap();
    for round in 0..rounds {
        let shared = Shared { expectations: &mut expectations, starts: None };
        assert_eq!(running.round(round, shared, (&watchdog, &stop)).unwrap(), Traced::Done);
    }
    let text = std::fs::read_to_string(&traced.file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_program_that_prints_no_clock_or_another_output_is_no_sample_and_is_given_up() {
    let found = run("echo x", 5, BTreeMap::new());
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|trace| trace.outcome == Outcome::WrongOutput));
    assert!(found[0].reason.as_ref().unwrap().contains("no stamped program"), "{:?}", found[0]);
    let other = run("echo 5; echo y; echo 6", 1, BTreeMap::new());
    assert_eq!(other[0].outcome, Outcome::WrongOutput);
    assert!(other[0].reason.as_ref().unwrap().contains('y'), "{:?}", other[0]);
}

#[test]
fn a_clock_that_is_not_the_hosts_leaves_the_time_to_nobody() {
    let found = run("echo 5; echo x; echo 6", 1, BTreeMap::new());
    assert_eq!((found[0].outcome, found[0].marks.len()), (Outcome::Ok, 0));
    assert_eq!(found[0].reason.as_deref(), Some("the program's monotonic clock is not the host's"));
    let lengths = phases(&found[0], false, ProgramClock::Printed).unwrap().lengths;
    assert_eq!(lengths[&Phase::Unattributed], found[0].wall_ns.unwrap());
}

#[test]
fn a_program_that_prints_no_clock_is_traced_by_what_others_date() {
    let found = run_by(ProgramClock::Unknown, "echo x", 1, BTreeMap::new());
    assert_eq!((found[0].outcome, &found[0].reason, found[0].marks.len()), (Outcome::Ok, &None, 0));
    let lengths = phases(&found[0], false, ProgramClock::Unknown).unwrap().lengths;
    assert_eq!(lengths[&Phase::Program], found[0].wall_ns.unwrap());
    let other = run_by(ProgramClock::Unknown, "echo y", 1, BTreeMap::new());
    assert_eq!(other[0].outcome, Outcome::WrongOutput);
}

#[test]
fn what_is_not_run_plainly_is_not_traced_either() {
    let dir = tempfile::tempdir().unwrap();
    let traced = traced(dir.path(), "echo x");
    let mut running = TracedRounds::new(&traced, None, BTreeMap::new()).unwrap();
    let place = Place { bench: 0, cell: 0 };
    running.bar_as(&traced.runs, &[(place, "native fails".to_owned())].into());
    assert_eq!(running.barred, [(place, Some("native fails".to_owned()))].into());
}

#[test]
fn what_can_not_be_run_is_written_down_once_with_the_reason() {
    let place = Place { bench: 0, cell: 0 };
    let found = run("echo x", 4, [(place, "it was not fetched".to_owned())].into());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].outcome, found[0].round), (Outcome::NotStarted, 1));
    assert_eq!(found[0].reason.as_deref(), Some("it was not fetched"));
}

#[test]
fn a_wish_to_stop_ends_a_traced_round() {
    let dir = tempfile::tempdir().unwrap();
    let traced = traced(dir.path(), "exec sleep 69.5");
    let stop = Stop::never().unwrap();
    let watchdog = Watchdog::start(&stop).unwrap();
    let mut expectations = learned(&traced, &watchdog);
    stop.request().unwrap();
    let mut running = TracedRounds::new(&traced, None, BTreeMap::new()).unwrap();
    let shared = Shared { expectations: &mut expectations, starts: None };
    assert_eq!(running.round(0, shared, (&watchdog, &stop)).unwrap(), Traced::Stopped);
    assert_eq!(std::fs::read_to_string(&traced.file).unwrap(), "");
}
