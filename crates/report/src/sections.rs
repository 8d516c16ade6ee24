//! What a report says, section by section, and the documents that are made of them. Each file is one section; how one is
//! added stands in `document`.
//!
//! Not here: layout (`terminal`, `markdown`, `html`), and looking numbers up (`view`, `findings`).

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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

/// Every one, in the order of every form.
const SECTIONS: [fn(&Run) -> Section; 23] = [
    result::section,
    warnings::section,
    sizes::section,
    packaging::section,
    ledger::section,
    jobs::section,
    times::section,
    pods::section,
    ratios::section,
    against::section,
    parts::section,
    timeline::section,
    resources::section,
    sequence::section,
    fit::section,
    break_even::section,
    first_use::section,
    claims::section,
    |_| glossary::section(),
    fingerprint::section,
    raw::section,
    again::section,
    |_| files(),
];

/// Those that this run has content for. Of a million samples each takes its time, and none needs another: they are made by as
/// many threads as there are processors.
pub fn all(run: &Run) -> Vec<Section> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(section) = SECTIONS.get(index) else { return made };
            made.push((index, section(run)));
        }
    };
    let mut made: Vec<(usize, Section)> = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(SECTIONS.len());
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, section)| section).filter(|section| !section.blocks.is_empty()).collect()
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

/// A comment for a pull request, of the sections of the whole: sentences and central table open, the rest folded.
pub fn pull_request(run: &Run, whole: &Document) -> Document {
    let of = |id: &'static str| whole.sections.iter().filter(move |section| section.id == id).cloned();
    let folded = ["times", "ratios", "warnings", "fingerprint", "again"].into_iter().flat_map(of);
    let folded = folded.flat_map(Section::into_blocks).collect();
    let mut opening = opening::sentences(run);
    opening.extend(of("result").flat_map(|section| section.blocks));
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
