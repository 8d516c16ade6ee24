//! Traced runs in, a timeline per bench and case out.
//!
//! Medians of phases need not sum to the median of the wall time: each is the middle of its own values. Those of one run do
//! (`crate::timeline`).

use std::collections::BTreeMap;

use super::Level;
use super::cells::Cells;
use crate::case::Cell;
use crate::timeline::{
    ArmTimeline, MedianRow, Phase, PhaseDifference, PhaseRow, Phases, ProgramClock, SHIM_BESIDE, SHIM_STEPS, StepRow,
    TimelineDifference, Trace, TracingCost, phases, steps,
};
use crate::{Manifest, Outcome};
use stats::describe::middle;
use stats::{Confidence, Pair, Timed, paired_ratio};

/// What the unattributed part of a row may be before the row says so, as a fraction of its wall time.
const UNATTRIBUTED_LIMIT: f64 = 0.03;

/// Counted runs of one cell, by round.
struct Arm<'a> {
    runs: BTreeMap<u32, (&'a Trace, Phases)>,
    failed: Vec<&'a Trace>,
}

/// A timeline of each traced bench and case, in the manifest's order. `cells` has the plain runs beside them.
pub fn timelines(manifest: &Manifest, traces: &[Trace], cells: &Cells<'_>, level: Level) -> Vec<ArmTimeline> {
    let mut rows = Vec::new();
    for traced in &manifest.traced {
        let clock = manifest.clock_of(&traced.bench);
        let of_case = |case: &str| arm(manifest, traces, ([&traced.bench, case], clock));
        for cell in manifest.cells.iter().filter(|cell| !cell.is_twin()) {
            let arm = of_case(&cell.name);
            if arm.runs.is_empty() && arm.failed.is_empty() {
                continue;
            }
            let mut row = row(&traced.bench, cell, &arm, level.confidence);
            let plain = cells.get(&traced.bench, &cell.name).map_or(&[][..], |runs| &runs.ok);
            row.cost = cost(&arm, plain, level.confidence);
            row.difference = cell.case.baseline.as_ref().and_then(|baseline| {
                let difference = difference((&arm, &of_case(baseline)), level.confidence)?;
                Some(TimelineDifference { baseline: baseline.clone(), ..difference })
            });
            rows.push(row);
        }
    }
    rows
}

fn arm<'a>(manifest: &Manifest, traces: &'a [Trace], ([bench, case], clock): ([&str; 2], ProgramClock)) -> Arm<'a> {
    let is_container = manifest.cell(case).is_some_and(|cell| cell.case.is_container());
    let mut arm = Arm { runs: BTreeMap::new(), failed: Vec::new() };
    for trace in traces.iter().filter(|trace| trace.bench == bench && trace.case == case && !trace.warmup) {
        match phases(trace, is_container, clock).filter(|_| trace.outcome == Outcome::Ok) {
            Some(found) => drop(arm.runs.insert(trace.round, (trace, found))),
            None => arm.failed.push(trace),
        }
    }
    arm
}

/// The median of these, with its interval; `None` for no values.
pub fn median_row(values: Vec<f64>, confidence: Confidence) -> Option<MedianRow> {
    let found = middle(values, confidence)?;
    Some(MedianRow {
        median: found.median,
        ci_low: found.interval.map(|interval| interval.low),
        ci_high: found.interval.map(|interval| interval.high),
    })
}

fn row(bench: &str, cell: &Cell, arm: &Arm<'_>, confidence: Confidence) -> ArmTimeline {
    let walls = arm.runs.values().filter_map(|(trace, _)| Some(trace.wall_ns? as f64));
    let wall_ns = median_row(walls.collect(), confidence);
    let of_phase = |phase: Phase| {
        let values: Vec<f64> =
            arm.runs.values().filter_map(|(_, found)| found.lengths.get(&phase)).map(|length| *length as f64).collect();
        Some(PhaseRow { phase, n: values.len(), ns: median_row(values, confidence)? })
    };
    let phases: Vec<PhaseRow> = Phase::ALL.into_iter().filter_map(of_phase).collect();
    let unattributed = phases.iter().find(|row| row.phase == Phase::Unattributed).map(|row| row.ns.median);
    let fraction = unattributed.zip(wall_ns).map(|(part, wall)| part / wall.median);
    ArmTimeline {
        bench: bench.to_owned(),
        case: cell.name.clone(),
        n: arm.runs.len(),
        failed: arm.failed.len(),
        wall_ns,
        phases,
        steps: chain(arm, confidence),
        beside: beside(arm, confidence),
        unattributed_fraction: fraction,
        note: note(arm, fraction),
        cost: TracingCost { n: 0, ratio: None, ci_low: None, ci_high: None },
        difference: None,
    }
}

fn chain(arm: &Arm<'_>, confidence: Confidence) -> Vec<StepRow> {
    let all: Vec<_> = arm.runs.values().flat_map(|(trace, _)| steps(trace)).collect();
    let of_mark = |(mark, _): (&str, &str)| {
        let found = all.iter().filter(|(name, ..)| *name == mark);
        let (ends, lengths): (Vec<f64>, Vec<f64>) = found.map(|(_, at, took)| (*at as f64, *took as f64)).unzip();
        let (n, at_ns) = (ends.len(), median_row(ends, confidence)?);
        Some(StepRow { mark: mark.to_owned(), n, at_ns, took_ns: median_row(lengths, confidence) })
    };
    SHIM_STEPS.into_iter().filter_map(of_mark).collect()
}

fn beside(arm: &Arm<'_>, confidence: Confidence) -> Vec<StepRow> {
    let of_mark = |(mark, _): (&str, &str)| {
        let ends: Vec<f64> =
            arm.runs.values().filter_map(|(trace, _)| trace.marks.get(mark)).map(|at| *at as f64).collect();
        Some(StepRow { mark: mark.to_owned(), n: ends.len(), at_ns: median_row(ends, confidence)?, took_ns: None })
    };
    SHIM_BESIDE.into_iter().filter_map(of_mark).collect()
}

/// What is missing in most runs, where so much is unattributed for it; or why there is no sample.
fn note(arm: &Arm<'_>, unattributed: Option<f64>) -> Option<String> {
    let Some(fraction) = unattributed else {
        let reason = arm.failed.iter().find_map(|trace| trace.reason.clone());
        return Some(format!("no traced run gave a sample: {}", reason.unwrap_or_else(|| "none was made".to_owned())));
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in arm.runs.values().flat_map(|(_, found)| &found.missing) {
        *counts.entry(name).or_default() += 1;
    }
    let missing: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| 2 * count > arm.runs.len())
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let over = fraction > UNATTRIBUTED_LIMIT;
    match (missing.is_empty(), over) {
        (true, false) => None,
        (true, true) => Some(format!("{:.0} % of the time is unattributed", fraction * 100.0)),
        (false, _) => {
            let reason = arm.runs.values().find_map(|(trace, _)| trace.reason.clone());
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            let part = format!("{:.0} %", fraction * 100.0);
            Some(format!("{part} of the time is unattributed, because nobody dated {}{reason}", missing.join(", ")))
        }
    }
}

fn cost(arm: &Arm<'_>, plain: &[Timed], confidence: Confidence) -> TracingCost {
    let traced: Vec<Timed> = arm
        .runs
        .iter()
        .filter_map(|(round, (trace, _))| Some(Timed { round: *round, value: trace.wall_ns? as f64 }))
        .collect();
    let found = paired_ratio(Pair { case: &traced, baseline: plain }, confidence);
    TracingCost {
        n: found.n,
        ratio: found.ratio,
        ci_low: found.interval.map(|interval| interval.low),
        ci_high: found.interval.map(|interval| interval.high),
    }
}

/// By round: both are runs of one round, so what slowed that slowed both.
fn difference((arm, baseline): (&Arm<'_>, &Arm<'_>), confidence: Confidence) -> Option<TimelineDifference> {
    let pairs: Vec<_> = arm.runs.iter().filter_map(|(round, ours)| Some((ours, baseline.runs.get(round)?))).collect();
    let wall = |(trace, _): &(&Trace, Phases)| trace.wall_ns.map(|wall| wall as f64);
    let walls = pairs.iter().filter_map(|(ours, theirs)| Some(wall(ours)? - wall(theirs)?)).collect();
    let of_phase = |phase: Phase| {
        let length = |(_, found): &(&Trace, Phases)| found.lengths.get(&phase).map(|length| *length as f64);
        let is_there = pairs.iter().any(|(ours, theirs)| length(ours).is_some() || length(theirs).is_some());
        let values = pairs.iter().map(|(ours, theirs)| length(ours).unwrap_or(0.0) - length(theirs).unwrap_or(0.0));
        Some(PhaseDifference { phase, ns: median_row(values.collect(), confidence)? }).filter(|_| is_there)
    };
    Some(TimelineDifference {
        baseline: String::new(),
        wall_ns: median_row(walls, confidence)?,
        phases: Phase::ALL.into_iter().filter_map(of_phase).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{manifest, samples};
    use crate::TracedBench;
    use crate::timeline::mark;

    use super::*;

    const MS: i64 = 1_000_000;

    /// Containers of two cases in each round, of which the second takes 20 ms longer to create a task.
    fn traces(rounds: u32) -> Vec<Trace> {
        let moments = [
            mark::SNAPSHOT_PREPARED,
            mark::CONTAINER_CREATED,
            mark::TASK_CREATED,
            mark::FIRST_INSTRUCTION,
            mark::LAST_INSTRUCTION,
            mark::TASK_EXITED,
            mark::TASK_DELETED,
            mark::CONTAINER_DELETED,
        ];
        let trace = |round: u32, case: &str, longer: i64| Trace {
            bench: "array-sum".to_owned(),
            case: case.to_owned(),
            round,
            position: 0,
            warmup: round == 0,
            wall_ns: Some((90 * MS + longer * MS + i64::from(round)).unsigned_abs()),
            marks: moments
                .into_iter()
                .zip(1..)
                .map(|(name, place)| (name.to_owned(), place * 10 * MS + if place > 2 { longer * MS } else { 0 }))
                .collect(),
            clock_error_ns: Some(100),
            outcome: Outcome::Ok,
            reason: None,
        };
        (0..=rounds).flat_map(|round| [trace(round, "native/runc", 0), trace(round, "wasm-aot/wasmedge", 20)]).collect()
    }

    fn analysed(traces: &[Trace]) -> Vec<ArmTimeline> {
        let bench = TracedBench { bench: "array-sum".to_owned(), program: "array-sum-stamped".to_owned() };
        let manifest = Manifest { traced: vec![bench], ..manifest(10) };
        super::super::timeline(&manifest, &samples(&manifest), traces)
    }

    #[test]
    fn a_difference_is_where_it_is_and_nowhere_else() {
        let rows = analysed(&traces(10));
        assert_eq!(rows.iter().map(|row| row.case.as_str()).collect::<Vec<_>>(), ["native/runc", "wasm-aot/wasmedge"]);
        assert!(rows.iter().all(|row| row.n == 10 && row.failed == 0 && row.note.is_none()));
        let difference = rows[1].difference.as_ref().unwrap();
        assert_eq!((difference.baseline.as_str(), difference.wall_ns.median), ("native/runc", 20e6));
        for row in &difference.phases {
            let expected = if row.phase == Phase::TaskCreate { 20e6 } else { 0.0 };
            assert_eq!((row.ns.median, row.ns.ci_low), (expected, Some(expected)), "{row:?}");
        }
        assert!(rows[0].difference.is_none());
        assert_eq!(rows[0].cost.n, 10);
        assert!(rows[0].cost.ratio.is_some() && rows[0].cost.ci_low.is_some());
        let sum: f64 = rows[0].phases.iter().map(|row| row.ns.median).sum();
        assert!((sum - rows[0].wall_ns.unwrap().median).abs() < 10.0, "{sum}");
    }

    #[test]
    fn a_moment_that_is_missing_is_said_with_what_it_costs() {
        let mut traces = traces(10);
        for trace in traces.iter_mut().filter(|trace| trace.case == "native/runc") {
            trace.marks.remove(mark::FIRST_INSTRUCTION);
            trace.reason = Some("its clock is another".to_owned());
        }
        let rows = analysed(&traces);
        assert_eq!(rows[0].unattributed_fraction.map(|part| (part * 90.0).round()), Some(20.0));
        let note = rows[0].note.as_deref().unwrap();
        assert_eq!(
            note,
            "22 % of the time is unattributed, because nobody dated `first-instruction`: its clock is another"
        );
        assert!(rows[1].note.is_none());
    }

    #[test]
    fn a_case_that_always_fails_says_why_and_has_no_number() {
        let mut traces = traces(3);
        for trace in &mut traces {
            (trace.outcome, trace.reason) = (Outcome::WrongOutput, Some("it printed nothing".to_owned()));
        }
        let rows = analysed(&traces);
        assert_eq!((rows[0].n, rows[0].failed, rows[0].wall_ns, rows[0].phases.len()), (0, 3, None, 0));
        assert_eq!(rows[0].note.as_deref(), Some("no traced run gave a sample: it printed nothing"));
        assert_eq!(analysed(&[]), []);
    }

    #[test]
    fn what_a_shim_notes_is_a_chain_of_steps_and_what_happens_beside_it() {
        let mut traces = traces(10);
        for trace in traces.iter_mut().filter(|trace| trace.case == "wasm-aot/wasmedge") {
            let noted = [("shim-started", 24), ("engine-loaded", 26), ("server-started", 28), ("module-read", 51)];
            trace.marks.extend(noted.map(|(name, at)| (name.to_owned(), at * MS)));
        }
        let rows = analysed(&traces);
        let took = |row: &StepRow| (row.mark.clone(), row.took_ns.map(|took| took.median / 1e6));
        let steps: Vec<_> = rows[1].steps.iter().map(took).collect();
        let expected = [("shim-started", 4.0), ("server-started", 4.0), ("task-created", 22.0), ("module-read", 1.0)];
        assert_eq!(steps, expected.map(|(mark, took)| (mark.to_owned(), Some(took))));
        assert_eq!(rows[1].beside.iter().map(took).collect::<Vec<_>>(), [("engine-loaded".to_owned(), None)]);
        assert!(rows[0].steps.is_empty() && rows[0].beside.is_empty());
    }
}
