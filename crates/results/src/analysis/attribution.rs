//! What a difference to native is made of: how much is the runtime's, how much the start of an engine, how much execution.
//!
//! In every round the parts add up to the whole. With B the baseline, C the control arm (the native program in the module's
//! runtime), M the module, and t, t₀ the times of the bench and of the canary, which does nothing:
//!
//! | part | is |
//! |---|---|
//! | runtime | t(C) − t(B) |
//! | engine start | t₀(M) − t₀(C) |
//! | execution | (t(M) − t₀(M)) − (t(C) − t₀(C)) |
//!
//! Where the baseline is in the module's own runtime it is the control arm, too, and no part is the runtime's.

use super::Level;
use super::cells::Cells;
use crate::case::{Case, Mode};
use crate::{Attribution, AttributionPart, Estimate, PartOfTime, Role};
use stats::Timed;
use stats::contrast::{Contrast, Sign, Term, contrast};

/// One for each bench that does something and is no point of a sweep, and each module that is compared with a native case.
pub fn attributions(cells: &Cells<'_>, level: Level) -> Vec<Attribution> {
    let benches =
        cells.manifest.benches.iter().filter(|bench| bench.role != Some(Role::Canary) && bench.sweep.is_none());
    let modules: Vec<&Case> = cells.cases().into_iter().filter(|case| case.mode != Mode::Native).collect();
    let of = |bench: &str| {
        let of_case = |case: &&Case| Arms::of(cells, bench, case).map(|arms| arms.attribution(level));
        modules.iter().filter_map(of_case).collect::<Vec<_>>()
    };
    benches.flat_map(|bench| of(&bench.name)).collect()
}

/// The cases that a difference is taken apart with.
struct Arms<'a> {
    cells: &'a Cells<'a>,
    bench: &'a str,
    module: &'a Case,
    baseline: &'a Case,
    /// The native program in the module's runtime.
    control: Option<&'a Case>,
    canary: Option<&'a str>,
}

/// A sum of cells, or what it lacks.
type Sum<'a> = Result<Vec<Term<'a>>, String>;

impl<'a> Arms<'a> {
    /// `None` where the baseline is not in the run: then nothing is compared.
    fn of(cells: &'a Cells<'a>, bench: &'a str, module: &'a Case) -> Option<Self> {
        let cases = cells.cases();
        let named = |name: &Option<String>| cases.iter().copied().find(|case| Some(&case.name) == name.as_ref());
        let baseline = named(&module.baseline)?;
        let control =
            if baseline.runtime.name == module.runtime.name { Some(baseline) } else { named(&module.control) };
        let canary = cells.manifest.bench_for(Role::Canary).map(|bench| bench.name.as_str());
        Some(Self { cells, bench, module, baseline, control, canary })
    }

    fn attribution(&self, level: Level) -> Attribution {
        let part = |what: PartOfTime, sum: Sum<'_>| match sum {
            Ok(terms) => known(what, contrast(&terms, level.confidence)),
            Err(unknown) => AttributionPart { part: what, n: 0, difference: None, unknown: Some(unknown) },
        };
        let whole = contrast(&self.whole(), level.confidence);
        let runtime =
            (self.baseline.runtime.name != self.module.runtime.name).then(|| part(PartOfTime::Runtime, self.runtime()));
        let parts = [part(PartOfTime::EngineStart, self.engine_start()), part(PartOfTime::Execution, self.execution())];
        Attribution {
            bench: self.bench.to_owned(),
            case: self.module.name.clone(),
            metric: self.cells.metric.name.to_string(),
            baseline: self.baseline.name.clone(),
            control: self.control.map(|control| control.name.clone()),
            canary: self.canary.map(str::to_owned),
            n: whole.n,
            difference: estimate(&whole),
            parts: runtime.into_iter().chain(parts).collect(),
            method: "median over rounds of the paired sum, exact order-statistic interval".to_owned(),
        }
    }

    fn whole(&self) -> Vec<Term<'_>> {
        vec![self.plus(self.bench, self.module), self.minus(self.bench, self.baseline)]
    }

    fn runtime(&self) -> Sum<'_> {
        let control = self.control()?;
        Ok(vec![self.plus(self.bench, control), self.minus(self.bench, self.baseline)])
    }

    fn engine_start(&self) -> Sum<'_> {
        let (control, canary) = (self.control()?, self.canary()?);
        Ok(vec![self.plus(canary, self.module), self.minus(canary, control)])
    }

    fn execution(&self) -> Sum<'_> {
        let (control, canary) = (self.control()?, self.canary()?);
        let module = [self.plus(self.bench, self.module), self.minus(canary, self.module)];
        let native = [self.minus(self.bench, control), self.plus(canary, control)];
        Ok([module, native].concat())
    }

    fn control(&self) -> Result<&'a Case, String> {
        self.control.ok_or_else(|| match &self.module.control {
            Some(name) => format!("`{name}` was not in the run"),
            None => format!("there is no native case in `{}`", self.module.runtime.name),
        })
    }

    fn canary(&self) -> Result<&'a str, String> {
        self.canary.ok_or_else(|| "no bench that does nothing was in the run".to_owned())
    }

    fn plus(&self, bench: &str, case: &Case) -> Term<'_> {
        Term { sign: Sign::Plus, values: self.values(bench, case) }
    }

    fn minus(&self, bench: &str, case: &Case) -> Term<'_> {
        Term { sign: Sign::Minus, values: self.values(bench, case) }
    }

    fn values(&self, bench: &str, case: &Case) -> &[Timed] {
        self.cells.get(bench, &case.name).map_or(&[], |runs| &runs.ok)
    }
}

fn known(part: PartOfTime, found: Contrast) -> AttributionPart {
    let difference = estimate(&found);
    let unknown = difference.is_none().then(|| match found.n {
        0 => "its cells have no round in common".to_owned(),
        n => format!("{n} rounds in common are too few for an interval"),
    });
    AttributionPart { part, n: found.n, difference, unknown }
}

/// Without an interval there is no number that could be said.
fn estimate(found: &Contrast) -> Option<Estimate> {
    let (value, interval) = (found.value?, found.interval?);
    Some(Estimate { value, low: interval.low, high: interval.high })
}

#[cfg(test)]
mod tests {
    use crate::analysis::analyse;
    use crate::analysis::fixture::{manifest, samples};
    use crate::{Attribution, Manifest, PartOfTime};

    fn attributions(manifest: &Manifest) -> Vec<Attribution> {
        analyse(manifest, &samples(manifest), &[]).attributions
    }

    fn of<'a>(all: &'a [Attribution], case: &str) -> &'a Attribution {
        all.iter().find(|row| row.bench == "array-sum" && row.case == case).unwrap()
    }

    fn parts(row: &Attribution) -> Vec<PartOfTime> {
        row.parts.iter().map(|part| part.part).collect()
    }

    /// The fixture's costs: 160 ms in one runtime, 150 in the other, 180 with an engine, and 0.6 ms more for a million numbers.
    #[test]
    fn the_parts_are_those_that_the_run_was_made_of_and_add_up() {
        let all = attributions(&manifest(100));
        assert_eq!(all.len(), 4, "{all:?}");
        let row = of(&all, "wasm-aot/wasmedge");
        assert_eq!(parts(row), [PartOfTime::Runtime, PartOfTime::EngineStart, PartOfTime::Execution]);
        let difference = |part: usize| row.parts[part].difference.unwrap();
        for (part, truth) in [(0, -10.0e6), (1, 30.0e6), (2, 0.6e6)] {
            let found = difference(part);
            assert!(found.low <= truth && truth <= found.high && found.low < found.value, "{part}: {found:?}");
            assert_eq!(row.parts[part].n, 100);
        }
        let sum: f64 = (0..3).map(|part| difference(part).value).sum();
        let whole = row.difference.unwrap();
        assert!((sum - whole.value).abs() < 3.0e6, "{sum} is not {whole:?}");
        assert_eq!((row.baseline.as_str(), row.control.as_deref()), ("native/runc", Some("native/wasmedge")));
    }

    #[test]
    fn a_process_has_no_part_of_a_runtime() {
        let all = attributions(&manifest(30));
        let row = of(&all, "wasm-interpreter/process");
        assert_eq!(parts(row), [PartOfTime::EngineStart, PartOfTime::Execution]);
        let execution = row.parts[1].difference.unwrap();
        assert!(execution.low <= 58.0e6 && 58.0e6 <= execution.high, "{execution:?}");
    }

    #[test]
    fn what_an_arm_that_is_missing_would_have_told_is_not_known() {
        let mut without_control = manifest(30);
        without_control.cells.retain(|cell| cell.case.name != "native/wasmedge");
        let all = attributions(&without_control);
        let row = of(&all, "wasm-aot/wasmedge");
        for part in &row.parts {
            assert_eq!(
                (part.difference, part.unknown.as_deref()),
                (None, Some("`native/wasmedge` was not in the run"))
            );
        }
        assert!(row.difference.is_some());
        let mut without_canary = manifest(30);
        without_canary.benches.retain(|bench| bench.name != "noop");
        let all = attributions(&without_canary);
        let row = of(&all, "wasm-aot/wasmedge");
        assert!(row.parts[0].difference.is_some() && row.parts[0].unknown.is_none());
        let said = "no bench that does nothing was in the run";
        assert!(row.parts[1..].iter().all(|part| part.unknown.as_deref() == Some(said)), "{row:?}");
        let mut without_baseline = manifest(30);
        without_baseline.cells.retain(|cell| cell.case.name != "native/runc");
        assert!(attributions(&without_baseline).iter().all(|row| row.baseline == "native/process"));
    }

    #[test]
    fn five_rounds_have_no_interval_and_so_no_part() {
        let row = &attributions(&manifest(5))[0];
        assert_eq!((row.n, row.difference), (5, None));
        let said = "5 rounds in common are too few for an interval";
        assert!(row.parts.iter().all(|part| part.unknown.as_deref() == Some(said)), "{row:?}");
    }
}
