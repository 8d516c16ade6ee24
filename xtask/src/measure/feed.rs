//! The standard input of a container, given so that its end is not lost.
//!
//! `ctr run` hands on that its standard input has ended only when it knows the container's task; an input that ends before
//! that (any small file does) never ends for the program, which waits for ever. So the container's input is a pipe, and its
//! end is given when containerd says that the task has started. Not here: the clock (`child`).

use std::fs::File;
use std::io::{ErrorKind, PipeWriter};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use super::child::{self, Ran};
use super::watchdog::Watchdog;
use crate::bench::Reads;
use crate::containerd::events::TaskStarts;
use crate::invocation::{Invocation, Stdin};

/// Runs a program. Where it is the client of a container (there is something that waits for its task) whose program may read,
/// it gets its standard input from here, else from itself.
///
/// # Errors
/// As [`child::run`], and [`run`].
pub fn child(
    invocation: &Invocation,
    (input, starts, id): (&Reads, Option<&mut TaskStarts>, &str),
    (limit, watchdog): (Duration, &Watchdog),
) -> anyhow::Result<Ran> {
    let path = match input {
        Reads::Nothing => None,
        Reads::Empty => Some(Path::new("/dev/null")),
        Reads::File(path) => Some(path.as_path()),
    };
    match (path, starts) {
        (Some(path), Some(starts)) => {
            run(starts, (path, id), |stdin| child::run(&Invocation { stdin, ..invocation.clone() }, limit, watchdog))
        }
        _ => child::run(invocation, limit, watchdog),
    }
}

/// Runs the client of a container, which gets its standard input from a file by a thread that sleeps until there is
/// something to do.
///
/// # Errors
/// When the client can not be run, the file can not be read, or containerd shows no events any more.
fn run(
    starts: &mut TaskStarts,
    (path, id): (&Path, &str),
    client: impl FnOnce(Stdin) -> anyhow::Result<Ran>,
) -> anyhow::Result<Ran> {
    let input = File::open(path).with_context(|| format!("can not read `{}`", path.display()))?;
    let (reader, writer) = std::io::pipe().context("can not make a pipe")?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| feed(starts, (input, writer), id, &is_over));
        // With it the last reader of ours is gone, so that whoever still writes is told.
        let ran = client(Stdin::Pipe(Arc::new(reader.into())));
        is_over.store(true, Ordering::Relaxed);
        let fed = feeding.join().map_err(|_| anyhow!("giving the standard input failed"))?;
        let ran = ran?;
        fed.with_context(|| format!("can not give `{}` to the container", path.display()))?;
        Ok(ran)
    })
}

fn feed(
    starts: &mut TaskStarts,
    (mut input, mut writer): (File, PipeWriter),
    id: &str,
    is_over: &AtomicBool,
) -> anyhow::Result<()> {
    match std::io::copy(&mut input, &mut writer) {
        // A program that does not read all of it is none that fails.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
        copied => copied?,
    };
    starts.wait(id, || is_over.load(Ordering::Relaxed))
}
