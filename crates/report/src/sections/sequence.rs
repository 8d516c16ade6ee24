//! Every cell in the order of the rounds.
//!
//! Not here: what is drawn (`chart::sequence`), and the test for drift (it comes with the summary).

use crate::chart::sequence;
use crate::document::{Arrangement, Block, Facet, Form, Section};
use crate::number::NONE;
use crate::{Run, view};
use results::CaseSummary;

const KEY: &str = "How to read it: marks without a slope or a step are a machine that stayed the same. Time in ms by round; the line is the median, the band its interval. Open circles are warm-up rounds, \
                   crosses failed runs; neither counts. A triangle at the upper edge is a run beyond it. ρ is the rank \
                   correlation of time and round, p its two-sided p-value.";

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("sequence", "In the order of the rounds")
        .not_in(Form::Terminal, "it is nothing but drawings; a drift is among the warnings")
        .not_in(Form::Markdown, "it is nothing but drawings; a drift is among the warnings");
    let mut blocks = Vec::new();
    let samples = view::samples_by_cell(run);
    for (bench_index, bench) in view::shown_benches(run).into_iter().enumerate() {
        let rows = view::rows(run).filter(|row| row.bench == bench.name);
        let of = |row: &CaseSummary| samples.get(&(&*row.bench, &*row.case)).cloned().unwrap_or_default();
        let figures = rows.enumerate().filter_map(|(index, row)| {
            let drift = row
                .drift
                .map_or_else(String::new, |drift| format!("; ρ {:.2}, {}", drift.spearman, p_value(drift.p_value)));
            let drawing = sequence::figure((run, &of(row)), row, &format!("seq-{bench_index}-{index}"));
            Block::figure(drawing, format!("{}{drift}", row.case))
        });
        if let Some(group) = Block::group(Arrangement::SmallPanels, figures.collect()) {
            blocks.extend(Block::only(Facet::Bench, bench_index, vec![Block::heading(&bench.name), group]));
        }
    }
    if blocks.is_empty() {
        return section;
    }
    section.push(Block::key(key(run)));
    section.blocks.extend(blocks);
    section
}

fn key(run: &Run) -> String {
    let most = view::rows(run).map(|row| row.n + row.failed).max().unwrap_or(0);
    let drawn = sequence::dots(run);
    if most <= drawn {
        return KEY.to_owned();
    }
    format!(
        "{KEY} Of each cell {drawn} runs are drawn, evenly by round, with the fastest, the slowest and the failed ones."
    )
}

fn p_value(p: f64) -> String {
    match p {
        p if !p.is_finite() => format!("p {NONE}"),
        p if p < 0.001 => "p < 0.001".to_owned(),
        p => format!("p {p:.3}"),
    }
}
