//! Tests only: our statistics beside those of `pragmastat`, an independent implementation by others, where it
//! offers the same one. It has no sign-test interval of a median and no MAD, so those are checked against
//! tables in their own modules.

use pragmastat::estimators::raw;

use super::random::{Random, Stream};
use super::unpaired::{Unpaired, unpaired_ratio};
use super::{Confidence, Pair, Samples, Timed, paired_ratio};

fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{ours} is not {theirs}");
}

fn run(values: &[f64]) -> Samples {
    Samples::new(values.to_vec()).unwrap()
}

/// On symmetric values the Hodges–Lehmann centre is the median.
#[test]
fn the_median_of_symmetric_values_is_the_centre() {
    for values in [vec![4.0], vec![1.0, 2.0], vec![1.0, 4.0, 5.0, 6.0, 9.0], vec![0.0, 1.0, 1.0, 7.0, 7.0, 8.0]] {
        close(run(&values).median(), raw::center(&values, false).unwrap());
    }
}

/// At the level `1 − 2^(1−n)` the sign test and the signed-rank test reject in the same two cases (all
/// differences on one side), so both intervals are from the least value to the greatest, exactly.
#[test]
fn at_the_extreme_level_the_median_interval_is_the_centre_interval() {
    let values = [3.1, 2.7, 9.4, 4.4, 5.9, 6.1, 2.2, 8.8, 7.3, 3.9, 5.0, 4.7];
    for n in 3..=values.len() {
        let misrate = 0.5_f64.powi(i32::try_from(n).unwrap() - 1);
        let ours = run(&values[..n]).median_interval(Confidence::new(1.0 - misrate).unwrap()).unwrap();
        let theirs = raw::center_bounds(&values[..n], misrate, false).unwrap();
        close(ours.low, theirs.lower);
        close(ours.high, theirs.upper);
        close(ours.confidence, 1.0 - misrate);
    }
}

/// A paired ratio is a one-sample problem on log ratios: theirs is the centre of the logs, ours the median;
/// on symmetric log ratios the two are equal, and at the extreme level so are the intervals.
#[test]
fn the_paired_ratio_of_symmetric_logs_is_the_centre_of_the_logs() {
    let logs: [f64; 8] = [0.1, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.6];
    let baseline = [5.0, 50.0, 7.0, 70.0, 9.0, 90.0, 11.0, 110.0];
    let timed =
        |values: Vec<f64>| -> Vec<Timed> { (0..).zip(values).map(|(round, value)| Timed { round, value }).collect() };
    let case = timed(logs.iter().zip(baseline).map(|(log, base)| base * log.exp()).collect());
    let pair = Pair { case: &case, baseline: &timed(baseline.to_vec()) };
    let misrate = 0.5_f64.powi(7);
    let ours = paired_ratio(pair, Confidence::new(1.0 - misrate).unwrap());
    close(ours.ratio.unwrap(), raw::center(&logs, false).unwrap().exp());
    let theirs = raw::center_bounds(&logs, misrate, false).unwrap();
    close(ours.interval.unwrap().low, theirs.lower.exp());
    close(ours.interval.unwrap().high, theirs.upper.exp());
}

/// Their ratio is the median of all pairwise ratios. Where one run is the other times a constant, and
/// symmetric on the logarithm, it is the ratio of the medians.
#[test]
fn the_unpaired_ratio_of_scaled_runs_is_theirs() {
    let old: Vec<f64> = [-0.3_f64, -0.1, -0.05, 0.0, 0.05, 0.1, 0.3].iter().map(|log| 100.0 * log.exp()).collect();
    let new: Vec<f64> = old.iter().map(|value| value * 1.37).collect();
    let ours = unpaired_ratio(Unpaired { new: &run(&new), old: &run(&old) }, Confidence::DEFAULT).unwrap();
    close(ours.value, raw::ratio(&new, &old, false).unwrap());
}

/// On normal logs their interval of pairwise ratios is the efficient one; ours, of medians, must overlap it
/// and be wider on average, by about √(π/2) and what the order statistics round up.
#[test]
fn the_unpaired_interval_is_wider_than_theirs() {
    let mut random = Random::new(17, Stream(0));
    let mut draw = |centre: f64| -> Vec<f64> { (0..30).map(|_| centre * (0.05 * random.normal()).exp()).collect() };
    let (mut ours_wide, mut theirs_wide) = (0.0, 0.0);
    for _ in 0..100 {
        let (new, old) = (draw(120.0), draw(100.0));
        let ours = unpaired_ratio(Unpaired { new: &run(&new), old: &run(&old) }, Confidence::DEFAULT).unwrap();
        let theirs = raw::ratio_bounds(&new, &old, 0.05, false).unwrap();
        let interval = ours.interval.unwrap();
        assert!(interval.low <= theirs.upper && interval.high >= theirs.lower);
        ours_wide += interval.high - interval.low;
        theirs_wide += theirs.upper - theirs.lower;
    }
    assert!(ours_wide > theirs_wide && ours_wide < 1.6 * theirs_wide, "{ours_wide} against {theirs_wide}");
}

#[test]
fn the_median_lies_within_their_centre_interval_on_noise() {
    let mut random = Random::new(23, Stream(0));
    for _ in 0..50 {
        let values: Vec<f64> = (0..30).map(|_| 50.0 + random.normal()).collect();
        let ours = run(&values).median_interval(Confidence::DEFAULT).unwrap();
        let theirs = raw::center_bounds(&values, 0.05, false).unwrap();
        assert!(ours.low <= theirs.upper && theirs.lower <= ours.high);
    }
}
