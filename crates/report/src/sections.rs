//! What a report says, section by section, and the documents that are made of them. Each file is one section; how one is
//! added stands in `document`.
//!
//! Not here: layout (`terminal`, `markdown`, `html`), and looking numbers up (`view`, `findings`).

use crate::document::{Block, Choice, Document, Facet, Form, Section, Target, Text};
use crate::{Run, answer, view};

mod again;
mod against;
mod break_even;
mod claims;
mod fingerprint;
mod first_use;
mod fit;
mod glossary;
pub mod history;
mod jobs;
mod ledger;
mod opening;
mod origin;
mod packaging;
mod parts;
mod pods;
mod ratios;
mod raw;
mod resources;
mod result;
mod sequence;
mod sizes;
mod timeline;
mod times;
mod warnings;

/// Every section that this run has content for, in the order of every form.
pub fn all(run: &Run) -> Vec<Section> {
    let sections = [
        result::section(run),
        warnings::section(run),
        sizes::section(run),
        packaging::section(run),
        ledger::section(run),
        jobs::section(run),
        times::section(run),
        pods::section(run),
        ratios::section(run),
        against::section(run),
        parts::section(run),
        timeline::section(run),
        resources::section(run),
        sequence::section(run),
        fit::section(run),
        break_even::section(run),
        first_use::section(run),
        claims::section(run),
        glossary::section(),
        fingerprint::section(run),
        raw::section(run),
        again::section(run),
        files(),
    ];
    sections.into_iter().filter(|section| !section.blocks.is_empty()).collect()
}

/// The whole run.
pub fn document(run: &Run) -> Document {
    Document { choices: choices(run), sections: all(run), ..first_screen(run, opening::blocks(run)) }
}

/// What stands before the first section, without any.
fn first_screen(run: &Run, opening: Vec<Block>) -> Document {
    let title = Text::plain(&answer::headline(run));
    Document { name: Text::plain(&run.manifest.run), title, opening, choices: Vec::new(), sections: Vec::new() }
}

/// What a page can show one of: in the order of the blocks that the sections have of each.
fn choices(run: &Run) -> Vec<Choice> {
    let benches = shown(run).map(Text::plain).collect();
    let relations = view::relations::relations(run).into_iter().map(|(relation, _)| relation.title().into()).collect();
    let starts = first_use::classes(run).into_iter().map(|class| class.name().into()).collect();
    [(Facet::Bench, benches), (Facet::Baseline, relations), (Facet::Start, starts)]
        .into_iter()
        .filter_map(|(facet, options)| Choice::of(facet, options))
        .collect()
}

/// A comment for a pull request: sentences and central table open, the rest folded.
pub fn pull_request(run: &Run) -> Document {
    let folded = [times::section(run), ratios::section(run), warnings::section(run), fingerprint::section(run)];
    let folded = folded.into_iter().chain([again::section(run)]).flat_map(Section::into_blocks).collect();
    let mut opening = opening::sentences(run);
    opening.extend(result::section(run).blocks);
    opening.push(Block::details("Every row, and what to know before believing it", folded));
    first_screen(run, opening)
}

/// Where a result that is shown elsewhere comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The run's folder, relative to the file that shows it.
    pub folder: &'a str,
    /// The command that shows it there.
    pub command: &'a str,
}

/// The result of a recorded run, as the project's README shows it.
pub fn result(run: &Run, origin: Origin) -> Document {
    let folder = origin.folder.trim_end_matches('/');
    let mut opening = opening::answer(run);
    opening.extend(result::section(run).blocks);
    let processor = run.manifest.machine.cpu_model.as_deref().unwrap_or("a processor that does not say its name");
    let rounds = format!("{} rounds on {processor}; the whole run, with every sample, is in ", run.manifest.rounds);
    let made = Text::plain(&rounds)
        .and(Text::link(folder, Target::File(format!("{folder}/README.md"))))
        .and(". This section is made from it by ")
        .and(Text::code(origin.command))
        .and(".");
    opening.push(Block::paragraph(made));
    first_screen(run, opening)
}

/// What else is in the folder of a run.
fn files() -> Section {
    let text = "`manifest.json` and `samples.jsonl` were written while measuring; `cargo xtask report` makes everything \
                else from these two. `report.html` shows every sample; the fields of the data are explained in \
                `results/README.md`.";
    Section::new("files", "The other files")
        .with(Block::paragraph(Text::prose(text)))
        .not_in(Form::Terminal, "the path of the page is told after the report")
        .not_in(Form::Page, "a page may be far from the folder that it was made in")
}

/// What the mark of a ratio means, for tables with rows of these benches.
fn mark<'a>(run: &Run, benches: impl IntoIterator<Item = &'a str>) -> Option<Block> {
    view::runtimes::note(run, benches).map(|note| Block::key(Text::prose(&note)))
}

/// The names of the benches whose every row is shown.
fn shown(run: &Run) -> impl Iterator<Item = &str> {
    view::shown_benches(run).into_iter().map(|bench| bench.name.as_str())
}
