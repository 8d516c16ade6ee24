//! The claims file of this project, and what a wrong one is told.

use super::*;
use crate::case::FirstEdition;

const OURS: &str = include_str!("../../../../results/claims.toml");

const TIMES: &str = r#"
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
"#;

fn refusal(text: &str) -> String {
    format!("{:#}", parse(text, &FirstEdition::read().cases).unwrap_err())
}

#[test]
fn the_projects_own_claims_are_all_there() {
    let claims = parse(OURS, &FirstEdition::read().cases).unwrap();
    assert_eq!(claims.len(), 13);
    let published: Vec<f64> = claims
        .iter()
        .filter_map(|claim| match &claim.statement {
            Statement::Binary(size) | Statement::Image(size) | Statement::WithdrawnImage { size, .. } => {
                Some(size.kilobytes)
            }
            Statement::Time { milliseconds, .. } => Some(*milliseconds),
            Statement::Ratio { .. } => None,
        })
        .collect();
    assert_eq!(published, [477.0, 100.0, 12_900_000.0, 8810.0, 150.0, 13.0, 47.5, 338.5, 3531.0]);
}

#[test]
fn a_ratio_is_the_quotient_of_its_two_claims() {
    let claims = parse(TIMES, &FirstEdition::read().cases).unwrap();
    let Statement::Ratio { case, baseline, ratio, .. } = &claims[2].statement else { panic!("{claims:?}") };
    assert_eq!((case.to_string().as_str(), baseline.to_string().as_str()), ("wasm-aot/process", "native/process"));
    assert!((ratio - 4.0).abs() < 1e-12);
}

#[test]
fn an_unknown_key_is_an_error_with_line_and_expectation() {
    let error = refusal(&TIMES.replace("what = \"w\"", "wat = \"w\""));
    assert!(error.contains("line 5") && error.contains("wat") && error.contains("what"), "{error}");
}

#[test]
fn wrong_claims_are_named_with_what_is_wrong() {
    for (from, to, expected) in [
        ("native/process", "native/docker", "`b`: no case matches `native/docker`"),
        ("native/process", "native/runc", "`b`: `native/runc` is a container"),
        ("numerator = \"a\"", "numerator = \"x\"", "`c`: `numerator`: no claim has the id `x`"),
        ("numerator = \"a\"", "numerator = \"c\"", "claim `c` is not about a time"),
        ("value = 5", "value = 0", "`value` is 0"),
        ("value = 5", "value = nan", "`value` is NaN"),
        ("value = 5", "kind = \"native\"\nvalue = 5", "`kind` means nothing"),
        ("tolerance = 1.5", "tolerance = 0.5", "at least 1"),
        ("tolerance = 1.5", "", "`tolerance` is missing"),
        ("id = \"b\"", "id = \"a\"", "two claims have the id `a`"),
    ] {
        let error = refusal(&TIMES.replace(from, to));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_size_needs_a_kind() {
    let text = "[[claim]]\nid = \"a\"\nsource = \"s\"\nwhat = \"w\"\nquantity = \"binary_kb\"\nvalue = 1\nbench = \"b\"\n\
                tolerance = 2\n";
    let error = refusal(text);
    assert!(error.contains("`kind`") && error.contains("`native`, `wasm`, `wasm-aot`"), "{error}");
}
