//! What is measured, as data: `workload/benches.toml` becomes checked [`Bench`]es.
//!
//! Wire types (what TOML may say) are apart from inner types (what the program may rely on). [`parse`] is
//! pure, [`load`] reads. Image definitions are `oci::definition`'s.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use results::names::{Misnamed, Names};
use results::{Role, SweepPoint};

pub use expected::Expected;
pub use input::{Folder, Input, Reads, Variable};

pub mod calibration;
mod expected;
mod input;

/// A program, what it is given, and the output that makes a run of it a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bench {
    /// Its name; a point of a sweep is `<sweep>/<n>`.
    pub name: String,
    /// The program, by the name of its artifacts and images.
    pub program: String,
    /// What its traced runs are made of.
    pub tracing: Tracing,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it is given beside them.
    pub input: Input,
    /// What it must print.
    pub expected: Expected,
    /// Why it is there.
    pub why: String,
    /// What it is there for beside its own row.
    pub role: Option<Role>,
    /// Whether a plain `bench` measures it.
    pub selection: Selection,
    /// The sweep that it is a point of.
    pub sweep: Option<SweepPoint>,
}

/// What the traced runs of a bench are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// There are none.
    Not,
    /// Another program, which prints its clock first and last and does the same in between.
    Stamped(String),
    /// The program itself, somebody's own, which prints no clock.
    AsItIs,
}

/// When a bench is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Always.
    Default,
    /// When a `--bench` pattern matches it.
    OnRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    bench: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: String,
    program: String,
    stamped: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    expected: Option<String>,
    #[serde(default)]
    sizes: Vec<Size>,
    why: String,
    role: Option<Role>,
    #[serde(default)]
    on_request: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    n: u64,
    expected: String,
}

/// Reads and checks the benches of a file.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses.
pub fn load(path: &Path) -> anyhow::Result<Vec<Bench>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))?;
    parse(&text).with_context(|| format!("`{}` is not a list of benches", path.display()))
}

/// The benches that a TOML text defines, sweeps expanded to a bench per size.
///
/// # Errors
/// With line, column and what was expected, for unknown or missing keys; with the bench's name for an empty
/// `why`, a double name, a bench without or with two kinds of expectation.
pub fn parse(text: &str) -> anyhow::Result<Vec<Bench>> {
    let file: File = toml::from_str(text)?;
    ensure!(!file.bench.is_empty(), "it defines no bench: add a `[[bench]]` table");
    let mut benches = Vec::new();
    for wire in file.bench {
        benches.extend(expand(&wire).with_context(|| format!("bench `{}`", wire.name))?);
    }
    for (index, bench) in benches.iter().enumerate() {
        ensure!(
            benches[..index].iter().all(|other| other.name != bench.name),
            "two benches are named `{}`",
            bench.name
        );
        let rival = benches[..index].iter().find(|other| other.role.is_some() && other.role == bench.role);
        if let Some(rival) = rival {
            bail!("`{}` and `{}` have the same `role`: only one of them can", rival.name, bench.name);
        }
    }
    Ok(benches)
}

fn expand(wire: &Wire) -> anyhow::Result<Vec<Bench>> {
    ensure!(!wire.why.trim().is_empty(), "`why` is empty: say what question it answers");
    let plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    ensure!(plain(&wire.name), "its name must be of lower-case letters, digits and `-`");
    for program in std::iter::once(&wire.program).chain(&wire.stamped) {
        ensure!(plain(program), "`program` and `stamped` must be of lower-case letters, digits and `-`");
    }
    ensure!(
        wire.role.is_none() || wire.sizes.is_empty(),
        "a sweep has no `role`: its points are several benches, and a role is one's"
    );
    let selection = if wire.on_request { Selection::OnRequest } else { Selection::Default };
    let point = |name: String, args: Vec<String>, expected: String, sweep: Option<SweepPoint>| Bench {
        name,
        program: wire.program.clone(),
        tracing: wire.stamped.clone().map_or(Tracing::Not, Tracing::Stamped),
        args,
        input: Input::default(),
        expected: Expected::text(&expected),
        why: wire.why.trim().to_owned(),
        role: wire.role,
        selection,
        sweep,
    };
    match (wire.expected.clone(), wire.sizes.is_empty()) {
        (Some(expected), true) => Ok(vec![point(wire.name.clone(), wire.args.clone(), expected, None)]),
        (None, false) => {
            ensure!(
                wire.args.iter().any(|arg| arg.contains("{n}")),
                "it has `sizes`, but no argument contains `{{n}}`"
            );
            ensure!(wire.sizes.len() >= 3, "a sweep needs at least three `sizes`: two points fit any line");
            Ok(wire
                .sizes
                .iter()
                .map(|size| {
                    let args = wire.args.iter().map(|arg| arg.replace("{n}", &size.n.to_string())).collect();
                    let sweep = SweepPoint { name: wire.name.clone(), n: size.n };
                    point(format!("{}/{}", wire.name, size.n), args, size.expected.clone(), Some(sweep))
                })
                .collect())
        }
        (Some(_), false) => bail!("it has both `expected` and `sizes`: each size has its own `expected`"),
        (None, true) => bail!("it has neither `expected` nor `sizes`: a run without a known output proves nothing"),
    }
}

/// The benches that the patterns select, in the order of the file; without patterns, the default ones.
/// A pattern is a shell glob and is matched against the bench's name and the name of its sweep.
///
/// # Errors
/// When a pattern is no glob or matches nothing (the known names are listed).
pub fn select(benches: &[Bench], patterns: &[String]) -> Result<Vec<Bench>, Misnamed> {
    if patterns.is_empty() {
        return Ok(benches.iter().filter(|bench| bench.selection == Selection::Default).cloned().collect());
    }
    let names = names(benches);
    let mut chosen = BTreeSet::new();
    for text in patterns {
        for hit in names.matching(text)? {
            let name = &names.known[hit];
            chosen.extend((0..benches.len()).filter(|&index| is_named(&benches[index], name)));
        }
    }
    Ok(chosen.into_iter().map(|index| benches[index].clone()).collect())
}

/// The one bench that a pattern selects.
///
/// # Errors
/// As [`select`], and when it matches more than one.
pub fn select_one(benches: &[Bench], pattern: &str) -> Result<Bench, Misnamed> {
    let mut found = select(benches, std::slice::from_ref(&pattern.to_owned()))?;
    match (found.pop(), found.is_empty()) {
        (Some(bench), true) => Ok(bench),
        (last, _) => {
            let all: Vec<String> = found.into_iter().chain(last).map(|bench| bench.name).collect();
            Err(names(benches).ambiguous(pattern, &all))
        }
    }
}

/// Every bench by its name, and every sweep, which stands for all of its points.
fn names(benches: &[Bench]) -> Names {
    let sweeps: BTreeSet<&str> = benches.iter().filter_map(|bench| Some(bench.sweep.as_ref()?.name.as_str())).collect();
    let benches = benches.iter().map(|bench| bench.name.as_str());
    Names { one: "bench", several: "benches", known: benches.chain(sweeps).map(str::to_owned).collect() }
}

fn is_named(bench: &Bench, name: &str) -> bool {
    bench.name == name || bench.sweep.as_ref().is_some_and(|sweep| sweep.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
[[bench]]
name = "sum"
program = "array-sum"
args = ["--n", "5"]
expected = "x\n"
why = "because"

[[bench]]
name = "sweep"
program = "array-sum"
args = ["--n", "{n}"]
sizes = [{ n = 1, expected = "a" }, { n = 2, expected = "b" }, { n = 3, expected = "c" }]
why = "slope"
on_request = true
"#;

    #[test]
    fn a_sweep_is_a_bench_per_size() {
        let benches = parse(TWO).unwrap();
        let names: Vec<_> = benches.iter().map(|bench| bench.name.as_str()).collect();
        assert_eq!(names, ["sum", "sweep/1", "sweep/2", "sweep/3"]);
        assert_eq!(benches[2].args, ["--n", "2"]);
        assert_eq!(benches[2].expected, Expected::text("b"));
    }

    #[test]
    fn without_patterns_only_default_benches_are_selected() {
        let benches = parse(TWO).unwrap();
        assert_eq!(select(&benches, &[]).unwrap().len(), 1);
        assert_eq!(select(&benches, &["sweep".to_owned()]).unwrap().len(), 3);
        assert_eq!(select(&benches, &["s*".to_owned()]).unwrap().len(), 4);
    }

    #[test]
    fn an_unknown_bench_names_the_known_ones() {
        let error = select(&parse(TWO).unwrap(), &["som".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`som`") && error.contains("`sum`"), "{error}");
    }

    #[test]
    fn one_bench_is_never_the_first_of_several() {
        let benches = parse(TWO).unwrap();
        assert_eq!(select_one(&benches, "su*").unwrap().name, "sum");
        assert_eq!(select_one(&benches, "sweep/2").unwrap().name, "sweep/2");
        for several in ["s*", "sweep"] {
            let error = select_one(&benches, several).unwrap_err().to_string();
            assert!(error.contains(&format!("`{several}`")) && error.contains("`sweep/1`, `sweep/2`"), "{error}");
        }
    }

    #[test]
    fn broken_toml_is_an_error_with_line_and_expectation() {
        let text = "[[bench]]\nname = \"x\"\nprogramme = \"y\"\n";
        let error = format!("{:#}", parse(text).unwrap_err());
        assert!(error.contains("line 3") && error.contains("programme") && error.contains("program"), "{error}");
    }

    #[test]
    fn a_bench_without_a_reason_is_refused() {
        let text = TWO.replace("because", " ");
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(error.contains("`sum`") && error.contains("`why`"), "{error}");
    }
}
