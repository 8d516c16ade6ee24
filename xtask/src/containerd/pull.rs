//! The pull of one image, within limits: containerd itself would wait for a silent registry for ever, and write whatever
//! one sends until the disk is full. Afterwards, what its content store holds is read and hashed.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::prompt::Prompt;
use super::{Ctr, Scheme};
use crate::cmd::{Cmd, Watched};
use crate::secret::Secret;
use crate::stop::Stop;
use oci::digest::Digest;

/// How long a pull may take whatever its size: name resolution, log in, a few answers, unpacking.
const LIMIT: Duration = Duration::from_secs(30);
/// The slowest line on which a pull is waited for: a pull that makes no progress is given up as soon as one on this
/// line would have ended.
const SLOWEST_BYTES_PER_SECOND: u64 = 64_000;
/// What `ctr` may read beside twice the image: what it asks of containerd meanwhile.
const SLACK_BYTES: u64 = 16 << 20;
/// Has `ctr` draw no progress. That is drawn every 100 ms, and only when it was drawn once more does `ctr` end: every pull took
/// some 140, 240 or 340 ms. What it says of its requests instead, without what they authorise themselves by, is dropped (`without_requests`).
const AT_ONCE: &str = "--debug";

/// The account that a registry wants.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Its name.
    pub user: &'a str,
    /// Its password or token.
    pub password: &'a Secret,
}

/// An image to be pulled.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name, by digest.
    pub reference: &'a str,
    /// `os/architecture`.
    pub platform: &'a str,
    /// How its registry is reached.
    pub scheme: Scheme,
    /// What its registry wants.
    pub login: Option<Login<'a>>,
    /// All that there is to be transferred.
    pub transfer_bytes: u64,
}

impl Wanted<'_> {
    /// How long it may take.
    pub fn limit(&self) -> Duration {
        LIMIT + Duration::from_secs(self.transfer_bytes / SLOWEST_BYTES_PER_SECOND)
    }

    fn most_bytes(&self) -> u64 {
        2 * self.transfer_bytes + SLACK_BYTES
    }
}

/// How a pull ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// The image is there, unpacked.
    Done,
    /// Somebody wished to stop.
    Stopped,
    /// The time was up: the registry, or the way to it, is not to be tried again.
    TimedOut(String),
}

impl Ctr {
    /// Pulls an image and unpacks it.
    ///
    /// # Errors
    /// When the registry can not be reached, refuses, sends more than the image, or the image can not be unpacked.
    pub fn pull(&self, wanted: &Wanted<'_>, stop: &Stop) -> anyhow::Result<Pulled> {
        transfer(self.cmd().args([AT_ONCE, "images", "pull", "--snapshotter", &self.snapshotter]), wanted, stop)
    }

    /// Pulls an image and does not unpack it.
    ///
    /// # Errors
    /// As [`Ctr::pull`].
    pub fn fetch(&self, wanted: &Wanted<'_>, stop: &Stop) -> anyhow::Result<Pulled> {
        transfer(self.cmd().args([AT_ONCE, "content", "fetch"]), wanted, stop)
    }

    /// Removes an image, and what no other image needs of its content and snapshots, before this returns.
    ///
    /// # Errors
    /// When there is no such image.
    pub fn forget(&self, reference: &str) -> anyhow::Result<()> {
        let forgotten = self.cmd().args(["images", "delete", "--sync", reference]).run();
        forgotten.map(|_| ()).with_context(|| format!("containerd can not forget `{reference}`"))
    }

    /// Fails unless containerd holds, under each of these digests, bytes of that digest.
    ///
    /// # Errors
    /// When one is not there, or another.
    pub fn ensure_holds(&self, digests: impl IntoIterator<Item = Digest>) -> anyhow::Result<()> {
        digests.into_iter().try_for_each(|digest| {
            let held = self.cmd().args(["content", "get", &digest.to_string()]).run();
            let held = Digest::of(&held.with_context(|| format!("containerd does not hold `{digest}`"))?.stdout);
            ensure!(held == digest, "containerd holds `{held}` under the name `{digest}`: its store is damaged");
            Ok(())
        })
    }
}

/// What pull and fetch have in common.
fn transfer(mut cmd: Cmd, wanted: &Wanted<'_>, stop: &Stop) -> anyhow::Result<Pulled> {
    let reference = wanted.reference;
    let failed = || format!("containerd can not pull `{reference}`");
    cmd = cmd.args(["--platform", wanted.platform]);
    if wanted.scheme == Scheme::Http {
        cmd = cmd.arg("--plain-http");
    }
    // Held until the end: a program that has no terminal any more reads an error.
    let prompt = wanted.login.map(|login| Prompt::answering(login.password)).transpose().with_context(failed)?;
    if let (Some(login), Some(prompt)) = (wanted.login, &prompt) {
        cmd = cmd.args(["--user", login.user]).stdin_file(prompt.stdin()?);
    }
    let cmd = cmd.arg(reference);
    let (limit, most) = (wanted.limit(), wanted.most_bytes());
    let objection = |process| {
        let read = read_bytes(process).filter(|read| *read > most)?;
        Some(format!("the registry sent {read} bytes and no end, for an image of {} bytes", wanted.transfer_bytes))
    };
    match cmd.start().and_then(|running| running.watch(stop, limit, &objection)).with_context(failed)? {
        Watched::Ended(mut output) => {
            output.stderr = without_requests(&output.stderr);
            cmd.check(output).map(|_| Pulled::Done).with_context(failed)
        }
        Watched::Stopped => Ok(Pulled::Stopped),
        Watched::TimedOut => Ok(Pulled::TimedOut(format!(
            "`{reference}` was not pulled within {} s, which its {} bytes do not need: the registry does not answer",
            limit.as_secs(),
            wanted.transfer_bytes
        ))),
        Watched::Refused(reason) => Err(anyhow::anyhow!(reason)).with_context(failed),
    }
}

/// What `ctr` said as an error.
fn without_requests(stderr: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stderr);
    let said = text.lines().filter(|line| !line.starts_with("DEBU[") && !line.contains(" level=debug "));
    said.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

/// What a process has read, from files and sockets (proc_pid_io(5)); `None` when it is gone.
fn read_bytes(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_follow_the_size() {
        let wanted = |transfer_bytes| Wanted {
            reference: "r@sha256:0",
            platform: "linux/amd64",
            scheme: Scheme::Http,
            login: None,
            transfer_bytes,
        };
        assert_eq!(wanted(0).limit(), LIMIT);
        assert_eq!(wanted(64_000_000).limit(), LIMIT + Duration::from_secs(1000));
        assert_eq!(wanted(100 << 20).most_bytes(), 216 << 20);
    }

    #[test]
    fn of_what_was_said_only_the_error_is_kept() {
        let said =
            "time=\"2026\" level=debug msg=\"do request\" url=\"http://r/v2/\"\nDEBU[0000] fetching\nctr: not found\n";
        assert_eq!(without_requests(said.as_bytes()), b"ctr: not found\n");
    }

    #[test]
    fn what_a_process_reads_is_counted() {
        let before = read_bytes(std::process::id()).unwrap();
        let read = std::fs::read("/proc/self/maps").unwrap().len() as u64;
        assert!(read_bytes(std::process::id()).unwrap() >= before + read);
        assert_eq!(read_bytes(u32::MAX), None);
    }
}
