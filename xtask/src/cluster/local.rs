//! A Kubernetes of this machine's own: `up` builds and starts it, `down` ends it. Its nodes are namespaces: what they share is
//! the processors, so nothing here says how Kubernetes grows with nodes.
//!
//! Nothing of it is outside of its namespaces but a folder below `target`, one cgroup, and the process that holds it all.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::control::{CLUSTER, READY};
use super::kubernetes::Kubernetes;
use super::node::KERNEL_LOG;
use super::request::{Programs, Request, kubeconfig};
use super::{cgroups, pki, processes};
use crate::clock::now_utc;
use crate::cmd::Cmd;
use crate::console;
use crate::session::leftovers::{NAMESPACE_PREFIX, TREE, end_cgroups};
use crate::session::privileges::{Namespaces, Privileges};
use crate::session::request::{read, write};
use crate::toolbox::tree::remove;
use crate::workspace::Workspace;

/// The programs that it takes, and the packages that have them.
const NEEDED: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("openssl", "openssl"),
    ("nsenter", "util-linux"),
    ("dpkg-source", "dpkg-dev"),
    ("nice", "coreutils"),
];
/// How long what was killed may take to be gone.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A cluster that is running.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Local {
    /// The process whose end is the end of all of it.
    pub process: u32,
    /// When that began, in clock ticks after boot (proc_pid_stat(5)): another process of the same number began later.
    began: u64,
    /// The cgroup of all of it.
    group: String,
    /// Its folder.
    pub folder: PathBuf,
    /// `kubectl`.
    pub kubectl: PathBuf,
}

/// What a cluster is started with.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Kubernetes.
    pub kubernetes: &'a Kubernetes,
    /// The other programs.
    pub programs: Programs,
    /// The program of the sandboxes.
    pub pause: PathBuf,
    /// How many nodes.
    pub nodes: u8,
    /// Nodes, and handlers that they are to lack.
    pub lacking: Vec<(String, String)>,
}

fn state(workspace: &Workspace) -> PathBuf {
    workspace.target().join("cluster").join("local.json")
}

/// The cluster that is running, if one is.
pub fn find(workspace: &Workspace) -> Option<Local> {
    let local: Local = read(&state(workspace)).ok()?;
    (began(local.process)? == local.began).then_some(local)
}

/// What can not be started here, before anything is built for it.
///
/// # Errors
/// Says what is missing, by name.
pub fn ensure_possible() -> anyhow::Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "a local cluster needs root: its nodes are namespaces with devices, mounts and cgroups of their own"
    );
    if let Privileges::Denied(reason) = Privileges::find(Namespaces::Private) {
        bail!("{reason}");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if let Some((program, package)) = NEEDED.iter().find(|(program, _)| !is_there(program)) {
        bail!("a local cluster needs `{program}`: install the package `{package}`");
    }
    ensure!(
        Path::new(KERNEL_LOG).exists(),
        "a local cluster needs `{KERNEL_LOG}`, without which a kubelet does not start: run outside of a container"
    );
    for kind in ["bridge", "veth"] {
        let tried = Cmd::new("unshare").args(["--net", "ip", "link", "add", "name", "kbr0", "type", kind]).run();
        tried.with_context(|| {
            format!("a local cluster needs network devices of the kind `{kind}`, which this kernel lacks")
        })?;
    }
    cgroups::hierarchies().map(drop)
}

/// That none of this checkout is up.
///
/// # Errors
/// When one is.
pub fn ensure_none(workspace: &Workspace) -> anyhow::Result<()> {
    if let Some(local) = find(workspace) {
        bail!(
            "a cluster of this checkout is up already, process {}: `cargo xtask cluster local down` ends it",
            local.process
        );
    }
    Ok(())
}

/// Starts one, and returns when its nodes are ready.
///
/// # Errors
/// When it does not become ready; then nothing of it is left.
pub fn up(workspace: &Workspace, parts: &Parts<'_>) -> anyhow::Result<Local> {
    let folder = workspace.target().join("cluster").join("files");
    remove(&folder)?;
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    let request = Request {
        folder: folder.clone(),
        nodes: parts.nodes,
        lacking: parts.lacking.clone(),
        programs: parts.programs.clone(),
        images: workspace.images(),
        pause: parts.pause.clone(),
    };
    pki::make(&request)?;
    let file = folder.join("request.json");
    write(&file, &request)?;
    let log = folder.join("cluster.log");
    let mut argv: Vec<OsString> =
        ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"].map(OsString::from).to_vec();
    argv.extend([request.programs.own.clone().into(), CLUSTER.into(), file.into()]);
    let mut child = processes::start_apart(&argv, File::create(&log)?)?;
    let process = child.id();
    let group = format!("{NAMESPACE_PREFIX}{}-{process}", now_utc().compact());
    let local = Local {
        process,
        began: began(process).context("the cluster ended at once")?,
        group: group.clone(),
        folder,
        kubectl: parts.kubernetes.kubectl.clone(),
    };
    write(&state(workspace), &local)?;
    child.stdin.take().context("it reads nothing")?.write_all(format!("{group}\n").as_bytes())?;
    let mut said = String::new();
    BufReader::new(child.stdout.take().context("it says nothing")?).read_line(&mut said)?;
    if said.trim_end() != READY {
        let why = std::fs::read_to_string(&log).unwrap_or_default();
        child.wait()?;
        end_cgroups(Path::new(TREE), &group)?;
        bail!("the cluster did not become ready: {}", why.trim_end());
    }
    Ok(local)
}

/// Ends the cluster that is running, and removes every trace of it.
///
/// # Errors
/// When something stays.
pub fn down(workspace: &Workspace) -> anyhow::Result<()> {
    let path = state(workspace);
    let Ok(local) = read::<Local>(&path) else {
        console::note("no cluster of this checkout is up");
        return Ok(());
    };
    if began(local.process) == Some(local.began) {
        end(local.process)?;
    }
    end_cgroups(Path::new(TREE), &local.group)?;
    remove(&local.folder)?;
    std::fs::remove_file(&path).with_context(|| format!("can not remove `{}`", path.display()))
}

fn end(process: u32) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(process)?).context("no process")?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).context("can not find the cluster's process")?;
    pidfd_send_signal(&handle, Signal::KILL).context("can not end the cluster's process")?;
    let limit = Timespec { tv_sec: i64::try_from(END_LIMIT.as_secs())?, tv_nsec: 0 };
    let ended = retry_on_intr(|| poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&limit)))?;
    ensure!(ended > 0, "the cluster's process {process} does not end");
    Ok(())
}

/// When a process began (field 22); `None` when there is none, or it has ended and nobody waited for it.
fn began(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let is_alive = fields.next()? != "Z";
    is_alive.then(|| fields.nth(18)?.parse().ok()).flatten()
}

impl Local {
    /// The administrator's configuration.
    pub fn kubeconfig(&self) -> PathBuf {
        kubeconfig(&self.folder, "admin")
    }

    /// The cgroup of all of it, in which each node has one of its name.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// What comes before a command that is to run in the cluster's network.
    pub fn prefix(&self) -> Vec<String> {
        ["nsenter", &format!("--net=/proc/{}/ns/net", self.process), "--"].map(str::to_owned).to_vec()
    }
}
