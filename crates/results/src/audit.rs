//! A stored run held against its own plan: every run of a cell once, at its place in the order, and none missing.
//!
//! Pure. Not here: reading lines (`store`), and any statistic. The order within a round is not recomputed from the
//! seed: another version of the generator would shuffle otherwise, and old runs stay readable.

use super::{Manifest, RunStatus, Sample};
use crate::case::Cell;
use samples::{Columns, Places, Plan, Sifted};

/// So many cells are named where lines are missing.
const NAMED: usize = 3;

/// What can be used of a run's samples, and what is wrong with the rest.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The samples that the plan has a place for, each once, in the order of the file.
    pub samples: Vec<Sample>,
    /// A sentence for each kind of fault.
    pub faults: Vec<String>,
}

/// Sorts out the samples that the manifest has no place for, or has already, and counts those that are not there.
pub fn audit(manifest: &Manifest, samples: Vec<Sample>) -> Audited {
    let read = samples.len();
    let places = places(manifest);
    let plan = Plan { places: &places, warmup_rounds: manifest.warmup_rounds, rounds: planned_rounds(manifest) };
    let sifted = samples::sift(samples, &plan);
    let mut faults = faults(&sifted);
    let missing = missing(manifest, &places, &sifted);
    let written = manifest.finished.as_ref().and_then(|finished| finished.samples);
    match (missing, written) {
        (Some(missing), _) => faults.push(missing),
        // What was cut off at the end of a run that stopped early leaves no hole: only the count tells.
        (None, Some(written)) if written > read as u64 => {
            faults.push(format!("it had {written} lines when the run ended, and {read} of them can be read"));
        }
        _ => {}
    }
    Audited { samples: sifted.samples, faults }
}

/// The benches and cells of a manifest.
pub(crate) fn places(manifest: &Manifest) -> Places<'_> {
    let benches = manifest.benches.iter().map(|bench| bench.name.as_str()).collect();
    Places::new(benches, manifest.cells.iter().map(|cell| cell.name.as_str()).collect())
}

fn faults(sifted: &Sifted) -> Vec<String> {
    let counts = [
        (sifted.strangers, "of a bench or cell that the manifest does not name: left out"),
        (sifted.misplaced, "of a round or place that the plan does not have: left out"),
        (sifted.repeated, "of a run that has a line already: only the first counts"),
    ];
    let lines = |count: usize| if count == 1 { "1 line is".to_owned() } else { format!("{count} lines are") };
    let found = counts.into_iter().filter(|(count, _)| *count > 0);
    found.map(|(count, what)| format!("{} {what}", lines(count))).collect()
}

fn planned_rounds(manifest: &Manifest) -> u64 {
    u64::from(manifest.warmup_rounds) + u64::from(manifest.rounds)
}

/// The planned runs that have no line, in words. A cell that was given up may end early, and a run that was cut off
/// may do so in the middle of its last round; a hole before that is a loss.
fn missing(manifest: &Manifest, places: &Places<'_>, sifted: &Sifted) -> Option<String> {
    let rounds = sifted.runs.by_row();
    let seen = rounds.values().map(Columns::end).max().unwrap_or(0);
    let whole = match (manifest.finished.as_ref().map(|finished| finished.status), &manifest.sequential) {
        (Some(RunStatus::Complete), None) => planned_rounds(manifest),
        // It stopped by itself, at the latest after the last planned round, at the earliest after the first.
        (Some(RunStatus::Complete), Some(_)) => seen.max(1),
        _ => seen.saturating_sub(1),
    };
    let none = Columns::default();
    let (mut planned, mut missing) = (0, Vec::new());
    for bench in &manifest.benches {
        for cell in &manifest.cells {
            let there =
                places.place(&bench.name, &cell.name).and_then(|slot| rounds.get(&(slot as u64))).unwrap_or(&none);
            let until = if is_given_up(manifest, &bench.name, cell) { there.end() } else { whole };
            planned += until;
            let lacks = until - there.before(until);
            if lacks > 0 {
                missing.push((lacks, format!("`{cell}` on `{}` lacks {lacks} of {until}", bench.name)));
            }
        }
    }
    let all: u64 = missing.iter().map(|(lacks, _)| lacks).sum();
    missing.sort_by_key(|(lacks, _)| std::cmp::Reverse(*lacks));
    let more = missing.len().saturating_sub(NAMED);
    let mut named: Vec<String> = missing.into_iter().take(NAMED).map(|(_, text)| text).collect();
    if more > 0 {
        named.push(format!("and {more} more cells"));
    }
    (all > 0).then(|| format!("{all} of {planned} planned runs have no line: {}", named.join(", ")))
}

fn is_given_up(manifest: &Manifest, bench: &str, cell: &Cell) -> bool {
    manifest.not_measured.iter().any(|row| row.bench == bench && (row.case == cell.name || row.case == cell.case.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analyse;
    use crate::analysis::fixture::{manifest, samples};
    use crate::{NotMeasured, Sequential};

    fn faults(manifest: &Manifest, samples: Vec<Sample>) -> String {
        audit(manifest, samples).faults.join("\n")
    }

    #[test]
    fn a_whole_run_is_as_planned() {
        let manifest = manifest(6);
        let all = samples(&manifest);
        let audited = audit(&manifest, all.clone());
        assert_eq!((audited.samples, audited.faults), (all, Vec::new()));
    }

    #[test]
    fn doubled_lines_make_no_second_sample_and_no_narrower_interval() {
        let manifest = manifest(30);
        let all = samples(&manifest);
        for copies in [2, 10] {
            let many: Vec<Sample> = std::iter::repeat_n(all.clone(), copies).flatten().collect();
            let audited = audit(&manifest, many);
            assert_eq!(analyse(&manifest, &audited.samples, &[]), analyse(&manifest, &all, &[]));
            let repeated = (copies - 1) * all.len();
            assert_eq!(
                audited.faults,
                [format!("{repeated} lines are of a run that has a line already: only the first counts")]
            );
        }
    }

    #[test]
    fn a_second_run_at_one_place_of_the_order_is_none() {
        let manifest = manifest(6);
        let mut all = samples(&manifest);
        let first = all[0].position;
        all[1].position = first;
        let text = faults(&manifest, all);
        assert!(text.contains("1 line is of a run that has a line already"), "{text}");
        assert!(text.contains("1 of 315 planned runs have no line: `native/process#2`"), "{text}");
    }

    #[test]
    fn what_the_plan_has_no_place_for_is_left_out() {
        let manifest = manifest(6);
        let mut all = samples(&manifest);
        all[0].round = u32::MAX;
        all[1].position = 4_000;
        all[2].warmup = false;
        all[3].bench = "elsewhere".into();
        let audited = audit(&manifest, all.clone());
        assert_eq!(audited.samples, all[4..]);
        let text = audited.faults.join("\n");
        assert!(text.contains("3 lines are of a round or place that the plan does not have"), "{text}");
        assert!(text.contains("1 line is of a bench or cell that the manifest does not name"), "{text}");
        assert!(text.contains("4 of 315 planned runs have no line"), "{text}");
    }

    #[test]
    fn what_was_deleted_is_counted_and_its_cells_are_named() {
        let manifest = manifest(6);
        let all = samples(&manifest);
        let half = all.iter().filter(|sample| sample.position % 2 == 0).cloned().collect();
        let text = faults(&manifest, half);
        assert!(text.starts_with("154 of 315 planned runs have no line: `native/process#2` on"), "{text}");
        assert!(text.ends_with("and 19 more cells"), "{text}");
        assert!(faults(&manifest, Vec::new()).starts_with("315 of 315 planned runs"));
        assert!(faults(&manifest, all[..200].to_vec()).starts_with("115 of 315 planned runs"));
    }

    #[test]
    fn a_run_that_was_cut_off_may_end_in_the_middle_of_a_round_and_have_no_hole_before_it() {
        let mut manifest = manifest(6);
        manifest.finished = None;
        let mut all = samples(&manifest);
        all.truncate(2 * 45 + 7);
        assert_eq!(faults(&manifest, all.clone()), "");
        all.remove(3);
        assert!(faults(&manifest, all).starts_with("1 of 90 planned runs"));
    }

    #[test]
    fn a_cell_that_was_given_up_may_end_early_but_not_begin_late() {
        let mut manifest = manifest(6);
        manifest.not_measured = vec![NotMeasured {
            bench: "noop".to_owned(),
            case: "native/runc".to_owned(),
            metric: None,
            reason: "given up".to_owned(),
        }];
        let mut all = samples(&manifest);
        let is_it = |sample: &Sample| sample.bench == "noop" && sample.case.starts_with("native/runc");
        all.retain(|sample| !is_it(sample) || sample.round < 3);
        assert_eq!(faults(&manifest, all.clone()), "");
        all.retain(|sample| !is_it(sample) || sample.round > 0);
        assert!(faults(&manifest, all).contains("`native/runc` on `noop` lacks 1 of 3"));
    }

    #[test]
    fn a_run_that_stopped_on_precision_has_the_rounds_until_then() {
        let mut manifest = manifest(20);
        manifest.sequential = Some(Sequential { until_percent: 3.0, looks: vec![10, 20], look_confidence: 0.975 });
        let mut all = samples(&manifest);
        all.retain(|sample| sample.round < 11);
        assert_eq!(faults(&manifest, all.clone()), "");
        assert!(faults(&manifest, Vec::new()).starts_with("45 of 45"));
        let finished = manifest.finished.as_mut().unwrap();
        finished.samples = Some(all.len() as u64);
        all.truncate(10 * 45);
        assert_eq!(faults(&manifest, all), "it had 495 lines when the run ended, and 450 of them can be read");
    }
}
