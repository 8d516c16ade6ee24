//! First use: classes, links and compiling ahead of time, from the lines of `first-use.jsonl`.
//!
//! Not here: the formulas (`stats`), the rows (`crate::first_use`).

use std::collections::BTreeSet;

use super::Level;
use crate::case::{Case, Mode};
use crate::first_use::{
    Class, FirstUse, FirstUseRow, FirstUseSample, Link, LinkRow, PULL, PaidOffRow, PaidOffRuns, ROUND_TRIPS, RUN,
    TRANSFERRED, WALL,
};
use crate::{Estimate, Manifest, Outcome, Sample};
use stats::{Pair, Samples, Timed, paired_ratio};

/// What follows from these lines; `None` where there are none. `warm` are the samples of the table, of which what a compiled
/// module saves per run is taken.
pub fn first_use(manifest: &Manifest, lines: &[FirstUseSample], warm: &[Sample]) -> Option<FirstUse> {
    if lines.is_empty() {
        return None;
    }
    let data = Data { manifest, lines, level: Level::of(manifest) };
    let all = data.rows();
    let (compiled, rows): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| row.class == Class::Compile);
    let paid_off = data.paid_off(&compiled, warm);
    Some(FirstUse { links: data.links(&rows), rows, compiled, paid_off })
}

struct Data<'a> {
    manifest: &'a Manifest,
    lines: &'a [FirstUseSample],
    level: Level,
}

/// Which samples belong together.
type Key<'a> = (&'a str, &'a str, Class, Option<Link>);

fn key(line: &FirstUseSample) -> Key<'_> {
    (&line.bench, &line.case, line.class, line.link)
}

impl<'a> Data<'a> {
    /// Every group, in the order of the manifest's benches and cells; a form that was compiled after those.
    fn keys(&self) -> Vec<Key<'a>> {
        let bench = |name: &str| self.manifest.benches.iter().position(|bench| bench.name == name);
        let cell = |name: &str| self.manifest.cells.iter().position(|cell| cell.name == name).unwrap_or(usize::MAX);
        let mut keys: Vec<Key<'a>> = self.lines.iter().map(key).collect::<BTreeSet<_>>().into_iter().collect();
        keys.sort_by_key(|(name, case, class, link)| (bench(name), cell(case), *class, *link));
        keys
    }

    fn timed(&self, of: Key<'_>, value: &str) -> Vec<Timed> {
        let lines = self.lines.iter().filter(|line| key(line) == of && line.outcome == Outcome::Ok);
        lines.filter_map(|line| Some(Timed { round: line.round, value: *line.values.get(value)? as f64 })).collect()
    }

    fn median(&self, values: &[Timed]) -> Option<Estimate> {
        let samples = Samples::new(values.iter().map(|timed| timed.value).collect())?;
        let interval = samples.median_interval(self.level.confidence)?;
        Some(Estimate { value: samples.median(), low: interval.low, high: interval.high })
    }

    fn ratio(&self, case: &[Timed], baseline: &[Timed]) -> Option<Estimate> {
        let found = paired_ratio(Pair { case, baseline }, self.level.confidence);
        let interval = found.interval?;
        Some(Estimate { value: found.ratio?, low: interval.low, high: interval.high })
    }

    fn rows(&self) -> Vec<FirstUseRow> {
        let of_key = |of: Key<'a>| {
            let (bench, case, class, link) = of;
            let failed = self.lines.iter().filter(|line| key(line) == of && line.outcome != Outcome::Ok).count();
            let warm = self.timed((bench, case, Class::Warm, None), WALL);
            [WALL, PULL, RUN].into_iter().filter_map(move |value| {
                let timed = self.timed(of, value);
                if timed.is_empty() && value != WALL {
                    return None;
                }
                let has_ratio = value != PULL && class != Class::Warm && class != Class::Compile;
                Some(FirstUseRow {
                    bench: bench.to_owned(),
                    case: case.to_owned(),
                    class,
                    link,
                    value: value.to_owned(),
                    n: timed.len(),
                    failed,
                    median: self.median(&timed),
                    ratio_to_warm: if has_ratio { self.ratio(&timed, &warm) } else { None },
                })
            })
        };
        self.keys().into_iter().flat_map(of_key).collect()
    }

    /// A row per pull over a link that has an interval, and whose pull from the registry itself has a median.
    fn links(&self, rows: &[FirstUseRow]) -> Vec<LinkRow> {
        let row = |of: &FirstUseRow| {
            let link = of.link.filter(|_| of.value == PULL)?;
            let of_key = (of.bench.as_str(), of.case.as_str(), of.class, Some(link));
            let middle = |value: &str| {
                Samples::new(self.timed(of_key, value).iter().map(|timed| timed.value).collect())
                    .map(|samples| samples.median())
            };
            let (transferred_bytes, round_trips) = (middle(TRANSFERRED)?, middle(ROUND_TRIPS)?);
            let local = rows.iter().find(|other| {
                other.link.is_none() && other.value == PULL && (&other.bench, &other.case) == (&of.bench, &of.case)
            })?;
            let speed = f64::from(link.mbit_per_s) * 1e6;
            let baseline = self.manifest.cell(&of.case).and_then(|cell| cell.case.baseline.as_deref());
            let ratio = baseline.and_then(|baseline| {
                let below = self.timed((&of.bench, baseline, of.class, Some(link)), PULL);
                self.ratio(&self.timed(of_key, PULL), &below)
            });
            Some(LinkRow {
                bench: of.bench.clone(),
                case: of.case.clone(),
                link,
                transferred_bytes,
                round_trips,
                tried_ns: of.median?,
                computed_ns: local.median?.value
                    + transferred_bytes * 8.0 / speed * 1e9
                    + round_trips * f64::from(link.round_trip_ms) * 1e6,
                ratio,
            })
        };
        rows.iter().filter_map(row).collect()
    }

    /// Each case whose form was compiled, against those of the same engine and runtime that run the module itself.
    fn paid_off(&self, compiled: &[FirstUseRow], warm: &[Sample]) -> Vec<PaidOffRow> {
        let cases: Vec<&Case> =
            self.manifest.cells.iter().filter(|cell| !cell.is_twin()).map(|cell| &cell.case).collect();
        let mut rows = Vec::new();
        for made in compiled {
            let Some(compile_ns) = made.median else { continue };
            for case in cases.iter().filter(|case| case.mode == Mode::Aot && case.form.name() == made.case) {
                let is_beside = |other: &&&Case| {
                    [Mode::Interpreter, Mode::Jit].contains(&other.mode)
                        && other.runtime.name == case.runtime.name
                        && other.engine_name() == case.engine_name()
                };
                for other in cases.iter().filter(is_beside) {
                    let saved = saved(warm, &made.bench, [&case.name, &other.name]);
                    let Some(saved_ns) = self.median(&saved) else { continue };
                    rows.push(PaidOffRow {
                        bench: made.bench.clone(),
                        case: case.name.clone(),
                        other: other.name.clone(),
                        compile_ns,
                        saved_ns,
                        runs: runs(compile_ns, saved_ns),
                    });
                }
            }
        }
        rows
    }
}

/// How much less the first of two cases takes than the second, round by round.
fn saved(samples: &[Sample], bench: &str, [case, other]: [&str; 2]) -> Vec<Timed> {
    let of = |name: &str| {
        let counted = samples.iter().filter(|sample| !sample.warmup && sample.outcome == Outcome::Ok);
        let own = counted.filter(|sample| sample.bench == bench && sample.case == name);
        own.filter_map(|sample| Some((sample.round, sample.wall_ns()? as f64))).collect::<Vec<_>>()
    };
    let without = of(other);
    of(case)
        .into_iter()
        .filter_map(|(round, time)| {
            let (_, longer) = without.iter().find(|(other, _)| *other == round)?;
            Some(Timed { round, value: longer - time })
        })
        .collect()
}

fn runs(compile: Estimate, saved: Estimate) -> Option<PaidOffRuns> {
    (saved.value > 0.0).then(|| PaidOffRuns {
        value: compile.value / saved.value,
        low: compile.low / saved.high,
        high: (saved.low > 0.0).then(|| compile.high / saved.low),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    fn line(case: &str, (class, link): (Class, Option<Link>), round: u32, values: &[(&str, u64)]) -> FirstUseSample {
        FirstUseSample {
            bench: "array-sum".to_owned(),
            case: case.to_owned(),
            class,
            link,
            round,
            position: 0,
            values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            outcome: Outcome::Ok,
            reason: None,
            output_sha256: None,
        }
    }

    /// A machine that is twice as slow in every second round: ratios are by round, and do not see it.
    fn lines() -> Vec<FirstUseSample> {
        let link = Link { mbit_per_s: 10, round_trip_ms: 20 };
        let mut lines = Vec::new();
        for round in 0..10 {
            let level = if u32::is_multiple_of(round, 2) { 1 } else { 2 };
            let ms = |value: u64| value * level * 1_000_000;
            for (case, bytes) in [("native/runc", 200_000), ("wasm-aot/wasmedge", 100_000)] {
                lines.push(line(case, (Class::Warm, None), round, &[(WALL, ms(100)), (RUN, ms(100))]));
                let cold = [(WALL, ms(250)), (RUN, ms(250))];
                lines.push(line(case, (Class::ColdCache, None), round, &cold));
                let local = [(WALL, ms(100) + 50_000_000), (PULL, 50_000_000), (RUN, ms(100))];
                lines.push(line(case, (Class::NotPulled, None), round, &local));
                let pull = 50_000_000 + bytes * 800 + 3 * 20_000_000;
                let tried =
                    [(WALL, pull + ms(100)), (PULL, pull), (RUN, ms(100)), (TRANSFERRED, bytes), (ROUND_TRIPS, 3)];
                lines.push(line(case, (Class::NotPulled, Some(link)), round, &tried));
            }
            lines.push(line("wasm-aot", (Class::Compile, None), round, &[(WALL, 1_500_000_000)]));
        }
        lines
    }

    fn found() -> FirstUse {
        let manifest = fixture::manifest(30);
        first_use(&manifest, &lines(), &fixture::samples(&manifest)).unwrap()
    }

    #[test]
    fn a_class_is_held_against_the_warm_run_of_its_round() {
        let found = found();
        let row = |class, value: &str, link: bool| {
            let is_it = |row: &&FirstUseRow| {
                row.case == "native/runc" && row.class == class && row.value == value && row.link.is_some() == link
            };
            found.rows.iter().find(is_it).unwrap()
        };
        let cold = row(Class::ColdCache, WALL, false);
        assert!((cold.ratio_to_warm.unwrap().value - 2.5).abs() < 1e-9 && cold.n == 10);
        assert!((row(Class::NotPulled, RUN, true).ratio_to_warm.unwrap().high - 1.0).abs() < 1e-9);
        assert_eq!(row(Class::NotPulled, PULL, false).ratio_to_warm, None);
        assert_eq!(row(Class::Warm, WALL, false).ratio_to_warm, None);
    }

    #[test]
    fn a_pull_over_a_link_is_what_its_bytes_and_round_trips_say() {
        let found = found();
        let row = found.links.iter().find(|row| row.case == "wasm-aot/wasmedge").unwrap();
        // 50 ms here, 100,000 bytes by 10 Mbit/s, three round trips of 20 ms.
        assert!((row.computed_ns - (50e6 + 80e6 + 60e6)).abs() < 1.0, "{row:?}");
        assert!((row.tried_ns.value - row.computed_ns).abs() < 1.0);
        assert!((row.ratio.unwrap().value - 190.0 / 270.0).abs() < 1e-9);
    }

    #[test]
    fn compiling_is_paid_for_by_what_runs_save() {
        let found = found();
        assert!(found.rows.iter().all(|row| row.class != Class::Compile));
        // The fixture's interpreter takes 57.4 ms more for a million numbers, and 2 ms more to start.
        let process = found.paid_off.iter().find(|row| row.case == "wasm-aot/process").unwrap();
        assert_eq!(process.other, "wasm-interpreter/process");
        let runs = process.runs.unwrap();
        assert!(runs.low < 25.3 && 25.3 < runs.high.unwrap(), "{runs:?}");
        assert!(found.paid_off.iter().any(|row| row.case == "wasm-aot/wasmedge"));
    }

    #[test]
    fn what_saves_nothing_never_pays_and_no_lines_are_nothing() {
        let estimate = |value: f64, by: f64| Estimate { value, low: value - by, high: value + by };
        assert_eq!(runs(estimate(1e9, 1e7), estimate(-1e6, 5e6)), None);
        assert_eq!(runs(estimate(1e9, 1e7), estimate(1e6, 5e6)).unwrap().high, None);
        assert_eq!(first_use(&fixture::manifest(30), &[], &[]), None);
    }

    #[test]
    fn what_failed_is_counted_and_in_no_median() {
        let mut lines = lines();
        lines[0].outcome = Outcome::WrongOutput;
        let manifest = fixture::manifest(30);
        let found = first_use(&manifest, &lines, &[]).unwrap();
        let warm = found.rows.iter().find(|row| row.case == "native/runc" && row.class == Class::Warm).unwrap();
        assert_eq!((warm.n, warm.failed), (9, 1));
    }
}
