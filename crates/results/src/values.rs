//! What was measured of one run, by metric: a few numbers, in the order of their names. A million samples have a million of
//! these, so they take no more room than that.
//!
//! Not here: which metrics there are (`metric`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::word::Word;

/// Numbers by the name of their metric, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, u64>")]
pub struct Values(Box<[(Word, u64)]>);

impl Values {
    /// The number of a metric.
    pub fn get(&self, name: &str) -> Option<&u64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut u64> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether there is a number of the metric.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Word> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The numbers, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Sets the number of a metric.
    pub fn insert(&mut self, name: impl Into<Word>, value: u64) {
        self.extend([(name, value)]);
    }

    /// Takes the number of a metric away.
    pub fn remove(&mut self, name: &str) {
        let kept = std::mem::take(&mut self.0).into_iter().filter(|(known, _)| known != name);
        self.0 = kept.collect();
    }

    /// The names, to be shared.
    pub(super) fn names_mut(&mut self) -> impl Iterator<Item = &mut Word> {
        self.0.iter_mut().map(|(name, _)| name)
    }
}

impl<W: Into<Word>> Extend<(W, u64)> for Values {
    fn extend<I: IntoIterator<Item = (W, u64)>>(&mut self, more: I) {
        let before = std::mem::take(&mut self.0).into_iter();
        let all: BTreeMap<Word, u64> =
            before.chain(more.into_iter().map(|(name, value)| (name.into(), value))).collect();
        self.0 = all.into_iter().collect();
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
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
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
