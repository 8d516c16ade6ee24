//! Verdicts on a made-up run: what each form of claim is told, and what an untested one needs.

use crate::analysis::fixture::{manifest, samples, with_second};
use crate::analysis::{analyse, claim_rows};
use crate::claims::fixture::{OURS, cases};
use crate::claims::{Shape, parse};
use crate::first_use::{Class, FirstUseSample, PULL, WALL};
use crate::{ClaimRow, ClaimVerdict, Manifest, Outcome, Sample};

use ClaimVerdict::{NotComparable, NotReproduced, Reproduced, Untested};

const SOURCE: &str = r#"
[[source]]
id = "s"
name = "somebody"
seen = "source"

[source.setting]
engine = "an engine"
mode = "not published"
orchestrator = "none"
hardware = "not published"
n = "3"
what_is_timed = "the whole run"
"#;

fn judged(manifest: &Manifest, samples: &[Sample], claim: &str) -> ClaimRow {
    let text = format!("{SOURCE}\n[[claim]]\nid = \"c\"\nsource = \"s\"\nwhat = \"w\"\n{claim}");
    let claims = parse(&text, &cases()).unwrap();
    analyse(manifest, samples, &claims).claims.remove(0)
}

/// By default of 30 rounds, in which an interpreted unit of work takes 30 times as long as a native one, and a compiled one
/// 1.3 times.
fn of_run(claim: &str) -> ClaimRow {
    let manifest = manifest(30);
    judged(&manifest, &samples(&manifest), claim)
}

#[test]
fn a_slope_is_execution_without_delivery() {
    let claim = |figure: &str| {
        format!(
            "quantity = \"slope_ratio\"\n{figure}\nof = \"wasm-interpreter/process\"\nover = \"native/process\"\n\
             bench = \"sweep\"\n"
        )
    };
    let row = of_run(&claim("value = 30\ntolerance = 1.5"));
    assert_eq!(row.verdict, Reproduced, "{row:?}");
    assert!(row.ours_low.unwrap() < 30.0 && 30.0 < row.ours_high.unwrap(), "{row:?}");
    assert!(row.explanation.contains("by slope"), "{row:?}");
    assert_eq!(of_run(&claim("value = 113\ntolerance = 1.5")).verdict, NotReproduced);
    assert_eq!(of_run(&claim("up_to = 55")).verdict, Reproduced);
    assert_eq!(of_run(&claim("up_to = 20")).verdict, NotReproduced);
    assert_eq!(of_run(&claim("direction = \"larger\"")).verdict, Reproduced);
    assert_eq!(of_run(&claim("direction = \"smaller\"")).verdict, NotReproduced);
}

#[test]
fn no_reading_is_chosen() {
    let claim = |readings: &str| {
        format!(
            "quantity = \"time_ratio\"\nreadings = {readings}\ntolerance = 1.2\nof = \"wasm-interpreter/process\"\n\
             over = \"native/process\"\nbench = \"array-sum\"\n"
        )
    };
    // Ours is 90 ms over 3 ms.
    let both = "[{ meaning = \"thirty\", value = 30 }, { meaning = \"a third more\", value = 40 }]";
    let row = of_run(&claim(both));
    assert_eq!((row.verdict, row.published), (NotComparable, None));
    assert!(row.explanation.starts_with("it depends on how it is read"), "{row:?}");
    assert!(
        row.explanation.contains("read as thirty: equal") || row.explanation.contains("read as thirty: 1."),
        "{row:?}"
    );
    assert!(row.explanation.contains("(reproduced)") && row.explanation.contains("(not reproduced)"), "{row:?}");
    assert_eq!(
        of_run(&claim("[{ meaning = \"a\", value = 3 }, { meaning = \"b\", value = 4 }]")).verdict,
        NotReproduced
    );
    assert_eq!(
        of_run(&claim("[{ meaning = \"a\", value = 30 }, { meaning = \"b\", value = 31 }]")).verdict,
        Reproduced
    );
}

/// The image of native is 208 kB as pulled and 419 kB unpacked, that of Wasm 32 and 78 kB.
#[test]
fn an_image_whose_counting_is_not_published_has_to_agree_in_both() {
    let claim = |value: f64| {
        format!(
            "quantity = \"image_kb\"\nkind = \"native\"\nvalue = {value}\ntolerance = 1.25\nbench = \"array-sum\"\n"
        )
    };
    let row = of_run(&claim(210.0));
    assert_eq!((row.verdict, row.ours), (NotComparable, Some(208.0)));
    assert!(row.explanation.contains("as pulled (compressed)") && row.explanation.contains("unpacked"), "{row:?}");
    assert_eq!(of_run(&claim(8810.0)).verdict, NotReproduced);
    let ratio = "quantity = \"size_ratio\"\nof = \"wasm\"\nover = \"native\"\nbench = \"array-sum\"\n";
    let row = of_run(&format!("{ratio}bytes = \"compressed\"\nvalue = 0.15\ntolerance = 1.25\n"));
    assert_eq!((row.verdict, row.ours_low), (Reproduced, None));
    assert_eq!(of_run(&format!("{ratio}bytes = \"image\"\nup_to = 0.3\n")).verdict, NotReproduced);
    assert_eq!(of_run(&format!("{ratio}bytes = \"image\"\nat_least = 0.1\n")).verdict, Reproduced);
}

#[test]
fn a_crossing_is_judged_and_named_with_like_beside_like() {
    let row = of_run(
        "quantity = \"time_ratio\"\nvalue = 5.3\ntolerance = 1.5\nof = \"native/runc\"\nover = \"wasm-aot/process\"\n\
         bench = \"array-sum\"\nshape = \"crossing\"\n\
         explained_by = [{ of = \"native/runc\", over = \"wasm-aot/wasmedge\" }, { of = \"native/process\", over = \"wasm-aot/process\" }]\n",
    );
    assert_eq!((row.verdict, row.shape), (Reproduced, Shape::Crossing));
    assert!(row.explanation.contains("for `native/runc` over `wasm-aot/wasmedge`"), "{row:?}");
    assert!(row.explanation.contains("for `native/process`"), "{row:?}");
}

#[test]
fn what_is_not_alike_is_shown_and_not_judged() {
    let unlike = "quantity = \"time_ratio\"\nvalue = 30\nof = \"wasm-interpreter/process\"\nover = \"native/process\"\n\
                  bench = \"array-sum\"\nunlike = \"theirs is another thing\"\n";
    let row = of_run(unlike);
    assert_eq!(row.verdict, NotComparable);
    assert!(
        row.ours.is_some() && row.explanation.starts_with("shown, and not judged: theirs is another thing"),
        "{row:?}"
    );
    let confounded = "quantity = \"other_ratio\"\nvalue = 0.4\nunlike = \"three changes at once\"\n\
                      status = \"untested: needs one change at a time\"\n";
    let row = of_run(confounded);
    assert_eq!((row.verdict, row.needs), (NotComparable, None));
}

#[test]
fn what_this_run_has_nothing_of_is_untested_with_what_it_needs() {
    let ratio = |of: &str, bench: &str| {
        format!("quantity = \"time_ratio\"\nup_to = 9\nof = \"{of}\"\nover = \"native/runc\"\nbench = \"{bench}\"\n")
    };
    let needs = |row: ClaimRow| {
        assert_eq!((row.verdict, row.ours), (Untested, None), "{row:?}");
        row.needs.unwrap()
    };
    assert!(needs(of_run(&ratio("native/crun", "noop"))).contains("`--case native/crun`"));
    assert!(needs(of_run(&ratio("native/wasmedge", "other"))).contains("`--bench other`"));
    let memory = "quantity = \"memory_ratio\"\nvalue = 2\ntolerance = 1.2\nof = \"native/wasmedge\"\nover = \"native/runc\"\n\
                  bench = \"noop\"\n";
    assert!(needs(of_run(memory)).contains("`memory_peak_bytes`"));
    let few = manifest(4);
    let row = judged(&few, &samples(&few), &ratio("native/wasmedge", "noop"));
    assert_eq!(row.verdict, Untested);
    assert!(row.ours.is_some() && row.needs.unwrap().contains("6 rounds"));
}

#[test]
fn a_metric_lights_its_claims_up_when_a_run_has_it() {
    let manifest = manifest(30);
    let samples = with_second(samples(&manifest), "memory_peak_bytes", 0.01);
    let memory = "quantity = \"memory_ratio\"\nvalue = 30\ntolerance = 1.2\nof = \"wasm-interpreter/process\"\n\
                  over = \"native/process\"\nbench = \"array-sum\"\n";
    let row = judged(&manifest, &samples, memory);
    assert_eq!(row.verdict, Reproduced, "{row:?}");
    let value = "quantity = \"memory_kb\"\nvalue = 30\ncase = \"native/process\"\nbench = \"array-sum\"\n";
    let row = judged(&manifest, &samples, value);
    assert_eq!(row.verdict, NotComparable);
    assert!((29.0..31.0).contains(&row.ours.unwrap()) && row.explanation.contains("kB here"), "{row:?}");
}

/// Every claim of the project's has a row in every run, and none of another machine's values is judged.
#[test]
fn the_whole_field_has_rows_from_the_first_run_on() {
    let manifest = manifest(30);
    let claims = parse(OURS, &cases()).unwrap();
    let rows = analyse(&manifest, &samples(&manifest), &claims).claims;
    assert_eq!(rows.len(), claims.len());
    for row in &rows {
        assert_eq!(row.verdict == Untested, row.needs.is_some(), "{row:?}");
        assert!(
            !matches!(row.unit.as_str(), "ms" | "per s") || !matches!(row.verdict, Reproduced | NotReproduced),
            "{row:?}"
        );
        assert!(row.needs.is_some() || !row.explanation.is_empty(), "{row:?}");
    }
    let central = rows.iter().filter(|row| row.place.is_some()).count();
    assert_eq!(central, 8);
}

/// Pulls and first runs are in samples of their own.
#[test]
fn a_pull_and_a_first_run_are_judged_by_the_samples_of_first_use() {
    let manifest = manifest(30);
    let samples = samples(&manifest);
    let line = |case: &str, round: u32, factor: u64| FirstUseSample {
        bench: "array-sum".to_owned(),
        case: case.to_owned(),
        class: Class::NotPulled,
        link: None,
        round,
        position: 0,
        values: [(PULL, 10), (WALL, 60)].map(|(name, ms)| (name.to_owned(), ms * factor * 1_000_000)).into(),
        outcome: Outcome::Ok,
        reason: None,
        output_sha256: None,
    };
    let rounds = (0..20).flat_map(|round| {
        [line("native/runc", round, 2 * u64::from(round + 1)), line("wasm-aot/wasmedge", round, u64::from(round + 1))]
    });
    let lines: Vec<FirstUseSample> = rounds.collect();
    let summary = analyse(&manifest, &samples, &[]);
    for (quantity, says) in [("pull_ratio", "from a registry on this machine"), ("first_run_ratio", "unpacked and run")]
    {
        let claim = format!(
            "quantity = \"{quantity}\"\nvalue = 2.0\ntolerance = 1.2\nof = \"native/runc\"\nover = \"wasm-aot/wasmedge\"\n\
             bench = \"array-sum\"\n"
        );
        let without = of_run(&claim);
        assert!(without.verdict == Untested && without.needs.unwrap().contains("`--first-use`"));
        let text = format!("{SOURCE}\n[[claim]]\nid = \"c\"\nsource = \"s\"\nwhat = \"w\"\n{claim}");
        let claims = parse(&text, &cases()).unwrap();
        let row = claim_rows(&claims, &manifest, (&samples, &lines), &summary).remove(0);
        assert!(row.verdict == Reproduced && row.explanation.contains(says), "{row:?}");
    }
}
