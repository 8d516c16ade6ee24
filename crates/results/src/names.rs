//! Names that a person types: patterns, beginnings of names, and what was probably meant by one that names nothing.
//!
//! Pure. Not here: what is known (`bench`, `case`, the suite's stages, `results::store`).

use crate::case::names;

/// A name that names nothing, or more than one thing where one is wanted: wrong usage, as an unknown option is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misnamed(String);

impl Misnamed {
    /// With the whole error as text.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Misnamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misnamed {}

/// How alike two names must be for one to be meant by the other: Clap's own limit for options.
const ALIKE: f64 = 0.7;

/// Things of one sort by name.
#[derive(Clone, Debug)]
pub struct Names {
    /// What one is called.
    pub one: &'static str,
    /// What several are called.
    pub several: &'static str,
    /// All of them.
    pub known: Vec<String>,
}

impl Names {
    /// Which names a glob matches, by index.
    ///
    /// # Errors
    /// When it is no glob, or matches none; says which name was probably meant, and all of them.
    pub fn matching(&self, text: &str) -> Result<Vec<usize>, Misnamed> {
        let pattern = glob::Pattern::new(text).map_err(|error| Misnamed(format!("`{text}` is no pattern: {error}")))?;
        let hits: Vec<usize> = (0..self.known.len()).filter(|&index| pattern.matches(&self.known[index])).collect();
        if hits.is_empty() { Err(self.unknown(text)) } else { Ok(hits) }
    }

    /// The error for a name that is none of these.
    pub fn unknown(&self, text: &str) -> Misnamed {
        let meant = self.meant(text).map_or_else(String::new, |name| format!(", did you mean `{name}`?"));
        let known = names(&self.known);
        Misnamed(format!("no {} matches `{text}`{meant} (the {} are {known})", self.one, self.several))
    }

    /// The error where one is wanted and these were found.
    pub fn ambiguous(&self, text: &str, found: &[String]) -> Misnamed {
        Misnamed(format!("`{text}` names {} {}, and one is wanted: {}", found.len(), self.several, names(found)))
    }

    fn meant(&self, text: &str) -> Option<&String> {
        let alike = |name: &String| {
            let last = name.rsplit('/').next().unwrap_or(name);
            strsim::jaro(text, name).max(strsim::jaro(text, last))
        };
        let best = self.known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
        (alike(best) > ALIKE).then_some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn benches() -> Names {
        let known = ["array-sum", "noop", "sweep/1000"].map(str::to_owned).to_vec();
        Names { one: "bench", several: "benches", known }
    }

    #[test]
    fn a_pattern_matches_names_or_says_what_was_meant() {
        assert_eq!(benches().matching("*oo*").unwrap(), [1]);
        assert_eq!(benches().matching("*").unwrap(), [0, 1, 2]);
        let error = benches().matching("aray-sum").unwrap_err().to_string();
        assert_eq!(
            error,
            "no bench matches `aray-sum`, did you mean `array-sum`? (the benches are `array-sum`, `noop`, `sweep/1000`)"
        );
        let error = benches().matching("quite different").unwrap_err().to_string();
        assert!(!error.contains("did you mean") && error.contains("`noop`"), "{error}");
        assert!(benches().matching("[").unwrap_err().to_string().contains("is no pattern"));
    }
}
