//! One run of one case: what is started, and whether what came of it is what had to come.
//!
//! Not here: when it is run and what is kept of it (`rounds`, `calibration`), and the clock (`child`).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::child::{End, Ran};
use super::difference::difference;
use super::output::OUTPUT_LIMIT_BYTES;
use super::runs::{PodStart, RunnableBench, Start};
use crate::containerd::{Container, Ctr};
use crate::invocation::Invocation;
use crate::matrix::FILE;
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
    let with = |mut args: Vec<String>| {
        args.extend(bench.args.iter().cloned());
        args
    };
    match start {
        Start::Absent(reason) => bail!("{reason}"),
        Start::Process => Ok(Invocation { program: file()?.path.clone(), args: with(Vec::new()), env: Vec::new() }),
        Start::Engine { program, args } => {
            let path = file()?.path.to_string_lossy();
            let args = args.iter().map(|arg| arg.replace(FILE, &path)).collect();
            Ok(Invocation { program: program.clone(), args: with(args), env: Vec::new() })
        }
        // A pod is no program, and its container is the same without it: so it is looked at.
        Start::Container { runtime, annotations } | Start::Pod(PodStart { runtime, annotations, .. }) => {
            let ctr = ctr.context("no containerd is running")?;
            let image = bench.image(case).context("it has no image")?;
            let command = with(image.entrypoint.clone());
            let mut all = annotations.clone();
            all.extend(attempt.annotations.clone());
            Ok(ctr.run(&Container {
                image: &image.reference,
                platform: &image.platform,
                id: attempt.id,
                runtime,
                annotations: &all,
                command: &command,
                cgroup: attempt.cgroup.as_deref(),
                env: &[],
            }))
        }
    }
}

/// What a run came to that had to end with 0 within a limit and to print exactly this, and why that is no success.
pub fn outcome(ran: &Ran, expected: &str, limit: Duration) -> (Outcome, Option<String>) {
    outcome_of(ran, (&ran.stdout, expected.as_bytes()), limit)
}

/// The same, where only a part of what it printed is compared.
pub fn outcome_of(ran: &Ran, (printed, expected): (&[u8], &[u8]), limit: Duration) -> (Outcome, Option<String>) {
    match ran.end {
        _ if let Some(stream) = ran.flooded() => {
            let limit = OUTPUT_LIMIT_BYTES >> 20;
            let reason = format!("it wrote more than {limit} MiB to {stream}; no more is kept, and writes beyond fail");
            (Outcome::WrongOutput, Some(reason))
        }
        End::Exited(0) if printed == expected => (Outcome::Ok, None),
        End::Exited(0) => (Outcome::WrongOutput, Some(difference(expected, printed))),
        End::Exited(code) => (Outcome::NonZeroExit, Some(format!("exit status {code}{}", stderr_note(ran)))),
        End::Signalled(signal) => (Outcome::Killed, Some(format!("signal {signal}{}", stderr_note(ran)))),
        End::TimedOut | End::Stopped => {
            (Outcome::TimedOut, Some(format!("still running after {} ms{}", limit.as_millis(), stderr_note(ran))))
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
