//! The program that tells how modules are executed, as data: `workload/calibration.toml`; and the name of the one that looks
//! around in a container.
//!
//! Not here: running it (`measure::calibration`), and what follows from its times (`results::observed`).

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// The binary target of the `workload` package that prints what a container isolates (`isolation`).
pub const SURROUNDINGS: &str = "surroundings";

/// A program that walks so many steps, several times, and says how long each walk took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// The binary target of the `workload` package.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Arguments with which it goes on until it is ended.
    pub endless: Vec<String>,
    /// What it has to print.
    pub expected: Walks,
}

/// What a calibration prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walks {
    /// Where each walk has to lead.
    pub position: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    program: String,
    args: Vec<String>,
    endless: Vec<String>,
    position: u64,
    why: String,
}

/// Reads and checks a file.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses.
pub fn load(path: &Path) -> anyhow::Result<Calibration> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))?;
    parse(&text).with_context(|| format!("`{}` is no calibration", path.display()))
}

/// The calibration that a TOML text defines.
///
/// # Errors
/// With line, column and what was expected, for unknown or missing keys; for an empty `why`.
fn parse(text: &str) -> anyhow::Result<Calibration> {
    let Wire { program, args, endless, position, why } = toml::from_str(text)?;
    ensure!(!why.trim().is_empty(), "`why` is empty: say what question it answers");
    Ok(Calibration { program, args, endless, expected: Walks { position } })
}

impl Walks {
    /// How long each walk took, in ns.
    ///
    /// # Errors
    /// When it printed anything else than walks to this position.
    pub fn times(&self, printed: &[u8]) -> anyhow::Result<Vec<u64>> {
        let text = str::from_utf8(printed).context("the calibration printed no text")?;
        let mut lines = text.lines();
        let begin = lines.next();
        ensure!(begin == Some("begin"), "the calibration began with {:?}", begin.unwrap_or_default());
        let walk = |line: &str| {
            let (position, ns) = line.strip_prefix("position=")?.split_once(" ns=")?;
            (position.parse() == Ok(self.position)).then(|| ns.parse().ok())?
        };
        let times = lines.map(|line| walk(line).with_context(|| format!("the calibration printed `{line}`")));
        let times = times.collect::<anyhow::Result<Vec<u64>>>()?;
        ensure!(times.len() >= 2, "the calibration walked {} times", times.len());
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused() {
        let good = "program = \"p\"\nargs = []\nendless = []\nposition = 5\nwhy = \"because\"\n";
        assert_eq!(parse(good).unwrap().expected, Walks { position: 5 });
        for (from, to, says) in [("because", " ", "`why`"), ("program", "programme", "line 1")] {
            let error = format!("{:#}", parse(&good.replacen(from, to, 1)).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn walks_that_lead_elsewhere_or_nowhere_have_no_times() {
        let walks = Walks { position: 5 };
        assert_eq!(walks.times(b"begin\nposition=5 ns=7\nposition=5 ns=8\n").unwrap(), [7, 8]);
        for (printed, says) in [
            ("begin\nposition=5 ns=7\n", "walked 1 times"),
            ("begin\nposition=5 ns=7\nposition=6 ns=7\n", "`position=6 ns=7`"),
            ("begin\nposition=5 ns=\n", "`position=5 ns=`"),
            ("position=5 ns=7\n", "began with"),
            ("", "began with"),
        ] {
            let error = walks.times(printed.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_projects_own_is_one() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workload");
        let found = load(&package.join("calibration.toml")).unwrap();
        for program in [&*found.program, SURROUNDINGS] {
            assert!(package.join("src/bin").join(format!("{program}.rs")).is_file(), "{program}");
        }
    }
}
