//! Programs beyond the toolbox, had on request: found in milliseconds, or fetched and built, or how to get them.
//!
//! `definition` says where each comes from (`matrix/programs.toml`), `built` makes those of crates, the toolbox those of
//! packages. Not here: what uses a program, and with which arguments.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use results::names::Names;
use results::{PackageRecord, ProgramRecord};
use serde::Serialize;

use crate::progress::Progress;
use crate::toolbox::manifest::Verification;
use crate::toolbox::{self, Contents, Options, Tree};
use crate::workspace::Workspace;
use built::CrateRecord;
use definition::{Definition, Source};

mod built;
pub mod definition;

/// A program that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// Its name.
    pub name: String,
    /// Its executable.
    pub path: PathBuf,
    /// The first line of what it said of its version when it was put there.
    pub version: String,
    /// SHA-256 of the executable, in hex.
    pub sha256: String,
    /// The size of the executable.
    pub size_bytes: u64,
    /// What it was made of.
    pub identity: Identity,
}

/// What a program was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// A package.
    Package {
        /// That package.
        #[serde(flatten)]
        package: PackageRecord,
        /// SHA-256 of the executable as the package holds it, in hex.
        sha256_unpatched: String,
    },
    /// A crate, and whatever its lock file names.
    Crate(CrateRecord),
}

impl Available {
    /// As it is stored with a run.
    pub fn record(&self) -> ProgramRecord {
        let (package, sha256_unpatched) = match &self.identity {
            Identity::Package { package, sha256_unpatched } => {
                (Some(package.name.clone()), Some(sha256_unpatched.clone()))
            }
            Identity::Crate(_) => (None, None),
        };
        ProgramRecord {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: self.sha256.clone(),
            package,
            sha256_unpatched,
            source_sha256: None,
            origin: match self.identity {
                Identity::Package { .. } => "toolbox".to_owned(),
                Identity::Crate(_) => "built".to_owned(),
            },
            size_bytes: self.size_bytes,
        }
    }
}

/// The programs of `matrix/programs.toml`.
#[derive(Clone, Debug)]
pub struct Programs {
    workspace: Workspace,
    definitions: Vec<Definition>,
}

impl Programs {
    /// Reads the list.
    ///
    /// # Errors
    /// When it can not be read, or is wrong.
    pub fn load(workspace: &Workspace) -> anyhow::Result<Self> {
        Ok(Self { workspace: workspace.clone(), definitions: definition::load(&workspace.programs_toml())? })
    }

    /// All of them, in the order of the list.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// Those that patterns match, in the order of the list; `all` matches every one.
    ///
    /// # Errors
    /// When a pattern matches none; the known names are listed.
    pub fn select(&self, patterns: &[String]) -> anyhow::Result<Vec<&Definition>> {
        let names = self.names();
        let mut chosen = std::collections::BTreeSet::new();
        for pattern in patterns {
            chosen.extend(names.matching(if pattern == "all" { "*" } else { pattern })?);
        }
        Ok(chosen.into_iter().map(|index| &self.definitions[index]).collect())
    }

    /// A program that is there. Nothing is fetched, built or started.
    ///
    /// # Errors
    /// When it is not there, or not whole; says how to get it.
    pub fn find(&self, name: &str) -> anyhow::Result<Available> {
        let definition = self.definition(name)?;
        let found = match &definition.source {
            Source::Package(package) => toolbox::find_tree(&self.workspace, Contents::on_request(name, package))
                .and_then(|tree| tree.map(|tree| packaged(name, &tree)).transpose()),
            Source::Crate(krate) => built::CratePlace::new(&self.workspace, name, krate).and_then(|place| place.find()),
        };
        match found {
            Ok(Some(available)) => Ok(available),
            Ok(None) => bail!("there is no `{name}`: {}", how_to_get(definition)),
            Err(error) => bail!("`{name}` can not be used ({error:#}): {}", how_to_get(definition)),
        }
    }

    /// A program, fetched or built if it is not there whole.
    ///
    /// # Errors
    /// When that fails; says what can be done.
    pub fn ensure(
        &self,
        name: &str,
        options: &Options,
        check: Verification,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Available> {
        let definition = self.definition(name)?;
        match &definition.source {
            Source::Package(package) => {
                let contents = Contents::on_request(name, package);
                packaged(name, &toolbox::ensure_tree(&self.workspace, contents, options, check, progress)?)
            }
            Source::Crate(krate) => {
                built::CratePlace::new(&self.workspace, name, krate)?.ensure(check, &takes(definition), progress)
            }
        }
    }

    /// How to get a program, and what that takes; for one that is not known, which ones are.
    pub fn how_to_get(&self, name: &str) -> String {
        match self.definition(name) {
            Ok(definition) => how_to_get(definition),
            Err(error) => error.to_string(),
        }
    }

    fn definition(&self, name: &str) -> anyhow::Result<&Definition> {
        let found = self.definitions.iter().find(|definition| definition.name == name);
        Ok(found.ok_or_else(|| self.names().unknown(name))?)
    }

    fn names(&self) -> Names {
        let known = self.definitions.iter().map(|definition| definition.name.clone()).collect();
        Names { one: "program", several: "programs that are had on request", known }
    }
}

fn packaged(name: &str, tree: &Tree) -> anyhow::Result<Available> {
    let context = || format!("`{}` does not know `{name}`", tree.home.display());
    let path = tree.program(name).with_context(context)?;
    let (program, package) = tree.packaged(name).with_context(context)?;
    let file = tree.file(&path).with_context(context)?;
    Ok(Available {
        name: name.to_owned(),
        version: program.version.clone().unwrap_or_default(),
        sha256: file.sha256.clone(),
        size_bytes: file.size_bytes,
        identity: Identity::Package { package: package.clone(), sha256_unpatched: program.sha256.clone() },
        path,
    })
}

/// `` `cargo xtask toolbox --with wasmtime` builds it: … ``.
fn how_to_get(definition: &Definition) -> String {
    let verb = match definition.source {
        Source::Package(_) => "fetches",
        Source::Crate(_) => "builds",
    };
    format!("`cargo xtask toolbox --with {}` {verb} it ({})", definition.name, takes(definition))
}

/// What a program takes, in a few words.
pub fn takes(definition: &Definition) -> String {
    let cost = definition.cost;
    let time = match cost.cpu_s {
        0 => String::new(),
        1..60 => "less than a minute of processor time, ".to_owned(),
        seconds => format!("about {} minutes of processor time, ", seconds.div_ceil(60)),
    };
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let building = match cost.building_bytes {
        0 => String::new(),
        bytes => format!(", {} while it is built", megabytes(bytes)),
    };
    let (transfer, disk) = (megabytes(cost.transfer_bytes), megabytes(cost.disk_bytes));
    format!("{time}{transfer} MB to fetch, {disk} MB on disk{building}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(dir: &std::path::Path) -> Programs {
        let definitions = definition::parse(
            r#"
            [[program]]
            name = "runsc"
            debian = { package = "runsc" }
            cost = { cpu_s = 0, transfer_bytes = 6_900_001, building_bytes = 0, disk_bytes = 31_000_000 }
            why = "x"
            [[program]]
            name = "wasmi"
            crate = { name = "wasmi_cli", version = "2.0.0" }
            cost = { cpu_s = 96, transfer_bytes = 5_000_000, building_bytes = 250_000_000, disk_bytes = 3_000_000 }
            why = "x""#,
        );
        Programs { workspace: Workspace::at(dir), definitions: definitions.unwrap() }
    }

    #[test]
    fn what_is_not_there_says_how_to_get_it_and_what_that_takes() {
        let dir = tempfile::tempdir().unwrap();
        let programs = programs(dir.path());
        for (name, says) in [
            ("runsc", "`cargo xtask toolbox --with runsc` fetches it (7 MB to fetch, 31 MB on disk)"),
            (
                "wasmi",
                "`cargo xtask toolbox --with wasmi` builds it (about 2 minutes of processor time, 5 MB to fetch, 3 MB on \
                 disk, 250 while it is built)",
            ),
        ] {
            assert_eq!(programs.how_to_get(name), says);
            let error = programs.find(name).unwrap_err().to_string();
            assert_eq!(error, format!("there is no `{name}`: {says}"));
        }
        assert!(!dir.path().join("target").exists());
    }

    #[test]
    fn an_unknown_program_is_told_with_those_that_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let programs = programs(dir.path());
        for error in [programs.find("wasmy").unwrap_err().to_string(), programs.how_to_get("wasmy")] {
            assert!(error.contains("did you mean `wasmi`?") && error.contains("`runsc`, `wasmi`"), "{error}");
        }
        assert_eq!(programs.select(&["all".to_owned()]).unwrap().len(), 2);
        assert_eq!(programs.select(&["was*".to_owned(), "wasmi".to_owned()]).unwrap().len(), 1);
        assert!(programs.select(&["all".to_owned(), "x".to_owned()]).is_err());
    }
}
