//! Names that many samples share: of a bench, a case, a metric, an output. A million samples name a few dozen of them, so
//! each is kept once.
//!
//! Not here: what the names mean.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::Sample;

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

/// The words of the samples that were read so far.
#[derive(Debug, Default)]
pub struct Words(HashSet<Arc<str>>);

impl Words {
    /// Lets a sample share the letters of those before it.
    pub fn share(&mut self, sample: &mut Sample) {
        let named = [&mut sample.bench, &mut sample.case].into_iter().chain(&mut sample.output_sha256);
        for word in named.chain(sample.values.names_mut()) {
            self.share_word(word);
        }
    }

    fn share_word(&mut self, word: &mut Word) {
        match self.0.get(&word.0) {
            Some(known) => word.0 = Arc::clone(known),
            None if self.0.len() < KNOWN => drop(self.0.insert(Arc::clone(&word.0))),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{manifest, samples};

    #[test]
    fn samples_of_one_cell_share_its_name_and_are_the_same_as_before() {
        let mut all = samples(&manifest(3));
        let before = all.clone();
        let mut words = Words::default();
        for sample in &mut all {
            words.share(sample);
        }
        assert_eq!(all, before);
        let again =
            all.iter().skip(1).find(|sample| sample.case == all[0].case && sample.bench == all[0].bench).unwrap();
        assert!(Arc::ptr_eq(&again.case.0, &all[0].case.0) && Arc::ptr_eq(&again.bench.0, &all[0].bench.0));
    }

    #[test]
    fn words_that_are_all_different_are_not_kept_for_ever() {
        let mut words = Words::default();
        for number in 0..2 * KNOWN {
            let mut word = Word::from(number.to_string());
            words.share_word(&mut word);
            assert_eq!(word, number.to_string());
        }
        assert_eq!(words.0.len(), KNOWN);
    }
}
