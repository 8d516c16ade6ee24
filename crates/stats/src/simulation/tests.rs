//! What the method promises, held against the simulation. Bounded and seeded: the same figures every time.

use super::*;
use crate::looks::{look_confidence, looks};
use crate::verdict::Verdict;
use crate::verdict::{Limits, Margin, verdict};

fn setup(replicates: u32) -> Setup {
    Setup { replicates, ..Setup::default() }
}

#[test]
fn interleaved_intervals_keep_their_word_under_every_disturbance() {
    for disturbance in Disturbance::ALL {
        let ours = coverage(&setup(1500), disturbance, Order::Interleaved);
        assert!(ours.covered >= 0.93, "{}: {}", disturbance.name(), ours.covered);
    }
}

#[test]
fn sequential_order_would_have_failed_where_the_machine_changes() {
    for disturbance in [Disturbance::Drift, Disturbance::Step, Disturbance::Wander] {
        let theirs = coverage(&setup(500), disturbance, Order::Sequential);
        assert!(theirs.covered < 0.60, "{}: {}", disturbance.name(), theirs.covered);
    }
    // On a machine that never changes the order does not matter.
    assert!(coverage(&setup(500), Disturbance::Noise, Order::Sequential).covered >= 0.93);
}

#[test]
fn few_rounds_keep_their_word_too() {
    for rounds in [6, 10] {
        let setup = Setup { rounds, ..setup(600) };
        for disturbance in [Disturbance::Noise, Disturbance::Drift, Disturbance::Wander] {
            let ours = coverage(&setup, disturbance, Order::Interleaved);
            assert!(ours.covered >= 0.93, "{rounds} rounds, {}: {}", disturbance.name(), ours.covered);
        }
    }
}

#[test]
fn spikes_widen_our_interval_far_less_than_welchs() {
    let ours = coverage(&setup(300), Disturbance::Spikes, Order::Interleaved);
    assert!(ours.welch_width > 2.0 * ours.width, "{ours:?}");
}

/// Without any margin, a twin may differ from itself as often as the interval may miss: 5 %, give or take
/// two standard errors. With the default margin of 2 % it hardly ever does.
#[test]
fn a_twin_is_faster_or_slower_no_more_often_than_the_confidence_allows() {
    for disturbance in Disturbance::ALL {
        let setup = Setup { ratio: 1.0, ..setup(1000) };
        let mut random = Random::new(setup.seed, Stream(500 + disturbance as u64));
        let (mut without, mut with) = (0, 0);
        for _ in 0..setup.replicates {
            let simulated = simulate(&setup, disturbance, Order::Interleaved, &mut random);
            let interval = paired_ratio(simulated.pair(), setup.confidence).interval;
            let judged = |margin| matches!(verdict(interval, Limits::asked(margin)), Verdict::Faster | Verdict::Slower);
            without += u32::from(judged(Margin::new(0.0)));
            with += u32::from(judged(Margin::new(0.02)));
        }
        assert!(without <= 64, "{}: {without} of 1000", disturbance.name());
        assert!(with <= 10, "{}: {with} of 1000", disturbance.name());
    }
}

#[test]
fn looking_repeatedly_keeps_the_stated_confidence() {
    let setup = Setup { rounds: 160, ..setup(600) };
    let looks = looks(setup.rounds);
    let each = look_confidence(setup.confidence, looks.len());
    for until in [0.02, 0.03, 0.05] {
        let ours = until_coverage(&setup, &looks, until, each);
        assert!(ours.covered >= 0.95, "until {until}: {ours:?}");
    }
    // It does stop early when little is asked, and goes to the end when too much is.
    assert!(until_coverage(&setup, &looks, 0.10, each).rounds < 40.0);
    assert!(until_coverage(&setup, &looks, 0.001, each).rounds > 159.0);
}

#[test]
fn the_table_is_the_same_every_time() {
    let setup = setup(40);
    let table = coverage_table(&setup);
    assert_eq!(table, coverage_table(&setup));
    assert_eq!(
        table.to_string().lines().count(),
        4 + Disturbance::ALL.len() + 3 + UNTIL.len() + 3 + Disturbance::OF_LINES.len()
    );
}

#[test]
fn a_bench_of_two_cells_and_of_no_rounds_can_be_simulated() {
    let ours = coverage(&Setup { cells: 2, ..setup(200) }, Disturbance::Drift, Order::Interleaved);
    assert!(ours.covered >= 0.93);
    let none = coverage(&Setup { rounds: 0, ..setup(2) }, Disturbance::Drift, Order::Interleaved);
    assert!(none.covered <= 0.0 && none.width <= 0.0);
}
