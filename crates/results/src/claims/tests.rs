//! The claims file of this project, and what a wrong one is told.

use super::*;
use crate::claims::fixture::{OURS, cases};

const TIMES: &str = r#"
[[source]]
id = "s"
name = "somebody, 2025"
seen = "source"

[source.setting]
engine = "an engine"
mode = "not published"
orchestrator = "none"
hardware = "not published"
n = "3"
what_is_timed = "the whole run"

[[claim]]
id = "a"
source = "s"
what = "w"
quantity = "process_ms"
value = 20
bench = "b"
case = "wasm-aot/process"

[[claim]]
id = "b"
source = "s"
what = "w"
quantity = "process_ms"
value = 5
bench = "b"
case = "native/process"

[[claim]]
id = "c"
source = "s"
what = "w"
quantity = "ratio"
numerator = "a"
denominator = "b"
bench = "b"
tolerance = 1.5

[[claim]]
id = "d"
source = "s"
what = "w"
quantity = "time_ratio"
setting = { n = "5" }
up_to = 30
of = "native/runc"
over = "wasm-aot/process"
bench = "b"
shape = "crossing"

[[claim]]
id = "e"
source = "s"
what = "w"
quantity = "memory_ratio"
value = 4
status = "untested: needs a shim with another engine"
"#;

fn refusal(text: &str) -> String {
    format!("{:#}", parse(text, &cases()).unwrap_err())
}

#[test]
fn the_projects_own_claims_are_all_there() {
    let claims = parse(OURS, &cases()).unwrap();
    assert!(claims.len() > 100, "{}", claims.len());
    let central: Vec<f64> = claims
        .iter()
        .filter(|claim| claim.is_central || claim.withdrawn.is_some())
        .filter_map(|claim| claim.readings[0].figure.and_then(Figure::published))
        .collect();
    assert_eq!(central, [477.0, 100.0, 12_900_000.0, 8810.0, 150.0, 13.0, 47.5, 338.5, 3531.0]);
}

/// A factor that reaches 1 would let no difference at all count as the difference that was published.
#[test]
fn no_ratio_is_reproduced_by_no_difference() {
    for claim in parse(OURS, &cases()).unwrap() {
        for reading in claim.readings.iter().filter(|_| claim.unit == "×" && claim.unlike.is_none()) {
            if let Some(Figure::About { value, tolerance }) = reading.figure {
                let least = value.max(1.0 / value) / tolerance.factor();
                assert!(least > 1.0, "{}: {least}", claim.id);
            }
        }
    }
}

#[test]
fn a_ratio_is_the_quotient_of_its_two_claims() {
    let claims = parse(TIMES, &cases()).unwrap();
    let Test::Ratio { pair, .. } = &claims[2].test else { panic!("{claims:?}") };
    assert_eq!((pair.case.name.as_str(), pair.baseline.name.as_str()), ("wasm-aot/process", "native/process"));
    let Some(Figure::About { value, .. }) = claims[2].readings[0].figure else { panic!("{claims:?}") };
    assert!((value - 4.0).abs() < 1e-12);
}

#[test]
fn a_figure_has_the_setting_of_its_source_but_for_what_is_its_own() {
    let claims = parse(TIMES, &cases()).unwrap();
    assert_eq!((claims[0].setting.n.as_str(), claims[3].setting.n.as_str()), ("3", "5"));
    assert_eq!(claims[3].setting.not_published(), ["mode", "hardware"]);
    assert_eq!(claims[4].test, Test::Absent { needs: "a shim with another engine".to_owned() });
}

#[test]
fn an_unknown_key_is_an_error_with_line_and_expectation() {
    let error = refusal(&TIMES.replacen("what = \"w\"", "wat = \"w\"", 1));
    assert!(error.contains("line 18") && error.contains("wat") && error.contains("what"), "{error}");
}

#[test]
fn wrong_claims_are_named_with_what_is_wrong() {
    for (from, to, expected) in [
        ("case = \"native/process\"", "case = \"native/docker\"", "`b`: no case matches `native/docker`"),
        ("case = \"native/process\"", "case = \"native/runc\"", "`b`: `native/runc` is a container"),
        ("numerator = \"a\"", "numerator = \"x\"", "`c`: `numerator`: no claim has the id `x`"),
        ("numerator = \"a\"", "numerator = \"c\"", "claim `c` is not about a measured value"),
        ("value = 5", "value = 0", "`value` is 0"),
        ("value = 5", "value = nan", "`value` is NaN"),
        ("value = 5", "kind = \"native\"\nvalue = 5", "`kind` means nothing"),
        ("tolerance = 1.5", "tolerance = 0.5", "at least 1"),
        ("tolerance = 1.5", "", "`tolerance` is missing"),
        ("id = \"b\"", "id = \"a\"", "two claims have the id `a`"),
        ("shape = \"crossing\"\n", "", "is a crossing of native container and Wasm process"),
        ("over = \"wasm-aot/process\"", "over = \"native/process\"", "is no crossing"),
        ("up_to = 30", "up_to = 30\nvalue = 30", "one figure is wanted"),
        ("up_to = 30\n", "", "it has no figure"),
        ("up_to = 30", "low = 30\nhigh = 3", "`low` is 30 and `high` is 3"),
        ("status = \"untested: needs ", "status = \"untested, needs ", "expected `untested: needs …`"),
        ("quantity = \"memory_ratio\"", "quantity = \"memory_ratio\"\nof = \"native/runc\"", "`of` means nothing"),
        (
            "source = \"s\"\nwhat = \"w\"\nquantity = \"ratio\"",
            "source = \"t\"\nwhat = \"w\"\nquantity = \"ratio\"",
            "has the id `t`",
        ),
        ("n = \"3\"", "n = \"not seen\"", "say \"not published\""),
        ("n = \"3\"", "n = \"\"", "`n` of the setting is empty"),
    ] {
        let error = refusal(&TIMES.replacen(from, to, 1));
        assert!(error.contains(expected), "{from} as {to}: {error}");
    }
}

#[test]
fn a_size_needs_a_kind() {
    let head = &TIMES[..TIMES.find("[[claim]]").unwrap()];
    let claim = "[[claim]]\nid = \"a\"\nsource = \"s\"\nwhat = \"w\"\nquantity = \"binary_kb\"\nvalue = 1\nbench = \"b\"\n\
                 tolerance = 2\n";
    let error = refusal(&format!("{head}{claim}"));
    assert!(error.contains("`kind`") && error.contains("`native`, `wasm`, `wasm-aot`"), "{error}");
}
