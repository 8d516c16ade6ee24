use super::analysis::analyse;
use super::metric::{CGROUP, CPU, FILES, PROCESSES, THREADS, WAKEUPS};
use super::*;
use crate::analysis::fixture;
use crate::case::Cell;
use crate::{Manifest, NotMeasured};

const CASE: &str = "native/runc";
const MIB: u64 = 1 << 20;

fn manifest(rounds: u32) -> Manifest {
    let mut manifest = fixture::manifest(rounds);
    manifest.cells.retain(|cell: &Cell| cell.name == CASE);
    assert_eq!(manifest.cells.len(), 1);
    let limits = NodeLimits { pids: Some(1_000), threads: None, files: None, mounts: None, processors: Some(2) };
    manifest.density = Some(Plan {
        levels: vec![1, 2, 4],
        settle_ms: 1,
        hold_ms: 2_000,
        at_once: vec![2],
        starts_at_once: 4,
        churn: 0,
        dirty_mib: 0,
        limits,
    });
    manifest
}

/// 10 MiB at none, 3 MiB, two processes of two threads, five wake-ups and 1 ms of CPU in a second for each instance.
fn readings(rounds: u32) -> Vec<Line> {
    let reading = |repetition: u32, n: u32| {
        let instances = u64::from(n);
        // What differs between repetitions, and within one.
        let noise = u64::from(repetition) * 1_000 + instances % 3;
        Line::Reading(Reading {
            case: CASE.to_owned(),
            repetition,
            position: 0,
            n,
            hold_ns: 2_000_000_000,
            values: [
                (CGROUP, 10 * MIB + instances * 3 * MIB + noise),
                (PROCESSES, 2 * instances),
                (THREADS, 4 * instances),
                (WAKEUPS, 10 * instances),
                (CPU, 2_000_000 * instances),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            not_read: [(FILES.to_owned(), "a door is closed".to_owned())].into(),
        })
    };
    (0..rounds).flat_map(|repetition| [0, 1, 2, 4].map(|n| reading(repetition, n))).collect()
}

fn slope(arm: &Arm, metric: &str) -> Spread {
    arm.per_instance.iter().find(|row| row.metric == metric).unwrap().slope
}

#[test]
fn the_slope_is_what_each_instance_takes_and_rates_are_by_the_second() {
    let summary = analyse(&manifest(6), &readings(6));
    let arm = &summary.arms[0];
    assert_eq!((arm.repetitions, arm.instances_max), (6, 4));
    let memory = slope(arm, CGROUP);
    assert!((memory.value / (3.0 * MIB as f64) - 1.0).abs() < 1e-3, "{memory:?}");
    assert!(memory.low.unwrap() <= memory.value && memory.value <= memory.high.unwrap(), "{memory:?}");
    for (name, truth) in [(PROCESSES, 2.0), (THREADS, 4.0), (WAKEUPS, 5.0), (CPU, 1e6)] {
        assert!((slope(arm, name).value - truth).abs() < 1e-6 * truth, "{name}");
    }
    assert!(summary.warnings.is_empty(), "{:?}", summary.warnings);
}

#[test]
fn what_could_not_be_read_is_a_row_with_its_reason_and_no_zero() {
    let summary = analyse(&manifest(6), &readings(6));
    assert!(summary.arms[0].per_instance.iter().all(|row| row.metric != FILES));
    let [NotMeasured { case, metric, reason, .. }] = &summary.not_measured[..] else { panic!() };
    assert_eq!((case.as_str(), metric.as_deref(), reason.as_str()), (CASE, Some(FILES), "a door is closed"));
}

#[test]
fn below_six_repetitions_there_is_no_interval_and_that_is_said() {
    let summary = analyse(&manifest(3), &readings(3));
    assert!(slope(&summary.arms[0], CGROUP).low.is_none());
    assert!(summary.warnings[0].what.contains("no intervals"), "{:?}", summary.warnings);
}

/// 1,000 process ids for 4 threads each are tighter than 16 GiB for 3 MiB each.
#[test]
fn the_tightest_limit_is_named_and_a_limit_that_nobody_knows_is_left_out() {
    let capacity = analyse(&manifest(6), &readings(6)).arms[0].capacity.clone().unwrap();
    assert_eq!((capacity.instances, capacity.limited_by.as_str()), (250, "pids"));
    let names: Vec<&str> = capacity.limits.iter().map(|limit| limit.what.as_str()).collect();
    assert_eq!(names, ["pids", "processors", "memory"]);
    assert_eq!(capacity.limits[1].instances, 2_000);
    // (16,384 MiB − 10 MiB) / 3 MiB = 5,458, and a little less for what differs between repetitions.
    let memory = &capacity.limits[2];
    assert!((5_455..=5_458).contains(&memory.instances), "{memory:?}");
    assert!(memory.low.unwrap() <= memory.instances && memory.high.unwrap() >= memory.instances, "{memory:?}");
    let mut unlimited = manifest(6);
    unlimited.density.as_mut().unwrap().limits = NodeLimits::default();
    assert_eq!(analyse(&unlimited, &readings(6)).arms[0].capacity.clone().unwrap().limited_by, "memory");
}

#[test]
fn starts_have_a_first_a_last_and_what_each_waiting_instance_adds() {
    let start = |repetition: u32, n: u32| {
        let start_ns = 50_000_000 + u64::from(n - 1) * 1_000_000;
        Line::Start(Start { case: CASE.to_owned(), repetition, n, start_ns })
    };
    let mut lines: Vec<Line> = (0..6).flat_map(|repetition| (1..=4).map(move |n| start(repetition, n))).collect();
    lines.extend(readings(6));
    for repetition in 0..6 {
        lines.push(Line::AtOnce(AtOnce {
            case: CASE.to_owned(),
            repetition,
            at_once: 2,
            wall_ns: 200_000_000,
            start_ns: vec![90_000_000, 100_000_000, 95_000_000, 99_000_000],
        }));
    }
    let summary = analyse(&manifest(6), &lines);
    let starts = summary.arms[0].starts.as_ref().unwrap();
    assert_eq!((starts.first_ns.value, starts.last_ns.value), (50e6, 53e6));
    assert!((starts.per_instance_ns.value - 1e6).abs() < 1.0);
    let [at_once] = &summary.arms[0].at_once[..] else { panic!() };
    assert_eq!((at_once.per_second.value, at_once.latency_ns.n, at_once.latency_p95_ns), (20.0, 24, None));
}

fn churn(grows_by: u64) -> Vec<Line> {
    let reading = |index: u32| {
        Line::Churn(ChurnReading {
            case: CASE.to_owned(),
            containers: index * 25,
            values: [(
                "containerd_pss_bytes".to_owned(),
                40 * MIB + u64::from(index) * 25 * grows_by + u64::from(index * 7919 % 5),
            )]
            .into(),
            not_read: std::collections::BTreeMap::new(),
        })
    };
    (0..=20).map(reading).collect()
}

#[test]
fn a_leak_is_found_and_none_is_seen_where_there_is_none() {
    let grown = analyse(&manifest(1), &churn(4096));
    let [growth] = &grown.arms[0].churn[..] else { panic!() };
    assert!((growth.per_container.value - 4096.0).abs() < 1.0 && growth.containers == 500, "{growth:?}");
    assert!(grown.warnings.iter().any(|warning| warning.what.contains("grew")), "{:?}", grown.warnings);
    let still = analyse(&manifest(1), &churn(0));
    let growth = &still.arms[0].churn[0].per_container;
    assert!(growth.low.unwrap() <= 0.0 && growth.high.unwrap() >= 0.0, "{growth:?}");
    assert!(still.warnings.is_empty(), "{:?}", still.warnings);
}

#[test]
fn what_is_left_is_a_warning() {
    let mut lines = readings(6);
    let left = |processes: u64| {
        Line::Left(Left {
            case: CASE.to_owned(),
            repetition: 0,
            values: [("processes".to_owned(), processes), ("mounts".to_owned(), 0)].into(),
        })
    };
    lines.extend([left(0), left(3), left(0)]);
    let summary = analyse(&manifest(6), &lines);
    assert_eq!(summary.arms[0].left["processes"], 3);
    assert!(summary.warnings[0].what.contains("3 processes"), "{:?}", summary.warnings);
}

#[test]
fn lines_are_read_back_and_a_broken_one_is_named() {
    let lines = readings(1);
    let mut bytes = Vec::new();
    for line in &lines {
        bytes.extend(serde_json::to_vec(line).unwrap());
        bytes.push(b'\n');
    }
    assert_eq!(parse(&bytes), (lines.clone(), Vec::new()));
    bytes.truncate(bytes.len() - 5);
    let (read, lost) = parse(&bytes);
    assert_eq!((read.len(), lost), (lines.len() - 1, vec!["line 4 breaks off".to_owned()]));
}
