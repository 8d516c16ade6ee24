//! What a report says, before any form of it: a document of sections, a section of blocks. Content is built once
//! (`sections`), and rendered as it is by `terminal`, `markdown` and `html`.
//!
//! What one form shows, all show. A block or section that is not in a form says so with its reason ([`Block::not_in`]),
//! and a test walks all of them: what is neither rendered nor left out with a reason fails.
//!
//! # Add a section
//! 1. A file `sections/<name>.rs` with `pub fn section(run: &Run) -> Section`: it looks its numbers up (`view`), and puts
//!    blocks together. Without data for it, it has no block, and is then not there. A section knows nothing of forms.
//! 2. A line in `sections::all`, where it stands in the order of the page.
//! 3. A figure is a [`crate::chart::Drawing`]: its description is the text for those who do not see it, and carries the
//!    numbers. Put a table beside it for the forms that have no drawings.
//!
//! ```ignore
//! pub fn section(run: &Run) -> Section {
//!     let mut table = Table::new("where the time goes", [Column::left("case"), Column::right("create").unit("ms")]);
//!     table.push(Row::of(["native/runc", "12.1"]).note("`runc` was asked for by name"));
//!     Section::new("timeline", "Where the milliseconds go")
//!         .with(Block::key("Each phase ends when the next one begins."))
//!         .with(Block::figure(chart::timeline::figure(run, "timeline"), "one container"))
//!         .with(Block::table(table))
//! }
//! ```
//!
//! Not here: layout, escaping for a format (the renderers), and any statistic.

pub use choice::{Choice, Facet};
pub use table::{Align, Cell, Column, Origin, Row, Table, Tone};
pub use text::{Span, Style, Target, Text};

mod choice;
mod table;
mod text;

use crate::chart::Drawing;

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What `report` and `bench` print.
    Terminal,
    /// A run's `README.md`, the comment for a pull request, the result in the project's README.
    Markdown,
    /// `report.html`.
    Page,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Terminal, Self::Markdown, Self::Page];
}

/// That a form does not have something, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is missing.
    pub form: Form,
    /// Why: to complete "it is not there because …".
    pub because: &'static str,
}

/// A whole report.
#[derive(Clone, Debug)]
pub struct Document {
    /// The run.
    pub name: Text,
    /// The headline.
    pub title: Text,
    /// What stands before the first section: a reader who stops there has the answer.
    pub opening: Vec<Block>,
    /// What a page can show one of at a time.
    pub choices: Vec<Choice>,
    /// The rest, in its order. None is empty.
    pub sections: Vec<Section>,
}

impl Document {
    /// Every block, those within others too, with what is left out of it or of what it is in.
    pub fn blocks(&self) -> Vec<(&Block, Vec<LeftOut>)> {
        let mut found = Vec::new();
        walk(&self.opening, &[], &mut found);
        for section in &self.sections {
            walk(&section.blocks, &section.left_out, &mut found);
        }
        found
    }
}

fn walk<'a>(blocks: &'a [Block], above: &[LeftOut], found: &mut Vec<(&'a Block, Vec<LeftOut>)>) {
    for block in blocks {
        let left_out = [above, &block.left_out].concat();
        walk(block.content.inner(), &left_out, found);
        found.push((block, left_out));
    }
}

/// A section with its heading.
#[derive(Clone, Debug)]
#[must_use]
pub struct Section {
    /// Unique in the document: the page's address of it.
    pub id: &'static str,
    /// The heading.
    pub title: Text,
    /// What stands below it.
    pub blocks: Vec<Block>,
    /// Where the whole section is missing.
    pub left_out: Vec<LeftOut>,
}

impl Section {
    /// A section without content, which is not shown.
    pub fn new(id: &'static str, title: impl Into<Text>) -> Self {
        Self { id, title: title.into(), blocks: Vec::new(), left_out: Vec::new() }
    }

    /// With a further block; one without content adds nothing.
    pub fn with(mut self, block: impl Into<Option<Block>>) -> Self {
        self.push(block);
        self
    }

    /// The same in place.
    pub fn push(&mut self, block: impl Into<Option<Block>>) {
        self.blocks.extend(block.into().filter(|block| !block.content.is_empty()));
    }

    /// Leaves the section out of a form.
    pub fn not_in(mut self, form: Form, because: &'static str) -> Self {
        self.left_out.push(LeftOut { form, because });
        self
    }

    /// Whether a form has anything of it.
    pub fn is_in(&self, form: Form) -> bool {
        self.left_out.iter().all(|left_out| left_out.form != form) && self.blocks.iter().any(|block| block.is_in(form))
    }

    /// Its blocks with its title as a heading, to stand within something else.
    pub fn into_blocks(self) -> Vec<Block> {
        let shown = if self.blocks.is_empty() { None } else { Some(Block::heading(self.title)) };
        shown.into_iter().chain(self.blocks).collect()
    }
}

/// Something between two blank lines.
#[derive(Clone, Debug)]
#[must_use]
pub struct Block {
    /// What it is.
    pub content: Content,
    /// Where it is missing.
    pub left_out: Vec<LeftOut>,
}

/// What a block is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A heading within a section.
    Heading(Text),
    /// Sentences, and how they are meant.
    Paragraph(Text, Voice),
    /// Lines that go together.
    List(Vec<Text>),
    /// What a reader has to know before believing a number.
    Notes(Vec<Note>),
    /// Numbers.
    Table(Table),
    /// A drawing.
    Figure(Figure),
    /// Lines for a shell, letter for letter.
    Command(String),
    /// Blocks that a page arranges beside each other; one below the other elsewhere.
    Group(Arrangement, Vec<Block>),
    /// Blocks of one option, by its place among those of its facet: a page can show those of one option only.
    Only(Facet, usize, Vec<Block>),
    /// Blocks of which a page shows one at a time, the first until another is chosen by its name; one below the other
    /// elsewhere.
    OneOf(OneOf, Vec<Block>),
    /// Blocks that can be unfolded where a form can fold; after their summary elsewhere.
    Details(Text, Vec<Block>),
}

/// What blocks of which one is shown are chosen by.
#[derive(Clone, Debug)]
pub struct OneOf {
    /// Unique in the document: what stands in a page's address begins with it.
    pub id: &'static str,
    /// What stands before the names.
    pub title: &'static str,
    /// One for each block.
    pub names: Vec<Text>,
}

/// How a paragraph is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// One of the sentences that are the answer.
    Finding,
    /// Plain text.
    Plain,
    /// How to read what stands beside it.
    Key,
}

/// How a page arranges blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Figures of half a page's width.
    Panels,
    /// Figures of a fifth.
    SmallPanels,
}

/// What kind of note it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something that is wrong with the run.
    Warning,
    /// What was asked for and has no number.
    NotMeasured,
    /// Runs that gave no sample.
    Failed,
    /// A comparison that has no verdict.
    Undecided,
}

impl Severity {
    /// The word before the note.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warning => "Warning",
            Self::NotMeasured => "Not measured",
            Self::Failed => "Failed",
            Self::Undecided => "Undecided",
        }
    }
}

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its kind.
    pub severity: Severity,
    /// What is the matter.
    pub what: Text,
    /// What would help.
    pub advice: Option<Text>,
}

/// A drawing with the words around it.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is drawn; its description is the text for those who do not see it.
    pub drawing: Drawing,
    /// The line above it.
    pub caption: Text,
    /// The file in the run's folder that holds the same drawing, for forms that only refer to it.
    pub file: Option<&'static str>,
}

const NO_DRAWING: &str = "there are no drawings, and the tables have the numbers";

impl Content {
    /// Whether there is nothing to show.
    fn is_empty(&self) -> bool {
        match self {
            Self::Heading(text) | Self::Paragraph(text, _) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Notes(notes) => notes.is_empty(),
            Self::Table(table) => table.rows.is_empty(),
            Self::Figure(_) => false,
            Self::Command(lines) => lines.is_empty(),
            _ => self.inner().is_empty(),
        }
    }

    /// The blocks within it.
    fn inner(&self) -> &[Block] {
        match self {
            Self::Group(_, blocks) | Self::Only(_, _, blocks) | Self::OneOf(_, blocks) | Self::Details(_, blocks) => {
                blocks
            }
            _ => &[],
        }
    }
}

impl Block {
    fn new(content: Content) -> Self {
        Self { content, left_out: Vec::new() }
    }

    /// A heading within a section.
    pub fn heading(text: impl Into<Text>) -> Self {
        Self::new(Content::Heading(text.into()))
    }

    /// Plain sentences.
    pub fn paragraph(text: impl Into<Text>) -> Self {
        Self::new(Content::Paragraph(text.into(), Voice::Plain))
    }

    /// One of the sentences that are the answer.
    pub fn finding(text: impl Into<Text>) -> Self {
        Self::new(Content::Paragraph(text.into(), Voice::Finding))
    }

    /// How to read what stands beside it.
    pub fn key(text: impl Into<Text>) -> Self {
        Self::new(Content::Paragraph(text.into(), Voice::Key))
    }

    /// Lines that go together.
    pub fn list(items: Vec<Text>) -> Self {
        Self::new(Content::List(items))
    }

    /// What to know.
    pub fn notes(notes: Vec<Note>) -> Self {
        Self::new(Content::Notes(notes))
    }

    /// A table.
    pub fn table(table: Table) -> Self {
        Self::new(Content::Table(table))
    }

    /// Lines for a shell.
    pub fn command(lines: &str) -> Self {
        Self::new(Content::Command(crate::visible::visible(lines).into_owned()))
    }

    /// A drawing that only a page has; nothing where there is none.
    pub fn figure(drawing: impl Into<Option<Drawing>>, caption: impl Into<Text>) -> Option<Self> {
        let figure = Figure { drawing: drawing.into()?, caption: caption.into(), file: None };
        let block = Self::new(Content::Figure(figure));
        Some(block.not_in(Form::Terminal, NO_DRAWING).not_in(Form::Markdown, NO_DRAWING))
    }

    /// A drawing that is also a file beside the run.
    pub fn figure_of_file(drawing: Drawing, caption: impl Into<Text>, file: &'static str) -> Self {
        let figure = Figure { drawing, caption: caption.into(), file: Some(file) };
        Self::new(Content::Figure(figure)).not_in(Form::Terminal, NO_DRAWING)
    }

    /// Blocks beside each other; nothing where there are none.
    pub fn group(arrangement: Arrangement, blocks: Vec<Self>) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self::new(Content::Group(arrangement, blocks)))
    }

    /// Blocks of one option of a facet; nothing where there are none.
    pub fn only(facet: Facet, index: usize, blocks: Vec<Self>) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self::new(Content::Only(facet, index, blocks)))
    }

    /// Blocks of which one is shown; nothing where there are none.
    pub fn one_of(names: OneOf, blocks: Vec<Self>) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self::new(Content::OneOf(names, blocks)))
    }

    /// Blocks that can be unfolded.
    pub fn details(summary: impl Into<Text>, blocks: Vec<Self>) -> Self {
        Self::new(Content::Details(summary.into(), blocks))
    }

    /// Leaves the block out of a form.
    pub fn not_in(mut self, form: Form, because: &'static str) -> Self {
        self.left_out.push(LeftOut { form, because });
        self
    }

    /// Whether a form has anything of it.
    pub fn is_in(&self, form: Form) -> bool {
        let inner = self.content.inner();
        self.left_out.iter().all(|left_out| left_out.form != form)
            && (inner.is_empty() || inner.iter().any(|block| block.is_in(form)))
    }
}
