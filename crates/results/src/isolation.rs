//! What isolation a runtime's containers have, as it was seen in one of them; and where two of them differ.
//!
//! A runtime that does less is faster. Every fact is a set, and what a set means is known: each of its members takes
//! something from the container, or gives it something, or neither can be said. So two sets can be compared without
//! knowing what they are about. Not here: looking (the program that measures does).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Manifest;
use crate::case::{Case, Mode};

/// Sets by what they are about.
pub type Sets = BTreeMap<String, BTreeSet<String>>;

/// What was seen in a container of a runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// The runtime's name.
    pub runtime: String,
    /// What ran in it.
    pub of: Subject,
    /// What the container is without: each member makes the isolation stronger.
    #[serde(default, skip_serializing_if = "Sets::is_empty")]
    pub restricts: Sets,
    /// What the container has: each member makes the isolation weaker.
    #[serde(default, skip_serializing_if = "Sets::is_empty")]
    pub allows: Sets,
    /// What is different without being weaker or stronger.
    #[serde(default, skip_serializing_if = "Sets::is_empty")]
    pub is: Sets,
    /// Why nothing was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// Whose container it is, and with that how it was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A native program's: it looked itself.
    #[default]
    Native,
    /// A module's, which can see nothing: its process was looked at from outside.
    Module,
}

impl Subject {
    /// What a case runs.
    pub fn of(case: &Case) -> Self {
        if case.mode == Mode::Native { Self::Native } else { Self::Module }
    }
}

/// How the container of a case differs from that of its baseline, each difference in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationDifference {
    /// The case.
    pub case: String,
    /// What it is compared with.
    pub baseline: String,
    /// What isolates the baseline's container and not this one.
    pub less: Vec<String>,
    /// What isolates this container and not the baseline's.
    pub more: Vec<String>,
    /// What is different, and neither.
    pub other: Vec<String>,
}

impl Isolation {
    /// What could not be looked at, and why.
    pub fn unknown(runtime: &str, of: Subject, reason: impl Into<String>) -> Self {
        Self { runtime: runtime.to_owned(), of, unknown: Some(reason.into()), ..Self::default() }
    }
}

/// Where the containers of compared cases differ; a pair of which one was not seen is left out, and so is one without a
/// difference.
pub fn differences(manifest: &Manifest, pairs: &[(&Case, &Case)]) -> Vec<IsolationDifference> {
    let seen = |case: &Case| {
        let is_it = |seen: &&Isolation| seen.runtime == case.runtime.name && seen.of == Subject::of(case);
        manifest.isolation.iter().find(is_it).filter(|seen| case.is_container() && seen.unknown.is_none())
    };
    let of = |(case, baseline): &(&Case, &Case)| {
        let (less, more, other) = difference(seen(case)?, seen(baseline)?);
        (!less.is_empty() || !more.is_empty() || !other.is_empty()).then(|| IsolationDifference {
            case: case.name.clone(),
            baseline: baseline.name.clone(),
            less,
            more,
            other,
        })
    };
    pairs.iter().filter_map(of).collect()
}

/// What isolates less, more, and neither, in `mine` against `theirs`.
fn difference(mine: &Isolation, theirs: &Isolation) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (mut less, mut more, mut other) = (Vec::new(), Vec::new(), Vec::new());
    less.extend(beyond(&theirs.restricts, &mine.restricts, ("no ", " ")));
    less.extend(beyond(&mine.allows, &theirs.allows, ("", " ")));
    more.extend(beyond(&mine.restricts, &theirs.restricts, ("", " ")));
    more.extend(beyond(&theirs.allows, &mine.allows, ("no ", " ")));
    for name in mine.is.keys().chain(theirs.is.keys().filter(|name| !mine.is.contains_key(*name))) {
        let shown = |sets: &Sets| sets.get(name).filter(|set| !set.is_empty()).map_or("none".to_owned(), joined);
        if mine.is.get(name) != theirs.is.get(name) {
            other.push(format!("{name} {} instead of {}", shown(&mine.is), shown(&theirs.is)));
        }
    }
    (less, more, other)
}

/// What one has in its sets and the other has not, a text for each set: `no namespace pid, net`.
fn beyond<'a>(
    one: &'a Sets,
    other: &'a Sets,
    (lead, between): (&'a str, &'a str),
) -> impl Iterator<Item = String> + 'a {
    one.iter().filter_map(move |(name, set)| {
        let none = BTreeSet::new();
        let others = other.get(name).unwrap_or(&none);
        // A folder stands for what is below it.
        let is_covered =
            |member: &str| Path::new(member).ancestors().any(|each| others.contains(&*each.to_string_lossy()));
        let beyond: BTreeSet<String> = set.iter().filter(|member| !is_covered(member)).cloned().collect();
        (!beyond.is_empty()).then(|| format!("{lead}{name}{between}{}", joined(&beyond)))
    })
}

fn joined(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::FirstEdition;

    fn sets(of: &[(&str, &[&str])]) -> Sets {
        let set = |members: &[&str]| members.iter().map(|member| (*member).to_owned()).collect();
        of.iter().map(|(name, members)| ((*name).to_owned(), set(members))).collect()
    }

    fn strict() -> Isolation {
        Isolation {
            runtime: "runc".to_owned(),
            restricts: sets(&[("namespace", &["net", "pid"]), ("seccomp", &["filter"])]),
            allows: sets(&[("capability", &["chown"])]),
            is: sets(&[("limit", &["nofile 1024"])]),
            ..Isolation::default()
        }
    }

    fn lax() -> Isolation {
        Isolation {
            runtime: "wasmedge".to_owned(),
            restricts: sets(&[("namespace", &["net"]), ("kernel", &["its own"])]),
            allows: sets(&[("capability", &["chown", "sys_admin"])]),
            is: sets(&[("option", &["--fast"])]),
            ..Isolation::default()
        }
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_less_or_more_by_what_the_set_means() {
        let (less, more, other) = difference(&lax(), &strict());
        assert_eq!(less, ["no namespace pid", "no seccomp filter", "capability sys_admin"]);
        assert_eq!(more, ["kernel its own"]);
        assert_eq!(other, ["option --fast instead of none", "limit none instead of nofile 1024"]);
        let (less, more, other) = difference(&strict(), &lax());
        assert_eq!((less.len(), more.len(), other.len()), (1, 3, 2));
        assert_eq!(difference(&lax(), &lax()), (Vec::new(), Vec::new(), Vec::new()));
    }

    #[test]
    fn a_folder_that_is_hidden_hides_what_is_below_it() {
        let of = |paths: &[&str]| Isolation { restricts: sets(&[("masked path", paths)]), ..Isolation::default() };
        let (less, more, _) = difference(&of(&["/proc"]), &of(&["/proc/acpi", "/proc/keys"]));
        assert_eq!((less, more), (Vec::<String>::new(), vec!["masked path /proc".to_owned()]));
        let (less, _, _) = difference(&of(&["/proc"]), &of(&["/process"]));
        assert_eq!(less, ["no masked path /process"]);
    }

    #[test]
    fn only_containers_that_were_seen_are_compared_and_a_module_is_another_subject() {
        let mut manifest = crate::analysis::fixture::manifest(1);
        let cases = FirstEdition::read().cases;
        let find = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
        let pairs = [
            (find("native/wasmedge"), find("native/runc")),
            (find("wasm-aot/wasmedge"), find("native/runc")),
            (find("native/runc"), find("native/process")),
        ];
        assert_eq!(differences(&manifest, &pairs), []);
        manifest.isolation = vec![strict(), lax(), Isolation::unknown("wasmedge", Subject::Module, "it ended")];
        let found = differences(&manifest, &pairs);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].case.as_str(), found[0].baseline.as_str()), ("native/wasmedge", "native/runc"));
        manifest.isolation[2] = Isolation { of: Subject::Module, ..lax() };
        assert_eq!(differences(&manifest, &pairs).len(), 2);
    }
}
