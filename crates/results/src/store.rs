//! Run folders: making one, appending samples, reading one back, salvaging a damaged one.
//!
//! A sample is one line, written with one system call as soon as it exists. A manifest is replaced whole.
//! Not here: what is computed from them.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufReader, Seek as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::audit::audit;
use super::case::FirstEdition;
use super::first_use::{self, FirstUseSample};
use super::timeline::Trace;
use super::{Manifest, SCHEMA, Sample, density};

mod find;
mod lines;

pub use lines::parse_samples;

/// A run as it was recorded.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its circumstances.
    pub manifest: Manifest,
    /// Every sample that could be read and has a place in the plan, in the order of the file.
    pub samples: Vec<Sample>,
    /// Every traced run that could be read.
    pub traces: Vec<Trace>,
    /// What `samples.jsonl` lacks or has too much of, for the person to know.
    pub lost: Vec<String>,
    /// The lines of `first-use.jsonl`; none where first use was not asked for.
    pub first_use: Vec<FirstUseSample>,
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// Makes the folder for a new run, with its manifest and an empty file for its raw facts.
    ///
    /// # Errors
    /// When it exists already (a run is never overwritten) or can not be written.
    pub fn create(dir: &Path, manifest: &Manifest) -> anyhow::Result<Self> {
        if let Some(parent) = dir.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("can not make `{}`", parent.display()))?;
        }
        if let Err(error) = std::fs::create_dir(dir) {
            ensure!(error.kind() != std::io::ErrorKind::AlreadyExists, exists(dir));
            return Err(error).with_context(|| format!("can not make `{}` for the run", dir.display()));
        }
        let run = Self(dir.to_path_buf());
        run.write_manifest(manifest)?;
        let raw = run.0.join(raw_file(manifest));
        File::create_new(&raw).with_context(|| format!("can not write `{}`", raw.display()))?;
        if !manifest.traced.is_empty() {
            File::create_new(run.traces_path()).with_context(|| run.write_error("timeline.jsonl"))?;
        }
        Ok(run)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where the samples are.
    pub fn samples_path(&self) -> PathBuf {
        self.0.join("samples.jsonl")
    }

    /// Where the lines of a density run are.
    pub fn density_path(&self) -> PathBuf {
        self.0.join(density::LINES)
    }

    /// The manifest alone.
    ///
    /// # Errors
    /// When it is missing, damaged, or of a schema that this program does not know.
    pub fn manifest(&self) -> anyhow::Result<Manifest> {
        let path = self.0.join("manifest.json");
        let text = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
        parse_manifest(&text).with_context(|| format!("`{}` can not be used", path.display()))
    }

    /// The manifest and the lines of a density run, and what could not be read of the latter.
    ///
    /// # Errors
    /// When either can not be read.
    pub fn read_density(&self) -> anyhow::Result<(Manifest, Vec<density::Line>, Vec<String>)> {
        let manifest = self.manifest()?;
        let path = self.density_path();
        let bytes = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
        let (lines, lost) = density::parse(&bytes);
        Ok((manifest, lines, lost))
    }

    /// Where the samples of first use are, if there are any.
    pub fn first_use_path(&self) -> PathBuf {
        self.0.join("first-use.jsonl")
    }

    /// Makes an empty file for the samples of first use.
    ///
    /// # Errors
    /// When it is there already, or can not be made.
    pub fn create_first_use(&self) -> anyhow::Result<()> {
        File::create_new(self.first_use_path()).map(drop).with_context(|| self.write_error("first-use.jsonl"))
    }

    /// Where the traced runs are.
    pub fn traces_path(&self) -> PathBuf {
        self.0.join("timeline.jsonl")
    }

    /// Replaces the manifest, whole or not at all.
    pub fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(manifest)?;
        text.push('\n');
        self.write("manifest.json", text.as_bytes())
    }

    /// Writes a file of the run whole: under another name first, then renamed.
    ///
    /// # Errors
    /// When there is no space or no permission; the file that was there before is untouched.
    pub fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream(name, |file| Ok(file.write_all(bytes)?))
    }

    /// The same of what is written piece by piece.
    ///
    /// # Errors
    /// As [`RunDir::write`], and when `content` fails.
    pub fn stream(&self, name: &str, content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let parent = path.parent().unwrap_or(&self.0);
        // What is computed belongs into the run: a linked `exports` would scatter it over somebody else's folder.
        ensure!(
            parent == self.0 || !parent.is_symlink(),
            "{}: `{}` is a link; remove it",
            self.write_error(name),
            parent.display()
        );
        std::fs::create_dir_all(parent).with_context(|| self.write_error(name))?;
        files::stream_whole(&path, Permissions::from_mode(0o644), content)
    }

    fn write_error(&self, name: &str) -> String {
        format!("can not write `{}`", self.0.join(name).display())
    }

    /// Reads the run, salvaging what a damaged `samples.jsonl` still holds.
    ///
    /// # Errors
    /// When the manifest is missing, damaged, or of a schema that this program does not know.
    pub fn read(&self) -> anyhow::Result<Run> {
        let manifest = self.manifest()?;
        ensure!(
            manifest.density.is_none(),
            "`{}` is a density run, whose lines are no samples: `cargo xtask report` shows it",
            self.0.display()
        );
        let path = self.samples_path();
        let read = samples::lines::samples_of(open_file(&path)?.get_ref());
        let (samples, mut lost) = read.with_context(|| format!("can not read `{}`", path.display()))?;
        let audited = audit(&manifest, samples);
        lost.extend(audited.faults);
        let first_use = self.first_use_path();
        let (first_use, damaged) = match std::fs::read(&first_use) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Vec::new(), Vec::new()),
            bytes => first_use::parse(&bytes.with_context(|| format!("can not read `{}`", first_use.display()))?),
        };
        lost.extend(damaged);
        let mut traces = Vec::new();
        if !manifest.traced.is_empty() {
            let path = self.traces_path();
            let mut found = Vec::new();
            let read = samples::lines::each(&mut open_file(&path)?, &mut |line| {
                found.push(serde_json::from_slice(line)?);
                Ok(())
            });
            let broken = read.with_context(|| format!("can not read `{}`", path.display()))?;
            traces = found;
            lost.extend(broken.into_iter().map(|line| format!("`timeline.jsonl`: {line}")));
        }
        Ok(Run { manifest, samples: audited.samples, traces, lost, first_use })
    }
}

/// Where the raw facts of a run are.
fn raw_file(manifest: &Manifest) -> &'static str {
    if manifest.density.is_some() { density::LINES } else { "samples.jsonl" }
}

fn open_file(path: &Path) -> anyhow::Result<BufReader<File>> {
    let context = || format!("can not read `{}`", path.display());
    // A pipe in its place would be waited for, a device read without end.
    ensure!(std::fs::metadata(path).with_context(context)?.is_file(), "{}: it is no file", context());
    Ok(BufReader::with_capacity(1 << 16, File::open(path).with_context(context)?))
}

/// What is to be said of a run's folder that is there already.
fn exists(dir: &Path) -> String {
    format!("`{}` exists, and a run is never written over another: name a new folder with `--out`", dir.display())
}

/// Refuses the folder of a new run that is there already, before anything is built for the run.
///
/// # Errors
/// When it exists, as whatever.
pub fn ensure_new(dir: &Path) -> anyhow::Result<()> {
    ensure!(std::fs::symlink_metadata(dir).is_err(), exists(dir));
    Ok(())
}

fn parse_manifest(text: &str) -> anyhow::Result<Manifest> {
    let value: serde_json::Value = serde_json::from_str(text).context("it is not JSON")?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64).context("it names no `schema`")?;
    ensure!(
        (1..=u64::from(SCHEMA)).contains(&schema),
        "it has schema {schema}, and this program reads schemas 1 to {SCHEMA}: use the revision that wrote it"
    );
    let mut manifest: Manifest = serde_json::from_value(value).context("a field is missing or of the wrong kind")?;
    if schema == 1 {
        let roles = FirstEdition::read().roles;
        manifest.benches.iter_mut().for_each(|bench| bench.role = roles.get(&bench.name).copied());
    }
    Ok(manifest)
}

/// The file that samples, or traced runs, are appended to while measuring.
#[derive(Debug)]
pub struct SampleSink {
    file: File,
    path: PathBuf,
    /// Where the last whole line ends.
    end: u64,
    written: u64,
}

impl SampleSink {
    /// Opens an existing file to append to.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut file = OpenOptions::new()
            .append(true)
            .open(path)
            .with_context(|| format!("can not append to `{}`", path.display()))?;
        let end = file.seek(std::io::SeekFrom::End(0))?;
        Ok(Self { file, path: path.to_path_buf(), end, written: 0 })
    }

    /// Appends one sample, or what else a line of raw facts is: one line, one write.
    ///
    /// # Errors
    /// When it can not be written whole, for example on a full disk. The file then ends with the sample
    /// before it.
    pub fn append(&mut self, sample: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(sample)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // A part of a line would be taken for damage: cut it off again. That needs no space.
            self.file.set_len(self.end).with_context(|| format!("can not repair `{}`", self.path.display()))?;
            return Err(error).with_context(|| {
                format!(
                    "can not append to `{}`; the {} samples before are kept. Free some space, then \
                     `cargo xtask report` shows them",
                    self.path.display(),
                    self.written
                )
            });
        }
        self.end += line.len() as u64;
        self.written += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MaybeNs, Outcome};

    fn sample(round: u32) -> Sample {
        Sample {
            bench: "noop".into(),
            case: "native/process".into(),
            round,
            position: 0,
            warmup: false,
            values: [(crate::metric::HEADLINE, 1_000)].into(),
            user_ns: MaybeNs::NONE,
            system_ns: MaybeNs::NONE,
            outcome: Outcome::Ok,
            reason: None,
            output_sha256: None,
        }
    }

    #[test]
    fn appended_samples_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("samples.jsonl");
        File::create(&path).unwrap();
        let mut sink = SampleSink::open(&path).unwrap();
        (0..3).for_each(|round| sink.append(&sample(round)).unwrap());
        let (samples, lost) = parse_samples(&std::fs::read(&path).unwrap());
        assert_eq!((samples.len(), samples[2].round, lost.len()), (3, 2, 0));
    }

    #[test]
    fn an_unknown_schema_says_which_one_is_read() {
        let error = parse_manifest("{\"schema\": 99}").unwrap_err().to_string();
        assert!(error.contains("schema 99") && error.contains("schemas 1 to 3"), "{error}");
    }

    /// A run that was recorded when a cell was its name, and the stored format had the number 1.
    #[test]
    fn a_recorded_run_of_schema_1_is_read_and_analysed_as_it_was_then() {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/recorded/2026-11-23");
        let run = RunDir(recorded.clone()).read().unwrap();
        assert_eq!((run.manifest.schema, run.lost.len()), (1, 0));
        assert_eq!(run.manifest.bench_for(crate::Role::Canary).unwrap().name, "noop");
        let now = crate::analysis::analyse(&run.manifest, &run.samples, &[]);
        let stored = std::fs::read(recorded.join("summary.json")).unwrap();
        let then: crate::Summary = serde_json::from_slice(&stored).unwrap();
        assert_eq!(now.comparisons, then.comparisons);
        assert_eq!((now.cases, now.resolutions), (then.cases, then.resolutions));
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (run, elsewhere) = (dir.path().join("run"), dir.path().join("elsewhere"));
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, run.join("exports")).unwrap();
        let error = RunDir(run.clone()).write("exports/a.csv", b"x").unwrap_err().to_string();
        assert!(error.contains("is a link") && error.contains("exports/a.csv"), "{error}");
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
        RunDir(run).write("README.md", b"x").unwrap();
    }
}
