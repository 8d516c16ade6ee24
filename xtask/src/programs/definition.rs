//! `matrix/programs.toml`: where each program comes from that is had on request, as checked data.
//!
//! Pure but for [`load`]. Not here: whether a program is there, and how it is fetched or built.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::toolbox::Group;

/// A program that is had on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name, which is also that of its executable.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// What it takes to have it.
    pub cost: Cost,
    /// Why it is worth that.
    pub why: String,
}

/// Where a program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A package of the toolbox's pinned suite.
    Package(String),
    /// A crate from crates.io.
    Crate(Crate),
}

/// What Cargo builds a program from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Exactly this version.
    pub version: String,
    /// Whether with those features that the crate itself takes for the usual ones.
    pub default_features: DefaultFeatures,
    /// With these.
    pub features: Vec<String>,
}

/// Whether a crate is built with its default features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultFeatures {
    /// With.
    With,
    /// Without.
    Without,
}

/// What it takes to have a program where nothing is cached. Measured once, on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Processor time of its build.
    pub cpu_s: u64,
    /// What is fetched.
    pub transfer_bytes: u64,
    /// What lies on disk beside that while it is built.
    pub building_bytes: u64,
    /// What stays on disk.
    pub disk_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    program: Vec<Spanned<Wire>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: Spanned<String>,
    debian: Option<WirePackage>,
    #[serde(rename = "crate")]
    krate: Option<WireCrate>,
    cost: Cost,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePackage {
    package: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCrate {
    name: Spanned<String>,
    version: Spanned<String>,
    #[serde(default = "yes")]
    default_features: bool,
    #[serde(default)]
    features: Vec<Spanned<String>>,
}

/// As Cargo has it.
const fn yes() -> bool {
    true
}

/// Reads and checks a file of programs.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses.
pub fn load(path: &Path) -> anyhow::Result<Vec<Definition>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))?;
    parse(&text).with_context(|| format!("`{}` is not a list of programs", path.display()))
}

/// The programs that a TOML text defines.
///
/// # Errors
/// With the line and what is expected there.
pub fn parse(text: &str) -> anyhow::Result<Vec<Definition>> {
    let file: File = toml::from_str(text)?;
    let mut programs: Vec<Definition> = Vec::new();
    for table in file.program {
        let checked = check(text, &table)?;
        ensure!(
            programs.iter().all(|other| other.name != checked.name),
            "line {}: two programs are named `{}`",
            line(text, &table.get_ref().name.span()),
            checked.name
        );
        programs.push(checked);
    }
    Ok(programs)
}

fn check(text: &str, table: &Spanned<Wire>) -> anyhow::Result<Definition> {
    let wire = table.get_ref();
    let name = wire.name.get_ref();
    let at = |span: &Range<usize>| format!("line {}: program `{name}`", line(text, span));
    ensure!(
        is_plain(name, ""),
        "{}: its name is expected to be of lower-case letters, digits and `-`",
        at(&wire.name.span())
    );
    ensure!(
        [Group::Run, Group::Tests].iter().all(|group| !group.programs().contains(name)),
        "{}: the toolbox has a program of this name in any case: leave this table out",
        at(&wire.name.span())
    );
    let why = wire.why.get_ref().trim();
    ensure!(!why.is_empty(), "{}: `why` is empty: say which question it answers", at(&wire.why.span()));
    let source = match (&wire.debian, &wire.krate) {
        (Some(debian), None) => {
            let package = debian.package.get_ref();
            ensure!(
                is_plain(package, "+."),
                "{}: `{package}` is no name of a package, which is expected to be of lower-case letters, digits, `+`, \
                 `-` and `.`",
                at(&debian.package.span())
            );
            Source::Package(package.clone())
        }
        (None, Some(krate)) => Source::Crate(check_crate(krate, &at)?),
        (Some(_), Some(_)) => bail!("{}: it has both `debian` and `crate`, and one is expected", at(&table.span())),
        (None, None) => bail!(
            "{}: it comes from nowhere: expected `debian = {{ package = … }}` or `crate = {{ name = …, version = … }}`",
            at(&table.span())
        ),
    };
    Ok(Definition { name: name.clone(), source, cost: wire.cost, why: why.to_owned() })
}

fn check_crate(wire: &WireCrate, at: &dyn Fn(&Range<usize>) -> String) -> anyhow::Result<Crate> {
    let (name, version) = (wire.name.get_ref(), wire.version.get_ref());
    let is_word = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_+./".contains(c);
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(allowed)
    };
    ensure!(
        is_word(name) && !name.contains(['+', '.', '/']),
        "{}: `{name}` is no name of a crate, which is expected to be of letters, digits, `-` and `_`",
        at(&wire.name.span())
    );
    ensure!(
        is_exact(version),
        "{}: `{version}` is no exact version, and one such as `1.2.3` is expected: another would be another program",
        at(&wire.version.span())
    );
    for feature in &wire.features {
        ensure!(
            is_word(feature.get_ref()),
            "{}: `{}` is no name of a feature, and one name in each string is expected",
            at(&feature.span()),
            feature.get_ref()
        );
    }
    let default_features = if wire.default_features { DefaultFeatures::With } else { DefaultFeatures::Without };
    let features = wire.features.iter().map(|feature| feature.get_ref().clone()).collect();
    Ok(Crate { name: name.clone(), version: version.clone(), default_features, features })
}

fn is_plain(text: &str, more: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || more.contains(c);
    text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) && text.chars().all(allowed)
}

/// Three numbers, and perhaps a pre-release (semver.org, 9).
fn is_exact(version: &str) -> bool {
    let (numbers, pre) = version.split_once('-').unwrap_or((version, "0"));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_identifier = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && pre.split('.').all(is_identifier)
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).map_or(0, |before| before.matches('\n').count()) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
[[program]]
name = "runsc"
debian = { package = "runsc" }
cost = { cpu_s = 0, transfer_bytes = 7, building_bytes = 0, disk_bytes = 31 }
why = "because"

[[program]]
name = "youki"
crate = { name = "youki", version = "0.7.0", features = ["v1"] }
cost = { cpu_s = 230, transfer_bytes = 60, building_bytes = 99, disk_bytes = 10 }
why = "because"
"#;

    #[test]
    fn a_program_comes_from_a_package_or_a_crate() {
        let programs = parse(TWO).unwrap();
        assert_eq!(programs[0].source, Source::Package("runsc".to_owned()));
        let Source::Crate(krate) = &programs[1].source else { panic!("{:?}", programs[1].source) };
        assert_eq!((krate.version.as_str(), krate.default_features), ("0.7.0", DefaultFeatures::With));
        assert_eq!(krate.features, ["v1"]);
        assert_eq!(programs[1].cost.cpu_s, 230);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_is_expected() {
        let debian = r#"debian = { package = "runsc" }"#;
        for (good, bad, says) in [
            ("why = \"because\"\n\n", "\n\n", &["missing field `why`", "line 2"][..]),
            ("why = \"because\"\n\n", "why = \" \"\n\n", &["line 6", "`runsc`", "`why` is empty"]),
            ("name = \"runsc\"", "name = \"Run sc\"", &["line 3", "lower-case letters"]),
            ("name = \"runsc\"", "name = \"crun\"", &["line 3", "`crun`", "the toolbox has"]),
            ("name = \"youki\"\n", "name = \"runsc\"\n", &["line 9", "two programs are named `runsc`"]),
            (debian, "", &["line 2", "`runsc`", "from nowhere", "expected `debian"]),
            (debian, "debian = { package = \"run sc\" }", &["line 4", "`run sc` is no name of a package"]),
            (debian, "debian = { name = \"runsc\" }", &["line 4", "unknown field `name`", "`package`"]),
            (debian, "apt = \"runsc\"", &["line 4", "unknown field `apt`", "`debian`"]),
            (
                debian,
                "debian = { package = \"runsc\" }\ncrate = { name = \"a\", version = \"1.0.0\" }",
                &["line 2", "both `debian` and `crate`"],
            ),
            ("\"0.7.0\"", "\"0.7\"", &["line 10", "`youki`", "`0.7` is no exact version"]),
            ("\"0.7.0\"", "\"^0.7.0\"", &["line 10", "no exact version"]),
            ("\"0.7.0\"", "\"0.7.*\"", &["line 10", "no exact version"]),
            ("\"0.7.0\"", "7", &["line 10", "expected a string"]),
            ("version = \"0.7.0\", ", "", &["line 10", "missing field `version`"]),
            ("crate = { name = \"youki\"", "crate = { name = \"--git\"", &["line 10", "`--git` is no name of a crate"]),
            ("[\"v1\"]", "[\"v1,v2\"]", &["line 10", "`v1,v2` is no name of a feature"]),
            ("[\"v1\"]", "\"v1\"", &["line 10", "expected a sequence"]),
            ("cpu_s = 230", "cpu_s = -1", &["line 11", "integer `-1`"]),
            ("cpu_s = 230, ", "", &["line 11", "missing field `cpu_s`"]),
            ("[[program]]\nname = \"youki\"", "[[programm]]\nname = \"youki\"", &["line 8", "`programm`", "`program`"]),
        ] {
            assert!(TWO.contains(good), "{good}");
            let error = format!("{:#}", parse(&TWO.replacen(good, bad, 1)).unwrap_err());
            for words in says {
                assert!(error.contains(words), "{bad}: {words}: {error}");
            }
        }
    }

    #[test]
    fn a_version_is_exact_or_refused() {
        for (version, exact) in
            [("1.2.3", true), ("1.2.3-rc.1", true), ("1.2", false), ("", false), ("1.2.3-", false), ("=1.2.3", false)]
        {
            assert_eq!(is_exact(version), exact, "{version}");
        }
    }

    #[test]
    fn the_projects_own_list_is_whole() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../matrix/programs.toml");
        let names: Vec<String> = load(&path).unwrap().into_iter().map(|program| program.name).collect();
        assert_eq!(names, ["runsc", "etcd", "youki", "wasmtime", "wasmi"]);
    }
}
