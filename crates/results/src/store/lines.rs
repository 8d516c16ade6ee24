//! The lines of a run's raw facts, read one by one: a file with a million of them is never whole in memory.
//!
//! Not here: where the files are, and whether a line has a place in the plan (`audit`).

use std::io::BufRead;

use serde::de::DeserializeOwned;

use crate::Sample;
use crate::word::Words;

/// The samples of a `samples.jsonl`, and a line of explanation for each line that is none.
pub fn parse_samples(bytes: &[u8]) -> (Vec<Sample>, Vec<String>) {
    samples_of(bytes).unwrap_or_else(|error| (Vec::new(), vec![error.to_string()]))
}

/// The same of a file, which is never whole in memory.
pub(super) fn samples_of(lines: impl BufRead) -> std::io::Result<(Vec<Sample>, Vec<String>)> {
    let (mut samples, mut words) = (Vec::new(), Words::default());
    let lost = parse_lines(lines, |mut sample| {
        words.share(&mut sample);
        samples.push(sample);
    })?;
    Ok((samples, lost))
}

/// Takes each line, and says which ones can not be read.
pub(super) fn parse_lines<T: DeserializeOwned>(
    mut lines: impl BufRead,
    mut take: impl FnMut(T),
) -> std::io::Result<Vec<String>> {
    let (mut lost, mut line) = (Vec::new(), Vec::new());
    for number in 1_u64.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(found) => take(found),
            Err(_) if !whole => lost.push(format!("line {number} breaks off")),
            Err(error) => lost.push(format!("line {number} is damaged: {error}")),
        }
    }
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{manifest, samples};

    fn line() -> String {
        serde_json::to_string(&samples(&manifest(2))[0]).unwrap()
    }

    #[test]
    fn a_truncated_file_loses_its_last_line_only_and_says_so() {
        let whole = line();
        let (samples, lost) = parse_samples(format!("{whole}\n{}", &whole[..40]).as_bytes());
        assert_eq!((samples.len(), lost), (1, vec!["line 2 breaks off".to_owned()]));
    }

    #[test]
    fn a_damaged_line_is_named_and_the_others_are_kept() {
        let line = line();
        let (samples, lost) = parse_samples(format!("{line}\n{{broken\n{line}\n").as_bytes());
        assert_eq!(samples.len(), 2);
        assert!(lost[0].starts_with("line 2 is damaged"), "{lost:?}");
    }
}
