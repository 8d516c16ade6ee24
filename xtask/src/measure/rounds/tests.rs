//! The loop on small real programs: which runs it makes, which it leaves out, and when it ends.

use std::cell::RefCell;
use std::path::Path;

use super::*;
use crate::bench::{Expected, Input};
use crate::matrix::Grants;
use crate::measure::runs::{Absent, KindFile, RunnableBench, Start};
use crate::plan::{Rounds, Schedule};
use results::case::{Cell, Kind};
use results::store::parse_samples;

/// One bench whose cells are scripts: what a cell is called, and what it does.
struct Trial {
    folder: tempfile::TempDir,
    runs: Runs,
    barred: BTreeMap<Place, String>,
}

impl Trial {
    fn new(cells: &[(&str, &str)], warmup: u32, counted: u32) -> Self {
        let case = crate::matrix::tests::ours().case("native/process").unwrap().clone();
        let cell = |name: &str| {
            let (name, is_twin) = name.strip_suffix("#2").map_or((name, false), |first| (first, true));
            let case = results::case::Case { name: name.to_owned(), ..case.clone() };
            if is_twin { Cell::twin_of(case) } else { Cell::of(case) }
        };
        let start = |script: &str| Start::Engine {
            program: "/bin/sh".into(),
            args: ["-c", script].map(str::to_owned).into(),
            grants: Grants::default(),
        };
        let bench = RunnableBench {
            name: "bench".to_owned(),
            args: Vec::new(),
            input: Input::default(),
            expected: Expected::text(""),
            files: vec![KindFile { kind: Kind::Native, path: "/bin/sh".into() }],
            absent: Absent::default(),
            images: Vec::new(),
        };
        let all = cells.iter().map(|(name, _)| cell(name)).collect();
        let runs = Runs {
            benches: vec![bench],
            schedule: Schedule::new(1, all, Rounds { warmup, counted, seed: 1 }),
            starts: cells.iter().map(|(_, script)| start(script)).collect(),
            until: None,
            timeout_ms: 60_000,
            output: ComparedOutput::Discarded,
        };
        Self { folder: tempfile::tempdir().unwrap(), runs, barred: BTreeMap::new() }
    }

    fn until(mut self, looks: &[u32], budget_ms: Option<u64>) -> Self {
        self.runs.until = Some(Until { relative_width: 0.02, looks: looks.to_vec(), budget_ms });
        self
    }

    fn samples_path(&self) -> std::path::PathBuf {
        self.folder.path().join("samples.jsonl")
    }

    /// What the loop came to, and the samples that it wrote.
    fn run(&self, stop: &Stop, width: Width<'_>) -> (RoundsEnd, Vec<Sample>) {
        let path = self.samples_path();
        std::fs::write(&path, "").unwrap();
        let end = self.run_into(&path, stop, width);
        let (samples, lost) = parse_samples(&std::fs::read(&path).unwrap());
        assert!(lost.is_empty(), "{lost:?}");
        assert_eq!(samples.len() as u64, end.samples);
        (end, samples)
    }

    fn run_into(&self, path: &Path, stop: &Stop, width: Width<'_>) -> RoundsEnd {
        let input = RoundsInput {
            runs: &self.runs,
            ctr: None,
            pods: None,
            orphans: None,
            barred: self.barred.clone(),
            resources: Resources::Unwanted,
            traced: None,
            traced_barred: BTreeMap::new(),
        };
        run(input, &mut SampleSink::open(path).unwrap(), stop, width)
    }

    fn run_whole(&self) -> (RoundsEnd, Vec<Sample>) {
        self.run(&Stop::never().unwrap(), &|_| None)
    }
}

fn of<'a>(samples: &'a [Sample], case: &str) -> Vec<&'a Sample> {
    samples.iter().filter(|sample| sample.case == case).collect()
}

#[test]
fn a_cell_that_keeps_failing_is_given_up_and_the_others_go_on() {
    let (end, samples) = Trial::new(&[("good", ":"), ("bad", "echo why >&2; exit 3")], 1, 5).run_whole();
    assert_eq!((end.status, &end.reason), (RunStatus::Complete, &None));
    assert!(of(&samples, "good").iter().all(|sample| sample.outcome == Outcome::Ok));
    assert_eq!(of(&samples, "good").len(), 6);
    let bad = of(&samples, "bad");
    assert_eq!(bad.iter().map(|sample| sample.round).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(bad.iter().all(|sample| sample.outcome == Outcome::NonZeroExit));
    let [row] = &end.not_measured[..] else { panic!("{:?}", end.not_measured) };
    assert_eq!((row.bench.as_str(), row.case.as_str()), ("bench", "bad"));
    assert_eq!(row.reason, "given up after 3 failures in a row: exit status 3; it said: why");
}

#[test]
fn two_failures_in_a_row_again_and_again_are_rows_and_no_reason_to_give_up() {
    let trial = Trial::new(&[("third", "")], 0, 9);
    let count = trial.folder.path().join("count");
    std::fs::write(&count, "0\n").unwrap();
    let count = count.display();
    let script = format!("read n < {count}; echo $((n + 1)) > {count}; [ $((n % 3)) = 2 ]");
    let start =
        Start::Engine { program: "/bin/sh".into(), args: vec!["-c".to_owned(), script], grants: Grants::default() };
    let trial = Trial { runs: Runs { starts: vec![start], ..trial.runs }, ..trial };
    let (end, samples) = trial.run_whole();
    let good: Vec<u32> =
        samples.iter().filter(|sample| sample.outcome == Outcome::Ok).map(|sample| sample.round).collect();
    assert_eq!((samples.len(), good), (9, vec![2, 5, 8]));
    assert!(end.not_measured.is_empty(), "{:?}", end.not_measured);
}

#[test]
fn each_way_to_fail_is_a_row_that_names_it() {
    let scripts = [("exit", "exit 7"), ("signal", "kill -SEGV $$"), ("output", "echo unasked")];
    let mut trial = Trial::new(&[&scripts[..], &[("absent", ""), ("no program", "")]].concat(), 0, 1);
    trial.runs.starts[3] = Start::Absent("it was not fetched".to_owned());
    trial.runs.starts[4] =
        Start::Engine { program: "/no/such/program".into(), args: Vec::new(), grants: Grants::default() };
    let (end, samples) = trial.run_whole();
    assert_eq!((end.status, samples.len()), (RunStatus::Complete, 5));
    for (case, outcome, says) in [
        ("exit", Outcome::NonZeroExit, "exit status 7"),
        ("signal", Outcome::Killed, "signal 11"),
        ("output", Outcome::WrongOutput, "unasked"),
        ("absent", Outcome::NotStarted, "it was not fetched"),
        ("no program", Outcome::NotStarted, "/no/such/program"),
    ] {
        let sample = of(&samples, case)[0];
        let reason = sample.reason.as_deref().unwrap_or_default();
        assert!(sample.outcome == outcome && reason.contains(says), "{case}: {:?} {reason}", sample.outcome);
    }
}

#[test]
fn a_run_that_reaches_its_time_limit_ends_and_the_rounds_go_on() {
    let mut trial = Trial::new(&[("hangs", "exec /bin/sleep 62.5"), ("good", ":")], 0, 2);
    trial.runs.timeout_ms = 50;
    trial.runs.starts[1] = Start::Engine { program: "/bin/true".into(), args: Vec::new(), grants: Grants::default() };
    let (end, samples) = trial.run_whole();
    assert_eq!((end.status, samples.len()), (RunStatus::Complete, 4));
    assert!(of(&samples, "hangs").iter().all(|sample| sample.outcome == Outcome::TimedOut));
}

#[test]
fn a_twin_is_measured_as_often_as_its_case_and_not_beside_it() {
    let (_, samples) = Trial::new(&[("case", ":"), ("case#2", ":"), ("other", ":")], 1, 4).run_whole();
    for name in ["case", "case#2", "other"] {
        let rounds: Vec<u32> = of(&samples, name).iter().map(|sample| sample.round).collect();
        assert_eq!(rounds, [0, 1, 2, 3, 4], "{name}");
        assert!(of(&samples, name).iter().all(|sample| sample.warmup == (sample.round == 0)));
    }
    let firsts = |round| of(&samples, "case").iter().find(|sample| sample.round == round).unwrap().position;
    assert!((0..5).any(|round| firsts(round) != firsts(0)), "every round has one order");
}

#[test]
fn a_case_that_fails_with_its_twin_is_one_row_and_a_twin_that_fails_alone_is_named() {
    let failed = |first, second| {
        let (end, _) = Trial::new(&[("case", first), ("case#2", second)], 0, 3).run_whole();
        end.not_measured.into_iter().map(|row| row.case).collect::<Vec<_>>()
    };
    assert_eq!(failed("exit 1", "exit 1"), ["case"]);
    assert_eq!(failed(":", "exit 1"), ["case#2"]);
}

#[test]
fn a_barred_cell_is_never_run_and_keeps_its_reason() {
    let mut trial = Trial::new(&[("good", ":"), ("barred", ":")], 0, 2);
    trial.barred.insert(Place { bench: 0, cell: 1 }, "it has no image".to_owned());
    let (end, samples) = trial.run_whole();
    assert_eq!((of(&samples, "good").len(), of(&samples, "barred").len()), (2, 0));
    assert_eq!(end.not_measured[0].reason, "it has no image");
}

#[test]
fn precision_is_looked_at_in_the_preset_rounds_alone() {
    let trial = Trial::new(&[("one", ":"), ("two", ":")], 1, 8).until(&[2, 4, 8], None);
    let looks = RefCell::new(Vec::new());
    let width = |samples: &[Sample]| {
        looks.borrow_mut().push(samples.len());
        // Narrow enough at the second look.
        Some(if looks.borrow().len() < 2 { 0.5 } else { 0.015 })
    };
    let (end, samples) = trial.run(&Stop::never().unwrap(), &width);
    // Two cells; the warm-up round does not count.
    assert_eq!(looks.into_inner(), [2 * 3, 2 * 5]);
    assert_eq!((samples.len(), end.status), (10, RunStatus::Complete));
    let until = end.until.unwrap();
    assert_eq!((until.reason, until.rounds, until.widest_percent), (UntilReason::Reached, 4, Some(1.5)));
}

#[test]
fn without_the_precision_wanted_it_ends_with_the_last_round() {
    let trial = Trial::new(&[("one", ":")], 0, 3).until(&[2, 3], None);
    let (end, samples) = trial.run(&Stop::never().unwrap(), &|_| Some(0.03));
    assert_eq!((samples.len(), end.until.unwrap().reason), (3, UntilReason::Rounds));
    let (end, _) = trial.run_whole();
    assert_eq!(end.until.unwrap().widest_percent, None);
}

#[test]
fn no_round_begins_when_the_budget_of_time_is_spent() {
    let cells = [("one", "exec /bin/sleep 0.02"), ("two", ":")];
    let trial = Trial::new(&cells, 0, 5).until(&[5], Some(20));
    let (end, samples) = trial.run(&Stop::never().unwrap(), &|_| Some(0.5));
    let until = end.until.unwrap();
    assert_eq!((until.reason, until.rounds, until.widest_percent), (UntilReason::Budget, 1, Some(50.0)));
    // A round that has begun is made whole: every cell is measured as often as the others.
    assert_eq!(samples.len(), 2);
    let (end, samples) = Trial::new(&cells, 0, 2).until(&[2], Some(3_600_000)).run_whole();
    assert_eq!((end.until.unwrap().reason, samples.len()), (UntilReason::Rounds, 4));
}

#[test]
fn a_wish_to_stop_between_runs_ends_before_the_next_one() {
    let stop = Stop::never().unwrap();
    let trial = Trial::new(&[("one", ":"), ("two", ":")], 0, 5).until(&[3], None);
    let width = |_: &[Sample]| {
        stop.request().unwrap();
        None
    };
    let (end, samples) = trial.run(&stop, &width);
    assert_eq!((end.status, samples.len(), end.until.is_none()), (RunStatus::Interrupted, 6, true));
    let (end, samples) = trial.run(&stop, &|_| None);
    assert_eq!((end.status, samples.len(), end.timed_ns), (RunStatus::Interrupted, 0, 0));
}

#[test]
fn a_wish_to_stop_ends_the_run_that_is_going_on_and_leaves_no_row_of_it() {
    let mut trial = Trial::new(&[("endless", "")], 0, 2);
    let begun = trial.folder.path().join("begun");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &begun, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let script = format!("echo > {}; exec /bin/sleep 65.5", begun.display());
    trial.runs.starts[0] =
        Start::Engine { program: "/bin/sh".into(), args: vec!["-c".to_owned(), script], grants: Grants::default() };
    let stop = Stop::never().unwrap();
    let wish = stop.another().unwrap();
    let (end, samples) = std::thread::scope(|scope| {
        scope.spawn(move || {
            // Returns when the program has begun.
            std::fs::read(&begun).unwrap();
            wish.request().unwrap();
        });
        trial.run(&stop, &|_| None)
    });
    assert_eq!((end.status, samples.len()), (RunStatus::Interrupted, 0));
    assert!(end.rounds_wall_ns < 60_000_000_000);
}

#[test]
fn samples_that_can_not_be_written_end_the_rounds_with_the_reason() {
    let end = Trial::new(&[("one", ":")], 0, 2).run_into(Path::new("/dev/full"), &Stop::never().unwrap(), &|_| None);
    assert_eq!((end.status, end.samples), (RunStatus::Failed, 0));
    assert!(end.reason.unwrap().contains("/dev/full"));
}
