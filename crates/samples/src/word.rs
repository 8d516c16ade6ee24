//! Names that many samples share: of a bench, a case, a metric, an output. A million samples name a few dozen of them, so
//! each is kept once.
//!
//! Not here: what the names mean.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::Values;
use super::values::Names;

/// A text that may be shared; cloning it copies no letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub struct Word(Arc<str>);

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Word {
    /// The text.
    pub fn as_str(&self) -> &str {
        self
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        &*self.0 == other.as_str()
    }
}

impl PartialEq<Word> for String {
    fn eq(&self, other: &Word) -> bool {
        self.as_str() == &*other.0
    }
}

impl PartialEq<Word> for str {
    fn eq(&self, other: &Word) -> bool {
        self == &*other.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, out)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// More different ones than this are not looked up: a program that prints something else each time has a million outputs,
/// which share nothing.
const KNOWN: usize = 4096;
/// The same of lists of names, of which a run has one for each kind of runner.
const KNOWN_LISTS: usize = 32;

/// The words of the samples that were read so far, and the lists of metrics.
#[derive(Debug, Default)]
pub struct Words {
    known: HashSet<Arc<str>>,
    lists: Vec<Names>,
}

impl Words {
    /// The word, with the letters of the first one that was the same.
    pub fn word(&mut self, text: &str) -> Word {
        if let Some(known) = self.known.get(text) {
            return Word(Arc::clone(known));
        }
        let word: Arc<str> = text.into();
        if self.known.len() < KNOWN {
            self.known.insert(Arc::clone(&word));
        }
        Word(word)
    }

    /// Numbers by name, of which those that have their names in order share them with the first ones that had the same.
    pub fn values(&mut self, pairs: &[(Cow<'_, str>, u64)]) -> Values {
        let names = || pairs.iter().map(|(name, _)| &**name);
        let known = self.lists.iter().find(|list| list.iter().map(Word::as_str).eq(names()));
        if let Some(known) = known {
            return Values::new(Arc::clone(known), pairs.iter().map(|(_, value)| *value).collect());
        }
        let words: Vec<(Word, u64)> = pairs.iter().map(|(name, value)| (self.word(name), *value)).collect();
        let values: Values = words.into_iter().collect();
        if self.lists.len() < KNOWN_LISTS {
            self.lists.push(values.names());
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_kept_once() {
        let mut words = Words::default();
        let (first, again) = (words.word("noop"), words.word("noop"));
        assert!(Arc::ptr_eq(&first.0, &again.0) && first == "noop");
        let pairs = |order: [&'static str; 2]| order.map(|name| (Cow::Borrowed(name), 7));
        let in_order = words.values(&pairs(["a", "b"]));
        assert!(in_order.shares_names_with(&words.values(&pairs(["a", "b"]))));
        let other = words.values(&pairs(["b", "a"]));
        assert!(other == in_order && words.values(&pairs(["b", "a"])) == in_order);
        assert_eq!(words.values(&pairs(["a", "a"])).len(), 1);
        assert!(words.values(&[]).is_empty());
    }

    #[test]
    fn words_that_are_all_different_are_not_kept_for_ever() {
        let mut words = Words::default();
        for number in 0..2 * KNOWN {
            assert_eq!(words.word(&number.to_string()), number.to_string());
            words.values(&[(number.to_string().into(), 1)]);
        }
        assert_eq!((words.known.len(), words.lists.len()), (KNOWN, KNOWN_LISTS));
    }
}
