//! Whole runs, made up and seeded, through `analyse`.

use super::fixture::{fail, manifest, samples, slow};
use super::*;
use crate::ClaimVerdict::{NotComparable, NotReproduced, Reproduced};
use crate::claims::{self, fixture};
use crate::{ClaimVerdict, LoadDuring, RunStatus, Sequential, Verdict};

fn summary(manifest: &Manifest, samples: &[Sample]) -> Summary {
    analyse(manifest, samples, &claims::parse(fixture::OURS, &fixture::cases()).unwrap())
}

fn whats(summary: &Summary) -> String {
    summary.warnings.iter().map(|warning| warning.what.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_image_of_a_file_has_its_sizes_and_a_record_without_name_is_the_default() {
    let mut manifest = manifest(6);
    let native = manifest.images[0].clone();
    let named = |name: &str| Some(name.to_owned());
    let larger = ImageRecord { image: named("based"), transfer_bytes: 7_000_000, ..native.clone() };
    for first in [None, named("native")] {
        let record = ImageRecord { image: first, ..native.clone() };
        manifest.images = vec![larger.clone(), record];
        let sizes = size_rows(&manifest);
        let rows: Vec<_> = sizes.iter().map(|row| (row.name(), row.image_bytes_compressed)).collect();
        let expected =
            [("native", Some(native.transfer_bytes)), ("based", Some(7_000_000)), ("wasm", None), ("wasm-aot", None)];
        assert_eq!(rows, expected);
        assert!(sizes[0].is_default() && !sizes[1].is_default());
        assert_eq!(sizes[1].binary_bytes, sizes[0].binary_bytes);
    }
}

#[test]
fn a_quiet_run_has_every_row_and_few_warnings() {
    let manifest = manifest(30);
    let summary = summary(&manifest, &samples(&manifest));
    assert_eq!(summary.cases.len(), 5 * 9);
    assert!(summary.cases.iter().all(|row| (row.n, row.failed) == (30, 0) && row.median.is_some()));
    assert_eq!(summary.cases[0].case, "native/process");
    assert_eq!(summary.cases[1].case, "native/process#2");
    assert_eq!(summary.resolutions.len(), 5 * 2);
    assert_eq!(summary.fits.len(), 7);
    assert_eq!(summary.sizes.len(), 3);
    assert_eq!(summary.sizes[2].image_bytes_compressed, None);
    assert_eq!(summary.not_measured, []);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let manifest = manifest(12);
    let samples = samples(&manifest);
    let bytes = || serde_json::to_string(&summary(&manifest, &samples)).unwrap();
    assert_eq!(bytes(), bytes());
    // And it reads back: no NaN or infinity became a `null` where a number must be.
    assert!(serde_json::from_str::<Summary>(&bytes()).is_ok());
    assert!(!bytes().contains("NaN") && !bytes().contains("inf×") && !bytes().contains(" inf "));
}

#[test]
fn comparisons_hold_the_truth_and_use_the_margin_of_the_twins() {
    let manifest = manifest(30);
    let summary = summary(&manifest, &samples(&manifest));
    let find = |case: &str, baseline: &str| {
        let matches = |row: &&Comparison| row.bench == "noop" && row.case == case && row.baseline == baseline;
        summary.comparisons.iter().find(matches).unwrap()
    };
    for (case, baseline, truth) in [
        ("wasm-aot/wasmedge", "native/runc", 1.8 / 1.6),
        ("wasm-interpreter/process", "native/process", 30.0),
        ("native/runc", "native/process", 160.0),
        ("wasm-interpreter/process", "wasm-aot/process", 30.0 / 28.0),
    ] {
        let row = find(case, baseline);
        assert!(row.ci_low.unwrap() <= truth && truth <= row.ci_high.unwrap(), "{row:?}");
        assert_eq!(row.verdict, Verdict::Slower, "{row:?}");
    }
    let side = |case: &str| summary.resolutions.iter().find(|row| row.bench == "noop" && row.case == case).unwrap();
    let (container, process) = (side("native/runc").resolution.unwrap(), side("native/process").resolution.unwrap());
    let same = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    same(find("wasm-aot/wasmedge", "native/runc").delta, container.max(0.02));
    same(find("native/runc", "native/process").delta, container.max(process).max(0.02));
}

#[test]
fn fits_separate_delivery_from_execution() {
    let manifest = manifest(30);
    let summary = summary(&manifest, &samples(&manifest));
    let fit = summary.fits.iter().find(|fit| fit.case == "wasm-aot/wasmedge").unwrap();
    assert_eq!(fit.sizes, [1_000, 100_000, 10_000_000]);
    let (fixed, marginal) = (fit.a.unwrap(), fit.b_per_n.unwrap());
    assert!((fixed.value / 1.8e8 - 1.0).abs() < 0.03 && (marginal.value / 2.6 - 1.0).abs() < 0.3, "{fit:?}");
    assert!(fixed.low <= fixed.value && fixed.value <= fixed.high);
}

#[test]
fn a_case_that_only_fails_is_a_row_with_the_commonest_reason() {
    let manifest = manifest(10);
    let mut samples = samples(&manifest);
    for (index, sample) in samples.iter_mut().filter(|sample| sample.case == "wasm-aot/wasmedge").enumerate() {
        fail(sample, if index % 4 == 0 { "once" } else { "exit status 137" });
    }
    let summary = summary(&manifest, &samples);
    let row = summary.cases.iter().find(|row| row.case == "wasm-aot/wasmedge").unwrap();
    assert_eq!((row.n, row.failed, row.median, row.drift), (0, 10, None, None));
    assert_eq!(summary.not_measured.len(), 5);
    assert!(summary.not_measured[0].reason.contains("exit status 137"), "{:?}", summary.not_measured[0]);
    let comparison = summary.comparisons.iter().find(|row| row.case == "wasm-aot/wasmedge").unwrap();
    assert_eq!((comparison.n, comparison.ratio, comparison.verdict), (0, None, Verdict::Undetermined));
    let fit = summary.fits.iter().find(|fit| fit.case == "wasm-aot/wasmedge").unwrap();
    assert_eq!((fit.a, fit.sizes.len()), (None, 0));
    assert!(whats(&summary).contains("10 of 10 runs of `wasm-aot/wasmedge` on `noop` failed"));
}

#[test]
fn no_samples_at_all_is_a_summary_too() {
    let mut manifest = manifest(30);
    manifest.finished = None;
    let summary = summary(&manifest, &[]);
    assert_eq!(summary.cases.len(), 5 * 9);
    assert_eq!(summary.not_measured.len(), 5 * 7);
    assert!(whats(&summary).contains("the run was cut off"));
    assert!(serde_json::to_string(&summary).is_ok());
}

#[test]
fn samples_0_to_6_a_cell_are_analysed_without_a_panic() {
    for rounds in 0..=6 {
        let manifest = manifest(rounds);
        let summary = summary(&manifest, &samples(&manifest));
        let with_interval = summary.cases.iter().filter(|row| row.confidence.is_some()).count();
        assert_eq!(with_interval, if rounds >= 6 { 45 } else { 0 });
        assert_eq!(whats(&summary).contains("too few samples"), (1..6).contains(&rounds));
    }
}

#[test]
fn what_the_manifest_could_not_measure_is_passed_through_once() {
    let mut manifest = manifest(6);
    let reason = crate::NotMeasured {
        bench: "noop".to_owned(),
        case: "native/runc".to_owned(),
        metric: None,
        reason: "needs root".to_owned(),
    };
    manifest.not_measured = vec![reason.clone()];
    let mut samples = samples(&manifest);
    samples.retain(|sample| !(sample.bench == "noop" && sample.case == "native/runc"));
    assert_eq!(summary(&manifest, &samples).not_measured, [reason]);
}

#[test]
fn a_run_that_stopped_on_precision_uses_the_level_of_its_looks() {
    let mut manifest = manifest(20);
    let samples = samples(&manifest);
    let plain = precision(&manifest, &samples, |row| row.bench == "noop").unwrap();
    manifest.sequential = Some(Sequential { until_percent: 3.0, looks: vec![10, 20, 40], look_confidence: 0.983 });
    let shared = precision(&manifest, &samples, |row| row.bench == "noop").unwrap();
    assert!(shared > plain, "{shared} and {plain}");
    assert_eq!(precision(&manifest, &samples, |_| false), None);
    assert_eq!(precision(&manifest, &samples[..40], |_| true), None);
    let summary = summary(&manifest, &samples);
    assert!(summary.cases.iter().all(|row| row.confidence.unwrap() >= 0.983));
    assert!(summary.comparisons[0].method.contains("3 preset looks"));
}

#[test]
fn a_disturbed_run_says_what_disturbed_it() {
    let mut manifest = manifest(30);
    manifest.machine.governor = Some("powersave".to_owned());
    manifest.source.dirty = Some(true);
    let finished = manifest.finished.as_mut().unwrap();
    finished.status = RunStatus::Interrupted;
    finished.load = LoadDuring {
        load_before: Some(1.8),
        steal_fraction: Some(0.07),
        throttle_events: Some(3),
        cpu_pressure_fraction: Some(0.4),
        ..LoadDuring::default()
    };
    let mut samples = samples(&manifest);
    for sample in &mut samples {
        slow(sample, 1.0 + 0.02 * f64::from(sample.round));
        if sample.case.ends_with(crate::case::TWIN_SUFFIX) && sample.bench == "noop" {
            slow(sample, 1.2);
        }
        if sample.round == 1 && sample.bench == "array-sum" {
            slow(sample, 3.0);
        }
    }
    let summary = summary(&manifest, &samples);
    let text = whats(&summary);
    for expected in [
        "the run was interrupted",
        "excludes 1 (1.1",
        "this run's intervals can not be trusted",
        "can not tell differences of 2.0 % apart",
        "times drifted in",
        "the first counted run is an outlier",
        "gave 7.0 % of the processor time to others",
        "throttled 3 times",
        "load 1.80 on 2 processors",
        "waited for a processor in 40.0 %",
        "governor is `powersave`",
        "changes beyond revision",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    assert!(summary.warnings.iter().all(|warning| !warning.advice.is_empty()));
}

#[test]
fn a_slow_first_run_in_the_warm_up_is_reported_and_harms_nothing() {
    let manifest = manifest(30);
    let mut samples = samples(&manifest);
    samples.iter_mut().filter(|sample| sample.warmup).for_each(|sample| slow(sample, 5.0));
    let summary = summary(&manifest, &samples);
    assert!(summary.cases.iter().all(|row| (4.0..6.0).contains(&row.first_run_ratio.unwrap())));
    assert!(!whats(&summary).contains("first counted run"));
}

#[test]
fn a_failed_run_takes_only_its_round_out_of_a_fit_and_a_ratio() {
    let manifest = manifest(30);
    let mut samples = samples(&manifest);
    let is_it =
        |sample: &&mut Sample| sample.round == 5 && sample.bench == "sweep/100000" && sample.case == "wasm-aot/process";
    samples.iter_mut().filter(is_it).for_each(|sample| fail(sample, "exit status 1"));
    let summary = summary(&manifest, &samples);
    assert!(summary.fits.iter().all(|fit| fit.a.is_some()));
    let row = summary.comparisons.iter().find(|row| row.bench == "sweep/100000" && row.case == "wasm-aot/process");
    assert_eq!(row.unwrap().n, 29);
    assert_eq!(summary.not_measured, []);
}

/// Among 40 rows some have a p-value below 5 % by chance, and A/A rows resolve what they resolve.
#[test]
fn chance_alone_is_no_warning() {
    let mut manifest = manifest(30);
    manifest.delta = 0.5;
    let summary = summary(&manifest, &samples(&manifest));
    let drifting = summary.cases.iter().filter(|row| row.drift.unwrap().p_value < 0.05).count();
    assert!(drifting > 0, "the seed must have some");
    let text = whats(&summary);
    for unexpected in ["drifted", "can not tell differences", "can not be trusted", "first counted run", "too few"] {
        assert!(!text.contains(unexpected), "{text}");
    }
}

#[test]
fn claims_are_judged_by_the_numbers_of_the_run() {
    let manifest = manifest(30);
    let mut rows = summary(&manifest, &samples(&manifest)).claims;
    rows.truncate(13);
    let verdicts: Vec<(&str, ClaimVerdict)> = rows.iter().map(|row| (row.what.as_str(), row.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("native binary", Reproduced),
            ("Wasm binary", NotReproduced),
            ("native image, as first published", NotComparable),
            ("native image, as corrected", NotReproduced),
            ("Wasm image", NotReproduced),
            ("native binary, run directly", NotComparable),
            ("Wasm binary, run directly", NotComparable),
            ("native image, run as a container", NotComparable),
            ("Wasm image, run as a container by WasmEdge", NotComparable),
            ("Wasm over native, run directly", NotReproduced),
            ("Wasm over native, run as a container", NotReproduced),
            ("native container over native process", NotReproduced),
            ("Wasm container over Wasm process", NotReproduced),
        ]
    );
    expect_test::expect![[r"
        withdrawn by its author on 2025-06-16; ours has 208 kB as pulled (compressed), 62019 times smaller than published and 419 kB unpacked, 30788 times smaller than published; it was about 12.9 MB, from a base image, in a column of kB
        a time of another machine is not judged, its ratios are: `wasm-interpreter/wasmedge` takes 238 ms here (236 to 246 ms), `wasm-aot/wasmedge` takes 184 ms here (183 to 188 ms); most likely WasmEdge interpreted the module: it does so without saying it when there is no compiled code
        `wasm-interpreter/wasmedge` over `native/runc` is 1.49× (1.47× to 1.51×) here, across two runtimes, 7.02 times smaller than published, 1.15× (1.13× to 1.16×) for `wasm-aot/wasmedge`; the published row most likely has two engines in it: one that compiles, directly, and one that interprets, in the container"]]
        .assert_eq(&format!("{}\n{}\n{}", rows[2].explanation, rows[8].explanation, rows[10].explanation));
}

/// The size that the report has to bear; a quadratic step would show in the time of the whole suite.
#[test]
fn ten_thousand_samples_are_read_once() {
    let manifest = manifest(250);
    let samples = samples(&manifest);
    assert!(samples.len() >= 10_000);
    let summary = summary(&manifest, &samples);
    assert!(summary.cases.iter().all(|row| row.n == 250 && row.p95.is_some() && row.p99.is_none()));
}
