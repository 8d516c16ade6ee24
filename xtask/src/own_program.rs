//! Somebody's own program, as data: where it comes from, and the benches that it is measured with. Command line and file
//! ([`file`]) both become a [`Wanted`], and [`check`] makes of that what the rest of the program may rely on.
//!
//! Not here: building it (`compile::own`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::bench::{Bench, Expected, Folder, Input, Reads, Selection, Tracing, Variable};
use results::{Role, SweepPoint};

pub mod file;
pub mod sweep;

use sweep::Sweep;

/// A package's own profile for what is shipped.
pub const RELEASE: &str = "release";

/// Where somebody's own program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A package that Cargo builds.
    Package(Package),
    /// Two files, from whatever toolchain.
    Pair(Pair),
}

/// A package that Cargo builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its folder.
    pub folder: PathBuf,
    /// What of it is built.
    pub target: Target,
    /// With which features.
    pub features: Features,
    /// With which profile: `workload` is that of this project's programs, every other one is the package's own.
    pub profile: String,
}

/// What of a package is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one that `cargo run` would run.
    Default,
    /// This binary.
    Bin(String),
    /// This example.
    Example(String),
}

/// The features of a package, as Cargo has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// These.
    pub named: Vec<String>,
    /// All of them, the default ones, or not even those.
    pub base: BaseFeatures,
}

/// What named features are added to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaseFeatures {
    /// The default ones.
    #[default]
    Default,
    /// All.
    All,
    /// None.
    None,
}

/// Two files of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// For linux/amd64.
    pub native: PathBuf,
    /// For WASI.
    pub wasm: PathBuf,
}

/// What was asked for, before it is looked at.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What paths are meant from.
    pub base: PathBuf,
    /// Where the program comes from.
    pub origin: Origin,
    /// What it is measured with.
    pub benches: Vec<WantedBench>,
}

/// A bench that was asked for, before it is looked at.
#[derive(Clone, Debug, Default)]
pub struct WantedBench {
    /// Its name; the program's where there is none.
    pub name: Option<String>,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The file that is its standard input.
    pub stdin: Option<PathBuf>,
    /// `NAME=VALUE`, or `NAME`.
    pub env: Vec<String>,
    /// `HOST:GUEST`, or `HOST`.
    pub dirs: Vec<String>,
    /// What stands for what in arguments and the name of the standard input.
    pub sweep: Option<Sweep>,
    /// What has to come out.
    pub output: WantedOutput,
    /// Why it is measured.
    pub why: Option<String>,
}

/// What has to come out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WantedOutput {
    /// What native prints first.
    #[default]
    AsNative,
    /// What is in this file.
    File(PathBuf),
    /// Something that this matches.
    Pattern(String),
    /// Anything.
    Anything,
}

/// The name of artifacts and images for a program that somebody calls something.
pub fn image_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_lowercase() || letter.is_ascii_digit() => name.push(letter),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "program".to_owned() } else { name.to_owned() }
}

/// The benches of a program of this name.
///
/// # Errors
/// When a file or folder is not there, a variable is none, a pattern is none, or two benches have one name.
pub fn benches(wanted: &Wanted, program: &str) -> anyhow::Result<Vec<Bench>> {
    let mut all: Vec<Bench> = Vec::new();
    for bench in &wanted.benches {
        let name = bench.name.clone().unwrap_or_else(|| program.to_owned());
        let context = || format!("bench `{name}`");
        let points = points(bench, (&name, program), &wanted.base).with_context(context)?;
        if all.iter().any(|other| points.iter().any(|point| point.name == other.name)) {
            bail!("two benches are named `{name}`");
        }
        all.extend(points);
    }
    // The central table is that of the first one that has no sizes.
    if let Some(first) = all.iter_mut().find(|bench| bench.sweep.is_none()) {
        first.role = Some(Role::Headline);
    }
    Ok(all)
}

/// A bench, or one for each size of its sweep.
fn points(wanted: &WantedBench, (name, program): (&str, &str), base: &Path) -> anyhow::Result<Vec<Bench>> {
    let point = |name: String, fill: &dyn Fn(&str) -> String, sweep: Option<SweepPoint>| {
        anyhow::Ok(Bench {
            name,
            program: program.to_owned(),
            args: wanted.args.iter().map(|arg| fill(arg)).collect(),
            input: input(wanted, fill, base)?,
            expected: expected(&wanted.output, base)?,
            why: wanted.why.clone().unwrap_or_else(|| "It was asked for.".to_owned()),
            role: None,
            selection: Selection::Default,
            sweep,
            tracing: Tracing::AsItIs,
        })
    };
    let Some(sweep) = &wanted.sweep else { return Ok(vec![point(name.to_owned(), &str::to_owned, None)?]) };
    let mark = sweep.mark();
    let in_stdin = wanted.stdin.as_ref().is_some_and(|path| path.to_string_lossy().contains(&mark));
    ensure!(
        in_stdin || wanted.args.iter().any(|arg| arg.contains(&mark)),
        "it has a sweep of `{}`, but no argument contains `{mark}`",
        sweep.name()
    );
    ensure!(
        !matches!(wanted.output, WantedOutput::File(_)),
        "one file can not be the output of every size of a sweep: leave out `--expect`, and native says what is right"
    );
    let of_size = |&n: &u64| {
        let fill = |text: &str| text.replace(&mark, &n.to_string());
        point(format!("{name}/{n}"), &fill, Some(SweepPoint { name: name.to_owned(), n }))
    };
    sweep.values().iter().map(of_size).collect()
}

fn input(wanted: &WantedBench, fill: &dyn Fn(&str) -> String, base: &Path) -> anyhow::Result<Input> {
    let stdin = wanted.stdin.as_ref().map(|path| file(&base.join(fill(&path.to_string_lossy()))));
    let variable = |text: &String| Variable::parse(text, |name| std::env::var(name).ok());
    let input = Input {
        stdin: stdin.transpose()?.map_or(Reads::Empty, Reads::File),
        env: wanted.env.iter().map(variable).collect::<anyhow::Result<_>>()?,
        folders: wanted.dirs.iter().map(|text| Folder::parse(text, base)).collect::<anyhow::Result<_>>()?,
    };
    for (index, folder) in input.folders.iter().enumerate() {
        ensure!(
            input.folders[..index].iter().all(|other| other.guest != folder.guest),
            "two folders are to be `{}`",
            folder.guest
        );
    }
    for (index, variable) in input.env.iter().enumerate() {
        ensure!(
            input.env[..index].iter().all(|other| other.name != variable.name),
            "the variable `{}` is set twice",
            variable.name
        );
    }
    Ok(input)
}

fn expected(output: &WantedOutput, base: &Path) -> anyhow::Result<Expected> {
    Ok(match output {
        WantedOutput::AsNative => Expected::FirstNative,
        WantedOutput::Anything => Expected::Anything,
        WantedOutput::Pattern(text) => Expected::pattern(text).context("the pattern for the output is none")?,
        WantedOutput::File(path) => {
            let path = file(&base.join(path))?;
            let bytes = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
            Expected::Exactly(bytes)
        }
    })
}

/// An absolute path of a file that is there.
pub fn file(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("`{}` is no path", path.display()))?;
    let found = std::fs::metadata(&absolute).with_context(|| format!("there is no file `{}`", path.display()))?;
    ensure!(found.is_file(), "`{}` is no file", path.display());
    Ok(absolute)
}

#[cfg(test)]
mod tests;
