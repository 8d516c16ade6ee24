//! How a command line that runs modules is told what a module may see of its host: WASI gives it nothing by itself.

use serde::{Deserialize, Serialize};

const NAME: &str = "{name}";
const VALUE: &str = "{value}";
const HOST: &str = "{host}";
const GUEST: &str = "{guest}";

/// How a command line that runs modules is told what a module may see of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// The words for a variable, with `{name}` and `{value}`. Where no word has the value, the program has it in its own
    /// environment. `None`: it can not be told.
    pub env: Option<Vec<String>>,
    /// The words for a folder, with `{host}`, and `{guest}` where it can have another name. `None`: it can not be told.
    pub dir: Option<Vec<String>>,
}

impl Grants {
    /// Why these are none.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let lacks = |words: &Vec<String>, what: &str| !words.iter().any(|word| word.contains(what));
        if self.env.as_ref().is_some_and(|words| !words.is_empty() && lacks(words, NAME)) {
            return Some("no word of `env` contains `{name}`");
        }
        if self.dir.as_ref().is_some_and(|words| lacks(words, HOST)) {
            return Some("no word of `dir` contains `{host}`");
        }
        None
    }

    /// Whether a variable has to be in the environment of the program itself.
    pub fn passes_environment(&self) -> bool {
        self.env.as_ref().is_some_and(|words| !words.iter().any(|word| word.contains(VALUE)))
    }

    /// Whether a folder may have another name for the module.
    pub fn renames(words: &[String]) -> bool {
        words.iter().any(|word| word.contains(GUEST))
    }

    /// A word with a variable put in, each part once: what is put in is not looked at again.
    pub fn variable(word: &str, name: &str, value: &str) -> String {
        fill(word, [(NAME, name), (VALUE, value)])
    }

    /// A word with a folder put in, likewise.
    pub fn folder(word: &str, host: &str, guest: &str) -> String {
        fill(word, [(HOST, host), (GUEST, guest)])
    }
}

fn fill(word: &str, values: [(&str, &str); 2]) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some((at, (mark, value))) =
        values.iter().filter_map(|value| Some((rest.find(value.0)?, *value))).min_by_key(|(at, _)| *at)
    {
        filled.push_str(&rest[..at]);
        filled.push_str(value);
        rest = &rest[at + mark.len()..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        assert_eq!(Grants::variable("{name}={value}", "A", "{name} {value}"), "A={name} {value}");
        assert_eq!(Grants::folder("{host}::{guest}", "/h{guest}", "/g"), "/h{guest}::/g");
    }

    #[test]
    fn a_value_that_no_word_has_is_in_the_environment() {
        let env = |words: &[&str]| Grants { env: Some(words.iter().map(ToString::to_string).collect()), dir: None };
        assert!(env(&["--env", "{name}"]).passes_environment() && env(&[]).passes_environment());
        assert!(!env(&["--env", "{name}={value}"]).passes_environment() && !Grants::default().passes_environment());
        assert_eq!(env(&["--env"]).fault(), Some("no word of `env` contains `{name}`"));
        assert_eq!(env(&[]).fault(), None);
    }
}
