//! Runs by folder, by name, and by the beginning of a name: plain runs below `results`, and those in its `recorded`.
//!
//! Not here: what is in a run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::RunDir;
use crate::case::names;
use crate::names::{Misnamed, Names};

/// The folder of the runs that are committed, below `results`.
const RECORDED: &str = "recorded";

impl RunDir {
    /// An existing run: its folder, its name, or the beginning of the name of no other run.
    ///
    /// # Errors
    /// When nothing is meant by it (what was probably meant, and the newest runs, are named), or more than one run.
    pub fn find(results: &Path, name: &str) -> anyhow::Result<Self> {
        // A plain name may be that of a run below `results` and of a recorded one: which is decided below.
        let below = name.contains('/').then(|| results.join(name));
        for dir in [(!name.is_empty()).then(|| PathBuf::from(name)), below].into_iter().flatten() {
            if dir.join("manifest.json").is_file() {
                return Ok(Self(dir));
            }
        }
        let runs: Vec<Self> = Self::recorded(results)?.into_iter().chain(Self::all(results)?).collect();
        if runs.is_empty() {
            bail!(Misnamed::new(format!(
                "there is no run `{name}`, and none at all in `{}`: make one with `cargo xtask bench`",
                results.display()
            )));
        }
        let fitting = |fits: fn(&str, &str) -> bool| -> Vec<&Self> {
            runs.iter().filter(|run| fits(&run.name(), name)).collect()
        };
        let exact = fitting(|run, name| run == name);
        let found = if exact.is_empty() { fitting(|run, name| run.starts_with(name)) } else { exact };
        let all = |runs: Vec<&Self>| Names {
            one: "run",
            several: "runs",
            known: runs.into_iter().map(|run| run.shown(results)).collect(),
        };
        match found[..] {
            [run] => Ok(run.clone()),
            [] => bail!(all(runs.iter().rev().take(NEWEST).collect()).unknown(name)),
            _ => {
                let found = all(found).known;
                bail!(all(Vec::new()).ambiguous(name, &found))
            }
        }
    }

    /// The run that was made last, recorded ones aside.
    ///
    /// # Errors
    /// When there is none; the recorded ones are named.
    pub fn newest(results: &Path) -> anyhow::Result<Self> {
        if let Some(newest) = Self::all(results)?.pop() {
            return Ok(newest);
        }
        let recorded: Vec<String> = Self::recorded(results)?.iter().map(Self::name).collect();
        let hint = if recorded.is_empty() {
            String::new()
        } else {
            format!("; recorded with the project: {}, shown by `cargo xtask report NAME`", names(&recorded))
        };
        bail!("there is no run in `{}`: make one with `cargo xtask bench`{hint}", results.display())
    }

    /// The runs that are recorded with the project, the one that was made last at the end.
    ///
    /// # Errors
    /// When their folder can not be listed.
    pub fn recorded(results: &Path) -> anyhow::Result<Vec<Self>> {
        Self::all(&results.join(RECORDED))
    }

    /// Every run below a folder, the one that was made last at the end.
    fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut runs = Vec::new();
        if folder.is_dir() {
            for entry in std::fs::read_dir(folder).with_context(|| format!("can not list `{}`", folder.display()))? {
                let path = entry?.path();
                if path.join("manifest.json").is_file() && path.file_name() != Some(RECORDED.as_ref()) {
                    runs.push(Self(path));
                }
            }
        }
        runs.sort_by_cached_key(|run| (run.started_utc(), run.name()));
        Ok(runs)
    }

    /// When it was started. A run whose manifest does not say it has only its name, which begins with the time where
    /// nobody chose another.
    fn started_utc(&self) -> String {
        let text = std::fs::read(self.0.join("manifest.json")).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        manifest["started_utc"].as_str().map_or_else(|| self.name(), str::to_owned)
    }

    /// The name by which [`RunDir::find`] finds it again.
    fn shown(&self, results: &Path) -> String {
        self.0.strip_prefix(results).unwrap_or(&self.0).display().to_string()
    }
}

/// How many runs an error names.
const NEWEST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs with nothing in them but when they were started.
    fn results(runs: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, started) in runs {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
            let manifest = format!("{{\"started_utc\": \"{started}\"}}");
            std::fs::write(dir.path().join(name).join("manifest.json"), manifest).unwrap();
        }
        dir
    }

    #[test]
    fn a_missing_run_names_the_way_to_make_one() {
        let error = RunDir::find(results(&[]).path(), "yesterday").unwrap_err().to_string();
        assert!(error.contains("`yesterday`") && error.contains("cargo xtask bench"), "{error}");
    }

    #[test]
    fn a_run_is_found_by_its_name_or_the_beginning_of_it() {
        let dir = results(&[
            ("2026-01-01T00-00-00Z-abc", "2026-01-01T00:00:00Z"),
            ("2026-01-02T00-00-00Z-abc", "2026-01-02T00:00:00Z"),
            ("2026-01-02T00-00-00Z-abcd", "2026-01-02T00:00:00Z"),
            ("recorded/2026-11-23", "2026-11-23T00:00:00Z"),
        ]);
        let find = |name: &str| RunDir::find(dir.path(), name);
        assert_eq!(find("2026-11-23").unwrap().path(), dir.path().join("recorded/2026-11-23"));
        assert_eq!(find("2026-11").unwrap().name(), "2026-11-23");
        assert_eq!(find("recorded/2026-11-23").unwrap().name(), "2026-11-23");
        assert_eq!(find("2026-01-01").unwrap().name(), "2026-01-01T00-00-00Z-abc");
        assert_eq!(find("2026-01-02T00-00-00Z-abc").unwrap().name(), "2026-01-02T00-00-00Z-abc");
        let error = find("2026-01-02").unwrap_err();
        assert!(error.is::<Misnamed>() && error.to_string().contains("names 2 runs"), "{error}");
        assert!(error.to_string().contains("`2026-01-02T00-00-00Z-abcd`"), "{error}");
        assert!(find("").unwrap_err().to_string().contains("`recorded/2026-11-23`"));
        let error = find("2025-11-23").unwrap_err().to_string();
        assert!(error.contains("did you mean `recorded/2026-11-23`"), "{error}");
    }

    #[test]
    fn one_name_in_two_places_is_not_decided_in_silence() {
        let started = "2026-01-01T00:00:00Z";
        let dir = results(&[("recorded/a", started), ("a", started), ("ab", started)]);
        let error = RunDir::find(dir.path(), "a").unwrap_err().to_string();
        assert!(error.contains("`recorded/a`") && !error.contains("`ab`"), "{error}");
        assert_eq!(RunDir::find(dir.path(), "recorded/a").unwrap().path(), dir.path().join("recorded/a"));
    }

    /// `--out` gives a run any name.
    #[test]
    fn the_newest_run_is_the_one_that_was_started_last() {
        let dir = results(&[("zebra", "2026-01-01T00:00:00Z"), ("2026-01-02T00-00-00Z-abc", "2026-01-02T00:00:00Z")]);
        assert_eq!(RunDir::newest(dir.path()).unwrap().name(), "2026-01-02T00-00-00Z-abc");
        let dir = results(&[("recorded/good", "2026-01-01T00:00:00Z")]);
        let error = RunDir::newest(dir.path()).unwrap_err().to_string();
        assert!(error.contains("`good`") && error.contains("cargo xtask bench"), "{error}");
    }
}
