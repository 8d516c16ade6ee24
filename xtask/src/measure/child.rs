//! The timed region of a program (that of calls is `calls`): from just before spawn to the return of `wait4`, and nothing else.
//!
//! Included: the spawn system calls, the program's whole life (loader, start-up, work, exit), the reaping. Not included: making the
//! argument vector, opening the files that take its output, reading and comparing that output, drawing,
//! writing results, removing a container that was left over. No shell and no sudo stand between the clock
//! and the program.
//!
//! The child keeps `posix_spawn` (there is no `pre_exec`), leads its own process group so that a time limit
//! reaches its descendants, and writes into anonymous memory files, so no reader thread competes with it. These can not
//! grow beyond their limit: a program that floods them is refused further writes by the kernel, which costs nothing
//! while it is not reached.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::Pid;

use super::output::{OUTPUT_LIMIT_BYTES, Outputs, written};
use super::watchdog::{Cut, Watchdog, WatchedRun};
use crate::clock::{Stopwatch, monotonic_ns};
use crate::invocation::{Invocation, Stdin};
use results::metric::HEADLINE;

/// The end that the watchdog gives.
const KILLED: End = End::Signalled(libc::SIGKILL);

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It called exit with this status.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It reached its time limit, and its process group was killed.
    TimedOut,
    /// We were asked to stop, and its process group was killed.
    Stopped,
}

/// A finished child.
#[derive(Clone, Debug)]
pub struct Ran {
    /// When the timed region began, by the kernel's monotonic clock.
    pub began_ns: i64,
    /// The timed region.
    pub wall_ns: u64,
    /// User time of it and of its waited-for children; absent where nothing was started here.
    pub user_ns: Option<u64>,
    /// System time, likewise.
    pub system_ns: Option<u64>,
    /// What else was measured, by metric.
    pub further: Vec<(&'static str, u64)>,
    /// How it ended.
    pub end: End,
    /// What it wrote to stdout, up to [`OUTPUT_LIMIT_BYTES`] and a page.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, likewise.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// What was measured, by metric.
    pub fn values(&self) -> BTreeMap<String, u64> {
        let all = std::iter::once((HEADLINE, self.wall_ns)).chain(self.further.iter().copied());
        all.map(|(metric, value)| (metric.to_owned(), value)).collect()
    }

    /// The stream to which it wrote more than [`OUTPUT_LIMIT_BYTES`], of which the rest was refused.
    pub fn flooded(&self) -> Option<&'static str> {
        let beyond = |bytes: &[u8]| bytes.len() as u64 > OUTPUT_LIMIT_BYTES;
        [("stdout", &self.stdout), ("stderr", &self.stderr)]
            .into_iter()
            .find_map(|(name, bytes)| beyond(bytes).then_some(name))
    }
}

/// Runs a program once.
///
/// # Errors
/// When it can not be started or waited for.
pub fn run(invocation: &Invocation, limit: Duration, watchdog: &Watchdog) -> anyhow::Result<Ran> {
    let outputs = Arc::new(Outputs::new()?);
    let mut command = command(invocation, &outputs)?;
    let watched = watchdog.arm(limit, &outputs)?;
    let (began_ns, wall_ns, end, usage) = timed(&mut command, watched, watchdog)
        .with_context(|| format!("can not run `{}`", invocation.program.display()))?;
    Ok(Ran {
        began_ns,
        wall_ns,
        user_ns: Some(usage.user_ns),
        system_ns: Some(usage.system_ns),
        further: Vec::new(),
        end,
        stdout: written(&outputs.stdout)?,
        stderr: written(&outputs.stderr)?,
    })
}

fn timed(command: &mut Command, run: WatchedRun, watchdog: &Watchdog) -> anyhow::Result<(i64, u64, End, Usage)> {
    let began_ns = monotonic_ns();
    let clock = Stopwatch::start();
    let child = command.spawn()?;
    watchdog.began(&run, Pid::from_child(&child));
    let (status, usage) = wait4(&child)?;
    let wall_ns = clock.elapsed_ns();
    let end = match (watchdog.ended(run)?, status) {
        (Some(Cut::Limit), KILLED) => End::TimedOut,
        (Some(Cut::Stop), KILLED) => End::Stopped,
        // It ended by itself, in the very moment in which we wanted it to end.
        (_, status) => status,
    };
    Ok((began_ns, wall_ns, end, usage))
}

#[expect(clippy::disallowed_methods, reason = "measured programs are started here")]
fn command(invocation: &Invocation, outputs: &Outputs) -> anyhow::Result<Command> {
    let stdin = match &invocation.stdin {
        Stdin::Empty => Stdio::null(),
        Stdin::File(path) => File::open(path).with_context(|| format!("can not read `{}`", path.display()))?.into(),
        Stdin::Pipe(reader) => reader.try_clone()?.into(),
    };
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.args)
        .env_clear()
        .envs(invocation.env.iter().map(|(name, value)| (name, value)))
        .stdin(stdin)
        .stdout(outputs.stdout.try_clone()?)
        .stderr(outputs.stderr.try_clone()?)
        .process_group(0);
    Ok(command)
}

struct Usage {
    user_ns: u64,
    system_ns: u64,
}

/// `wait4` (Linux manual, section 2): the child's status and its resource usage in one call. The standard
/// library's `wait` discards the latter.
#[expect(unsafe_code, reason = "neither std nor rustix gives a child's rusage")]
fn wait4(child: &Child) -> anyhow::Result<(End, Usage)> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    let usage = loop {
        // SAFETY: rusage is plain integers, for which all-zero bytes are a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live values of the right type, and `pid` is a child of ours that
        // nobody else has waited for: `child` is borrowed and its own `wait` is never called.
        match unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } {
            -1 => match std::io::Error::last_os_error() {
                error if error.kind() == std::io::ErrorKind::Interrupted => {}
                error => return Err(error).context("wait4 failed"),
            },
            _ => break usage,
        }
    };
    let end = if libc::WIFSIGNALED(status) {
        End::Signalled(libc::WTERMSIG(status))
    } else {
        End::Exited(libc::WEXITSTATUS(status))
    };
    Ok((end, Usage { user_ns: nanoseconds(usage.ru_utime), system_ns: nanoseconds(usage.ru_stime) }))
}

fn nanoseconds(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    seconds * 1_000_000_000 + micros * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::output::OUTPUT_FILE_BYTES;
    use crate::stop::Stop;

    fn watchdog() -> Watchdog {
        Watchdog::start(&Stop::never().unwrap()).unwrap()
    }

    #[test]
    fn a_limit_belongs_to_the_run_that_reached_it() {
        let watchdog = watchdog();
        let run = |script: &str, limit_ms| run(&shell(script), Duration::from_millis(limit_ms), &watchdog).unwrap().end;
        assert_eq!(run("sleep 63.5", 30), End::TimedOut);
        assert_eq!(run("true", 10_000), End::Exited(0));
        assert_eq!(run("sleep 64.5", 30), End::TimedOut);
    }

    fn shell(script: &str) -> Invocation {
        Invocation {
            program: "/bin/sh".into(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            stdin: Stdin::Empty,
        }
    }

    fn run_shell(script: &str, limit_ms: u64) -> Ran {
        run(&shell(script), Duration::from_millis(limit_ms), &watchdog()).unwrap()
    }

    #[test]
    fn a_program_that_waits_50_ms_measures_at_least_50_ms() {
        let ran = run_shell("sleep 0.05", 10_000);
        assert_eq!(ran.end, End::Exited(0));
        assert!(ran.wall_ns >= 50_000_000, "{}", ran.wall_ns);
        assert!(ran.user_ns.unwrap() + ran.system_ns.unwrap() < ran.wall_ns, "sleeping is not computing");
    }

    #[test]
    fn output_status_and_environment_are_the_programs_own() {
        let ran = run_shell("echo out; echo err >&2; echo $HOME; exit 7", 10_000);
        assert_eq!(
            (ran.end, ran.stdout.as_slice(), ran.stderr.as_slice()),
            (End::Exited(7), &b"out\n\n"[..], &b"err\n"[..])
        );
    }

    #[test]
    fn a_signal_is_told_apart_from_an_exit() {
        assert_eq!(run_shell("kill -SEGV $$", 10_000).end, End::Signalled(11));
    }

    #[test]
    fn a_hanging_program_is_killed_with_its_descendants() {
        let ran = run_shell("sleep 61.5 & wait", 50);
        assert_eq!(ran.end, End::TimedOut);
        assert!(ran.wall_ns < 5_000_000_000, "{}", ran.wall_ns);
    }

    #[test]
    fn more_output_than_a_pipe_holds_does_not_block() {
        let ran = run_shell("head -c 300000 /dev/zero", 10_000);
        assert_eq!((ran.end, ran.stdout.len()), (End::Exited(0), 300_000));
    }

    #[test]
    fn output_is_kept_up_to_a_limit_and_what_is_written_beyond_it_is_refused() {
        let limit = OUTPUT_LIMIT_BYTES;
        let whole = run_shell(&format!("head -c {limit} /dev/zero"), 10_000);
        assert_eq!((whole.end, whole.stdout.len() as u64, whole.flooded()), (End::Exited(0), limit, None));
        let flood = run_shell(&format!("head -c {} /dev/zero >&2 || exit 9", limit * 3), 10_000);
        assert_eq!((flood.end, flood.flooded()), (End::Exited(9), Some("stderr")));
        assert!(flood.stderr.len() as u64 <= OUTPUT_FILE_BYTES);
    }

    /// As a container does whose client no longer takes its output.
    #[test]
    fn a_program_that_goes_on_after_a_flood_is_ended_before_its_limit() {
        let ran = run_shell("head -c 30000000 /dev/zero; sleep 67.5", 60_000);
        assert_eq!((ran.end, ran.flooded()), (KILLED, Some("stdout")));
        assert!(ran.wall_ns < 30_000_000_000, "{}", ran.wall_ns);
    }

    /// Longer than the time between two looks.
    #[test]
    fn a_long_run_that_floods_nothing_is_not_ended() {
        assert_eq!(run_shell("sleep 1.2", 60_000).end, End::Exited(0));
        assert_eq!(run_shell("sleep 68.5", 1_100).end, End::TimedOut);
    }

    #[test]
    fn a_request_to_stop_ends_the_run() {
        let stop = Stop::never().unwrap();
        let watchdog = Watchdog::start(&stop).unwrap();
        stop.request().unwrap();
        assert_eq!(run(&shell("sleep 62.5"), Duration::from_mins(1), &watchdog).unwrap().end, End::Stopped);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_that_names_it() {
        let invocation =
            Invocation { program: "/no/such".into(), args: Vec::new(), env: Vec::new(), stdin: Stdin::Empty };
        let error = run(&invocation, Duration::from_secs(1), &watchdog()).unwrap_err();
        assert!(format!("{error:#}").contains("`/no/such`"), "{error:#}");
    }
}
