//! A sweep: a name in the arguments, and the numbers that it stands for.

use anyhow::{Context as _, ensure};

/// A name in the arguments, and the numbers that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    name: String,
    values: Vec<u64>,
}

impl Sweep {
    /// A name, and at least three numbers: two points fit any line.
    ///
    /// # Errors
    /// When the name is none, or the numbers are too few or have doubles.
    pub fn new(name: &str, values: &[u64]) -> anyhow::Result<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        ensure!(!name.is_empty() && name.chars().all(fits), "`{name}` is no name: use letters, digits, `_` and `-`");
        ensure!(values.len() >= 3, "a sweep needs at least three numbers: two points fit any line");
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        ensure!(sorted.len() == values.len(), "a number is there twice");
        Ok(Self { name: name.to_owned(), values: values.to_vec() })
    }

    /// `NAME=1,10,100`.
    ///
    /// # Errors
    /// As [`Sweep::new`], and when it is not written so.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, values) = text.split_once('=').context("write a name and numbers, as in `n=1,10,100`")?;
        let number = |text: &str| text.trim().parse().with_context(|| format!("`{text}` is no whole number"));
        let values = values.split(',').map(number).collect::<anyhow::Result<Vec<u64>>>()?;
        Self::new(name, &values)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands for a number: the name in braces.
    pub fn mark(&self) -> String {
        format!("{{{}}}", self.name)
    }

    /// The numbers.
    pub fn values(&self) -> &[u64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_a_name_and_at_least_three_numbers() {
        let sweep = Sweep::parse("n=1, 10,100").unwrap();
        assert_eq!((sweep.mark().as_str(), sweep.values()), ("{n}", &[1, 10, 100][..]));
        for (text, says) in [
            ("n", "as in `n=1,10,100`"),
            ("n=1,2", "at least three"),
            ("n=1,2,x", "`x` is no whole number"),
            ("n=1,2,-3", "`-3` is no whole number"),
            ("n=1,2,1", "twice"),
            ("a b=1,2,3", "no name"),
        ] {
            let error = format!("{:#}", Sweep::parse(text).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }
}
