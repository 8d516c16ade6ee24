//! Every row divided by any other one, which the reader chooses.
//!
//! Not here: the ratios that the run set out to measure, which have verdicts (`ratios`); how a page lets choose (`html`).

use std::collections::BTreeMap;

use crate::document::{Block, Column, Form, OneOf, Row, Section, Table, Text};
use crate::number::{NONE, Rounded, interval};
use crate::{Run, view};
use results::analysis::{Quotient, every_pair};
use results::case::Case;

/// Numbers of all these tables: what keeps a page small enough to be sent.
const NUMBERS: usize = 1600;

const KEY: &str = "How to read it: choose what everything is divided by; above 1× took longer than that. Each is the median of \
                   the ratios within a round with its interval, as everywhere. There are no verdicts: of so many pairs some \
                   differ by chance, and what this run set out to compare stands above.";

/// The section.
pub fn section(run: &Run) -> Section {
    let only_page = "only a page can show one of so many tables at a time";
    let section = Section::new("against", "Any row as the baseline")
        .not_in(Form::Terminal, only_page)
        .not_in(Form::Markdown, only_page);
    let benches: Vec<&str> = view::shown_benches(run).into_iter().map(|bench| bench.name.as_str()).collect();
    let mut pairs = every_pair(&run.manifest, &run.samples);
    pairs.retain(|pair| benches.contains(&pair.bench));
    let found: BTreeMap<[&str; 3], &Quotient<'_>> =
        pairs.iter().map(|pair| ([pair.bench, pair.case, pair.baseline], pair)).collect();
    let has_any = |case: &&Case| pairs.iter().any(|pair| pair.baseline == case.name);
    let cases: Vec<&Case> = cases(run).into_iter().filter(has_any).collect();
    // Of two rows there is one ratio, and it stands above.
    if cases.len() < 3 {
        return section;
    }
    let most = (NUMBERS / (benches.len() * (cases.len() - 1)).max(1)).max(1);
    let chosen = baselines_first(&cases, most);
    let tables = chosen.iter().map(|baseline| Block::table(table((&benches, &cases), baseline, &found)));
    let names = chosen.iter().map(|case| Text::plain(&case.name)).collect();
    let left_out = (chosen.len() < cases.len()).then(|| {
        let text = format!(
            "{} of {} rows can be chosen, those first that others are compared with: with all of them this page would be too \
             large to be sent.",
            chosen.len(),
            cases.len()
        );
        Block::key(text)
    });
    let marked = cases.iter().any(|case| cases.iter().any(|other| case.is_across_runtimes(other)));
    let mark = marked.then(|| {
        let text = format!(
            "{} Two container runtimes made the two, and their difference is a part of it.",
            view::runtimes::MARK
        );
        Block::key(text)
    });
    let one_of = OneOf { id: "against", title: "Divided by", names };
    section.with(Block::key(KEY)).with(left_out).with(Block::one_of(one_of, tables.collect())).with(mark)
}

fn cases(run: &Run) -> Vec<&Case> {
    run.manifest.cells.iter().filter(|cell| !cell.is_twin()).map(|cell| &cell.case).collect()
}

/// At most so many of the cases, in their order; those that are somebody's baseline are the last to go.
fn baselines_first<'a>(cases: &[&'a Case], most: usize) -> Vec<&'a Case> {
    let is_baseline = |case: &&&Case| cases.iter().any(|other| other.baseline.as_ref() == Some(&case.name));
    let (first, others): (Vec<&&Case>, Vec<&&Case>) = cases.iter().partition(is_baseline);
    let kept: Vec<&str> = first.into_iter().chain(others).take(most).map(|case| case.name.as_str()).collect();
    cases.iter().copied().filter(|case| kept.contains(&case.name.as_str())).collect()
}

fn table((benches, cases): (&[&str], &[&Case]), baseline: &Case, found: &BTreeMap<[&str; 3], &Quotient<'_>>) -> Table {
    let ratio = |bench: &str, case: &Case| {
        let Some(pair) = found.get(&[bench, &case.name, &baseline.name]) else { return NONE.to_owned() };
        let ends = pair.ratio.interval.map(|interval| (interval.low, interval.high));
        let text = Rounded::new(pair.ratio.ratio, interval(ends.map(|ends| ends.0), ends.map(|ends| ends.1))).times();
        if case.is_across_runtimes(baseline) && text != NONE { text + view::runtimes::MARK } else { text }
    };
    let others = cases.iter().filter(|case| case.name != baseline.name);
    let rows = others.map(|case| {
        let ratios = benches.iter().map(|bench| ratio(bench, case));
        Row::of(std::iter::once(case.name.clone()).chain(ratios))
    });
    let columns = std::iter::once(Column::left("case")).chain(benches.iter().map(|bench| Column::right(*bench)));
    Table::new(format!("Every row divided by {}", baseline.name), columns).with(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn where_not_all_can_be_chosen_those_stay_that_others_are_compared_with() {
        let run = fixture::complete();
        let all = cases(&run);
        let names = |most: usize| baselines_first(&all, most).iter().map(|case| case.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(2), ["native/process", "native/runc"]);
        assert_eq!(names(3)[..2], ["native/process", "wasm-interpreter/process"]);
        assert_eq!(names(all.len()).len(), all.len());
    }

    #[test]
    fn what_is_divided_by_itself_is_no_row_and_the_others_are() {
        let run = fixture::complete();
        let section = section(&run);
        let tables = section.blocks.iter().find_map(|block| match &block.content {
            crate::document::Content::OneOf(one_of, blocks) => Some((one_of.names.len(), blocks)),
            _ => None,
        });
        let (names, blocks) = tables.unwrap();
        assert_eq!((names, blocks.len()), (cases(&run).len(), cases(&run).len()));
        for block in blocks {
            let crate::document::Content::Table(table) = &block.content else { panic!("{block:?}") };
            assert_eq!(table.rows.len(), names - 1);
        }
    }
}
