//! What the three files may say, apart from what the program may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{anyhow, ensure};
use serde::Deserialize;
use toml::Spanned;

use oci::definition::Definition;

use super::versions::{Version, Versions};
use super::{Annotations, Behaviour, Compile, Engine, FILE, Grants, OUTPUT, Own, Run, Runtime};
use results::case::{self, Case, Kind, Mode, PodLife, Refusal};

mod pod;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default)]
    case: Vec<WireCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCase {
    name: Spanned<String>,
    mode: Spanned<Mode>,
    engine: Option<Spanned<String>>,
    runtime: Spanned<String>,
    image: Option<Spanned<String>>,
    baseline: Option<Spanned<String>>,
    sets: Vec<String>,
    why: Spanned<String>,
    refused: Option<Spanned<Refusal>>,
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

/// What a case may name.
pub(super) struct Known<'a> {
    pub(super) engines: &'a [Engine],
    pub(super) runtimes: &'a [Runtime],
    pub(super) images: &'a [Definition],
}

pub(super) fn cases(text: &str, known: &Known<'_>) -> anyhow::Result<Vec<Case>> {
    let at = At(text);
    let file: Cases = toml::from_str(text)?;
    ensure!(!file.case.is_empty(), "it defines no case: add a `[[case]]` table");
    let mut cases: Vec<Case> = Vec::new();
    for wire in &file.case {
        let case = case(&at, wire, known, &cases)?;
        cases.push(case);
    }
    for wire in &file.case {
        baseline(&at, wire, &cases)?;
    }
    let controls: Vec<Option<String>> = cases.iter().map(|case| control(case, &cases)).collect();
    cases.iter_mut().zip(controls).for_each(|(case, control)| case.control = control);
    Ok(cases)
}

fn case(at: &At<'_>, wire: &WireCase, known: &Known<'_>, before: &[Case]) -> anyhow::Result<Case> {
    let names: Vec<&str> = before.iter().map(|case| case.name.as_str()).collect();
    let name = at.name(&wire.name, &names, &['/'])?;
    let mode = *wire.mode.get_ref();
    let runtime = at.known("runtime", &wire.runtime, (known.runtimes, |runtime| &runtime.name))?;
    if !runtime.runs.contains(&mode) {
        let runs: Vec<&Mode> = runtime.runs.iter().collect();
        let what = format!("`{}` does not run {mode}: it runs {}", runtime.name, case::names(&runs));
        return Err(at.refuse(&wire.mode.span(), what));
    }
    let form = form(at, wire, (known.engines, runtime))?;
    let container = runtime.behaviour.is_container();
    let image = match &wire.image {
        Some(image) if !container => return Err(at.refuse(&image.span(), "a process has no `image`")),
        None if !container => None,
        chosen => Some(image(at, (wire, chosen.as_ref()), (form, known.images))?),
    };
    Ok(Case {
        name,
        form,
        mode,
        engine: wire.engine.as_ref().map(|engine| case::Engine { name: engine.get_ref().clone(), version: None }),
        runtime: case::Runtime {
            name: runtime.name.clone(),
            title: runtime.title.clone(),
            container,
            version: None,
            pod: runtime.behaviour.pod().cloned(),
        },
        image,
        baseline: wire.baseline.as_ref().map(|baseline| baseline.get_ref().clone()),
        control: None,
        sets: wire.sets.clone(),
        why: at.why(&wire.why)?,
        refused: wire.refused.as_ref().map(|refused| refusal(at, refused)).transpose()?,
    })
}

/// What a row that can not be run is expected to say: any reason at all would excuse a row that is broken.
fn refusal(at: &At<'_>, wire: &Spanned<Refusal>) -> anyhow::Result<Refusal> {
    let refusal = wire.get_ref();
    if refusal.says.trim().is_empty() || refusal.why.trim().is_empty() {
        return Err(at.refuse(&wire.span(), "`refused` needs `says`, words of the reason, and `why`"));
    }
    Ok(refusal.clone())
}

/// The image of a container: the one that is named, or the one named like the form.
fn image(
    at: &At<'_>,
    (wire, chosen): (&WireCase, Option<&Spanned<String>>),
    (form, images): (Kind, &[Definition]),
) -> anyhow::Result<String> {
    let (name, span) = match chosen {
        Some(chosen) => (chosen.get_ref().as_str(), chosen.span()),
        None => (form.name(), wire.runtime.span()),
    };
    let of_form = |image: &&Definition| image.kind == form;
    if let Some(found) = images.iter().find(|image| image.name == name).filter(of_form) {
        return Ok(found.name.clone());
    }
    let names: Vec<&str> = images.iter().filter(of_form).map(|image| image.name.as_str()).collect();
    let known = if names.is_empty() { "there is none".to_owned() } else { case::names(&names) };
    Err(at.refuse(&span, format!("there is no image `{name}` of the form `{form}` (known: {known})")))
}

/// The form of file that a case runs: what its engine takes in this mode.
fn form(at: &At<'_>, wire: &WireCase, (engines, runtime): (&[Engine], &Runtime)) -> anyhow::Result<Kind> {
    let mode = *wire.mode.get_ref();
    match (mode, &wire.engine) {
        (Mode::Native, None) => Ok(Kind::Native),
        (Mode::Native, Some(engine)) => Err(at.refuse(&engine.span(), "a native program has no `engine`")),
        (_, None) => Err(at.refuse(&wire.name.span(), "a module needs an `engine`")),
        (_, Some(name)) => {
            let engine = at.known("engine", name, (engines, |engine| &engine.name))?;
            if let Some(own) = runtime.engine.as_ref().filter(|own| **own != engine.name) {
                return Err(at.refuse(&name.span(), format!("`{}` has the engine `{own}` built in", runtime.name)));
            }
            let run = engine.modes.get(&mode);
            let what = format!("the engine `{}` has no mode {mode}", engine.name);
            run.map(|run| run.form).ok_or_else(|| at.refuse(&wire.mode.span(), what))
        }
    }
}

/// A baseline exists, is native and is no case's that is compared itself: then none can lead back.
fn baseline(at: &At<'_>, wire: &WireCase, cases: &[Case]) -> anyhow::Result<()> {
    let Some(name) = &wire.baseline else { return Ok(()) };
    let found = at.known("case", name, (cases, |case| &case.name))?;
    if let Some(further) = &found.baseline {
        let what =
            format!("the baseline `{found}` is itself compared with `{further}`: name a case without a `baseline`");
        return Err(at.refuse(&name.span(), what));
    }
    Ok(())
}

/// For a module in a container: the native program in the same runtime, where that is no baseline itself.
fn control(case: &Case, cases: &[Case]) -> Option<String> {
    let is_control =
        |other: &&Case| other.mode == Mode::Native && other.runtime.name == case.runtime.name && !other.is_baseline();
    let wants = case.is_container() && case.mode != Mode::Native;
    wants.then(|| cases.iter().find(is_control).map(|control| control.name.clone())).flatten()
}
