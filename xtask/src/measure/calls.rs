//! The other timed region: a sequence of calls to containerd's CRI, as a kubelet makes them, from just before the first is
//! made to the moment in which the container's end is known.
//!
//! Included: each call's way to containerd and back, all that containerd, shim and runtime do before they answer, the
//! program, containerd's report of its end. One clock runs through: it is read when a call has returned, and the phases are the
//! differences, so that they add up to the whole. Removing is timed too and is no part of the headline. Not included: the
//! connection, which stays open; reading and comparing the output, which is a log file.
//!
//! Nothing is started here. A time limit is that of the whole sequence; once a second it is looked whether the log is full.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use super::child::{End, Ran};
use super::output::{OUTPUT_FILE_BYTES, OUTPUT_LIMIT_BYTES};
use super::runs::{NamedImage, PodStart};
use crate::clock::{Stopwatch, monotonic_ns};
use crate::containerd::cri::{Cri, Pod, PodContainer, Waited, log};
use crate::stop::Stop;
use results::case::PodLife;
use results::metric::pod;

/// How often it is looked whether the log is full, or somebody wishes to stop.
const LOOK: Duration = Duration::from_secs(1);

/// A container to be run in a pod.
#[derive(Clone, Copy, Debug)]
struct PodRun<'a> {
    pod: Pod<'a>,
    life: PodLife,
    image: &'a str,
    command: &'a [String],
    args: &'a [String],
}

/// What makes the pods of a session.
#[derive(Debug)]
pub struct PodHost<'a> {
    /// The client.
    pub cri: &'a mut Cri,
    /// The cgroup above those of all pods.
    pub cgroup: String,
    /// The folder of their logs.
    pub logs: PathBuf,
}

impl PodHost<'_> {
    /// Runs an image once, with these arguments.
    ///
    /// # Errors
    /// When a call fails. What was made by then is still there: [`PodHost::clean`] removes it.
    pub fn run(
        &mut self,
        (name, start): (&str, &PodStart),
        (image, args): (&NamedImage, &[String]),
        limit: Duration,
        stop: &Stop,
    ) -> anyhow::Result<Ran> {
        let pod = Pod {
            name,
            handler: &start.handler,
            cgroup: &self.cgroup,
            logs: &self.logs,
            annotations: &start.annotations,
        };
        let wanted = PodRun { pod, life: start.life, image: &image.reference, command: &image.entrypoint, args };
        run(self.cri, &wanted, limit, stop)
    }

    /// Removes whatever a run that failed left.
    ///
    /// # Errors
    /// When something stays.
    pub fn clean(&mut self) -> anyhow::Result<()> {
        self.cri.remove_all()
    }
}

/// Runs a container once, and removes it and its pod.
fn run(cri: &mut Cri, wanted: &PodRun<'_>, limit: Duration, stop: &Stop) -> anyhow::Result<Ran> {
    match wanted.life {
        PodLife::Own => in_own_pod(cri, wanted, limit, stop),
        PodLife::Warm => in_warm_pod(cri, wanted, limit, stop),
        PodLife::Job => anyhow::bail!("a Job needs a cluster: `cargo xtask cluster run`"),
    }
}

fn in_own_pod(cri: &mut Cri, wanted: &PodRun<'_>, limit: Duration, stop: &Stop) -> anyhow::Result<Ran> {
    let mut laps = Laps::start();
    let sandbox = cri.run_pod_sandbox(&wanted.pod, limit)?;
    laps.lap(pod::RUN_POD_SANDBOX);
    let (container, end) = wanted.container(cri, (&sandbox, 0), &mut laps, (limit, stop))?;
    let wall_ns = laps.so_far_ns;
    cri.remove_container(&container)?;
    laps.lap(pod::REMOVE_CONTAINER);
    cri.stop_pod_sandbox(&sandbox)?;
    laps.lap(pod::STOP_POD_SANDBOX);
    cri.remove_pod_sandbox(&sandbox)?;
    laps.lap(pod::REMOVE_POD_SANDBOX);
    let of_container = laps.sum(&pod::OF_CONTAINER);
    let of_sandbox = laps.sum(&pod::OF_SANDBOX);
    laps.values.extend([(pod::CONTAINER, of_container), (pod::SANDBOX, of_sandbox)]);
    wanted.ran(0, (wall_ns, end), laps)
}

/// A container in a pod that has run one already: what a restart costs, or one more container in a pod.
fn in_warm_pod(cri: &mut Cri, wanted: &PodRun<'_>, limit: Duration, stop: &Stop) -> anyhow::Result<Ran> {
    let sandbox = cri.run_pod_sandbox(&wanted.pod, limit)?;
    let mut laps = Laps::start();
    let (first, end) = wanted.container(cri, (&sandbox, 0), &mut laps, (limit, stop))?;
    cri.remove_container(&first)?;
    // It is the same program: where the first one fails there is nothing to be warm.
    if end != End::Exited(0) {
        cri.stop_pod_sandbox(&sandbox)?;
        cri.remove_pod_sandbox(&sandbox)?;
        return wanted.ran(0, (laps.so_far_ns, end), laps);
    }
    let mut laps = Laps::start();
    let (container, end) = wanted.container(cri, (&sandbox, 1), &mut laps, (limit, stop))?;
    let wall_ns = laps.so_far_ns;
    cri.remove_container(&container)?;
    laps.lap(pod::REMOVE_CONTAINER);
    let of_container = laps.sum(&pod::OF_CONTAINER);
    laps.values.push((pod::CONTAINER, of_container));
    cri.stop_pod_sandbox(&sandbox)?;
    cri.remove_pod_sandbox(&sandbox)?;
    wanted.remove_log(0)?;
    wanted.ran(1, (wall_ns, end), laps)
}

impl PodRun<'_> {
    /// Creates, starts and awaits a container of the pod.
    fn container(
        &self,
        cri: &mut Cri,
        (sandbox, attempt): (&str, u32),
        laps: &mut Laps,
        (limit, stop): (Duration, &Stop),
    ) -> anyhow::Result<(String, End)> {
        let log = self.log(attempt);
        let container = PodContainer {
            attempt,
            image: self.image,
            command: self.command,
            args: self.args,
            log: &log.file_name().unwrap_or_default().to_string_lossy(),
        };
        let container = cri.create_container((sandbox, &self.pod), &container, laps.left(limit))?;
        laps.lap(pod::CREATE_CONTAINER);
        cri.start_container(&container, laps.left(limit))?;
        laps.lap(pod::START_CONTAINER);
        let cut = loop {
            let left = laps.left(limit);
            match cri.wait(&container, left.min(LOOK))? {
                Waited::Exited(code) => break Ok(code),
                Waited::NotYet if stop.is_requested() => break Err(End::Stopped),
                Waited::NotYet if is_full(&log) => break Err(End::Signalled(libc::SIGKILL)),
                Waited::NotYet if left <= LOOK => break Err(End::TimedOut),
                Waited::NotYet => {}
            }
        };
        laps.lap(pod::UNTIL_EXITED);
        match cut {
            Ok(code) => Ok((container, End::Exited(code))),
            Err(end) => cri.stop_container(&container).map(|()| (container, end)),
        }
    }

    fn log(&self, attempt: u32) -> PathBuf {
        self.pod.logs.join(format!("{}-{attempt}.log", self.pod.name))
    }

    fn remove_log(&self, attempt: u32) -> anyhow::Result<()> {
        let log = self.log(attempt);
        std::fs::remove_file(&log).with_context(|| format!("can not remove `{}`", log.display()))
    }

    /// The output is read when everything is removed: containerd writes a log's last line after it has reported the end.
    fn ran(&self, attempt: u32, (wall_ns, end): (u64, End), laps: Laps) -> anyhow::Result<Ran> {
        let path = self.log(attempt);
        let logged = log::parse(&std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?);
        self.remove_log(attempt)?;
        Ok(Ran {
            began_ns: laps.began_ns,
            wall_ns,
            user_ns: None,
            system_ns: None,
            further: laps.values,
            end,
            stdout: kept(logged.stdout),
            stderr: kept(logged.stderr),
        })
    }
}

/// As much as a memory file holds.
fn kept(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(usize::try_from(OUTPUT_FILE_BYTES).unwrap_or(usize::MAX));
    bytes
}

/// A log is longer than the output in it.
fn is_full(log: &std::path::Path) -> bool {
    std::fs::metadata(log).is_ok_and(|file| file.len() > OUTPUT_LIMIT_BYTES)
}

/// One clock, and what it showed after each call.
struct Laps {
    /// When they began, by the kernel's monotonic clock.
    began_ns: i64,
    clock: Stopwatch,
    so_far_ns: u64,
    values: Vec<(&'static str, u64)>,
}

impl Laps {
    fn start() -> Self {
        Self {
            began_ns: monotonic_ns(),
            clock: Stopwatch::start(),
            so_far_ns: 0,
            values: Vec::with_capacity(pod::KNOWN.len()),
        }
    }

    fn lap(&mut self, phase: &'static str) {
        let now_ns = self.clock.elapsed_ns();
        self.values.push((phase, now_ns - self.so_far_ns));
        self.so_far_ns = now_ns;
    }

    /// What is left of a time limit.
    fn left(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.clock.elapsed())
    }

    fn sum(&self, phases: &[&str]) -> u64 {
        self.values.iter().filter(|(phase, _)| phases.contains(phase)).map(|(_, ns)| ns).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_to_what_the_clock_shows() {
        let mut laps = Laps::start();
        for phase in pod::OF_CONTAINER.into_iter().chain(pod::OF_SANDBOX) {
            laps.lap(phase);
        }
        assert_eq!(laps.sum(&pod::OF_CONTAINER) + laps.sum(&pod::OF_SANDBOX), laps.so_far_ns);
        assert!(laps.left(Duration::ZERO).is_zero() && laps.left(Duration::from_hours(1)) > Duration::from_mins(59));
    }
}
