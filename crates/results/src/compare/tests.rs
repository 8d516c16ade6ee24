//! Two made-up runs, with one thing changed at a time.

use super::differences::DifferenceKind;
use super::gate::{GateOutcome, Threshold, Undecided};
use super::*;
use crate::analysis::fixture::{fail, manifest, samples, slow};
use crate::case::Cell;

/// Run A, and a run B with another seed and whatever the two functions change.
fn compared(
    rounds: u32,
    change: impl Fn(&mut Manifest),
    disturb: impl Fn(&mut Sample),
    threshold: Option<f64>,
) -> RunComparison {
    let old = manifest(rounds);
    let old_samples = samples(&old);
    let mut new = manifest(rounds);
    new.seed = 43;
    new.run = "later".to_owned();
    let mut new_samples = samples(&new);
    change(&mut new);
    new_samples.iter_mut().for_each(disturb);
    let runs = Runs {
        a: Run { manifest: &old, samples: &old_samples, lost: &[] },
        b: Run { manifest: &new, samples: &new_samples, lost: &[] },
    };
    compare(runs, &Wanted { margin: None, gate: threshold.map(times) })
}

fn row<'a>(comparison: &'a RunComparison, bench: &str, case: &str) -> &'a Row {
    comparison.rows.iter().find(|row| row.bench == bench && row.case == case).unwrap()
}

/// A gate on times, in percent.
fn times(percent: f64) -> GateLimits {
    GateLimits { time: Threshold::new(percent / 100.0), ..GateLimits::default() }
}

fn nothing<T>(_: &mut T) {}

#[test]
fn two_runs_of_the_same_differ_in_nothing() {
    let ours = compared(30, nothing, nothing, Some(5.0));
    assert_eq!(ours.differences, []);
    assert_eq!(ours.refusals().len(), 0);
    assert_eq!((ours.rows.len(), ours.not_compared.len()), (5 * 7, 0));
    assert!(matches!(ours.canary, Canary::Steady(_)), "{:?}", ours.canary);
    assert!(ours.rows.iter().all(|row| row.normalised.is_none()));
    for row in &ours.rows {
        let ratio = row.ratio.unwrap();
        assert!(ratio.ci_low.unwrap() <= ratio.value && ratio.value <= ratio.ci_high.unwrap());
        assert!(!matches!(ratio.verdict, Verdict::Faster | Verdict::Slower), "{row:?}");
    }
    assert_eq!(ours.gate.unwrap().outcome, GateOutcome::Passed);
    assert!(ours.method.starts_with("unpaired"));
}

#[test]
fn another_machine_or_stack_is_refused_and_another_program_is_not() {
    let ours = compared(
        6,
        |manifest| {
            manifest.machine.kernel = Some("Linux 7.0".to_owned());
            manifest.machine.governor = None;
            manifest.source.toolchain = "rustc 1.96.0".to_owned();
            manifest.packages[0].version = "1.2".to_owned();
            manifest.programs[0].version = "2.0".to_owned();
            manifest.artifacts[1].sha256 = "f0".repeat(32);
            manifest.source.revision = "ffff".to_owned();
            manifest.rounds = 7;
        },
        nothing,
        None,
    );
    let refused: Vec<&str> = ours.refusals().iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(
        refused,
        ["machine.governor", "machine.kernel", "toolchain", "program containerd", "package runc amd64"]
    );
    let allowed: Vec<&str> = ours
        .differences
        .iter()
        .filter(|difference| difference.kind.likeness() == Likeness::Like)
        .map(|difference| difference.what.as_str())
        .collect();
    assert_eq!(allowed, ["revision", "artifact array-sum wasm", "rounds"]);
    assert_eq!(ours.differences[0].b, None);
    assert_eq!(ours.gate, None);
}

/// A run with more rows was refused beside one with fewer, for the runtimes of the further rows.
#[test]
fn a_program_that_only_one_run_needed_spoils_no_row() {
    let ours = compared(
        6,
        |manifest| {
            let mut further = manifest.programs[0].clone();
            further.name = "crun".to_owned();
            manifest.programs.push(further);
        },
        nothing,
        None,
    );
    assert_eq!(ours.refusals(), Vec::<&Difference>::new());
    assert!(ours.differences.iter().any(|difference| difference.what == "program crun"));
}

#[test]
fn a_program_that_the_project_built_is_what_one_wants_to_compare() {
    let ours = compared(
        6,
        |manifest| {
            assert_eq!(manifest.programs[1].origin, "built");
            manifest.programs[1].sha256 = "aa".repeat(32);
        },
        nothing,
        None,
    );
    assert_eq!(ours.differences.len(), 1);
    assert_eq!(ours.differences[0].kind, DifferenceKind::Program);
}

/// The toolbox's programs are patched, and the shim is linked, for the path of their checkout.
#[test]
fn two_checkouts_with_the_same_software_differ_in_nothing() {
    let packaged = |manifest: &mut Manifest, digest: &str| {
        manifest.programs[0].package = Some("containerd".to_owned());
        manifest.programs[0].sha256_unpatched = Some(digest.repeat(32));
        manifest.programs[1].source_sha256 = Some(digest.repeat(32));
    };
    let elsewhere = |manifest: &mut Manifest| {
        manifest.programs.iter_mut().for_each(|program| program.sha256 = "ee".repeat(32));
    };
    let [mut old, mut new] = [manifest(6), manifest(6)];
    let whats = |old: &Manifest, new: &Manifest| {
        differences::differences([old, new]).into_iter().map(|each| each.what).collect::<Vec<_>>()
    };
    packaged(&mut old, "ab");
    packaged(&mut new, "ab");
    elsewhere(&mut new);
    assert_eq!(whats(&old, &new), [""; 0]);
    packaged(&mut new, "cd");
    assert_eq!(whats(&old, &new), ["program containerd", "program containerd-shim-wasmedge-v1"]);
    // A run that was recorded before: its packages and versions speak for it, and its shim is another file.
    assert_eq!(whats(&manifest(6), &new), ["program containerd-shim-wasmedge-v1"]);
    assert!(compared(6, elsewhere, nothing, None).refusals().is_empty());
    new.programs[0].origin = "host".to_owned();
    assert!(whats(&old, &new).contains(&"program containerd".to_owned()));
}

#[test]
fn a_slower_case_closes_the_gate_and_the_others_do_not() {
    let slower = |sample: &mut Sample| {
        if sample.case == "wasm-aot/wasmedge" && sample.bench == "noop" {
            slow(sample, 1.3);
        }
    };
    let gate = compared(30, nothing, slower, Some(5.0)).gate.unwrap();
    assert_eq!(gate.outcome, GateOutcome::Failed);
    assert_eq!(gate.above, ["noop wasm-aot/wasmedge"]);
    let wide = compared(30, nothing, slower, Some(30.0)).gate.unwrap();
    assert_eq!(wide.outcome, GateOutcome::Passed);
    assert_eq!(wide.undecided, ["noop wasm-aot/wasmedge"]);
}

#[test]
fn a_step_of_the_machine_is_told_from_a_change_of_a_case() {
    let stepped = |sample: &mut Sample| {
        slow(sample, 1.25);
        if sample.case == "wasm-aot/wasmedge" && sample.bench == "array-sum" {
            slow(sample, 1.4);
        }
    };
    let ours = compared(40, nothing, stepped, Some(5.0));
    let Canary::Stepped(witness) = &ours.canary else { panic!("{:?}", ours.canary) };
    assert_eq!((witness.bench.as_str(), witness.case.as_str(), &witness.caveat), ("noop", "native/runc", &None));
    let changed = row(&ours, "array-sum", "wasm-aot/wasmedge");
    assert!((changed.ratio.unwrap().value / 1.75 - 1.0).abs() < 0.05);
    assert!((changed.normalised.unwrap().value / 1.4 - 1.0).abs() < 0.05);
    assert_eq!(ours.gate.unwrap().above, ["array-sum wasm-aot/wasmedge"]);
}

#[test]
fn a_canary_that_was_rebuilt_says_so_and_one_without_containers_is_the_process() {
    let ours = compared(
        10,
        |manifest| {
            manifest.artifacts.push(crate::ArtifactRecord {
                program: "noop".to_owned(),
                kind: "native".to_owned(),
                target: "t".to_owned(),
                size_bytes: 1,
                sha256: "00".repeat(32),
            });
        },
        |sample| {
            if sample.case == "native/runc" {
                fail(sample, "needs root");
            }
        },
        Some(5.0),
    );
    let Canary::Steady(witness) = &ours.canary else { panic!("{:?}", ours.canary) };
    assert_eq!(witness.case, "native/process");
    assert!(witness.caveat.as_ref().unwrap().contains("not the same in both runs"));
    let gate = ours.gate.unwrap();
    assert_eq!((gate.outcome, gate.missing.len()), (GateOutcome::Incomplete, 5));
}

#[test]
fn other_benches_and_cells_are_listed_not_compared() {
    let ours = compared(
        6,
        |manifest| {
            manifest.benches[0].args = vec!["--n".to_owned(), "5".to_owned()];
            manifest.benches[1].name = "new".to_owned();
            manifest.cells.retain(|cell| cell.name != "wasm-aot/process");
            let mut other = manifest.cells[0].case.clone();
            other.name = "native/youki".to_owned();
            manifest.cells.push(Cell::of(other));
        },
        nothing,
        Some(0.0),
    );
    let reasons: Vec<String> = ours
        .not_compared
        .iter()
        .map(|not| format!("{} {}: {}", not.bench, not.case.as_deref().unwrap_or("*"), not.reason))
        .collect();
    expect_test::expect![[r"
        array-sum *: its program, arguments or expected output are not the same in both runs
        noop *: only run A has this bench
        new *: only run B has this bench
        sweep/1000 wasm-aot/process: only run A has it
        sweep/100000 wasm-aot/process: only run A has it
        sweep/10000000 wasm-aot/process: only run A has it
        sweep/1000 native/youki: only run B has it
        sweep/100000 native/youki: only run B has it
        sweep/10000000 native/youki: only run B has it"]]
    .assert_eq(&reasons.join("\n"));
    assert_eq!(ours.refusals().iter().filter(|each| each.kind == DifferenceKind::Task).count(), 1);
    assert!(matches!(ours.canary, Canary::Unknown { .. }));
}

#[test]
fn a_run_without_containers_and_one_with_some_benches_less_are_not_unlike() {
    let ours = compared(
        8,
        |manifest| {
            manifest.host = None;
            manifest.benches.truncate(2);
        },
        nothing,
        None,
    );
    assert_eq!(ours.refusals().len(), 0, "{:?}", ours.refusals());
    assert_eq!((ours.rows.len(), ours.not_compared.len()), (2 * 7, 3));
}

#[test]
fn empty_and_short_runs_are_compared_without_a_panic() {
    for rounds in [0, 1, 2, 5] {
        let ours = compared(rounds, nothing, nothing, Some(5.0));
        assert!(ours.rows.iter().all(|row| row.ratio.is_none_or(|ratio| ratio.ci_low.is_none())));
        assert!(matches!(ours.canary, Canary::Unknown { .. }));
        let expected = if rounds == 0 { GateOutcome::Passed } else { GateOutcome::Incomplete };
        assert_eq!(ours.gate.unwrap().outcome, expected);
    }
}

#[test]
fn it_is_json_for_programs() {
    let ours = compared(8, nothing, nothing, Some(5.0));
    let value = serde_json::to_value(&ours).unwrap();
    assert_eq!(value["canary"]["state"], "steady");
    assert_eq!(value["gate"]["outcome"], "passed");
    assert_eq!(value["rows"][0]["case"], "native/process");
}

/// Run A against itself with other noise: no row is slower, and at 1 % no row is decided.
#[test]
fn a_strict_gate_fails_on_what_it_can_not_see() {
    let [old, mut new] = [manifest(8), manifest(8)];
    new.seed = 43;
    let [old_samples, new_samples] = [samples(&old), samples(&new)];
    let judged = |limits: GateLimits| {
        let runs = Runs {
            a: Run { manifest: &old, samples: &old_samples, lost: &[] },
            b: Run { manifest: &new, samples: &new_samples, lost: &[] },
        };
        compare(runs, &Wanted { margin: None, gate: Some(limits) })
    };
    let lenient = judged(times(1.0)).gate.unwrap();
    assert_eq!(lenient.outcome, GateOutcome::Passed);
    assert!(lenient.undecided.len() > lenient.rows / 2, "{lenient:?}");
    let strict = judged(GateLimits { undecided: Undecided::Fails, ..times(1.0) });
    assert_eq!(strict.gate.unwrap().outcome, GateOutcome::Undecided);
    let wide = judged(GateLimits { undecided: Undecided::Fails, ..times(60.0) });
    assert_eq!(wide.gate.unwrap().outcome, GateOutcome::Passed);
}

/// By hand: a ratio of 1 whose interval begins at 0.8 has its interval above 1.05 when the true ratio is 1.3125.
#[test]
fn the_smallest_slow_down_that_could_have_been_seen_follows_from_the_interval() {
    let estimate = Estimate { value: 1.0, interval: Some(stats::Interval { low: 0.8, high: 1.2, confidence: 0.95 }) };
    let ratio = Ratio::new(&estimate, Margin::new(0.02), 1.05);
    assert!((ratio.smallest_slowdown.unwrap() - 0.3125).abs() < 1e-12);
    let ours = compared(30, nothing, nothing, Some(5.0));
    let seen = ours.sensitivity.clone().unwrap();
    assert!(0.05 < seen.best && seen.best <= seen.worst && seen.worst < 1.0, "{seen:?}");
    // A slow-down of just that size is seen, and one of half of it is not.
    let of = row(&ours, "array-sum", "wasm-aot/wasmedge").ratio.unwrap();
    let gated = |share: f64| {
        let factor = (1.0 + of.smallest_slowdown.unwrap() * share) / of.value;
        let is_it = |sample: &Sample| sample.bench == "array-sum" && sample.case == "wasm-aot/wasmedge";
        let slower = |sample: &mut Sample| {
            if is_it(sample) {
                slow(sample, factor);
            }
        };
        compared(30, nothing, slower, Some(5.0)).gate.unwrap().above
    };
    assert_eq!(gated(1.01), ["array-sum wasm-aot/wasmedge"]);
    assert!(gated(0.5).is_empty());
    assert_eq!(compared(3, nothing, nothing, None).sensitivity, None);
}

#[test]
fn sizes_are_compared_and_gated() {
    let grown = |manifest: &mut Manifest| {
        manifest.artifacts[0].size_bytes = manifest.artifacts[0].size_bytes * 103 / 100;
        manifest.artifacts.remove(2);
    };
    let [old, mut new] = [manifest(6), manifest(6)];
    grown(&mut new);
    let sizes = sizes::changes([&old, &new]);
    assert_eq!(sizes.len(), 3 + 3 + 1);
    assert_eq!((sizes[0].name().as_str(), sizes[0].ratio), ("array-sum native binary", Some(1.03)));
    assert_eq!((sizes[6].a_bytes, sizes[6].b_bytes), (Some(190_000), None));
    let judged = |percent: f64, of: &[SizeChange]| {
        gate((&[], of), GateLimits { size: Threshold::new(percent / 100.0), ..GateLimits::default() })
    };
    let image = new.images.iter().find(|image| image.kind == "native").unwrap();
    let image = crate::ImageRecord { image: Some("based".to_owned()), ..image.clone() };
    let more = sizes::changes([&old, &Manifest { images: [new.images.clone(), vec![image]].concat(), ..new.clone() }]);
    let names: Vec<String> = more.iter().skip(sizes.len()).map(sizes::SizeChange::name).collect();
    assert_eq!(names, ["array-sum based image pulled", "array-sum based image unpacked"]);
    let closed = judged(2.0, &sizes);
    assert_eq!((closed.outcome, closed.sizes_above), (GateOutcome::Failed, vec!["array-sum native binary".to_owned()]));
    assert_eq!(judged(5.0, &sizes).outcome, GateOutcome::Incomplete);
    assert_eq!(judged(5.0, &sizes[..6]).outcome, GateOutcome::Passed);
    assert_eq!(judged(0.0, &sizes::changes([&old, &old])).outcome, GateOutcome::Passed);
}

#[test]
fn a_margin_that_is_asked_for_replaces_that_of_the_runs() {
    let of = manifest(30);
    let all = samples(&of);
    let run = Run { manifest: &of, samples: &all, lost: &[] };
    let ours = compare(Runs { a: run, b: run }, &Wanted { margin: Some(Margin::new(0.5)), gate: None });
    assert!((ours.delta - 0.5).abs() < 1e-12);
    assert!(ours.rows.iter().all(|row| row.ratio.unwrap().verdict == Verdict::Same));
}

#[test]
fn a_threshold_is_a_number_from_0() {
    assert_eq!(Threshold::new(0.05).map(Threshold::value), Some(0.05));
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Threshold::new(wrong), None);
    }
}
