//! `--until`: what it can watch, and what it says at the end.

use super::*;
use results::{UntilEnd, UntilReason};

#[test]
fn until_without_a_ratio_to_watch_is_refused_and_names_the_way_out() {
    let matrix = crate::matrix::tests::ours();
    let cases = |texts: &[&str]| texts.iter().map(|text| matrix.case(text).unwrap().clone()).collect::<Vec<Case>>();
    let alone = expect_ratio(&cases(&["wasm-aot/process"])).unwrap_err().to_string();
    assert!(alone.contains("`wasm-aot/process`") && alone.contains("`native/process`"), "{alone}");
    // Baselines alone: neither has a ratio to the other, as one is direct and one a container.
    assert!(expect_ratio(&cases(&["native/process", "native/runc"])).is_err());
    expect_ratio(&cases(&["native/process", "wasm-aot/process"])).unwrap();
}

#[test]
fn the_end_of_until_says_whether_it_was_reached_and_why_it_stopped() {
    let said = |reason, widest_percent| UntilEnd { reason, rounds: 20, widest_percent }.sentence(2.0);
    assert_eq!(
        said(UntilReason::Reached, Some(1.234)),
        "`--until 2%` was reached after 20 rounds: the widest interval of a ratio is 1.23 % of it"
    );
    assert_eq!(
        said(UntilReason::Rounds, Some(3.0)),
        "`--until 2%` was not reached in 20 rounds, the most allowed: the widest interval of a ratio is 3.00 % of it"
    );
    assert_eq!(
        said(UntilReason::Budget, None),
        "`--until 2%` was not reached when its budget of time was spent, after 20 rounds: some ratio has no interval yet"
    );
}
