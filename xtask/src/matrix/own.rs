//! Runtimes of the user's own as rows: `--runtime NAME=FILE`, and `--runtime NAME:LIKE=FILE`.
//!
//! A new runtime has a row for the native image. Which modules it runs, and in which modes, its file does not tell: it has the
//! rows of a known runtime when it is said to be like that one, and whether they ran so is then observed as for every row.
//! Not here: whether the file is a runtime at all (`toolbox::identity`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{Behaviour, DEFAULT_SET, Matrix, Runtime};
use crate::toolbox::identity::Maker;
use results::case::{self, Case, Kind, Mode};
use results::names::Names;

/// The set that a runtime's rows are in beside the default one.
const RUNTIMES: &str = "runtimes";

/// What `--runtime` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRuntime {
    /// Its name in the table.
    pub name: String,
    /// The runtime whose rows it has too.
    pub like: Option<String>,
    /// The runtime's program.
    pub file: PathBuf,
}

impl std::fmt::Display for OwnRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let like = self.like.as_ref().map_or_else(String::new, |like| format!(":{like}"));
        write!(f, "--runtime {}{like}={}", self.name, self.file.display())
    }
}

impl std::str::FromStr for OwnRuntime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage =
            || "write a name and a file, as in `mine=/usr/bin/crun` or `mine:wasmedge=/opt/containerd-shim-x-v1`";
        let (names, file) = text.split_once('=').ok_or_else(usage)?;
        let (name, like) = names.split_once(':').map_or((names, None), |(name, like)| (name, Some(like)));
        if name.is_empty() || file.is_empty() || like == Some("") {
            return Err(usage().to_owned());
        }
        Ok(Self { name: name.to_owned(), like: like.map(str::to_owned), file: file.into() })
    }
}

impl Matrix {
    /// A runtime of the user's: in place of a known one's program, or with rows of its own. `program` is its whole path.
    ///
    /// # Errors
    /// When the name is none, or is known and the other way of making containers; when what it is said to be like is not
    /// known, or makes containers in another way.
    pub fn add_runtime(&mut self, own: &OwnRuntime, program: &Path, made: Maker) -> anyhow::Result<()> {
        let name = &own.name;
        let program = program.to_str().context("its path is not UTF-8")?.to_owned();
        if self.runtimes.iter().any(|runtime| runtime.name == *name) {
            ensure!(own.like.is_none(), "`{name}` has rows: leave out what it is like, or choose another name");
            return self.replace_runtime(name, &program, made);
        }
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(name.chars().all(fits), "`{name}` is no name: use lower-case letters, digits and `-`");
        if let Some(like) = &own.like {
            return self.add_like(name, like, &program, made);
        }
        self.add_native(name, program, made);
        Ok(())
    }

    fn replace_runtime(&mut self, name: &str, program: &str, made: Maker) -> anyhow::Result<()> {
        for runtime in &mut self.runtimes {
            if runtime.name == name {
                runtime
                    .behaviour
                    .replace_program(program, made)
                    .map_err(|reason| anyhow::anyhow!("`{name}` {reason}"))?;
            } else if let Behaviour::Cri { pod, maker } = &mut runtime.behaviour
                && pod.handler == name
            {
                maker.replace_program(program, made).map_err(anyhow::Error::msg)?;
            }
        }
        Ok(())
    }

    /// A runtime with the rows of a known one, but for those of other images and those that are refused there.
    fn add_like(&mut self, name: &str, like: &str, program: &str, made: Maker) -> anyhow::Result<()> {
        let known = self.runtimes.iter().map(|runtime| runtime.name.clone()).collect();
        let names = Names { one: "runtime", several: "runtimes", known };
        let model = self.runtimes.iter().find(|runtime| runtime.name == like).ok_or_else(|| names.unknown(like))?;
        let mut runtime = Runtime { name: name.to_owned(), title: name.to_owned(), ..model.clone() };
        runtime.why = format!("Named on the command line as one like `{like}`.");
        runtime.behaviour.replace_program(program, made).map_err(|reason| anyhow::anyhow!("`{like}` {reason}"))?;
        let renamed = |other: &Option<String>| {
            let other = other.as_ref()?;
            let of_model = self.cases.iter().any(|case| case.name == *other && case.runtime.name == like);
            Some(if of_model { other.replace(&format!("/{like}"), &format!("/{name}")) } else { other.clone() })
        };
        let is_plain = |case: &&Case| case.image.as_deref() == Some(case.form.name()) && case.refused.is_none();
        let rows: Vec<Case> = self
            .cases
            .iter()
            .filter(|case| case.runtime.name == like)
            .filter(is_plain)
            .map(|case| Case {
                name: case.name.replace(&format!("/{like}"), &format!("/{name}")),
                runtime: named(name),
                baseline: renamed(&case.baseline),
                control: renamed(&case.control),
                sets: sets(),
                why: runtime.why.clone(),
                ..case.clone()
            })
            .collect();
        ensure!(!rows.is_empty(), "`{like}` has no rows");
        self.cases.extend(rows);
        self.runtimes.push(runtime);
        Ok(())
    }

    fn add_native(&mut self, name: &str, program: String, made: Maker) {
        let behaviour = match made {
            Maker::Oci => Behaviour::Oci { program, args: Vec::new() },
            Maker::Shim => Behaviour::Shim { program },
        };
        let why = "Named on the command line.".to_owned();
        let baseline = self.cases.iter().find(|case| case.is_container() && case.is_baseline());
        self.cases.push(Case {
            name: format!("native/{name}"),
            form: Kind::Native,
            mode: Mode::Native,
            engine: None,
            runtime: named(name),
            image: Some(Kind::Native.name().to_owned()),
            baseline: baseline.map(|baseline| baseline.name.clone()),
            control: None,
            sets: sets(),
            why: why.clone(),
            refused: None,
        });
        self.runtimes.push(Runtime {
            name: name.to_owned(),
            title: name.to_owned(),
            behaviour,
            runs: BTreeSet::from([Mode::Native]),
            annotations: BTreeMap::new(),
            engine: None,
            why,
        });
    }
}

fn named(name: &str) -> case::Runtime {
    case::Runtime { name: name.to_owned(), title: name.to_owned(), container: true, version: None, pod: None }
}

fn sets() -> Vec<String> {
    [DEFAULT_SET, RUNTIMES].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::ours;

    fn own(text: &str) -> OwnRuntime {
        text.parse().unwrap()
    }

    fn add(matrix: &mut Matrix, text: &str, made: Maker) -> anyhow::Result<()> {
        let own = own(text);
        matrix.add_runtime(&own, &own.file, made)
    }

    #[test]
    fn what_is_typed_is_a_name_perhaps_another_and_a_file() {
        let like = own("mine:wasmedge=/x/a=b");
        assert_eq!(
            (like.name.as_str(), like.like.as_deref(), like.file.as_path()),
            ("mine", Some("wasmedge"), Path::new("/x/a=b"))
        );
        assert_eq!(own("mine=/x/a:b").like, None);
        assert_eq!(like.to_string(), "--runtime mine:wasmedge=/x/a=b");
        for text in ["mine", "=/x", "mine=", "mine:=/x", ":wasmedge=/x"] {
            assert!(text.parse::<OwnRuntime>().unwrap_err().contains("`mine=/usr/bin/crun`"), "{text}");
        }
    }

    #[test]
    fn a_runtime_of_ones_own_is_a_row_or_takes_the_place_of_one() {
        let mut ours = ours();
        add(&mut ours, "mine=/x/mine", Maker::Oci).unwrap();
        let row = ours.case("native/mine").unwrap();
        assert_eq!((row.baseline.as_deref(), row.form), (Some("native/runc"), Kind::Native));
        assert!(ours.select(&[], &[]).unwrap().iter().any(|case| case.name == "native/mine"));
        add(&mut ours, "runc=/x/mine", Maker::Oci).unwrap();
        let runc = ours.runtime(ours.case("native/runc").unwrap()).unwrap();
        assert_eq!((runc.behaviour.program(), runc.behaviour.is_own()), (Some("/x/mine"), true));
        // Its pods are of the same containers.
        let pods = ours.runtime(ours.case("native/cri-runc-warm").unwrap()).unwrap();
        assert_eq!(
            (pods.behaviour.program(), pods.behaviour.pod().unwrap().handler.as_str()),
            (Some("/x/mine"), "runc")
        );
        for (text, made, says) in [
            ("process=/x", Maker::Oci, "makes no containers"),
            ("runc=/x", Maker::Shim, "`runc` is an OCI runtime"),
            ("wasmedge=/x", Maker::Oci, "`wasmedge` is a shim"),
            ("A b=/x", Maker::Oci, "is no name"),
            ("cri-runc=/x", Maker::Oci, "makes pods of another runtime's containers"),
            ("new:wasmegde=/x", Maker::Shim, "did you mean `wasmedge`"),
            ("new:wasmedge=/x", Maker::Oci, "`wasmedge` is a shim"),
            ("new:process=/x", Maker::Oci, "makes no containers"),
            ("crun:wasmedge=/x", Maker::Shim, "leave out what it is like"),
        ] {
            let error = add(&mut ours, text, made).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_runtime_like_a_known_one_has_its_rows_beside_it() {
        let mut ours = ours();
        add(&mut ours, "mine:wasmedge=/x/mine", Maker::Shim).unwrap();
        let names: Vec<String> = ours
            .select(&[], &[])
            .unwrap()
            .iter()
            .filter(|case| case.runtime.name == "mine")
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["native/mine", "wasm-interpreter/mine", "wasm-aot/mine"]);
        let (mine, model) = (ours.case("wasm-aot/mine").unwrap(), ours.case("wasm-aot/wasmedge").unwrap());
        assert_eq!(
            (mine.mode, mine.form, &mine.image, &mine.engine),
            (model.mode, model.form, &model.image, &model.engine)
        );
        assert_eq!((&mine.baseline, mine.control.as_deref()), (&model.baseline, Some("native/mine")));
        let runtime = ours.runtime(mine).unwrap();
        assert_eq!((runtime.behaviour.program(), &runtime.engine), (Some("/x/mine"), &Some("wasmedge".to_owned())));
        assert!(!ours.runtime(model).unwrap().behaviour.is_own());
    }
}
