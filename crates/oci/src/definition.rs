//! Image definitions: `images/<name>.toml` becomes a checked [`Definition`]. Several may pack the same kind of file.
//!
//! Wire types (what TOML may say) are apart from inner types (what [`super::build`] may rely on). [`parse`] is
//! pure, [`load`] reads. Not here: the program's bytes, and anything with a digest.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

pub use base::Base;
pub use form::Form;

use super::INDEX_TAG;
use crate::kind::Kind;

mod base;
mod form;

/// What stands for the program's name in a definition.
const PLACEHOLDER: &str = "{program}";

/// The system that an image is for. The values are those that containerd and the Wasm shims know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Native images.
    LinuxAmd64,
    /// Modules of the first preview of WASI, by the name that Rust and runwasi give it.
    Wasip1Wasm,
    /// The same by the name that images had before there was a second preview.
    WasiWasm,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 3] = [Self::LinuxAmd64, Self::Wasip1Wasm, Self::WasiWasm];

    /// What an image of a kind may call its platform, the usual name first.
    pub const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Native => &[Self::LinuxAmd64],
            Kind::Wasm | Kind::WasmAot | Kind::Cwasm => &[Self::Wasip1Wasm, Self::WasiWasm],
        }
    }

    /// `os` of the config (OCI image-spec, config.md).
    pub const fn os(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "linux",
            Self::Wasip1Wasm => "wasip1",
            Self::WasiWasm => "wasi",
        }
    }

    /// `architecture` of the config.
    pub const fn architecture(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "amd64",
            Self::Wasip1Wasm | Self::WasiWasm => "wasm",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.os(), self.architecture()))
    }
}

/// One way to pack files of one kind, for any program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name, which is that of its file, and the tag of its images.
    pub name: String,
    /// The artifact that is packed.
    pub kind: Kind,
    /// Why the image is made like this.
    pub why: String,
    /// What it runs on.
    pub platform: Platform,
    /// How the program lies in it.
    pub form: Form,
    /// What lies below the program; nothing where it is alone.
    pub base: Option<Base>,
    path: Template,
    entrypoint: Vec<Template>,
    env: Vec<Template>,
    working_dir: String,
    labels: BTreeMap<String, Template>,
    annotations: BTreeMap<String, Template>,
}

/// A definition with a program's name put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The program's absolute path in the image; what the entrypoint calls a module that is the layer.
    pub path: String,
    /// The command.
    pub entrypoint: Vec<String>,
    /// `NAME=value` each.
    pub env: Vec<String>,
    /// The absolute path that it starts in.
    pub working_dir: String,
    /// Labels of the config.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

impl Definition {
    /// Whether it is the one that a kind is packed by unless another one is asked for: it has the kind's name.
    pub fn is_default(&self) -> bool {
        self.name == self.kind.name()
    }

    /// The settings for one program.
    pub fn for_program(&self, program: &str) -> Settings {
        let all = |templates: &[Template]| templates.iter().map(|template| template.fill(program)).collect();
        let map = |templates: &BTreeMap<String, Template>| {
            templates.iter().map(|(name, template)| (name.clone(), template.fill(program))).collect()
        };
        Settings {
            path: self.path.fill(program),
            entrypoint: all(&self.entrypoint),
            env: all(&self.env),
            working_dir: self.working_dir.clone(),
            labels: map(&self.labels),
            annotations: map(&self.annotations),
        }
    }
}

/// A text whose only placeholder is `{program}`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template(String);

impl Template {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let rest = text.replace(PLACEHOLDER, "");
        ensure!(!rest.contains(['{', '}']), "`{text}` has a placeholder other than `{PLACEHOLDER}`");
        Ok(Self(text.to_owned()))
    }

    fn fill(&self, program: &str) -> String {
        self.0.replace(PLACEHOLDER, program)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: Spanned<Kind>,
    why: Spanned<String>,
    platform: Spanned<String>,
    form: Option<Spanned<form::WireForm>>,
    base: Option<Spanned<base::WireBase>>,
    layer: Option<Spanned<form::WireLayer>>,
    config: WireConfig,
    #[serde(default)]
    annotations: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireConfig {
    entrypoint: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    env: Vec<Spanned<String>>,
    working_dir: Spanned<String>,
    #[serde(default)]
    labels: BTreeMap<String, Spanned<String>>,
}

/// Reads and checks every definition of a folder, in the order of [`Kind::ALL`], for each kind its default first.
///
/// # Errors
/// When the folder can not be read, holds no definition, or one that is wrong: with file, line and expectation.
pub fn load(dir: &Path) -> anyhow::Result<Vec<Definition>> {
    let shown = dir.display();
    let mut definitions = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("can not read the image definitions in `{shown}`"))? {
        let path = entry.with_context(|| format!("can not read the image definitions in `{shown}`"))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let definition =
            parse(&name, &text).with_context(|| format!("`{}` is not an image definition", path.display()))?;
        definitions.push(definition);
    }
    ensure!(
        !definitions.is_empty(),
        "`{shown}` holds no image definition: it should have a `<name>.toml` for each, one named like each kind"
    );
    definitions.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(definitions)
}

fn order(definition: &Definition) -> (Kind, bool, &str) {
    (definition.kind, !definition.is_default(), &definition.name)
}

/// The definition that a TOML text gives; `name` is its file's, without extension.
///
/// # Errors
/// With line, column and what was expected; without a line when the name is none.
pub fn parse(name: &str, text: &str) -> anyhow::Result<Definition> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    ensure!(
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(fits) && name != INDEX_TAG,
        "`{name}` is no name for a definition, which is the tag of its images: use lower-case letters, digits and `-`, \
         and not `{INDEX_TAG}`, the tag of every index"
    );
    let wire: Wire = toml::from_str(text)?;
    Checker { text }.definition(name, &wire)
}

/// Turns wire values into inner ones; an error begins with the line of the value.
struct Checker<'a> {
    text: &'a str,
}

impl Checker<'_> {
    fn at<T, U>(&self, value: &Spanned<T>, check: impl FnOnce(&T) -> anyhow::Result<U>) -> anyhow::Result<U> {
        check(value.get_ref()).map_err(|error| {
            let line = self.text[..value.span().start].matches('\n').count() + 1;
            anyhow::anyhow!("line {line}: {error:#}")
        })
    }

    fn definition(&self, name: &str, wire: &Wire) -> anyhow::Result<Definition> {
        let kind = self.at(&wire.kind, |kind| {
            let named = Kind::ALL.into_iter().find(|named| named.name() == name);
            ensure!(
                named.is_none_or(|named| named == *kind),
                "`kind` is `{kind}`: expected `{name}`, for the definition named like a kind is that kind's default"
            );
            Ok(*kind)
        })?;
        let why = self.why(&wire.why)?;
        let platform = self.at(&wire.platform, |text| {
            let known = Platform::of(kind).iter().copied();
            let expected: Vec<String> = known.clone().map(|platform| format!("`{platform}`")).collect();
            let found = known.into_iter().find(|platform| platform.to_string() == *text);
            found.with_context(|| format!("`platform` is `{text}`: expected {} for `{kind}`", expected.join(" or ")))
        })?;
        let form = (wire.form.as_ref(), kind);
        let (form, path) = self.form(form, wire.layer.as_ref(), &wire.config.entrypoint)?;
        if let (Some(base), Form::Module | Form::Artifact) = (&wire.base, form) {
            self.at(base, |_| bail!("a module that is the layer has nothing below it: leave out `[base]`"))?;
        }
        Ok(Definition {
            name: name.to_owned(),
            kind,
            why,
            platform,
            form,
            base: wire.base.as_ref().map(|base| self.base(base, platform)).transpose()?,
            entrypoint: self.entrypoint(&wire.config.entrypoint, &path)?,
            path,
            env: wire.config.env.iter().map(|env| self.at(env, |env| variable(env))).collect::<anyhow::Result<_>>()?,
            working_dir: self.at(&wire.config.working_dir, |dir| {
                ensure!(dir.starts_with('/'), "`working_dir` is `{dir}`: expected an absolute path");
                Ok(dir.clone())
            })?,
            labels: self.templates(&wire.config.labels)?,
            annotations: self.templates(&wire.annotations)?,
        })
    }

    fn why(&self, why: &Spanned<String>) -> anyhow::Result<String> {
        self.at(why, |why| {
            ensure!(!why.trim().is_empty(), "`why` is empty: say why the image is made like this");
            Ok(why.clone())
        })
    }

    fn entrypoint(&self, wire: &Spanned<Vec<Spanned<String>>>, path: &Template) -> anyhow::Result<Vec<Template>> {
        self.at(wire, |words| {
            let first = words.first().map_or("", |word| word.get_ref());
            // Behind `#` stands a function of the module (runwasi's `module#function`).
            let program = first.split('#').next().unwrap_or_default();
            ensure!(program == path.0, "`entrypoint` starts with `{first}`: expected the program, `{}`", path.0);
            Ok(())
        })?;
        wire.get_ref().iter().map(|word| self.at(word, |word| Template::parse(word))).collect()
    }

    fn templates(&self, wire: &BTreeMap<String, Spanned<String>>) -> anyhow::Result<BTreeMap<String, Template>> {
        wire.iter().map(|(name, value)| Ok((name.clone(), self.at(value, |value| Template::parse(value))?))).collect()
    }
}

fn absolute(path: &str) -> anyhow::Result<Template> {
    let Some(relative) = path.strip_prefix('/') else {
        bail!("`path` is `{path}`: expected an absolute path");
    };
    ensure!(
        relative.split('/').all(|part| !matches!(part, "" | "." | "..")),
        "`path` is `{path}`: expected names between single slashes, no `.` and no `..`"
    );
    Template::parse(path)
}

fn variable(text: &str) -> anyhow::Result<Template> {
    let named = text.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    ensure!(named, "`env` has `{text}`: expected `NAME=value`");
    Template::parse(text)
}

#[cfg(test)]
mod tests;
