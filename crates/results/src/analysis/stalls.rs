//! The longest run of a row, where it stands out so far that something held it up: a process that was stopped, a machine
//! that slept. It counts like every other; who reads a mean or a greatest value has to know.

use super::cells::Cells;
use crate::{CaseSummary, Effect, Warning};
use stats::Timed;

/// So many times its row's median: the recorded run, on a shared virtual machine, has none above 4.4 times.
const STALL_RATIO_MIN: f64 = 5.0;
/// So many rows are told one by one; the worst come first.
const ROWS_TOLD: usize = 3;

struct Stall<'a> {
    row: &'a CaseSummary,
    longest: Timed,
    ratio: f64,
}

/// The rows with such a run, as one warning.
pub fn stalls(cells: &Cells<'_>, cases: &[CaseSummary]) -> Option<Warning> {
    let stall = |row| longest(cells, row).filter(|stall: &Stall<'_>| stall.ratio > STALL_RATIO_MIN);
    let mut found: Vec<Stall<'_>> = cases.iter().filter_map(stall).collect();
    found.sort_by(|left, right| right.ratio.total_cmp(&left.ratio));
    if found.is_empty() {
        return None;
    }
    let told: Vec<String> = found.iter().take(ROWS_TOLD).map(told).collect();
    let more = found.len() - told.len();
    let tail = if more == 0 { String::new() } else { format!("; and so in {more} more rows") };
    Some(Warning {
        what: format!("something held up single runs: {}{tail}", told.join("; ")),
        advice: "they count like all others, and medians bear them: means and greatest values do not. Look for what \
                 stopped or suspended the machine then"
            .to_owned(),
        effect: Effect::Background,
    })
}

fn longest<'a>(cells: &Cells<'_>, row: &'a CaseSummary) -> Option<Stall<'a>> {
    let median = row.median.filter(|median| *median > 0.0)?;
    let runs = &cells.get(&row.bench, &row.case)?.ok;
    let longest = *runs.iter().max_by(|left, right| left.value.total_cmp(&right.value))?;
    Some(Stall { row, longest, ratio: longest.value / median })
}

fn told(stall: &Stall<'_>) -> String {
    format!(
        "the longest of `{}` on `{}`, in round {}, took {:.0} times the median",
        stall.row.case, stall.row.bench, stall.longest.round, stall.ratio
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::slow;
    use super::super::{analyse, fixture};

    fn told(held: &[(u32, f64)]) -> Vec<String> {
        let manifest = fixture::manifest(12);
        let mut samples = fixture::samples(&manifest);
        for (round, factor) in held {
            let sample = samples
                .iter_mut()
                .find(|sample| sample.round == *round && sample.bench == "noop" && sample.case == "native/runc")
                .unwrap();
            slow(sample, *factor);
        }
        let warnings = analyse(&manifest, &samples, &[]).warnings;
        warnings.into_iter().map(|warning| warning.what).filter(|what| what.contains("held up")).collect()
    }

    #[test]
    fn a_run_that_was_stopped_for_seconds_is_told_with_its_round() {
        assert_eq!(told(&[]), Vec::<String>::new());
        assert_eq!(told(&[(7, 3.0)]), Vec::<String>::new());
        let said = told(&[(7, 40.0), (9, 20.0)]);
        assert!(said.len() == 1, "{said:?}");
        for words in ["`native/runc` on `noop`", "in round 7", "times the median"] {
            assert!(said[0].contains(words), "{said:?}");
        }
    }
}
