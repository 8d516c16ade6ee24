//! Verdicts at their edges: missing rows, missing rounds, intervals across the tolerance.

use super::*;
use crate::analysis::fixture;
use crate::case::FirstEdition;
use crate::claims::parse;

const NOTHING: PairedRatio = PairedRatio { n: 0, ratio: None, interval: None };

fn ratio(low: f64, high: f64) -> PairedRatio {
    PairedRatio { n: 30, ratio: Some((low * high).sqrt()), interval: Some(Interval { low, high, confidence: 0.957 }) }
}

/// The published ratio of Wasm over native in a process is 4, its tolerance 1.5: from 2.67 to 6.
fn claims(bench: &str) -> Vec<Claim> {
    let text = r#"
        [[claim]]
        id = "wasm"
        source = "s"
        what = "Wasm"
        quantity = "process_ms"
        value = 20
        bench = "BENCH"
        case = "wasm-aot/process"

        [[claim]]
        id = "native"
        source = "s"
        what = "native"
        quantity = "process_ms"
        value = 5
        bench = "BENCH"
        case = "native/process"

        [[claim]]
        id = "ratio"
        source = "s"
        what = "Wasm over native"
        quantity = "ratio"
        numerator = "wasm"
        denominator = "native"
        bench = "BENCH"
        tolerance = 1.5
        explained_by = "wasm-interpreter/process"

        [[claim]]
        id = "image"
        source = "s"
        what = "image"
        quantity = "image_kb"
        kind = "wasm-aot"
        value = 100
        bench = "BENCH"
        tolerance = 1.25
        "#;
    parse(&text.replace("BENCH", bench), &FirstEdition::read().cases).unwrap()
}

fn rows(bench: &str, answer: PairedRatio) -> Vec<ClaimRow> {
    let manifest = fixture::manifest(6);
    let arm = "wasm-interpreter/process";
    let paired = |question: Question<'_>| if question.case == arm { ratio(9.0, 11.0) } else { answer };
    judge(&claims(bench), &Evidence { manifest: &manifest, sizes: &[], cases: &[], paired: &paired })
}

#[test]
fn a_ratio_is_reproduced_only_when_the_whole_interval_agrees() {
    for (low, high, verdict, words) in [
        (3.0, 5.0, ClaimVerdict::Reproduced, "1.03 times smaller than published"),
        (6.5, 7.0, ClaimVerdict::NotReproduced, "1.69 times larger than published"),
        (1.0, 2.0, ClaimVerdict::NotReproduced, "2.83 times smaller"),
        (5.5, 6.5, ClaimVerdict::NotComparable, "undecided"),
        (1.0, 9.0, ClaimVerdict::NotComparable, "undecided"),
    ] {
        let row = &rows("array-sum", ratio(low, high))[2];
        assert_eq!(row.verdict, verdict, "{row:?}");
        assert!(
            row.explanation.contains(words) && row.explanation.contains("for `wasm-interpreter/process`"),
            "{row:?}"
        );
    }
}

#[test]
fn without_an_interval_nothing_is_judged() {
    let row = &rows("array-sum", PairedRatio { n: 3, ratio: Some(4.0), interval: None })[2];
    assert_eq!((row.verdict, row.ours.is_some()), (ClaimVerdict::NotComparable, true));
    assert!(row.explanation.contains("too few rounds"), "{row:?}");
}

#[test]
fn what_was_not_measured_is_said() {
    let rows = rows("array-sum", NOTHING);
    for row in &rows {
        assert_eq!((row.verdict, row.ours), (ClaimVerdict::NotComparable, None), "{row:?}");
    }
    assert!(rows[0].explanation.contains("`wasm-aot/process` was not measured"), "{:?}", rows[0]);
    assert!(rows[2].explanation.contains("`wasm-aot/process` over `native/process` was not measured"), "{:?}", rows[2]);
    assert!(rows[3].explanation.contains("nothing of kind `wasm-aot` was built"), "{:?}", rows[3]);
}

#[test]
fn a_bench_that_was_not_run_is_named() {
    for row in rows("other", ratio(3.0, 5.0)) {
        assert_eq!((row.verdict, row.ours), (ClaimVerdict::NotComparable, None));
        assert!(row.explanation.contains("bench `other` was not part of this run"), "{row:?}");
    }
}

#[test]
fn an_image_is_held_against_the_nearer_of_its_two_sizes() {
    let size = Size { kind: Kind::Wasm, kilobytes: 150.0, tolerance: Tolerance(1.25) };
    let row = |compressed, unpacked| SizeRow {
        image: None,
        program: "p".to_owned(),
        kind: "wasm".to_owned(),
        binary_bytes: 1,
        image_bytes_compressed: Some(compressed),
        image_bytes_unpacked: Some(unpacked),
    };
    let judged = |compressed, unpacked| {
        let judged = image(&size, Some(&row(compressed, unpacked)));
        (judged.verdict, judged.ours.map(f64::round))
    };
    assert_eq!(judged(140_000, 400_000), (ClaimVerdict::Reproduced, Some(140.0)));
    assert_eq!(judged(40_000, 160_000), (ClaimVerdict::Reproduced, Some(160.0)));
    assert_eq!(judged(32_000, 78_000), (ClaimVerdict::NotReproduced, Some(78.0)));
    let none = SizeRow { image_bytes_compressed: None, ..row(1, 1) };
    assert_eq!(image(&size, Some(&none)).verdict, ClaimVerdict::NotComparable);
}

#[test]
fn numbers_have_three_significant_figures() {
    assert_eq!([12_900_000.0, 53.66, 1.4834, 0.8765].map(shown), ["12900000", "53.7", "1.48", "0.876"]);
}
