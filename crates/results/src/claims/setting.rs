//! In which setting a figure was measured, as far as that was published, and how we came to know it.
//!
//! Not here: the figure.

use serde::{Deserialize, Serialize};

/// What stands for something that the source does not say.
pub const NOT_PUBLISHED: &str = "not published";
/// What stands for something that the part of a source that was seen does not say.
pub const NOT_SEEN: &str = "not seen";

/// In which setting a figure was measured. Each may be [`NOT_PUBLISHED`]; where only an abstract or a summary was seen,
/// [`NOT_SEEN`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What executed the module.
    pub engine: String,
    /// Interpreted, compiled when it starts, or compiled ahead of time.
    pub mode: String,
    /// What started it.
    pub orchestrator: String,
    /// On what.
    pub hardware: String,
    /// How many measurements.
    pub n: String,
    /// From what to what, or what is counted.
    pub what_is_timed: String,
}

impl Setting {
    /// Its items by name.
    pub fn items(&self) -> [(&'static str, &str); 6] {
        [
            ("engine", &self.engine),
            ("mode", &self.mode),
            ("orchestrator", &self.orchestrator),
            ("hardware", &self.hardware),
            ("n", &self.n),
            ("what is timed", &self.what_is_timed),
        ]
    }

    /// The items that the source does not say.
    pub fn not_published(&self) -> Vec<&'static str> {
        self.items().into_iter().filter(|(_, text)| *text == NOT_PUBLISHED).map(|(name, _)| name).collect()
    }

    /// Whether it says nothing at all: rows of older runs have none.
    pub fn is_empty(&self) -> bool {
        self.items().iter().all(|(_, text)| text.is_empty())
    }
}

/// How a figure was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// In the source itself.
    #[default]
    Source,
    /// In its abstract, or in somebody's summary or copy.
    Abstract,
    /// Named by another text, and not looked up.
    Reported,
}

/// Whether like is held against like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One side of the container wall, or one program on both sides of it.
    #[default]
    Same,
    /// A native program in a container against a module without one.
    Crossing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_published_is_told_from_what_was_not_seen() {
        let setting = Setting {
            engine: "WasmEdge".to_owned(),
            mode: NOT_PUBLISHED.to_owned(),
            n: NOT_SEEN.to_owned(),
            hardware: NOT_PUBLISHED.to_owned(),
            ..Setting::default()
        };
        assert_eq!(setting.not_published(), ["mode", "hardware"]);
        assert!(!setting.is_empty() && Setting::default().is_empty());
    }
}
