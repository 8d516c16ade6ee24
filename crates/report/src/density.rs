//! A density run as a document: what one more idle instance costs, how fast they start, how many fit, what is left.
//!
//! Not here: slopes (`results::density`), and how a document looks (`terminal`, `markdown`, `html`).

use anyhow::Result;

use crate::document::{Block, Document, Note, Section, Severity, Text};
use crate::terminal::ColourChoice;
use crate::visible::visible_json;
use crate::{html, markdown, terminal};
use results::Manifest;
use results::density::DensitySummary;

mod tables;
#[cfg(test)]
mod tests;

/// A density run with what was computed from it.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityRun {
    /// The circumstances.
    pub manifest: Manifest,
    /// What follows from its lines.
    pub summary: DensitySummary,
}

/// For a terminal.
pub fn shown(run: &DensityRun, colour: ColourChoice) -> String {
    terminal::document(&document(run), colour)
}

/// What `report` writes into the run's folder, beside the manifest and the lines: name and content.
///
/// # Errors
/// When JSON can not be written to memory, which means a bug.
pub fn files(run: &DensityRun) -> Result<Vec<(&'static str, String)>> {
    let document = document(run);
    Ok(vec![
        ("density.json", visible_json(&(serde_json::to_string_pretty(&run.summary)? + "\n"))),
        ("README.md", markdown::whole(&document)),
        ("report.html", html::page(&document)),
    ])
}

fn document(run: &DensityRun) -> Document {
    let sections = [instances(run), starts(run), node(run), churn(run), notes(run), made(run)];
    Document {
        name: Text::plain(&run.manifest.run),
        title: Text::plain("What one more idle instance costs"),
        opening: findings(run),
        choices: Vec::new(),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// How many fit, in a sentence for each case.
fn findings(run: &DensityRun) -> Vec<Block> {
    run.summary
        .arms
        .iter()
        .filter_map(|arm| tables::holds(arm).map(|text| Block::finding(Text::prose(&text))))
        .collect()
}

fn instances(run: &DensityRun) -> Section {
    let key = "Each number is the slope over the number of instances that wait, by least squares in each repetition; shown is \
               the median over repetitions with its interval. Memory charged is that of one cgroup with containerd, \
               shims and containers in it; PSS counts a page that several processes share in parts.";
    let section = Section::new("instances", "One more idle instance")
        .with(Block::table(tables::memory(run)))
        .with(Block::table(tables::processes(run)));
    if section.blocks.is_empty() { section } else { section.with(Block::key(Text::prose(key))) }
}

fn starts(run: &DensityRun) -> Section {
    let process = match &run.manifest.own_program {
        None => "when it says that it waits",
        Some(_) => "at once, for nobody knows when it is ready",
    };
    let key = format!(
        "A container has started when its client has ended (`ctr run --detach`), a process {process}: compare the former with \
         each other only."
    );
    let section = Section::new("starts", "Starting them")
        .with(Block::table(tables::starts(run)))
        .with(Block::table(tables::at_once(run)));
    if section.blocks.is_empty() { section } else { section.with(Block::key(Text::prose(&key))) }
}

fn node(run: &DensityRun) -> Section {
    let key = "What is there without any instance is taken off first, nothing else is on the node, and the kernel's limits \
               are those of this machine.";
    let section = Section::new("node", "A node with 16 GiB").with(Block::table(tables::node(run)));
    if section.blocks.is_empty() { section } else { section.with(Block::key(Text::plain(key))) }
}

fn churn(run: &DensityRun) -> Section {
    let key = "Median of the slopes between all pairs of readings, with Sen's interval: one that holds 0 is no growth that \
               could be seen.";
    let table = tables::churn(run);
    let left = Block::table(tables::left(run));
    if table.rows.is_empty() {
        return Section::new("left", "What is left afterwards").with(left);
    }
    Section::new("left", "Containers that come and go").with(Block::table(table)).with(Block::key(key)).with(left)
}

fn notes(run: &DensityRun) -> Section {
    let warnings = run.summary.warnings.iter().map(|warning| Note {
        severity: Severity::Warning,
        what: Text::prose(&warning.what),
        advice: Some(Text::prose(&warning.advice)),
    });
    let not_measured = run.summary.not_measured.iter().map(|row| Note {
        severity: Severity::NotMeasured,
        what: Text::prose(&match &row.metric {
            Some(metric) => format!("`{metric}` of `{}`: {}", row.case, row.reason),
            None => format!("`{}`: {}", row.case, row.reason),
        }),
        advice: None,
    });
    Section::new("notes", "Before believing it").with(Block::notes(warnings.chain(not_measured).collect()))
}

fn made(run: &DensityRun) -> Section {
    let manifest = &run.manifest;
    let machine = &manifest.machine;
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let plan = manifest.density.as_ref();
    let lines = [
        format!("`{}`, seed {}, {} repetitions", manifest.command.join(" "), manifest.seed, manifest.rounds),
        format!(
            "levels {}, {} s of hold, {} MiB written to by each instance",
            plan.map_or_else(String::new, |plan| plan.levels.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
            plan.map_or(0, |plan| plan.hold_ms / 1000),
            plan.map_or(0, |plan| plan.dirty_mib)
        ),
        format!("{}, {}, cgroup {}", known(&machine.cpu_model), known(&machine.kernel), known(&machine.cgroup)),
        format!("revision `{}`; the raw readings are in `density.jsonl`", manifest.source.revision),
    ];
    Section::new("made", "How it was made").with(Block::list(lines.iter().map(|line| Text::prose(line)).collect()))
}
