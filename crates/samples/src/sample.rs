//! A line of `samples.jsonl` as any version wrote it.
//!
//! Until schema 2 a sample had one value, `wall_ns`, as a field of its own.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::word::Words;
use super::{HEADLINE, Outcome, Sample};

/// Its words are those of the line itself, which is read a million times.
#[derive(serde::Deserialize)]
pub struct Line<'a> {
    #[serde(borrow)]
    bench: Name<'a>,
    #[serde(borrow)]
    case: Name<'a>,
    round: u32,
    position: u32,
    warmup: bool,
    #[serde(borrow, default)]
    values: Pairs<'a>,
    wall_ns: Option<u64>,
    user_ns: Option<u64>,
    system_ns: Option<u64>,
    outcome: Outcome,
    #[serde(borrow)]
    reason: Option<Name<'a>>,
    #[serde(borrow)]
    output_sha256: Option<Name<'a>>,
}

/// A text that lies in the line, where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Numbers by name as they stand in the line.
#[derive(Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, u64)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

/// So many numbers a run of today has.
const USUAL: usize = 7;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("numbers by the name of their metric")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(USUAL);
        while let Some((Name(name), value)) = map.next_entry()? {
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}

impl Line<'_> {
    /// The sample, with the words that it has in common with others.
    pub fn sample(self, words: &mut Words) -> Sample {
        let mut values = words.values(&self.values.0);
        if let Some(wall_ns) = self.wall_ns.filter(|_| !values.contains_key(HEADLINE)) {
            values.insert(HEADLINE, wall_ns);
        }
        Sample {
            bench: words.word(&self.bench.0),
            case: words.word(&self.case.0),
            round: self.round,
            position: self.position,
            warmup: self.warmup,
            values,
            user_ns: self.user_ns.into(),
            system_ns: self.system_ns.into(),
            outcome: self.outcome,
            reason: self.reason.map(|reason| words.word(&reason.0)),
            output_sha256: self.output_sha256.map(|digest| words.word(&digest.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Line::deserialize(deserializer)?.sample(&mut Words::default()))
    }
}

impl Sample {
    /// What was measured of a metric, where it was.
    pub fn value(&self, metric: &str) -> Option<u64> {
        self.values.get(metric).copied()
    }

    /// The headline metric's value: from just before spawn to the return of `wait4`.
    pub fn wall_ns(&self) -> Option<u64> {
        self.value(HEADLINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = r#""bench":"b","case":"c","round":1,"position":2,"warmup":false,"outcome":"ok""#;

    fn read(more: &str) -> Sample {
        serde_json::from_str(&format!("{{{COMMON},{more}}}")).unwrap()
    }

    #[test]
    fn a_line_from_before_metrics_is_read_as_one_value() {
        let old = read(r#""wall_ns":7,"user_ns":3"#);
        assert_eq!((old.wall_ns(), old.user_ns.get(), old.values.len()), (Some(7), Some(3), 1));
        assert_eq!(old, read(r#""values":{"wall_ns":7},"user_ns":3"#));
        assert_eq!(read(r#""reason":"it was not started""#).wall_ns(), None);
    }

    #[test]
    fn metrics_and_fields_of_a_newer_version_do_not_hinder_reading_and_are_kept() {
        let sample = read(r#""values":{"wall_ns":7,"page_faults":9},"colour":"blue""#);
        assert_eq!(sample.value("page_faults"), Some(9));
        let written = serde_json::to_value(&sample).unwrap();
        assert_eq!(written["values"], serde_json::json!({"page_faults": 9, "wall_ns": 7}));
        assert!(written.get("wall_ns").is_none());
    }
}
