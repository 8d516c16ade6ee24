//! The one moment that all timestamps inside an image have: `SOURCE_DATE_EPOCH`, or 1970.
//!
//! Not here: the reading of the environment.

use anyhow::{Context as _, ensure};
use time::OffsetDateTime;
use time::macros::format_description;

/// Seconds since 1970 that every tar header can hold (ustar: eleven octal digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u32);

impl Epoch {
    /// 1970-01-01T00:00:00Z, where `SOURCE_DATE_EPOCH` is not set.
    pub const ZERO: Self = Self(0);

    /// The value of `SOURCE_DATE_EPOCH`: whole seconds since 1970, decimal
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>). [`Epoch::ZERO`] when it is not set.
    ///
    /// # Errors
    /// When it is anything else, or later than 2106.
    pub fn parse(variable: Option<&str>) -> anyhow::Result<Self> {
        let Some(text) = variable else { return Ok(Self::ZERO) };
        let expected = || {
            format!("`SOURCE_DATE_EPOCH` is `{text}`: set it to seconds since 1970 (0 to {}), or unset it", u32::MAX)
        };
        ensure!(text.bytes().all(|byte| byte.is_ascii_digit()), expected());
        text.parse().map(Self).with_context(expected)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0.into()
    }

    /// `1970-01-01T00:00:00Z` (RFC 3339), as image configs want it.
    pub fn rfc3339(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        // Neither step can fail for 32 bits of seconds: the fallback is what the format gives for zero.
        OffsetDateTime::from_unix_timestamp(self.0.into())
            .ok()
            .and_then(|moment| moment.format(format).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_not_set_is_1970() {
        assert_eq!(Epoch::parse(None).unwrap().rfc3339(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn seconds_are_taken_as_they_are() {
        let epoch = Epoch::parse(Some("1700000000")).unwrap();
        assert_eq!((epoch.seconds(), epoch.rfc3339().as_str()), (1_700_000_000, "2023-11-14T22:13:20Z"));
        assert_eq!(Epoch::parse(Some("4294967295")).unwrap().rfc3339(), "2106-02-07T06:28:15Z");
    }

    #[test]
    fn anything_else_says_what_to_set() {
        for text in ["", "-1", "+1", "today", "1.5", "4294967296"] {
            let error = Epoch::parse(Some(text)).unwrap_err().to_string();
            assert!(error.contains("seconds since 1970"), "{error}");
        }
    }
}
