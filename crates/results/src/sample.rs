//! A line of `samples.jsonl` as any version wrote it.
//!
//! Until schema 2 a sample had one value, `wall_ns`, as a field of its own.

use serde::Deserialize;

use super::{Outcome, Sample, Values, Word, metric};

#[derive(Deserialize)]
pub struct Line {
    bench: Word,
    case: Word,
    round: u32,
    position: u32,
    warmup: bool,
    #[serde(default)]
    values: Values,
    wall_ns: Option<u64>,
    user_ns: Option<u64>,
    system_ns: Option<u64>,
    outcome: Outcome,
    reason: Option<String>,
    output_sha256: Option<Word>,
}

impl From<Line> for Sample {
    fn from(line: Line) -> Self {
        let mut values = line.values;
        if let Some(wall_ns) = line.wall_ns {
            let known = values.get(metric::HEADLINE).copied();
            values.insert(metric::HEADLINE, known.unwrap_or(wall_ns));
        }
        Self {
            bench: line.bench,
            case: line.case,
            round: line.round,
            position: line.position,
            warmup: line.warmup,
            values,
            user_ns: line.user_ns,
            system_ns: line.system_ns,
            outcome: line.outcome,
            reason: line.reason,
            output_sha256: line.output_sha256,
        }
    }
}

impl Sample {
    /// What was measured of a metric, where it was.
    pub fn value(&self, metric: &str) -> Option<u64> {
        self.values.get(metric).copied()
    }

    /// The headline metric's value: from just before spawn to the return of `wait4`.
    pub fn wall_ns(&self) -> Option<u64> {
        self.value(metric::HEADLINE)
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
        assert_eq!((old.wall_ns(), old.user_ns, old.values.len()), (Some(7), Some(3), 1));
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
