//! A runtime whose `behaviour` is `cri`: the containers of another one of the table, in pods.

use super::{At, WireRuntime};
use crate::matrix::{Behaviour, Runtime};
use results::case::{Pod, PodLife};

/// What is said of its containers stands with the runtime that makes them: program, arguments, annotations, engine.
pub(super) fn runtime(
    at: &At<'_>,
    (name, why): (String, String),
    wire: WireRuntime,
    before: &[Runtime],
) -> anyhow::Result<Runtime> {
    let span = wire.behaviour.span();
    let has_own =
        wire.program.is_some() || !wire.args.is_empty() || !wire.annotations.is_empty() || wire.engine.is_some();
    if has_own {
        return Err(at.refuse(&span, "`cri` takes `program`, `args`, `annotations` and `engine` from its `handler`"));
    }
    let Some(handler) = wire.handler else {
        return Err(at.refuse(&span, "it needs `handler`: the runtime above whose containers are in its pods"));
    };
    let made_by = at.known("runtime above", &handler, (before, |runtime| &runtime.name))?;
    if !matches!(made_by.behaviour, Behaviour::Oci { .. } | Behaviour::Shim { .. }) {
        let what = format!("`{}` makes no containers that a pod could have", made_by.name);
        return Err(at.refuse(&handler.span(), what));
    }
    if let Some(mode) = wire.runs.iter().find(|mode| !made_by.runs.contains(mode)) {
        return Err(at.refuse(&handler.span(), format!("`{}` does not run {mode}", made_by.name)));
    }
    let Some(life) = wire.pod.filter(|life| *life != PodLife::Job) else {
        return Err(at.refuse(&span, "it needs `pod`: `own` (made for each run) or `warm` (made before it)"));
    };
    Ok(Runtime {
        name,
        title: wire.title,
        behaviour: Behaviour::Cri {
            pod: Pod { handler: made_by.name.clone(), life },
            maker: Box::new(made_by.behaviour.clone()),
        },
        runs: wire.runs,
        annotations: made_by.annotations.clone(),
        engine: made_by.engine.clone(),
        why,
    })
}
