//! The files to be measured: what the toolchain makes, and what engines' compilers make of that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;

use super::extra::ExtraPrograms;
use super::selection;
use crate::compile::aot::Compiler;
use crate::compile::shims::Shim;
use crate::compile::{self, Artifact, Compilers};
use crate::matrix::{Compile, Engine, Matrix};
use crate::plan::Build;
use crate::progress::Stderr;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use results::case::Kind;

/// Artifacts of builds, with what the compiler has to say on stderr. What has a compiler that is not there is left out:
/// its cells are barred, with the reason ([`super::starts`]).
///
/// # Errors
/// When the toolchain or a compiler refuses a program.
pub fn artifacts(
    workspace: &Workspace,
    (matrix, builds): (&Matrix, &[Build]),
    programs: AvailablePrograms<'_>,
    progress: &mut Stderr,
) -> anyhow::Result<Vec<Artifact>> {
    let (compilers, builds) = with_compilers(matrix, builds, programs)?;
    compile::build(workspace, &builds, &compilers, progress)
}

/// The compilers that builds need, and the builds whose compiler is there.
///
/// # Errors
/// When one can not be asked for its version.
pub fn with_compilers(
    matrix: &Matrix,
    builds: &[Build],
    programs: AvailablePrograms<'_>,
) -> anyhow::Result<(Compilers, Vec<Build>)> {
    let mut compilers = Compilers::new();
    for kind in Kind::ALL {
        if let Some((engine, compile)) = matrix.compile(kind).filter(|_| builds.iter().any(|build| build.kind == kind))
            && let Ok(path) = programs.path(&compile.program)
        {
            compilers.insert(kind, compiler((engine, compile), path, programs)?);
        }
    }
    let has_compiler = |build: &&Build| matrix.compile(build.kind).is_none() || compilers.contains_key(&build.kind);
    let builds = builds.iter().filter(has_compiler).cloned().collect();
    Ok((compilers, builds))
}

/// An engine's compiler. What this project builds is identified by its sources, everything else by its version and its bytes:
/// two programs that say the same version may compile differently.
fn compiler(
    (engine, compile): (&Engine, &Compile),
    path: PathBuf,
    programs: AvailablePrograms<'_>,
) -> anyhow::Result<Compiler> {
    let (title, identity) = if let Some(Ok(extra)) = programs.extra.get(&compile.program) {
        let source = extra.record.source_sha256.clone().unwrap_or_default();
        (format!("{} in {}", engine.title, extra.record.version), source)
    } else {
        let record = crate::machine::program(&compile.program, &path, "", "--version", &[])?;
        (format!("{} {}", engine.title, compile::aot::version(&record.version)), record.sha256)
    };
    Ok(Compiler { program: path, args: compile.args.clone(), title, identity })
}

/// Builds that can be made now, and those whose compiler is only made after them.
pub fn by_compiler(matrix: &Matrix, builds: &[Build]) -> (Vec<Build>, Vec<Build>) {
    let is_later = |build: &Build| {
        let shims = Shim::value_variants().iter().map(|shim| shim.binary());
        matrix.compile(build.kind).is_some_and(|(_, compile)| shims.into_iter().any(|name| name == compile.program))
    };
    builds.iter().cloned().partition(|build| !is_later(build))
}

/// The programs that are there.
#[derive(Clone, Copy, Debug)]
pub struct AvailablePrograms<'a> {
    /// Those of every run.
    pub toolbox: Option<&'a Toolbox>,
    /// Those that only some cases need, the shims among them: there, or why not.
    pub extra: &'a ExtraPrograms,
}

impl AvailablePrograms<'_> {
    /// The path of a program: one that this project builds, one that was named by its path, or one of the toolbox.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        if Path::new(name).is_absolute() {
            return Ok(name.into());
        }
        match self.extra.get(name) {
            Some(Ok(extra)) => Ok(extra.path.clone()),
            Some(Err(reason)) => bail!("{reason}"),
            None => self.toolbox.with_context(|| format!("there is no toolbox to take `{name}` from"))?.program(name),
        }
    }
}

/// The kinds that a default bench runs.
///
/// # Errors
/// When the matrix is refused.
pub fn default_kinds(workspace: &Workspace) -> anyhow::Result<BTreeSet<Kind>> {
    Ok(selection::defined(workspace)?.select(&[], &[])?.iter().map(|case| case.form).collect())
}

/// Every program that a default bench runs, in these kinds.
///
/// # Errors
/// As for [`artifacts`]; when the benches or the matrix are refused; or when the toolbox has no compiler for a kind.
pub fn default(
    workspace: &Workspace,
    kinds: &BTreeSet<Kind>,
    toolbox: &Toolbox,
    progress: &mut Stderr,
) -> anyhow::Result<Vec<Artifact>> {
    let matrix = selection::defined(workspace)?;
    let benches = crate::bench::load(&workspace.benches_toml())?;
    let names: BTreeSet<String> = benches.into_iter().map(|bench| bench.program).collect();
    let of = |program: String| kinds.iter().map(move |&kind| Build { program: program.clone(), kind });
    let builds: Vec<Build> = names.into_iter().flat_map(of).collect();
    let none = ExtraPrograms::new();
    let programs = AvailablePrograms { toolbox: Some(toolbox), extra: &none };
    for (kind, (_, compile)) in kinds.iter().filter_map(|kind| Some((kind, matrix.compile(*kind)?))) {
        programs.path(&compile.program).with_context(|| {
            format!("`{kind}` is compiled by what only a run builds: `cargo xtask bench --case PATTERN` makes it")
        })?;
    }
    artifacts(workspace, (&matrix, &builds), programs, progress)
}
