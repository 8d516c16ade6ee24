//! What a page can show one of at a time: a bench, what ratios are formed to, what was there before a run. Other forms have
//! all of it.
//!
//! Not here: how a page remembers what was chosen (`html::choice`).

use super::Text;

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// Which bench: every one, unless one is chosen.
    Bench,
    /// What ratios are formed to.
    Baseline,
    /// What was there already when a run began.
    Start,
}

/// What can be chosen of a facet.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is chosen.
    pub facet: Facet,
    /// The options, in the order of the blocks that are of them.
    pub options: Vec<Text>,
}

impl Facet {
    /// What stands before the options.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bench => "Benches",
            Self::Baseline => "Ratios to",
            Self::Start => "Started",
        }
    }

    /// The words for all of the options. Where there are none, the first is shown until another is chosen.
    pub const fn all(self) -> Option<&'static str> {
        match self {
            Self::Bench => Some("every one"),
            Self::Baseline | Self::Start => None,
        }
    }
}

impl Choice {
    /// A choice, where there is more than one thing to choose.
    pub fn of(facet: Facet, options: Vec<Text>) -> Option<Self> {
        (options.len() > 1).then_some(Self { facet, options })
    }
}
