use super::*;
use crate::fixture;
use results::density::metric::{CGROUP, WAKEUPS};
use results::density::{Arm, AtOnceSummary, Capacity, Growth, Limit, PerInstance, Spread, Starts};
use results::{NotMeasured, Warning};

const fn spread(value: f64, width: f64) -> Spread {
    Spread { value, low: Some(value - width), high: Some(value + width), n: 6 }
}

fn run() -> DensityRun {
    let row =
        |metric: &str, slope: Spread| PerInstance { metric: metric.to_owned(), slope, at_none: 0.0, misfit: None };
    let limit = |what: &str, instances| Limit {
        what: what.to_owned(),
        metric: CGROUP.to_owned(),
        instances,
        low: Some(instances - 10),
        high: Some(instances + 10),
    };
    let arm = Arm {
        case: "native/runc".to_owned(),
        repetitions: 6,
        instances_max: 32,
        per_instance: vec![row(CGROUP, spread(5_012_000.0, 40_000.0)), row(WAKEUPS, spread(98.0, 3.0))],
        starts: Some(Starts {
            first_ns: spread(60e6, 2e6),
            last_ns: spread(63e6, 2e6),
            per_instance_ns: spread(0.1e6, 0.02e6),
        }),
        at_once: vec![AtOnceSummary {
            at_once: 4,
            per_second: spread(31.0, 2.0),
            latency_ns: spread(120e6, 4e6),
            latency_p95_ns: Some(150e6),
        }],
        churn: vec![Growth {
            metric: "containerd_pss_bytes".to_owned(),
            per_container: spread(100.0, 300.0),
            first: 47_000_000,
            last: 47_100_000,
            containers: 500,
        }],
        left: [("processes".to_owned(), 0), ("mounts".to_owned(), 2)].into(),
        capacity: Some(Capacity {
            memory_bytes: 16 << 30,
            instances: 2_651,
            low: Some(2_641),
            high: Some(2_661),
            limited_by: "pids".to_owned(),
            limits: vec![limit("pids", 2_651), limit("memory", 3_427)],
        }),
    };
    let summary = DensitySummary {
        schema: results::SCHEMA,
        run: "a-run".to_owned(),
        arms: vec![arm],
        warnings: vec![Warning {
            what: "something was left".to_owned(),
            advice: "look".to_owned(),
            effect: results::Effect::Conclusion,
        }],
        not_measured: vec![NotMeasured {
            bench: "wait".to_owned(),
            case: "native/runc".to_owned(),
            metric: Some("mounts".to_owned()),
            reason: "a <door> is closed".to_owned(),
        }],
    };
    DensityRun { manifest: fixture::complete().manifest, summary }
}

/// What one form says, the others say.
#[test]
fn every_form_has_every_number_with_its_interval() {
    let run = run();
    let files = files(&run).unwrap();
    let text = |name: &str| files.iter().find(|(file, _)| *file == name).unwrap().1.clone();
    let shown = shown(&run, ColourChoice::Plain);
    for form in [&shown, &text("README.md"), &text("report.html")] {
        // Markdown has a backslash before a bracket.
        let form = form.replace('\\', "").split_whitespace().collect::<Vec<_>>().join(" ");
        for words in
            ["5.01", "[4.97, 5.05]", "98", "2651", "2641", "3427", "[29, 33]", "150", "47.1 MB", "A node with 16 GiB"]
        {
            assert!(form.contains(words), "no `{words}` in {form}");
        }
        assert!(form.contains("door"), "what was not measured is missing: {form}");
    }
    assert!(!text("report.html").contains("<door>"), "text from elsewhere is markup");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[test]
fn what_was_not_measured_has_no_table() {
    let mut run = run();
    run.summary.arms.clear();
    let shown = shown(&run, ColourChoice::Plain);
    assert!(!shown.contains("One more idle instance") && shown.contains("How it was made"), "{shown}");
}
