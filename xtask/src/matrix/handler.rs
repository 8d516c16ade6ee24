//! Runtime handlers of a cluster's nodes as rows: `--handler NAME`, and `--handler NAME:LIKE`.
//!
//! A handler is a word in the configuration of nodes, and what is behind it only they know. A new one has the rows of `runc`,
//! which is one for the native image, or those of the handler that it is said to be like.

use anyhow::ensure;

use super::{Behaviour, DEFAULT_SET, Matrix, Runtime};
use results::case::{Case, Pod, PodLife};
use results::names::Names;

/// What every container runtime of a cluster can be held against.
const NATIVE: &str = "runc";
/// What the name of a runtime in pods begins with.
pub const PODS: &str = "cri-";

/// What `--handler` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnHandler {
    /// Its name on the nodes.
    pub name: String,
    /// The handler whose rows it has.
    pub like: Option<String>,
}

impl std::str::FromStr for OwnHandler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, like) = text.split_once(':').map_or((text, None), |(name, like)| (name, Some(like)));
        // A RuntimeClass takes a label of DNS (RFC 1123).
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let is_name = |name: &str| !name.is_empty() && name.chars().all(fits);
        if !is_name(name) || !like.is_none_or(is_name) {
            return Err("write its name on the nodes, as in `kata`, or with the one that it is like, as in \
                        `mine:wasmedge`: lower-case letters, digits and `-`"
                .to_owned());
        }
        Ok(Self { name: name.to_owned(), like: like.map(str::to_owned) })
    }
}

impl Matrix {
    /// Adds a handler with its rows to what is measured unless something else is asked for.
    ///
    /// # Errors
    /// When it has rows and is said to be like another, or that one is not known.
    pub fn add_handler(&mut self, own: &OwnHandler) -> anyhow::Result<()> {
        let name = &own.name;
        let is_known = self.cases.iter().any(|case| pod(case).is_some_and(|pod| pod.handler == *name));
        if is_known {
            ensure!(own.like.is_none(), "`{name}` has rows: leave out what it is like");
        } else {
            self.add_handler_like(name, own.like.as_deref().unwrap_or(NATIVE))?;
        }
        let its = |case: &&mut Case| pod(case).is_some_and(|pod| pod.handler == *name);
        self.cases.iter_mut().filter(its).for_each(|case| case.sets.push(DEFAULT_SET.to_owned()));
        Ok(())
    }

    fn add_handler_like(&mut self, name: &str, like: &str) -> anyhow::Result<()> {
        let own = |runtime: &Runtime| {
            let pod = runtime.behaviour.pod().filter(|pod| pod.life == PodLife::Own)?;
            Some(pod.handler.clone())
        };
        let known = self.runtimes.iter().filter_map(own).collect();
        let names = Names { one: "handler", several: "handlers", known };
        let model = self.runtimes.iter().find(|runtime| own(runtime).as_deref() == Some(like));
        let mut runtime = model.ok_or_else(|| names.unknown(like))?.clone();
        let of_model = format!("/{}", runtime.name);
        let renamed = |text: &str| text.replace(&of_model, &format!("/{PODS}{name}"));
        runtime.name = format!("{PODS}{name}");
        runtime.title = format!("a pod with {name}");
        runtime.why = format!("A handler of the nodes, named on the command line as one like `{like}`.");
        if let Behaviour::Cri { pod, .. } = &mut runtime.behaviour {
            name.clone_into(&mut pod.handler);
        }
        let is_plain = |case: &&Case| case.image.as_deref() == Some(case.form.name()) && case.refused.is_none();
        let its = |case: &&Case| pod(case).is_some_and(|pod| pod.handler == like);
        let row = |case: &Case| {
            let mut row = case.clone();
            row.name = renamed(&case.name);
            // What it is like is what it is compared with, as everything is.
            row.baseline = case.baseline.clone().or_else(|| case.is_baseline().then(|| case.name.clone()));
            row.control = case.control.as_deref().map(renamed);
            row.runtime.name.clone_from(&runtime.name);
            row.runtime.title.clone_from(&runtime.title);
            row.runtime.pod = Some(Pod { handler: name.to_owned(), life: PodLife::Own });
            row.sets = Vec::new();
            row.why.clone_from(&runtime.why);
            row
        };
        let rows: Vec<Case> = self.cases.iter().filter(its).filter(is_plain).map(row).collect();
        self.cases.extend(rows);
        self.runtimes.push(runtime);
        Ok(())
    }
}

/// The pod of its own in which a case is run.
fn pod(case: &Case) -> Option<&Pod> {
    case.runtime.pod.as_ref().filter(|pod| pod.life == PodLife::Own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::ours;
    use results::case::Kind;

    fn add(matrix: &mut Matrix, text: &str) -> anyhow::Result<()> {
        matrix.add_handler(&text.parse().map_err(anyhow::Error::msg)?)
    }

    fn usual(matrix: &Matrix) -> Vec<String> {
        let all = matrix.select(&[], &[]).unwrap();
        all.iter().filter(|case| case.runtime.pod.is_some()).map(|case| case.name.clone()).collect()
    }

    #[test]
    fn a_handler_has_the_rows_of_runc_or_of_what_it_is_like() {
        let mut ours = ours();
        assert_eq!(usual(&ours), [""; 0]);
        add(&mut ours, "kata").unwrap();
        assert_eq!(usual(&ours), ["native/cri-kata"]);
        let row = ours.case("native/cri-kata").unwrap();
        assert_eq!(row.baseline.as_deref(), Some("native/cri-runc"));
        assert_eq!((row.form, row.runtime.maker()), (Kind::Native, "kata"));
        assert_eq!(ours.runtime(row).unwrap().behaviour.pod().unwrap().handler, "kata");
        add(&mut ours, "mine:wasmedge").unwrap();
        let expected = ["native/cri-kata", "native/cri-mine", "wasm-interpreter/cri-mine", "wasm-aot/cri-mine"];
        assert_eq!(usual(&ours), expected);
        assert!(ours.case("wasm-aot/cri-mine").unwrap().runtime.title.contains("mine"));
    }

    #[test]
    fn a_handler_that_has_rows_is_measured_with_them_and_others_are_refused() {
        let mut ours = ours();
        add(&mut ours, "crun").unwrap();
        assert_eq!(usual(&ours), ["native/cri-crun"]);
        for (text, says) in [
            ("crun:wasmedge", "leave out what it is like"),
            ("mine:wasmegde", "did you mean `wasmedge`"),
            ("A b", "lower-case letters"),
            ("", "its name on the nodes"),
            ("a:", "lower-case letters"),
        ] {
            let error = add(&mut ours, text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
