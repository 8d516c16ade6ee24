//! The matrix as data: `matrix/engines.toml`, `matrix/runtimes.toml` and `matrix/cases.toml` become checked [`Engine`]s,
//! [`Runtime`]s and cases.
//!
//! What a runtime *does* is one of few [`Behaviour`]s, which are code; which runtimes there are is data. An impossible
//! case is refused here, with file and line. Not here: in which order cells run (`plan`), how one is started
//! (`measure`), what is said about it (`report`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;

use oci::definition::Definition;

use crate::toolbox::identity::Maker;
use results::case::{Case, Kind, Mode, Pod};
use results::names::{Misnamed, Names};
use versions::Versions;

pub use grants::Grants;

mod grants;
pub mod handler;
mod own;
pub mod versions;
mod wire;

pub use own::OwnRuntime;

#[cfg(test)]
pub mod tests;

/// What stands for the module in the arguments of an engine.
pub const FILE: &str = "{file}";
/// What stands for the file that a compiler is to write.
pub const OUTPUT: &str = "{output}";
/// The set that is measured unless something else is asked for.
pub const DEFAULT_SET: &str = "default";
/// The set of everything.
pub const EVERYTHING: &str = "all";

/// What executes a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its name.
    pub name: String,
    /// What a sentence calls it.
    pub title: String,
    /// The program that is its command line.
    pub program: String,
    /// The versions of that program that this is about; absent where it does not matter.
    pub versions: Option<Versions>,
    /// How modules are compiled for it before they are shipped.
    pub compile: Option<Compile>,
    /// How each of its modes is run.
    pub modes: BTreeMap<Mode, Run>,
    /// How its command line is told what a module may see of the host.
    pub grants: Grants,
    /// Why it is there.
    pub why: String,
}

/// How an engine runs a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The form of file that is run.
    pub form: Kind,
    /// The arguments; `{file}` stands for the module, the bench's arguments follow.
    pub args: Vec<String>,
}

/// How an engine compiles a module ahead of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compile {
    /// The form of file that comes of it.
    pub form: Kind,
    /// The compiler's program.
    pub program: String,
    /// Its arguments; `{file}` stands for the module, `{output}` for what is made of it.
    pub args: Vec<String>,
}

/// What starts a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its name: what is behind the slash of a case.
    pub name: String,
    /// What a sentence calls it.
    pub title: String,
    /// What it does.
    pub behaviour: Behaviour,
    /// The modes that it can run.
    pub runs: BTreeSet<Mode>,
    /// What its containers are annotated with, by mode.
    pub annotations: BTreeMap<Mode, Annotations>,
    /// The engine that is built into it.
    pub engine: Option<String>,
    /// Why it is there.
    pub why: String,
}

/// Annotations of a container (OCI runtime specification, config.md, section "Annotations").
pub type Annotations = BTreeMap<String, String>;

/// The few ways to start a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The binary itself, or the engine's command line with the module.
    Process {
        /// A program that runs modules instead of the engine's command line.
        own: Option<Own>,
    },
    /// `ctr run` with an OCI runtime below containerd's runc shim.
    Oci {
        /// The runtime's program.
        program: String,
        /// Arguments in front of those that the shim gives it.
        args: Vec<String>,
    },
    /// `ctr run` with a containerd shim.
    Shim {
        /// The shim's program.
        program: String,
    },
    /// The calls of a kubelet to containerd's Container Runtime Interface: a pod sandbox, and a container in it.
    Cri {
        /// The runtime of this table whose containers they are.
        pod: Pod,
        /// What that does: one of the two above.
        maker: Box<Self>,
    },
}

/// A program that runs modules directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The program.
    pub program: String,
    /// Its arguments; `{file}` stands for the module, the bench's arguments follow.
    pub args: Vec<String>,
    /// How it is told what a module may see of the host.
    pub grants: Grants,
}

impl Behaviour {
    /// Whether it makes containers.
    pub const fn is_container(&self) -> bool {
        !matches!(self, Self::Process { .. })
    }

    /// The pod around its containers.
    pub fn pod(&self) -> Option<&Pod> {
        match self {
            Self::Cri { pod, .. } => Some(pod),
            _ => None,
        }
    }

    /// Another program that does the same.
    fn replace_program(&mut self, other: &str, made: Maker) -> Result<(), &'static str> {
        match (self, made) {
            (Self::Oci { program, .. }, Maker::Oci) | (Self::Shim { program }, Maker::Shim) => {
                other.clone_into(program);
                Ok(())
            }
            (Self::Process { .. }, _) => Err("makes no containers: choose another name"),
            (Self::Cri { .. }, _) => Err("makes pods of another runtime's containers: name that one"),
            (Self::Oci { .. }, Maker::Shim) => Err("is an OCI runtime, and this is a shim"),
            (Self::Shim { .. }, Maker::Oci) => Err("is a shim, and this is an OCI runtime"),
        }
    }

    /// The program that it starts; absent where that is the artifact or the engine.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::Process { own } => own.as_ref().map(|own| own.program.as_str()),
            Self::Oci { program, .. } | Self::Shim { program } => Some(program),
            Self::Cri { maker, .. } => maker.program(),
        }
    }

    /// Whether its program is a file that was named by its path: nothing is known of it but what it says itself.
    pub fn is_own(&self) -> bool {
        self.program().is_some_and(|program| Path::new(program).is_absolute())
    }
}

/// Everything that can be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The engines.
    pub engines: Vec<Engine>,
    /// The runtimes.
    pub runtimes: Vec<Runtime>,
    /// The cases, in the order of the table.
    pub cases: Vec<Case>,
}

/// The text of the three files.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// `engines.toml`.
    pub engines: &'a str,
    /// `runtimes.toml`.
    pub runtimes: &'a str,
    /// `cases.toml`.
    pub cases: &'a str,
}

/// Reads and checks the matrix of a folder, whose cases may name these images.
///
/// # Errors
/// When a file can not be read, or says something that [`parse`] refuses.
pub fn load(folder: &Path, images: &[Definition]) -> anyhow::Result<Matrix> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))
    };
    let (engines, runtimes, cases) = (read("engines.toml")?, read("runtimes.toml")?, read("cases.toml")?);
    parse(Texts { engines: &engines, runtimes: &runtimes, cases: &cases }, images)
        .with_context(|| format!("the matrix in `{}` is refused", folder.display()))
}

/// The checked matrix.
///
/// # Errors
/// With file, line and what was expected: unknown or missing keys, an empty `why`, a double name, a case that names an
/// unknown engine, runtime, image or baseline, an image of another form, a runtime that can not run its mode, a baseline
/// that is compared itself.
pub fn parse(texts: Texts<'_>, images: &[Definition]) -> anyhow::Result<Matrix> {
    let engines = wire::engines(texts.engines).context("`engines.toml`")?;
    let runtimes = wire::runtimes(texts.runtimes, &engines).context("`runtimes.toml`")?;
    let cases = wire::cases(texts.cases, &wire::Known { engines: &engines, runtimes: &runtimes, images })
        .context("`cases.toml`")?;
    Ok(Matrix { engines, runtimes, cases })
}

impl Matrix {
    /// The engine of a case.
    pub fn engine(&self, case: &Case) -> Option<&Engine> {
        let name = case.engine_name()?;
        self.engines.iter().find(|engine| engine.name == name)
    }

    /// What makes files of this form from modules, and the engine that it makes them for; absent for what the toolchain
    /// makes.
    pub fn compile(&self, form: Kind) -> Option<(&Engine, &Compile)> {
        self.engines.iter().find_map(|engine| {
            let compile = engine.compile.as_ref().filter(|compile| compile.form == form)?;
            Some((engine, compile))
        })
    }

    /// The runtime of a case.
    ///
    /// # Errors
    /// When the case is of another matrix.
    pub fn runtime(&self, case: &Case) -> anyhow::Result<&Runtime> {
        let found = self.runtimes.iter().find(|runtime| runtime.name == case.runtime.name);
        found.with_context(|| format!("`{case}` names the runtime `{}`, which is not defined", case.runtime.name))
    }

    /// The names of all sets, and that of everything.
    pub fn sets(&self) -> Vec<String> {
        let mut sets: Vec<String> = Vec::new();
        for set in self.cases.iter().flat_map(|case| &case.sets) {
            if !sets.contains(set) {
                sets.push(set.clone());
            }
        }
        sets.push(EVERYTHING.to_owned());
        sets
    }

    /// The names of these cases.
    fn names(&self) -> Names {
        Names { one: "case", several: "cases", known: self.cases.iter().map(ToString::to_string).collect() }
    }

    /// One case by its name.
    ///
    /// # Errors
    /// When there is none of this name; says which was probably meant, and all of them.
    pub fn case(&self, name: &str) -> Result<&Case, Misnamed> {
        self.cases.iter().find(|case| case.name == name).ok_or_else(|| self.names().unknown(name))
    }

    /// The cases that patterns match and those of sets, in the order of the table; without either, the default ones.
    ///
    /// A pattern with a wildcard means the default ones where it matches any of them: `native/*` shall not have gVisor
    /// fetched and youki built. A name means its case, and a pattern that matches no default one all that it matches.
    ///
    /// # Errors
    /// When a pattern matches no case, or a set is unknown.
    pub fn select(&self, patterns: &[String], sets: &[String]) -> Result<Vec<Case>, Misnamed> {
        let default = [DEFAULT_SET.to_owned()];
        let sets = if patterns.is_empty() && sets.is_empty() { &default } else { sets };
        self.chosen(patterns, sets, |matched| {
            let is_default = |index: &usize| self.cases[*index].sets.iter().any(|set| set == DEFAULT_SET);
            let narrow: Vec<usize> = matched.iter().copied().filter(is_default).collect();
            if narrow.is_empty() { matched } else { narrow }
        })
    }

    /// All cases that patterns match and those of sets, in the order of the table; without either, all there are.
    ///
    /// # Errors
    /// When a pattern matches no case, or a set is unknown.
    pub fn matching(&self, patterns: &[String], sets: &[String]) -> Result<Vec<Case>, Misnamed> {
        let everything = [EVERYTHING.to_owned()];
        let sets = if patterns.is_empty() && sets.is_empty() { &everything } else { sets };
        self.chosen(patterns, sets, |matched| matched)
    }

    fn chosen(
        &self,
        patterns: &[String],
        sets: &[String],
        meant: impl Fn(Vec<usize>) -> Vec<usize>,
    ) -> Result<Vec<Case>, Misnamed> {
        let mut chosen = BTreeSet::new();
        for text in patterns {
            chosen.extend(meant(self.names().matching(text)?));
        }
        for set in sets {
            let known = Names { one: "set", several: "sets", known: self.sets() };
            if !known.known.contains(set) {
                return Err(known.unknown(set));
            }
            let is_in = |case: &Case| set == EVERYTHING || case.sets.contains(set);
            chosen.extend((0..self.cases.len()).filter(|&index| is_in(&self.cases[index])));
        }
        Ok(chosen.into_iter().map(|index| self.cases[index].clone()).collect())
    }
}
