//! `wasm-bench.toml`: somebody's own program and its benches as a file in their repository. Paths in it are meant from its
//! folder.
//!
//! Wire types (what TOML may say) are apart from what it becomes ([`Wanted`]). [`parse`] is pure, [`load`] reads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use serde::Deserialize;
use toml::Spanned;

use super::sweep::Sweep;
use super::{BaseFeatures, Features, Origin, Package, Pair, Target, Wanted, WantedBench, WantedOutput};

/// What the file is called where nothing else is said.
pub const NAME: &str = "wasm-bench.toml";

/// What `init` writes.
pub const EXAMPLE: &str = include_str!("example.toml");

/// What a file says.
#[derive(Clone, Debug)]
pub struct Described {
    /// The program and its benches.
    pub wanted: Wanted,
    /// Where runs go, when not where they go otherwise.
    pub results: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    program: Spanned<WireProgram>,
    #[serde(default)]
    bench: Vec<Spanned<WireBench>>,
    results: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProgram {
    package: Option<PathBuf>,
    bin: Option<String>,
    example: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    default_features: Option<bool>,
    all_features: Option<bool>,
    profile: Option<String>,
    native: Option<PathBuf>,
    wasm: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBench {
    name: Option<Spanned<String>>,
    #[serde(default)]
    args: Vec<String>,
    stdin: Option<PathBuf>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    dirs: Vec<String>,
    sweep: Option<Spanned<BTreeMap<String, Vec<u64>>>>,
    expect: Option<PathBuf>,
    expect_pattern: Option<String>,
    #[serde(default)]
    expect_none: bool,
    why: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses: with its name and the line.
pub fn load(path: &Path) -> anyhow::Result<Described> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("can not read `{}` (`cargo xtask init` writes one that is explained)", path.display())
    })?;
    let absolute = std::path::absolute(path).with_context(|| format!("`{}` is no path", path.display()))?;
    let base = absolute.parent().context("the file has no folder")?;
    parse(&text, base).with_context(|| format!("`{}`", path.display()))
}

/// What a text says, with paths meant from `base`.
///
/// # Errors
/// With line and what was expected.
pub fn parse(text: &str, base: &Path) -> anyhow::Result<Described> {
    let wire: Wire = toml::from_str(text)?;
    let at = |span: Range<usize>, what: anyhow::Error| {
        let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
        anyhow!("line {line}: {what:#}")
    };
    let (span, program) = (wire.program.span(), wire.program.into_inner());
    let origin = origin(program, base).map_err(|error| at(span, error))?;
    let mut benches: Vec<WantedBench> = Vec::new();
    for wire in wire.bench {
        let span = wire.span();
        let bench = bench(wire.into_inner()).map_err(|error| at(span.clone(), error))?;
        if benches.iter().any(|other| other.name == bench.name) {
            let what = anyhow!("two benches have the same `name`, or none: give each its own");
            return Err(at(span, what));
        }
        benches.push(bench);
    }
    if benches.is_empty() {
        benches.push(WantedBench::default());
    }
    let results = wire.results.map(|folder| base.join(folder));
    Ok(Described { wanted: Wanted { base: base.to_path_buf(), origin, benches }, results })
}

fn origin(wire: WireProgram, base: &Path) -> anyhow::Result<Origin> {
    let of_package = wire.bin.is_some()
        || wire.example.is_some()
        || wire.profile.is_some()
        || wire.default_features.is_some()
        || wire.all_features.is_some()
        || !wire.features.is_empty();
    match (wire.package, wire.native, wire.wasm) {
        (None, Some(native), Some(wasm)) => {
            ensure!(!of_package, "a pair of files has no `bin`, `example`, `features` or `profile`: they are built");
            Ok(Origin::Pair(Pair { native: base.join(native), wasm: base.join(wasm) }))
        }
        (Some(folder), None, None) => {
            ensure!(wire.bin.is_none() || wire.example.is_none(), "it has both `bin` and `example`: name one");
            let target = wire.bin.map(Target::Bin).or(wire.example.map(Target::Example)).unwrap_or(Target::Default);
            let base_features = match (wire.default_features.unwrap_or(true), wire.all_features.unwrap_or(false)) {
                (true, false) => BaseFeatures::Default,
                (false, false) => BaseFeatures::None,
                (true, true) => BaseFeatures::All,
                (false, true) => {
                    return Err(anyhow!("`all_features` and `default_features = false` exclude each other"));
                }
            };
            Ok(Origin::Package(Package {
                folder: base.join(folder),
                target,
                features: Features { named: wire.features, base: base_features },
                profile: wire.profile.unwrap_or_else(|| super::RELEASE.to_owned()),
            }))
        }
        _ => Err(anyhow!("`[program]` names a `package`, or a pair: `native` and `wasm`")),
    }
}

fn bench(wire: WireBench) -> anyhow::Result<WantedBench> {
    if let Some(name) = &wire.name {
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let text = name.get_ref();
        ensure!(
            !text.is_empty() && text.chars().all(fits),
            "`{text}` is no name for a bench: use lower-case letters, digits and `-`"
        );
    }
    let sweep = match wire.sweep {
        None => None,
        Some(sweep) => {
            let mut names = sweep.into_inner().into_iter();
            let first =
                names.next().context("`sweep` is empty: write a name and numbers, as in `{ n = [1, 10, 100] }`")?;
            ensure!(names.next().is_none(), "`sweep` has several names: one thing can change at a time");
            Some(Sweep::new(&first.0, &first.1)?)
        }
    };
    let output = match (wire.expect, wire.expect_pattern, wire.expect_none) {
        (None, None, false) => WantedOutput::AsNative,
        (Some(path), None, false) => WantedOutput::File(path),
        (None, Some(pattern), false) => WantedOutput::Pattern(pattern),
        (None, None, true) => WantedOutput::Anything,
        _ => return Err(anyhow!("`expect`, `expect_pattern` and `expect_none` exclude each other")),
    };
    Ok(WantedBench {
        name: wire.name.map(Spanned::into_inner),
        args: wire.args,
        stdin: wire.stdin,
        env: wire.env,
        dirs: wire.dirs,
        sweep,
        output,
        why: wire.why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", parse(text, Path::new("/base")).unwrap_err())
    }

    #[test]
    fn the_example_is_a_file_that_can_be_read() {
        let described = parse(EXAMPLE, Path::new("/base")).unwrap();
        let Origin::Package(package) = described.wanted.origin else { panic!("a package") };
        assert_eq!((package.folder.as_path(), package.target), (Path::new("/base/."), Target::Default));
        assert_eq!(described.wanted.benches.len(), 1);
        // Everything that it explains is right once it is not commented out.
        let whole = EXAMPLE.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
        assert_ne!(whole, EXAMPLE);
        let described = parse(&whole, Path::new("/base")).unwrap();
        assert!(described.wanted.benches.iter().any(|bench| bench.sweep.is_some()) && described.results.is_some());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let package = "[program]\npackage = \".\"\n";
        for (text, says) in [
            (format!("{package}bins = \"x\"\n"), "line 3"),
            ("[program]\nnative = \"x\"\n".to_owned(), "line 1: `[program]` names a `package`, or a pair"),
            (format!("{package}bin = \"a\"\nexample = \"b\"\n"), "line 1: it has both"),
            (format!("{package}\n[[bench]]\nname = \"A\"\n"), "line 4: `A` is no name"),
            (format!("{package}\n[[bench]]\nname = \"a\"\n[[bench]]\nname = \"a\"\n"), "line 6: two benches"),
            (format!("{package}\n[[bench]]\nsweep = {{ n = [1, 2] }}\n"), "line 4: a sweep needs"),
            (format!("{package}\n[[bench]]\nexpect_none = true\nexpect = \"x\"\n"), "line 4: `expect`"),
        ] {
            let error = error(&text);
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn paths_are_meant_from_the_folder_of_the_file() {
        let text = "results = \"runs\"\n[program]\nnative = \"a\"\nwasm = \"/abs/a.wasm\"\n";
        let described = parse(text, Path::new("/base")).unwrap();
        let pair = Pair { native: "/base/a".into(), wasm: "/abs/a.wasm".into() };
        assert_eq!((described.wanted.origin, described.results), (Origin::Pair(pair), Some("/base/runs".into())));
    }
}
