//! What the three files may say, apart from what the program may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::anyhow;
use serde::Deserialize;
use toml::Spanned;

use super::versions::{Version, Versions};
use super::{Annotations, Behaviour, Compile, Engine, FILE, Grants, OUTPUT, Own, Run, Runtime};
use results::case::{self, Kind, Mode, PodLife};

mod pod;
mod row;

pub(super) use row::{Known, cases};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Engines {
    #[serde(default)]
    engine: Vec<WireEngine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEngine {
    name: Spanned<String>,
    title: String,
    program: String,
    versions: Option<Spanned<WireVersions>>,
    compile: Option<Spanned<WireCompile>>,
    modes: BTreeMap<Mode, Spanned<WireRun>>,
    env: Option<Vec<String>>,
    dir: Option<Vec<String>>,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireVersions {
    from: String,
    below: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRun {
    form: Kind,
    args: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCompile {
    form: Kind,
    program: String,
    args: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runtimes {
    #[serde(default)]
    runtime: Vec<WireRuntime>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum WireBehaviour {
    Process,
    Oci,
    Shim,
    Cri,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRuntime {
    name: Spanned<String>,
    title: String,
    behaviour: Spanned<WireBehaviour>,
    program: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    annotations: BTreeMap<Mode, Annotations>,
    env: Option<Vec<String>>,
    dir: Option<Vec<String>>,
    engine: Option<Spanned<String>>,
    handler: Option<Spanned<String>>,
    pod: Option<PodLife>,
    runs: BTreeSet<Mode>,
    why: Spanned<String>,
}

/// A file's text, for `line N: …` where a TOML parser can not know that something is wrong.
struct At<'a>(&'a str);

impl At<'_> {
    fn refuse(&self, span: &Range<usize>, what: impl std::fmt::Display) -> anyhow::Error {
        let line = self.0[..span.start.min(self.0.len())].matches('\n').count() + 1;
        anyhow!("line {line}: {what}")
    }

    /// A name of lower-case letters, digits, `-` and the given others, that no earlier one has.
    fn name(&self, name: &Spanned<String>, known: &[&str], others: &[char]) -> anyhow::Result<String> {
        let text = name.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || others.contains(&c);
        if text.is_empty() || !text.chars().all(fits) {
            let what = format!("`{text}` is no name: use lower-case letters, digits and `-`");
            return Err(self.refuse(&name.span(), what));
        }
        if known.contains(&text.as_str()) {
            return Err(self.refuse(&name.span(), format!("`{text}` is defined twice")));
        }
        Ok(text.clone())
    }

    fn why(&self, why: &Spanned<String>) -> anyhow::Result<String> {
        let text = why.get_ref().trim();
        if text.is_empty() {
            return Err(self.refuse(&why.span(), "`why` is empty: say what question it answers"));
        }
        Ok(text.to_owned())
    }

    fn known<'k, T>(
        &self,
        what: &str,
        name: &Spanned<String>,
        (all, of): (&'k [T], fn(&T) -> &str),
    ) -> anyhow::Result<&'k T> {
        all.iter().find(|each| of(each) == name.get_ref()).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(of).collect();
            let known = if names.is_empty() { "there is none".to_owned() } else { case::names(&names) };
            self.refuse(&name.span(), format!("there is no {what} `{}` (known: {known})", name.get_ref()))
        })
    }
}

pub(super) fn engines(text: &str) -> anyhow::Result<Vec<Engine>> {
    let at = At(text);
    let file: Engines = toml::from_str(text)?;
    let mut engines: Vec<Engine> = Vec::new();
    for wire in file.engine {
        let known: Vec<&str> = engines.iter().map(|engine| engine.name.as_str()).collect();
        let name = at.name(&wire.name, &known, &[])?;
        let why = at.why(&wire.why)?;
        let compile = wire.compile.map(|compile| self::compile(&at, compile, &engines)).transpose()?;
        let versions = wire.versions.map(|versions| self::versions(&at, versions)).transpose()?;
        let mut modes = BTreeMap::new();
        for (mode, run) in wire.modes {
            let (span, run) = (run.span(), run.into_inner());
            if mode == Mode::Native || run.form == Kind::Native {
                let what = "an engine runs no native programs: its modes are `interpreter`, `jit` and `aot`";
                return Err(at.refuse(&span, what));
            }
            let own = compile.as_ref().map(|compile| compile.form);
            if run.form != Kind::Wasm && own != Some(run.form) {
                let what = format!("nothing of this engine makes `{0}`: add `compile` with `form = \"{0}\"`", run.form);
                return Err(at.refuse(&span, what));
            }
            if !run.args.iter().any(|arg| arg.contains(FILE)) {
                return Err(at.refuse(&span, format!("no argument contains `{FILE}`, which stands for the module")));
            }
            modes.insert(mode, Run { form: run.form, args: run.args });
        }
        let grants = grants(&at, &wire.name, (wire.env, wire.dir))?;
        engines.push(Engine { name, title: wire.title, program: wire.program, versions, compile, modes, grants, why });
    }
    Ok(engines)
}

fn versions(at: &At<'_>, wire: Spanned<WireVersions>) -> anyhow::Result<Versions> {
    let (span, WireVersions { from, below }) = (wire.span(), wire.into_inner());
    let version = |text: &str| Version::parse(text).map_err(|error| at.refuse(&span, format!("{error:#}")));
    let versions = Versions { from: version(&from)?, below: version(&below)? };
    if versions.from >= versions.below {
        return Err(at.refuse(&span, format!("no version is {versions}")));
    }
    Ok(versions)
}

fn grants(
    at: &At<'_>,
    name: &Spanned<String>,
    (env, dir): (Option<Vec<String>>, Option<Vec<String>>),
) -> anyhow::Result<Grants> {
    let grants = Grants { env, dir };
    grants.fault().map_or(Ok(()), |fault| Err(at.refuse(&name.span(), fault)))?;
    Ok(grants)
}

fn compile(at: &At<'_>, wire: Spanned<WireCompile>, before: &[Engine]) -> anyhow::Result<Compile> {
    let (span, WireCompile { form, program, args }) = (wire.span(), wire.into_inner());
    if matches!(form, Kind::Native | Kind::Wasm) {
        return Err(
            at.refuse(&span, format!("`{form}` is made by the toolchain: an engine makes `wasm-aot` or `cwasm`"))
        );
    }
    if let Some(other) = before.iter().find(|other| other.compile.as_ref().is_some_and(|own| own.form == form)) {
        return Err(at.refuse(&span, format!("`{form}` is made by the engine `{}` already", other.name)));
    }
    if let Some(missing) = [FILE, OUTPUT].into_iter().find(|word| !args.iter().any(|arg| arg.contains(word))) {
        return Err(at.refuse(&span, format!("no argument contains `{missing}`")));
    }
    Ok(Compile { form, program, args })
}

pub(super) fn runtimes(text: &str, engines: &[Engine]) -> anyhow::Result<Vec<Runtime>> {
    let at = At(text);
    let file: Runtimes = toml::from_str(text)?;
    let mut runtimes: Vec<Runtime> = Vec::new();
    for wire in file.runtime {
        let known: Vec<&str> = runtimes.iter().map(|runtime| runtime.name.as_str()).collect();
        let name = at.name(&wire.name, &known, &[])?;
        let why = at.why(&wire.why)?;
        if let Some(engine) = &wire.engine {
            at.known("engine", engine, (engines, |engine| &engine.name))?;
        }
        if wire.behaviour.get_ref() == &WireBehaviour::Cri {
            let pod = pod::runtime(&at, (name, why), wire, &runtimes)?;
            runtimes.push(pod);
            continue;
        }
        let behaviour = behaviour(&at, &wire)?;
        let engine = wire.engine.map(Spanned::into_inner);
        if let Some(mode) = wire.annotations.keys().find(|mode| !wire.runs.contains(mode)) {
            return Err(at.refuse(&wire.name.span(), format!("it has `annotations` for {mode}, which it does not run")));
        }
        let (title, runs, annotations) = (wire.title, wire.runs, wire.annotations);
        runtimes.push(Runtime { name, title, behaviour, runs, annotations, engine, why });
    }
    Ok(runtimes)
}

fn behaviour(at: &At<'_>, wire: &WireRuntime) -> anyhow::Result<Behaviour> {
    let span = wire.behaviour.span();
    if wire.handler.is_some() || wire.pod.is_some() {
        return Err(at.refuse(&span, "only `cri` has a `handler` and a `pod`"));
    }
    if (wire.env.is_some() || wire.dir.is_some())
        && wire.program.is_none() | (*wire.behaviour.get_ref() != WireBehaviour::Process)
    {
        let what = "`env` and `dir` are for a process with a `program` of its own: containers have both by themselves";
        return Err(at.refuse(&span, what));
    }
    let program = || {
        let what = "it needs `program`: what is started";
        wire.program.clone().ok_or_else(|| at.refuse(&span, what))
    };
    match wire.behaviour.get_ref() {
        WireBehaviour::Process => process(at, wire),
        WireBehaviour::Oci => Ok(Behaviour::Oci { program: program()?, args: wire.args.clone() }),
        WireBehaviour::Shim if !wire.args.is_empty() => {
            Err(at.refuse(&span, "a shim has no `args`: it is started by name"))
        }
        WireBehaviour::Shim => Ok(Behaviour::Shim { program: program()? }),
        WireBehaviour::Cri => Err(at.refuse(&span, "a pod is made of another runtime's containers")),
    }
}

/// A process starts the artifact or the engine's command line; or a program of its own, which then is the engine.
fn process(at: &At<'_>, wire: &WireRuntime) -> anyhow::Result<Behaviour> {
    let refuse = |what: &str| Err(at.refuse(&wire.behaviour.span(), what));
    match (&wire.program, &wire.engine) {
        _ if !wire.annotations.is_empty() => refuse("a process has no `annotations`"),
        (None, None) if wire.args.is_empty() => Ok(Behaviour::Process { own: None }),
        (Some(program), Some(_)) if wire.args.iter().any(|arg| arg.contains(FILE)) => {
            let grants = grants(at, &wire.name, (wire.env.clone(), wire.dir.clone()))?;
            Ok(Behaviour::Process { own: Some(Own { program: program.clone(), args: wire.args.clone(), grants }) })
        }
        _ => refuse(
            "a process has no `program`, `args` and `engine` of its own (the case names its engine), or all three, with \
             `{file}` among the arguments",
        ),
    }
}
