//! The output of a stamped program: its clock, what its ordinary sibling prints, its clock again.

use anyhow::{Context as _, ensure};

/// What a stamped program printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped<'a> {
    /// Its monotonic clock before everything else.
    pub first_ns: i64,
    /// After everything else.
    pub last_ns: i64,
    /// What lies between: what its sibling prints.
    pub rest: &'a [u8],
}

/// Takes the output of a stamped program apart.
///
/// # Errors
/// When the first or the last line is no number, or the clock ran backwards.
pub fn parse(stdout: &[u8]) -> anyhow::Result<Stamped<'_>> {
    let text = stdout.strip_suffix(b"\n").context("its output does not end with a line")?;
    let first_end = text.iter().position(|byte| *byte == b'\n').context("it printed less than two lines")?;
    let last_start = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(first_end) + 1;
    let number = |line: &[u8], which: &str| -> anyhow::Result<i64> {
        let digits = std::str::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|line| line.parse().ok()).with_context(|| {
            format!("its {which} line is no clock: `{}`", String::from_utf8_lossy(&line[..line.len().min(40)]))
        })
    };
    let first_ns = number(&text[..first_end], "first")?;
    let last_ns = number(&text[last_start..], "last")?;
    ensure!(first_ns <= last_ns, "its clock ran backwards, from {first_ns} to {last_ns}");
    Ok(Stamped { first_ns, last_ns, rest: &stdout[first_end + 1..last_start.max(first_end + 1)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_the_first_and_the_last_line_and_the_rest_is_the_siblings() {
        let stamped = |first_ns, last_ns, rest| Stamped { first_ns, last_ns, rest };
        assert_eq!(parse(b"5\nn=3\n9\n").unwrap(), stamped(5, 9, b"n=3\n"));
        assert_eq!(parse(b"5\n9\n").unwrap(), stamped(5, 9, b""));
        assert_eq!(parse(b"5\n\na\n\n9\n").unwrap(), stamped(5, 9, b"\na\n\n"));
    }

    #[test]
    fn what_is_no_clock_is_refused_with_the_line() {
        for bad in ["", "5\n", "5\n9", "n=3\n9\n", "5\nn=3\n", "9\nx\n5\n", "-5\n9\n", "99999999999999999999\n9\n"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let error = parse(b"usage: x\n9\n").unwrap_err().to_string();
        assert!(error.contains("first") && error.contains("usage: x"), "{error}");
    }
}
