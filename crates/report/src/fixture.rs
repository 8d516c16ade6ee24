//! Runs made in code for the tests of the report: numbers from a seeded generator, a summary by short and plain
//! statistics of their own. Not here: anything that is shipped, and the real `analysis`.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Run;
use results::metric::HEADLINE;
use results::{
    CaseSummary, ClaimVerdict, Comparison, Drift, Effect, Estimate, Fit, NotMeasured, Outcome, Resolution, Sample,
    SizeRow, Summary, Verdict, Warning,
};

mod claims;
pub mod manifest;
mod metrics;
mod traced;

pub use metrics::two_metrics;
pub use traced::traced;

/// Cell, and its median in ms in the three kinds of bench: array-sum, noop, and a sweep's `a` and `b·1000`.
const CELLS: [(&str, f64, f64, f64, f64); 7] = [
    ("native/process", 3.2, 0.61, 0.6, 0.002_6),
    ("wasm-interpreter/process", 245.0, 22.0, 22.0, 0.223),
    ("wasm-aot/process", 25.1, 22.4, 22.3, 0.002_8),
    ("native/runc", 164.0, 160.0, 160.0, 0.002_7),
    ("native/runc#2", 164.0, 160.0, 160.0, 0.002_7),
    ("wasm-interpreter/wasmedge", 409.0, 181.0, 181.0, 0.228),
    ("wasm-aot/wasmedge", 188.0, 161.6, 161.0, 0.003),
];
const SWEEP: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const DELTA: f64 = 0.02;

/// Everything that a report can show: 30 rounds, two benches, a sweep, failures, a row that was not measured,
/// an undetermined verdict, claims of each outcome, warnings.
pub fn complete() -> Run {
    make(30)
}

/// The same without container rows, as on a machine without root.
pub fn without_root() -> Run {
    let mut run = make(30);
    let container = |name: &str| !name.ends_with("/process");
    run.samples.retain(|sample| !container(&sample.case));
    let summary = &mut run.summary;
    summary.cases.retain(|row| !container(&row.case));
    summary.comparisons.retain(|row| !container(&row.case));
    summary.fits.retain(|row| !container(&row.case));
    summary.resolutions.clear();
    for claim in summary.claims.iter_mut().filter(|claim| claim.unit == "ms" && claim.ours.is_some_and(|ms| ms > 100.0))
    {
        claim.ours = None;
        claim.verdict = ClaimVerdict::NotComparable;
    }
    summary.not_measured = ["array-sum", "noop"]
        .iter()
        .flat_map(|bench| ["native/runc", "wasm-interpreter/wasmedge", "wasm-aot/wasmedge"].map(|case| (bench, case)))
        .map(|(bench, case)| NotMeasured {
            bench: (*bench).to_owned(),
            case: case.to_owned(),
            metric: None,
            reason: "containers need root: run as root, or allow sudo without a password".to_owned(),
        })
        .collect();
    run.manifest.not_measured.clone_from(&run.summary.not_measured);
    run.manifest.cells.retain(|cell| !container(&cell.name));
    run.manifest.host = None;
    run
}

/// Five rounds: no interval anywhere, every verdict undetermined; cut off before its end, and without a sweep.
pub fn five_rounds() -> Run {
    let mut run = make(5);
    run.manifest.finished = None;
    run.manifest.benches.retain(|bench| bench.sweep.is_none());
    run.samples.retain(|sample| !sample.bench.contains('/'));
    run.summary.cases.retain(|row| !row.bench.contains('/'));
    run.summary.fits.clear();
    run.summary.warnings.clear();
    run
}

/// A run with at least so many samples.
pub fn large(samples: u32) -> Run {
    let cells = u32::try_from(CELLS.len() * (2 + SWEEP.len()) - 1).unwrap();
    make(samples / cells + 1)
}

/// Nothing at all: a run that was interrupted before its first sample.
pub fn empty() -> Run {
    let mut run = make(5);
    run.samples.clear();
    run.manifest.benches.truncate(1);
    run.manifest.finished = None;
    run.summary = Summary {
        schema: 1,
        run: run.summary.run,
        cases: Vec::new(),
        sizes: Vec::new(),
        comparisons: Vec::new(),
        attributions: Vec::new(),
        isolation: Vec::new(),
        resolutions: Vec::new(),
        fits: Vec::new(),
        timeline: Vec::new(),
        resources: Vec::new(),
        claims: Vec::new(),
        warnings: Vec::new(),
        not_measured: Vec::new(),
        break_even: None,
        ledger: None,
        first_use: None,
        across_nodes: Vec::new(),
    };
    run
}

fn make(rounds: u32) -> Run {
    let manifest = manifest::manifest(rounds, &CELLS.map(|cell| cell.0), &SWEEP);
    let samples = samples(rounds);
    let summary = summary(&manifest.run, &samples, rounds);
    Run { manifest, samples, summary }
}

fn base_ms(bench: &str, (_, sum, noop, a, b): (&str, f64, f64, f64, f64)) -> f64 {
    match bench.split_once('/') {
        Some((_, n)) => a + b * n.parse::<f64>().unwrap() / 1000.0,
        None if bench == "noop" => noop,
        None => sum,
    }
}

fn benches() -> Vec<String> {
    let points = SWEEP.iter().map(|n| format!("array-sum-sizes/{n}"));
    ["array-sum".to_owned(), "noop".to_owned()].into_iter().chain(points).collect()
}

fn samples(rounds: u32) -> Vec<Sample> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut samples = Vec::new();
    for round in 0..rounds + 2 {
        let slow = 1.0 + 0.015 * random.random::<f64>() + 0.03 * f64::from(round) / f64::from(rounds);
        let mut order = Vec::new();
        for bench in benches() {
            order.extend(CELLS.map(|cell| (bench.clone(), cell, random.random::<u32>())));
        }
        order.retain(|(bench, cell, _)| !(bench == "noop" && cell.0 == "wasm-interpreter/wasmedge"));
        order.sort_by_key(|slot| slot.2);
        for (position, (bench, cell, _)) in (0_u32..).zip(order) {
            let noise: f64 = (0..4).map(|_| random.random::<f64>() - 0.5).sum::<f64>() * 0.035;
            let spike = if random.random::<f64>() < 0.03 { 1.2 + random.random::<f64>() } else { 1.0 };
            let ms = base_ms(&bench, cell) * slow * (1.0 + noise) * spike;
            samples.push(sample(&bench, cell.0, (round, position), ms));
        }
    }
    samples
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn sample(bench: &str, case: &str, (round, position): (u32, u32), ms: f64) -> Sample {
    let failed = bench == "array-sum" && case == "wasm-aot/wasmedge" && (round == 4 || round == 11);
    let ns = (ms * 1e6) as u64;
    Sample {
        bench: bench.into(),
        case: case.into(),
        round,
        position,
        warmup: round < 2,
        values: [(HEADLINE, ns)].into(),
        user_ns: Some(ns / 2).into(),
        system_ns: Some(ns / 5).into(),
        outcome: if failed { Outcome::NonZeroExit } else { Outcome::Ok },
        reason: failed.then(|| "exit status 70: `out of memory` <at \"0x0\" & beyond>, |".into()),
        output_sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
    }
}

/// Counted values by round, in milliseconds.
fn values(samples: &[Sample], bench: &str, case: &str) -> Vec<(u32, f64)> {
    samples
        .iter()
        .filter(|sample| {
            sample.bench == bench && sample.case == case && !sample.warmup && sample.outcome == Outcome::Ok
        })
        .map(|sample| (sample.round, sample.wall_ns().unwrap() as f64))
        .collect()
}

fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    (n > 0).then(|| f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]))
}

/// The order-statistic interval of the median: low, high, confidence.
fn interval(sorted: &[f64]) -> Option<(f64, f64, f64)> {
    let n = sorted.len();
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap());
    let mut below = 0.0;
    let mut found = None;
    for k in 0..n / 2 {
        below += term;
        term *= (n - k) as f64 / (k + 1) as f64;
        if 1.0 - 2.0 * below >= 0.95 {
            found = Some((sorted[k], sorted[n - 1 - k], 1.0 - 2.0 * below));
        }
    }
    found
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn case_summary(samples: &[Sample], bench: &str, case: &str, rounds: u32) -> CaseSummary {
    let raw = sorted(values(samples, bench, case).into_iter().map(|(_, ns)| ns).collect());
    let n = raw.len();
    let mean = raw.iter().sum::<f64>() / n as f64;
    let variance = raw.iter().map(|ns| (ns - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let center = median(&raw).unwrap();
    let mad = median(&sorted(raw.iter().map(|ns| (ns - center).abs()).collect())).unwrap();
    let ends = interval(&raw);
    CaseSummary {
        bench: bench.to_owned(),
        case: case.to_owned(),
        metric: HEADLINE.to_owned(),
        n,
        failed: rounds as usize - n,
        median: Some(center),
        ci_low: ends.map(|ends| ends.0),
        ci_high: ends.map(|ends| ends.1),
        confidence: ends.map(|ends| ends.2),
        mean: Some(mean),
        stddev: Some(variance.sqrt()),
        mad: Some(mad),
        min: Some(raw[0]),
        max: Some(raw[n - 1]),
        p90: (n >= 36).then(|| raw[n * 9 / 10]),
        p95: None,
        p99: None,
        outliers: raw.iter().filter(|ns| 0.6745 * (*ns - center).abs() / mad > 3.5).count(),
        drift: Some(Drift { spearman: 0.41, p_value: 0.026 }),
        first_run_ratio: Some(1.07),
    }
}

fn pairs(samples: &[Sample], bench: &str, (case, baseline): (&str, &str)) -> Vec<f64> {
    let theirs = values(samples, bench, baseline);
    let ratios = values(samples, bench, case)
        .into_iter()
        .filter_map(|(round, ns)| theirs.iter().find(|(other, _)| *other == round).map(|(_, base)| ns / base));
    sorted(ratios.collect())
}

fn comparison(samples: &[Sample], bench: &str, (case, baseline): (&str, &str)) -> Comparison {
    let ratios = pairs(samples, bench, (case, baseline));
    let ends = interval(&ratios);
    let verdict = match ends {
        Some((_, high, _)) if high < 1.0 - DELTA => Verdict::Faster,
        Some((low, _, _)) if low > 1.0 + DELTA => Verdict::Slower,
        Some((low, high, _)) if low > 1.0 - DELTA && high < 1.0 + DELTA => Verdict::Same,
        _ => Verdict::Undetermined,
    };
    Comparison {
        bench: bench.to_owned(),
        case: case.to_owned(),
        metric: HEADLINE.to_owned(),
        baseline: baseline.to_owned(),
        n: ratios.len(),
        ratio: median(&ratios),
        ci_low: ends.map(|ends| ends.0),
        ci_high: ends.map(|ends| ends.1),
        confidence: ends.map(|ends| ends.2),
        delta: DELTA,
        verdict,
        more_rounds: (verdict == Verdict::Undetermined).then_some(if ends.is_some() { 120 } else { 1 }),
        across_runtimes: case.ends_with("/wasmedge") && baseline == "native/runc",
        method: "median of ratios paired by round, order-statistic interval".to_owned(),
    }
}

fn resolution(samples: &[Sample], bench: &str) -> Resolution {
    let ratios = pairs(samples, bench, ("native/runc#2", "native/runc"));
    let ends = interval(&ratios);
    Resolution {
        bench: bench.to_owned(),
        case: "native/runc".to_owned(),
        metric: HEADLINE.to_owned(),
        n: ratios.len(),
        ratio: median(&ratios),
        ci_low: ends.map(|ends| ends.0),
        ci_high: ends.map(|ends| ends.1),
        confidence: ends.map(|ends| ends.2),
        resolution: ends.map(|ends| (ends.1 - 1.0).max(1.0 - ends.0)),
    }
}

fn fit(samples: &[Sample], (case, _, _, a, b): (&str, f64, f64, f64, f64)) -> Fit {
    let near = |value: f64| Some(Estimate { value, low: value * 0.97, high: value * 1.04 });
    let medians = SWEEP.iter().map(|n| {
        let bench = format!("array-sum-sizes/{n}");
        median(&sorted(values(samples, &bench, case).into_iter().map(|(_, ns)| ns).collect())).unwrap()
    });
    Fit {
        sweep: "array-sum-sizes".to_owned(),
        case: case.to_owned(),
        metric: HEADLINE.to_owned(),
        a: near(a * 1.02e6),
        b_per_n: near(b * 1.02e3),
        sizes: SWEEP.to_vec(),
        medians: medians.collect(),
        method: "weighted least squares, bootstrap of 2000 whole rounds".to_owned(),
    }
}

fn summary(run: &str, samples: &[Sample], rounds: u32) -> Summary {
    let present = |bench: &str, case: &str| samples.iter().any(|sample| sample.bench == bench && sample.case == case);
    let mut cases = Vec::new();
    let mut comparisons = Vec::new();
    for bench in benches() {
        for (case, ..) in CELLS.iter().filter(|cell| present(&bench, cell.0)) {
            cases.push(case_summary(samples, &bench, case, rounds));
            if case.starts_with("wasm") && !bench.contains('/') {
                let baseline = manifest::cell(case).case.baseline.unwrap();
                comparisons.push(comparison(samples, &bench, (case, &baseline)));
            }
            if *case == "wasm-aot/wasmedge" {
                comparisons.push(comparison(samples, &bench, (case, "wasm-aot/process")));
            }
        }
    }
    let size = |kind: &str, sizes: [u64; 3]| SizeRow {
        image: None,
        program: "array-sum".to_owned(),
        kind: kind.to_owned(),
        binary_bytes: sizes[0],
        image_bytes_compressed: Some(sizes[1]),
        image_bytes_unpacked: Some(sizes[2]),
    };
    Summary {
        schema: 1,
        run: run.to_owned(),
        cases,
        sizes: vec![
            size("native", [414_720, 208_312, 418_304]),
            size("wasm", [73_871, 32_041, 77_312]),
            size("wasm-aot", [121_090, 55_702, 124_416]),
        ],
        comparisons,
        attributions: Vec::new(),
        isolation: Vec::new(),
        resolutions: vec![resolution(samples, "array-sum"), resolution(samples, "noop")],
        fits: CELLS.iter().filter(|cell| !cell.0.ends_with("#2")).map(|cell| fit(samples, *cell)).collect(),
        timeline: Vec::new(),
        resources: Vec::new(),
        claims: claims::claims(),
        warnings: vec![Warning {
            what: "values rose over the run in 3 of 13 cells (Spearman, p < 0.05)".to_owned(),
            advice: "the paired ratios are safe from it; for steady times fix the frequency governor".to_owned(),
            effect: Effect::Background,
        }],
        not_measured: vec![NotMeasured {
            bench: "noop".to_owned(),
            case: "wasm-interpreter/wasmedge".to_owned(),
            metric: None,
            reason: "the engine ran compiled code where interpretation was asked for".to_owned(),
        }],
        break_even: None,
        ledger: None,
        first_use: None,
        across_nodes: Vec::new(),
    }
}
