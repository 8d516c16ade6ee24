//! The versions of an engine that its table is about: the arguments there mean nothing to others, or something else.

use std::fmt;

use anyhow::Context as _;

/// Numbers with dots between them, the most significant first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

/// From one version to below another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first that fits.
    pub from: Version,
    /// The first that does not fit any more.
    pub below: Version,
}

impl Version {
    /// `0.14.1`, and nothing else.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>();
        Ok(Self(numbers.with_context(|| format!("`{text}` is no version: write numbers with dots, `0.14.1`"))?))
    }

    /// The first version in what a program says of itself: `wasmedge version 0.14.1`, `wasmtime 48.0.8 (…)`.
    fn said(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let word = word.trim_start_matches('v');
            let end = word.find(|letter: char| letter != '.' && !letter.is_ascii_digit()).unwrap_or(word.len());
            let number = word[..end].trim_end_matches('.');
            if number.contains('.') { Self::parse(number).ok() } else { None }
        })
    }
}

impl Versions {
    /// Whether a program is one of these, by what it says of itself.
    ///
    /// # Errors
    /// When it is not, or says no version.
    pub fn ensure(&self, said: &str) -> anyhow::Result<()> {
        let version =
            Version::said(said).with_context(|| format!("it says no version, but `{said}`; wanted is {self}"))?;
        anyhow::ensure!(
            self.from <= version && version < self.below,
            "it is of version {version}, and `engines.toml` says how to call {self}: name another program, or change what is \
             there"
        );
        Ok(())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to below {}", self.from, self.below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_the_first_version_that_it_says() {
        let versions = Versions { from: Version::parse("0.14").unwrap(), below: Version::parse("0.15").unwrap() };
        for said in ["wasmedge version 0.14.1", "wasmedge version 0.14.1-rc.2 (plugin 9.9)", "v0.14.0", "x 2 0.14.99"] {
            versions.ensure(said).unwrap();
        }
        for (said, says) in [
            ("wasmedge version 0.13.5", "of version 0.13.5"),
            ("wasmedge version 0.15.0", "of version 0.15.0"),
            ("wasmedge version 1.0", "from 0.14 to below 0.15"),
            ("it does not tell", "says no version"),
        ] {
            let error = versions.ensure(said).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn ten_is_more_than_nine() {
        assert!(Version::parse("0.10").unwrap() > Version::parse("0.9.9").unwrap());
        assert!(Version::parse("1.x").unwrap_err().to_string().contains("`1.x`"));
    }
}
