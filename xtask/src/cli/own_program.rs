//! Options for somebody's own program. They become a `Wanted`, as the file does.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::own_program::sweep::Sweep;
use crate::own_program::{
    BaseFeatures, Features, Origin, Package, Pair, RELEASE, Target, Wanted, WantedBench, WantedOutput, file,
};

/// The heading of these options.
const OWN: &str = "A program of your own";

/// Where somebody's own program comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct OriginArgs {
    /// Measure the program of this Cargo package
    #[arg(long, help_heading = OWN, value_name = "DIR", conflicts_with_all = ["native", "wasm", "file"])]
    pub program: Option<PathBuf>,
    /// This binary of the package
    #[arg(long, help_heading = OWN, value_name = "NAME", requires = "program", conflicts_with = "example")]
    pub bin: Option<String>,
    /// This example of the package
    #[arg(long, help_heading = OWN, value_name = "NAME", requires = "program")]
    pub example: Option<String>,
    /// The package with these features, separated by commas; may be repeated
    #[arg(long, help_heading = OWN, value_name = "FEATURES", requires = "program", value_delimiter = ',')]
    pub features: Vec<String>,
    /// The package with all its features
    #[arg(long, help_heading = OWN, requires = "program", conflicts_with = "no_default_features")]
    pub all_features: bool,
    /// The package without its default features
    #[arg(long, help_heading = OWN, requires = "program")]
    pub no_default_features: bool,
    /// The package with this profile: its own of that name, or `workload` for that of this project's programs [default: release]
    #[arg(long, help_heading = OWN, value_name = "NAME", requires = "program")]
    pub profile: Option<String>,
    /// Measure this program for linux/amd64, statically linked, from whatever toolchain
    #[arg(long, help_heading = OWN, value_name = "FILE", requires = "wasm", conflicts_with = "file")]
    pub native: Option<PathBuf>,
    /// The same program as a module for WASI preview 1
    #[arg(long, help_heading = OWN, value_name = "FILE", requires = "native")]
    pub wasm: Option<PathBuf>,
    /// Measure what this file describes; `init` writes one
    #[arg(long, help_heading = OWN, value_name = "PATH")]
    pub file: Option<PathBuf>,
}

/// What somebody's own program is given, and what has to come out.
#[derive(Clone, Debug, Default, Args)]
pub struct InputArgs {
    /// The program's standard input is this file
    #[arg(long, help_heading = OWN, value_name = "FILE", conflicts_with = "file")]
    pub stdin: Option<PathBuf>,
    /// A variable of the program's environment; without a value, the one that it has here. Its digest is stored. May be
    /// repeated
    #[arg(long, help_heading = OWN, value_name = "NAME[=VALUE]", conflicts_with = "file")]
    pub env: Vec<String>,
    /// A folder that the program sees under another path, or where it is; may be repeated
    #[arg(long = "dir", help_heading = OWN, value_name = "HOST[:GUEST]", conflicts_with = "file")]
    pub dirs: Vec<String>,
    /// Measure it for each of these numbers, which `{NAME}` in its arguments stands for
    #[arg(long, help_heading = OWN, value_name = "NAME=1,10,100", conflicts_with = "file", value_parser = sweep)]
    pub sweep: Option<Sweep>,
    /// Every run has to print what is in this file, instead of what native prints first
    #[arg(long, help_heading = OWN, value_name = "FILE", conflicts_with_all = ["file", "expect_pattern", "expect_none"])]
    pub expect: Option<PathBuf>,
    /// Every run has to print something that this regular expression matches
    #[arg(long, help_heading = OWN, value_name = "REGEX", conflicts_with_all = ["file", "expect_none"])]
    pub expect_pattern: Option<String>,
    /// Every run may print what it likes
    #[arg(long, help_heading = OWN, conflicts_with = "file")]
    pub expect_none: bool,
    /// The program's arguments
    #[arg(last = true, value_name = "ARGS", allow_hyphen_values = true, conflicts_with = "file")]
    pub args: Vec<String>,
}

/// What instances of somebody's own program are given that wait: nothing that ends.
#[derive(Clone, Debug, Default, Args)]
pub struct InstanceArgs {
    /// A variable of the program's environment; without a value, the one that it has here. Its digest is stored. May be
    /// repeated
    #[arg(long, help_heading = OWN, value_name = "NAME[=VALUE]", conflicts_with = "file")]
    pub env: Vec<String>,
    /// A folder that the program sees under another path, or where it is; may be repeated
    #[arg(long = "dir", help_heading = OWN, value_name = "HOST[:GUEST]", conflicts_with = "file")]
    pub dirs: Vec<String>,
    /// The program's arguments, with which it waits until it is ended
    #[arg(last = true, value_name = "ARGS", allow_hyphen_values = true, conflicts_with = "file")]
    pub args: Vec<String>,
}

impl InstanceArgs {
    /// The same as what a run is given.
    pub fn input(&self) -> InputArgs {
        let Self { env, dirs, args } = self.clone();
        InputArgs { env, dirs, args, ..InputArgs::default() }
    }
}

/// `init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Where to write it
    #[arg(value_name = "PATH", default_value = file::NAME)]
    pub path: PathBuf,
}

fn sweep(text: &str) -> Result<Sweep, String> {
    Sweep::parse(text).map_err(|error| format!("{error:#}"))
}

impl InputArgs {
    /// Whether anything is said here.
    fn is_empty(&self) -> bool {
        self.stdin.is_none()
            && self.env.is_empty()
            && self.dirs.is_empty()
            && self.sweep.is_none()
            && self.expect.is_none()
            && self.expect_pattern.is_none()
            && !self.expect_none
            && self.args.is_empty()
    }

    fn bench(&self) -> WantedBench {
        let output = match (&self.expect, &self.expect_pattern, self.expect_none) {
            (Some(path), _, _) => WantedOutput::File(path.clone()),
            (None, Some(pattern), _) => WantedOutput::Pattern(pattern.clone()),
            (None, None, true) => WantedOutput::Anything,
            (None, None, false) => WantedOutput::AsNative,
        };
        WantedBench {
            name: None,
            args: self.args.clone(),
            stdin: self.stdin.clone(),
            env: self.env.clone(),
            dirs: self.dirs.clone(),
            sweep: self.sweep.clone(),
            output,
            why: None,
        }
    }
}

impl OriginArgs {
    /// What is wanted of somebody's own program; `None` when it is this project's that are measured.
    ///
    /// # Errors
    /// When the file can not be read, or something is said of a program that is not named.
    pub fn wanted(&self, input: &InputArgs) -> anyhow::Result<Option<Wanted>> {
        if let Some(path) = &self.file {
            return Ok(Some(file::load(path)?.wanted));
        }
        let Some(origin) = self.origin() else {
            anyhow::ensure!(
                input.is_empty(),
                "arguments, input and output are for a program of your own: name it with `--program DIR`, or with \
                 `--native FILE --wasm FILE`"
            );
            return Ok(None);
        };
        let base = std::env::current_dir().context("there is no current folder")?;
        Ok(Some(Wanted { base, origin, benches: vec![input.bench()] }))
    }

    fn origin(&self) -> Option<Origin> {
        if let (Some(native), Some(wasm)) = (&self.native, &self.wasm) {
            return Some(Origin::Pair(Pair { native: native.clone(), wasm: wasm.clone() }));
        }
        let target = match (&self.bin, &self.example) {
            (Some(name), _) => Target::Bin(name.clone()),
            (None, Some(name)) => Target::Example(name.clone()),
            (None, None) => Target::Default,
        };
        let base = match (self.all_features, self.no_default_features) {
            (true, _) => BaseFeatures::All,
            (false, true) => BaseFeatures::None,
            (false, false) => BaseFeatures::Default,
        };
        Some(Origin::Package(Package {
            folder: self.program.clone()?,
            target,
            features: Features { named: self.features.clone(), base },
            profile: self.profile.clone().unwrap_or_else(|| RELEASE.to_owned()),
        }))
    }
}
