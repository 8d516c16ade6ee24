//! Tables of a document: columns with heading, unit and alignment; cells with lines beneath their value; rows with a
//! note that belongs to the whole row.
//!
//! Not here: widths.

use super::Text;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Table {
    /// What it is of.
    pub caption: Text,
    /// The columns; the first one names the rows.
    pub columns: Vec<Column>,
    /// The rows, each with a cell per column.
    pub rows: Vec<Row>,
}

/// Where the content of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Column {
    /// What stands over it.
    pub heading: Text,
    /// The unit of all its numbers.
    pub unit: Option<&'static str>,
    /// How it is aligned.
    pub align: Align,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Row {
    /// A cell per column.
    pub cells: Vec<Cell>,
    /// What belongs to the whole row, below it.
    pub note: Option<Text>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Cell {
    /// Its value.
    pub main: Text,
    /// What stands beneath: interval, ratio.
    pub beneath: Vec<Text>,
    /// How it is meant.
    pub tone: Tone,
    /// Where its value comes from. Only a page can fold it away, so only a page has it; the other forms have the same in the
    /// files beside the run.
    pub origin: Option<Origin>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name and value of what it depends on.
    pub facts: Vec<(&'static str, Text)>,
    /// What measures exactly this once more.
    pub command: Text,
}

/// How a cell is meant, where a form has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing but what it says.
    Plain,
    /// What a reader looks for in the row.
    Strong,
    /// Less time.
    Better,
    /// More time.
    Worse,
    /// Not decided.
    Open,
}

impl Table {
    /// A table without rows, which is not shown.
    pub fn new(caption: impl Into<Text>, columns: impl IntoIterator<Item = Column>) -> Self {
        Self { caption: caption.into(), columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// With rows.
    pub fn with(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        rows.into_iter().for_each(|row| self.push(row));
        self
    }

    /// Adds a row. Cells that it lacks are empty, cells without column are gone: a table is a rectangle.
    pub fn push(&mut self, mut row: Row) {
        row.cells.resize_with(self.columns.len(), || Cell::from(""));
        self.rows.push(row);
    }
}

impl Column {
    /// Of words.
    pub fn left(heading: impl Into<Text>) -> Self {
        Self { heading: heading.into(), unit: None, align: Align::Left }
    }

    /// Of numbers.
    pub fn right(heading: impl Into<Text>) -> Self {
        Self { heading: heading.into(), unit: None, align: Align::Right }
    }

    /// All in one unit.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }
}

impl Row {
    /// Of cells alike.
    pub fn of<C: Into<Cell>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect(), note: None }
    }

    /// With a note below.
    pub fn note(mut self, note: impl Into<Text>) -> Self {
        self.note = Some(note.into()).filter(|note| !note.is_empty());
        self
    }
}

impl Cell {
    /// With a line beneath its value, where there is one.
    pub fn beneath(mut self, line: Option<impl Into<Text>>) -> Self {
        self.beneath.extend(line.map(Into::into));
        self
    }

    /// With what its value comes from.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Meant so.
    pub const fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl<T: Into<Text>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { main: text.into(), beneath: Vec::new(), tone: Tone::Plain, origin: None }
    }
}
