//! What `cases.toml` may say: a row names an engine, a runtime, an image and a baseline that there are, and that fit.

use anyhow::ensure;
use serde::Deserialize;
use toml::Spanned;

use super::At;
use crate::matrix::{Engine, Runtime};
use oci::definition::Definition;
use results::case::{self, Case, Kind, Mode, Refusal};

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

/// What a case may name.
pub(in crate::matrix) struct Known<'a> {
    pub(in crate::matrix) engines: &'a [Engine],
    pub(in crate::matrix) runtimes: &'a [Runtime],
    pub(in crate::matrix) images: &'a [Definition],
}

pub(in crate::matrix) fn cases(text: &str, known: &Known<'_>) -> anyhow::Result<Vec<Case>> {
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
