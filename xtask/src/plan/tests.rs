//! What a plan builds, ships and runs, in which order.

use super::*;
use crate::bench::calibration::Walks;
use crate::matrix::tests::ours;
use std::collections::HashSet;

#[test]
fn pods_need_the_image_of_their_sandboxes() {
    let plan_of = |case: &str| {
        let cases = ours().select(&[case.to_owned()], &[]).unwrap();
        plan(Vec::new(), (&ours(), &cases), Rounds { warmup: 0, counted: 1, seed: 1 }).unwrap()
    };
    let pods = plan_of("native/cri-runc");
    assert!(pods.builds.contains(&Build { program: PAUSE.to_owned(), kind: Kind::Native }));
    assert!(pods.is_shipped(PAUSE, Kind::Native));
    assert!(plan_of("native/runc").builds.is_empty());
}

fn schedule(seed: u64) -> Schedule {
    let cells: Vec<Cell> = ours().select(&[], &[]).unwrap().into_iter().map(Cell::of).collect();
    Schedule::new(2, cells, Rounds { warmup: 1, counted: 3, seed })
}

#[test]
fn every_round_has_every_cell_once() {
    for round in 0..4 {
        let slots = schedule(1).round(round);
        let distinct: HashSet<_> = slots.iter().map(|slot| (slot.place.bench, slot.place.cell)).collect();
        assert_eq!((slots.len(), distinct.len()), (14, 14));
        assert!(slots.iter().all(|slot| slot.warmup == (round == 0)));
    }
}

#[test]
fn the_order_follows_the_seed_and_differs_between_rounds() {
    assert_eq!(schedule(1).round(2), schedule(1).round(2));
    let order = |seed, round| schedule(seed).round(round).iter().map(|slot| slot.place).collect::<Vec<_>>();
    assert_ne!(order(1, 1), order(1, 2));
    assert_ne!(order(1, 1), order(2, 1));
}

#[test]
fn baselines_have_twins_and_a_lone_case_has_one_too() {
    let ours = ours();
    let twins = |patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let cases = ours.select(&patterns, &[]).unwrap();
        let plan = plan(Vec::new(), (&ours, &cases), Rounds { warmup: 0, counted: 1, seed: 0 }).unwrap();
        plan.cells.iter().filter(|cell| cell.is_twin()).map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(twins(&[]), ["native/process#2", "native/runc#2"]);
    assert_eq!(twins(&["wasm-interpreter/wasmedge"]), ["wasm-interpreter/wasmedge#2"]);
}

#[test]
fn a_plan_assembles_what_its_cells_run_and_the_default_of_each_kind() {
    let ours = ours();
    let mut cases = ours.select(&["wasm-aot/process".to_owned(), "native/runc".to_owned()], &[]).unwrap();
    cases[1].image = Some("other".to_owned());
    let plan = plan(Vec::new(), (&ours, &cases), Rounds { warmup: 0, counted: 1, seed: 0 }).unwrap();
    assert_eq!(plan.images_to_run().into_iter().collect::<Vec<_>>(), [(Kind::Native, "other")]);
    let builds = [Kind::Native, Kind::WasmAot].map(|kind| Build { program: "a".to_owned(), kind });
    let plan = Plan { builds: builds.into(), ..plan };
    assert_eq!(plan.images().into_iter().collect::<Vec<_>>(), ["native", "other", "wasm-aot"]);
}

#[test]
fn a_calibration_is_built_in_the_forms_of_modules_and_natively_and_is_not_what_is_measured() {
    let ours = ours();
    let expected = Walks { position: 0 };
    let calibration = Calibration { program: "c".to_owned(), args: Vec::new(), endless: Vec::new(), expected };
    let planned = |pattern: &str| {
        let cases = ours.select(&[pattern.to_owned()], &[]).unwrap();
        let rounds = Rounds { warmup: 0, counted: 1, seed: 0 };
        plan(Vec::new(), (&ours, &cases), rounds).unwrap().looking(calibration.clone())
    };
    let aot = planned("wasm-aot/wasmedge");
    let built: Vec<Kind> = aot.all_builds().into_iter().map(|build| build.kind).collect();
    assert_eq!((built, aot.builds.len()), (vec![Kind::Native, Kind::WasmAot], 0));
    assert!(aot.is_shipped("c", Kind::WasmAot) && !aot.is_shipped("c", Kind::Native) && !aot.measures("c"));
    assert!(!planned("wasm-aot/process").is_shipped("c", Kind::WasmAot));
    let looked = planned("native/runc").all_builds();
    assert_eq!(looked, [Build { program: SURROUNDINGS.to_owned(), kind: Kind::Native }]);
    assert!(planned("native/process").all_builds().is_empty());
}

#[test]
fn traced_rounds_have_the_stamped_programs_and_no_twins() {
    let ours = ours();
    let cases = ours.select(&["*/process".to_owned()], &[]).unwrap();
    let benches = crate::bench::parse(include_str!("../../../workload/benches.toml")).unwrap();
    let rounds = Rounds { warmup: 1, counted: 2, seed: u64::MAX };
    let plain = plan(benches, (&ours, &cases), rounds).unwrap();
    let built = plain.builds.len();
    let traced = plain.with_traces().unwrap();
    let programs = |traced: &TracedPlan| -> Vec<_> {
        traced.benches.iter().map(|bench| (bench.name.clone(), bench.program.clone())).collect()
    };
    let found = traced.traced.as_ref().unwrap();
    let both = ["array-sum", "noop"].map(|name| (name.to_owned(), format!("{name}-stamped")));
    assert_eq!(programs(found), both);
    let forms: std::collections::BTreeSet<Kind> = cases.iter().map(|case| case.form).collect();
    assert_eq!((found.schedule.slots_per_round(), found.schedule.rounds().seed), (2 * cases.len(), 0));
    assert_eq!(traced.builds.len(), built + 2 * forms.len());
    let none = plan(Vec::new(), (&ours, &cases), rounds).unwrap().with_traces();
    assert!(none.unwrap_err().to_string().contains("`stamped`"));
    // Somebody's own program prints no clock: it is traced as it is, and nothing more is built.
    let own = Bench { tracing: Tracing::AsItIs, ..found.benches[0].clone() };
    let plain = plan(vec![own.clone()], (&ours, &cases), rounds).unwrap();
    let traced = plain.clone().with_traces().unwrap();
    assert_eq!((traced.traced.unwrap().benches, traced.builds), (vec![own], plain.builds));
}

#[test]
fn what_is_compiled_for_first_use_is_built_as_a_module_too() {
    let ours = ours();
    let benches = crate::bench::parse(include_str!("../../../workload/benches.toml")).unwrap();
    let built = |pattern: &str| {
        let cases = ours.select(&[pattern.to_owned()], &[]).unwrap();
        let rounds = Rounds { warmup: 0, counted: 1, seed: 0 };
        let plan = plan(vec![benches[0].clone()], (&ours, &cases), rounds).unwrap().with_modules(&ours);
        plan.builds.into_iter().map(|build| build.kind).collect::<Vec<_>>()
    };
    assert_eq!(built("wasm-aot/process"), [Kind::WasmAot, Kind::Wasm]);
    assert_eq!(built("native/process"), [Kind::Native]);
}

#[test]
fn a_plan_names_the_programs_that_its_cases_need() {
    let ours = ours();
    let programs = |pattern: &str| {
        let cases = ours.select(&[pattern.to_owned()], &[]).unwrap();
        let plan = plan(Vec::new(), (&ours, &cases), Rounds { warmup: 0, counted: 1, seed: 0 }).unwrap();
        plan.programs.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(programs("native/process"), Vec::<String>::new());
    assert_eq!(programs("wasm-aot/process"), ["wasmedge"]);
    assert_eq!(programs("native/runc"), ["runc"]);
    assert_eq!(programs("wasm-interpreter/wasmedge"), ["containerd-shim-wasmedge-v1"]);
    assert_eq!(programs("wasm-aot/wasmedge"), ["containerd-shim-wasmedge-v1", "wasmedge"]);
    assert_eq!(programs("wasmtime-aot/process"), ["containerd-shim-wasmtime-v1", "wasmtime"]);
}
