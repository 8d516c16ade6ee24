//! Samples as `samples.jsonl` has them, where its bytes are in memory.
//!
//! Not here: the reading of a line (`samples::lines`).

use crate::Sample;

/// The samples, and a line of explanation for each line that is none.
pub fn parse_samples(mut bytes: &[u8]) -> (Vec<Sample>, Vec<String>) {
    samples::lines::samples(&mut bytes).unwrap_or_else(|error| (Vec::new(), vec![error.to_string()]))
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
