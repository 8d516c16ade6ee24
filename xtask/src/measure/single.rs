//! One run of one case: what is started, with what it is given; and how it failed, whatever it printed.
//!
//! Not here: when it is run and what is kept of it (`rounds`, `calibration`), what has to be printed (`expectation`), and
//! the clock (`child`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::child::{End, Ran};
use super::output::OUTPUT_LIMIT_BYTES;
use super::runs::{PodStart, RunnableBench, Start};
use crate::bench::{Folder, Input, Reads};
use crate::containerd::{Container, Ctr};
use crate::invocation::{Invocation, Stdin};
use crate::matrix::{FILE, Grants};
use results::Outcome;
use results::case::Case;

/// What the container of one run gets.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Its name.
    pub id: &'a str,
    /// Annotations beside those of its runtime.
    pub annotations: BTreeMap<String, String>,
    /// The cgroup that it is put into, where not the one of its name.
    pub cgroup: Option<String>,
}

impl<'a> Attempt<'a> {
    /// Nothing but a name.
    pub fn plain(id: &'a str) -> Self {
        Self { id, annotations: BTreeMap::new(), cgroup: None }
    }
}

/// Why a bench can not be started by a case, when that is known of it: there is no file of the form, or what starts it can
/// not be told what the bench is given.
pub fn obstacle(start: &Start, (bench, case): (&RunnableBench, &Case)) -> Option<String> {
    if let Some(reason) = bench.absent.files.get(&case.form) {
        return Some(reason.clone());
    }
    match start {
        Start::Absent(_) | Start::Process => None,
        Start::Engine { grants, .. } => options(grants, &bench.input).err().map(|error| format!("{error:#}")),
        Start::Pod(_) if !bench.input.is_empty() => Some(
            "what a container of a pod is given beside arguments is not done: no `--stdin`, `--env`, `--dir`"
                .to_owned(),
        ),
        Start::Container { .. } | Start::Pod(_) => bench.absent.images.get(&case.form).cloned(),
    }
}

/// What is started for a bench by a case; `id` is the container's name.
///
/// # Errors
/// When it can not be started, and why.
pub fn invocation(
    start: &Start,
    (bench, case): (&RunnableBench, &Case),
    (ctr, id): (Option<&Ctr>, &str),
) -> anyhow::Result<Invocation> {
    invocation_as(start, (bench, case), (ctr, &Attempt::plain(id)))
}

/// The same, with more for its container than a name.
///
/// # Errors
/// As [`invocation`].
pub fn invocation_as(
    start: &Start,
    (bench, case): (&RunnableBench, &Case),
    (ctr, attempt): (Option<&Ctr>, &Attempt<'_>),
) -> anyhow::Result<Invocation> {
    let file = || bench.file(case.form).context("it was not built");
    let stdin = stdin(&bench.input);
    match start {
        Start::Absent(reason) => bail!("{reason}"),
        Start::Process => Ok(process(bench, file()?.path.clone())),
        Start::Engine { program, args, grants } => {
            let path = file()?.path.to_string_lossy();
            // Options stand before the module: what is behind it is the module's own.
            let (before, behind) = args.split_at(args.iter().position(|arg| arg.contains(FILE)).unwrap_or(args.len()));
            let mut words = before.to_vec();
            words.extend(options(grants, &bench.input)?);
            words.extend(behind.iter().map(|arg| arg.replace(FILE, &path)));
            words.extend(bench.args.iter().cloned());
            let env = if grants.passes_environment() { environment(&bench.input) } else { Vec::new() };
            Ok(Invocation { program: program.clone(), args: words, env, stdin })
        }
        Start::Container { .. } | Start::Pod(_) => {
            let ctr = ctr.context("no containerd is running")?;
            let invocation = container(start, (bench, case), attempt, |container| ctr.run(container))?;
            Ok(Invocation { stdin, ..invocation })
        }
    }
}

/// What becomes of the container of a bench, by a case that has one.
///
/// # Errors
/// When there is none.
pub fn container<T>(
    start: &Start,
    (bench, case): (&RunnableBench, &Case),
    attempt: &Attempt<'_>,
    then: impl FnOnce(&Container<'_>) -> T,
) -> anyhow::Result<T> {
    // A pod is no program, and its container is the same without it: so it is looked at.
    let (Start::Container { runtime, annotations } | Start::Pod(PodStart { runtime, annotations, .. })) = start else {
        bail!("it makes no container");
    };
    let image = bench.image(case).context("it has no image")?;
    let command: Vec<String> = image.entrypoint.iter().chain(&bench.args).cloned().collect();
    let mut all = annotations.clone();
    all.extend(attempt.annotations.clone());
    Ok(then(&Container {
        image: &image.reference,
        platform: &image.platform,
        id: attempt.id,
        runtime,
        annotations: &all,
        command: &command,
        cgroup: attempt.cgroup.as_deref(),
        env: &environment(&bench.input),
        folders: &bench.input.folders,
    }))
}

/// The native program of a bench, started directly.
pub fn process(bench: &RunnableBench, program: PathBuf) -> Invocation {
    let args = bench.args.iter().map(|arg| bench.input.for_process(arg)).collect();
    Invocation { program, args, env: environment(&bench.input), stdin: stdin(&bench.input) }
}

fn stdin(input: &Input) -> Stdin {
    match &input.stdin {
        Reads::File(path) => Stdin::File(path.clone()),
        Reads::Nothing | Reads::Empty => Stdin::Empty,
    }
}

fn environment(input: &Input) -> Vec<(String, String)> {
    input.env.iter().map(|variable| (variable.name.clone(), variable.value.clone())).collect()
}

/// The words that tell an engine's command line about variables and folders.
fn options(grants: &Grants, input: &Input) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    for variable in &input.env {
        let Some(template) = &grants.env else {
            bail!("this engine's command line can not give `{}` to a module: measure it without `--env`", variable.name)
        };
        words.extend(template.iter().map(|word| Grants::variable(word, &variable.name, &variable.value)));
    }
    for folder in &input.folders {
        words.extend(folder_options(grants, folder)?);
    }
    Ok(words)
}

fn folder_options(grants: &Grants, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let host = folder.host.to_str().with_context(|| format!("`{}` is not UTF-8", folder.host.display()))?;
    let Some(template) = &grants.dir else {
        bail!("this engine's command line can not show a folder to a module: measure it without `--dir`")
    };
    if !Grants::renames(template) && host != folder.guest {
        bail!(
            "this engine's command line shows a module every folder under its own name, and `{host}` was to be `{}`: \
             write `--dir {host}`",
            folder.guest
        );
    }
    Ok(template.iter().map(|word| Grants::folder(word, host, &folder.guest)).collect())
}

/// How a run failed that had to end with 0 within a limit, whatever it printed; `None` when it ended well.
pub fn failure(ran: &Ran, limit: Duration) -> Option<(Outcome, String)> {
    if let Some(stream) = ran.flooded() {
        let limit = OUTPUT_LIMIT_BYTES >> 20;
        let reason = format!(
            "it wrote more than {limit} MiB to {stream}; no more is kept, and writes beyond fail: give it less to print, or let \
             it write to a file below a folder"
        );
        return Some((Outcome::WrongOutput, reason));
    }
    match ran.end {
        End::Exited(0) => None,
        End::Exited(code) => Some((Outcome::NonZeroExit, format!("exit status {code}{}", stderr_note(ran)))),
        End::Signalled(signal) => Some((Outcome::Killed, format!("signal {signal}{}", stderr_note(ran)))),
        End::TimedOut | End::Stopped => {
            let limit = limit.as_millis();
            Some((
                Outcome::TimedOut,
                format!("still running after {limit} ms (`--timeout SECONDS` allows more){}", stderr_note(ran)),
            ))
        }
    }
}

fn stderr_note(ran: &Ran) -> String {
    let stderr = quoted(&ran.stderr);
    if stderr.is_empty() { String::new() } else { format!("; it said: {stderr}") }
}

/// The beginning of what a program wrote, short enough for a row.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
