//! What was measured of one run, by metric: a few numbers, in the order of their names. A million samples have a million of
//! these, and a handful of lists of names: each list is kept once.
//!
//! Not here: which metrics there are (`results::metric`), and which samples have a list in common (`word`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::word::Word;

/// Names in their order, which many values have in common.
pub(super) type Names = Arc<[Word]>;

/// Numbers by the name of their metric, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, u64>")]
pub struct Values {
    names: Names,
    /// One for each name.
    numbers: Box<[u64]>,
}

impl Values {
    /// The number of a metric.
    pub fn get(&self, name: &str) -> Option<&u64> {
        self.numbers.get(self.place(name)?)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut u64> {
        let place = self.place(name)?;
        self.numbers.get_mut(place)
    }

    /// From the last one on: the headline's is looked for most, and is the last one of nearly every list.
    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().rposition(|known| known == name)
    }

    /// Whether there is a number of the metric.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Word> {
        self.names.iter()
    }

    /// The numbers, in the order of their names.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The numbers, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        self.numbers.iter_mut()
    }

    /// Sets the number of a metric.
    pub fn insert(&mut self, name: impl Into<Word>, value: u64) {
        self.extend([(name, value)]);
    }

    /// Takes the number of a metric away.
    pub fn remove(&mut self, name: &str) {
        let kept: Vec<(Word, u64)> = self.pairs().filter(|(known, _)| known != name).collect();
        *self = Self::of(kept);
    }

    /// Whether the names are known to be the same ones without looking at them; where this is false, they may be.
    pub fn shares_names_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.names, &other.names)
    }

    /// The names, to be shared.
    pub(super) fn names(&self) -> Names {
        Arc::clone(&self.names)
    }

    /// From names in their order, and as many numbers.
    pub(super) fn new(names: Names, numbers: Box<[u64]>) -> Self {
        debug_assert!(names.len() == numbers.len() && names.is_sorted_by(|left, right| left < right));
        Self { names, numbers }
    }

    fn of(pairs: impl IntoIterator<Item = (Word, u64)>) -> Self {
        let (names, numbers): (Vec<Word>, Vec<u64>) = pairs.into_iter().unzip();
        Self::new(names.into(), numbers.into())
    }

    fn pairs(&self) -> impl Iterator<Item = (Word, u64)> {
        self.names.iter().cloned().zip(self.numbers.iter().copied())
    }
}

impl<W: Into<Word>> Extend<(W, u64)> for Values {
    fn extend<I: IntoIterator<Item = (W, u64)>>(&mut self, more: I) {
        let all: BTreeMap<Word, u64> =
            self.pairs().chain(more.into_iter().map(|(name, value)| (name.into(), value))).collect();
        *self = Self::of(all);
    }
}

impl<W: Into<Word>> FromIterator<(W, u64)> for Values {
    fn from_iter<I: IntoIterator<Item = (W, u64)>>(pairs: I) -> Self {
        let mut values = Self::default();
        values.extend(pairs);
        values
    }
}

impl<W: Into<Word>, const N: usize> From<[(W, u64); N]> for Values {
    fn from(pairs: [(W, u64); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<BTreeMap<String, u64>> for Values {
    fn from(pairs: BTreeMap<String, u64>) -> Self {
        Self::of(pairs.into_iter().map(|(name, value)| (name.into(), value)))
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(&self.numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once_and_in_order_and_the_last_number_counts() {
        let mut values = Values::from([("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(serde_json::to_string(&values).unwrap(), r#"{"a":2,"b":3}"#);
        values.insert("c", 4);
        values.remove("a");
        *values.get_mut("b").unwrap() += 1;
        assert_eq!(values, serde_json::from_str(r#"{"c":4,"b":4}"#).unwrap());
        assert_eq!((values.len(), values.get("a"), values.contains_key("c")), (2, None, true));
    }
}
