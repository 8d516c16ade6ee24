//! What is prepared for a container before it is there, in the zygote: the process that the library forks it from.
//! All of it is inherited by a fork, and made while containerd's first requests are answered. The network is made by a
//! thread of the server, beside the loading of the engine, and given to the zygote.
//!
//! | prepared | why |
//! |---|---|
//! | an empty environment | a module's process would show containerd's; native programs get the container's own |
//! | a new session keyring | the host's keys are in the inherited one |
//! | the supplementary groups | the library would need a `/proc` in the container, and keeps containerd's if there are none |
//! | a network with `lo` up | runc brings it up, the library does not |
//! | a user namespace | the library would ask systemd for a cgroup as soon as it has to make one itself |
//! | a read-only sysfs | of a file system the first mount decides: the library's own would be writable below |
//! | the cgroup `name=systemd` | runc joins it, the library does not know it |
//!
//! A part that can not be prepared is said in containerd's log; the library then does what it does by itself.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_flag, fsopen};
use rustix::process::Gid;
use rustix::thread::{UnshareFlags, set_thread_groups};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zygote::{WireFd, Zygote};

use crate::specification::{self, Namespaces, Program};
use crate::{bundle, kernel};

/// What containers inherit from this process. Never closed here: numbers are named in the specification.
#[derive(Default)]
pub struct Held {
    /// The host's `/proc`, for finding one's own descriptors where a container has no `/proc`.
    pub processes: Option<OwnedFd>,
    /// `cgroup.procs` of the container's cgroup in the hierarchy `name=systemd`.
    cgroup_processes: Option<File>,
    kept: Vec<OwnedFd>,
}

static HELD: OnceLock<Held> = OnceLock::new();

/// What this shim's container is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adopted {
    /// The word that stands before the program's name in its specification.
    pub mark: String,
    /// What it runs.
    pub program: Program,
    /// The mode that it asks for.
    pub mode: Option<String>,
    /// The way of loading its engine that it asks for.
    pub loading: Option<String>,
}

static ADOPTED: OnceLock<Adopted> = OnceLock::new();

/// What this process inherited, or holds.
pub fn held() -> Option<&'static Held> {
    HELD.get()
}

/// What the shim's container is.
pub fn adopted() -> Option<&'static Adopted> {
    ADOPTED.get()
}

/// Tells the zygote what its container is going to be, and gives it the network. Returns the namespaces that were given.
///
/// # Errors
/// The zygote is gone.
pub fn adopt(adopted: &Adopted) -> Result<Namespaces> {
    let take = |(adopted, made): (Adopted, Made)| {
        ADOPTED.get_or_init(|| adopted);
        keep(made, &mut GIVEN.lock().unwrap_or_else(PoisonError::into_inner))
    };
    Zygote::global()
        .try_run(take, (adopted.clone(), await_network()))
        .map_err(|error| anyhow!("the process that containers are made from is gone: {error}"))
}

/// The thread that makes the network.
static NETWORK: Mutex<Option<JoinHandle<Result<Made>>>> = Mutex::new(None);

/// What the zygote was given. Never closed: numbers are named in the specification.
static GIVEN: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// Begins to make the container's network in a thread of this process, the server, which the thread alone leaves. One that
/// belongs to a user namespace is made in the zygote.
pub fn begin_network() {
    // What is wrong with the specification is said by the zygote.
    let Ok(specification) = bundle::read() else { return };
    if !specification::makes(&specification, "network") || specification::makes(&specification, "user") {
        return;
    }
    let readonly_sysfs = specification::has_readonly_sysfs(&specification);
    let making = std::thread::spawn(move || {
        kernel::leave_namespaces(UnshareFlags::NEWNET).context("cannot make a network namespace")?;
        make_network(readonly_sysfs)
    });
    *NETWORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(making);
}

fn await_network() -> Made {
    let making = NETWORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let made = making.map(|making| making.join().unwrap_or_else(|_| Err(anyhow!("its thread panicked"))));
    made.and_then(|made| warned("the network", made)).unwrap_or_default()
}

/// What was prepared outside of the zygote's own memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Prepared {
    /// The namespaces that are there.
    pub namespaces: Namespaces,
    /// The cgroup that was made, to be removed when the container is gone.
    pub cgroup: Option<PathBuf>,
}

/// Prepares everything in this process, the zygote.
pub fn prepare() -> Prepared {
    kernel::replace_environment([("TOKIO_WORKER_THREADS", "1")].into_iter());
    if let Err(error) = kernel::join_new_session_keyring() {
        log::warn!("containers keep the session keyring of containerd: {error}");
    }
    let specification = bundle::read().unwrap_or_else(|error| {
        log::error!("nothing is prepared for the container: {error:#}");
        Value::Null
    });
    let groups: Vec<Gid> = specification::groups(&specification).into_iter().map(Gid::from_raw).collect();
    if let Err(error) = set_thread_groups(&groups) {
        log::error!("the container keeps the groups of containerd: {error}");
    }
    let mut held = Held { processes: warned("the host's `/proc`", open_directory("/proc")), ..Held::default() };
    let cgroup = warned("the cgroup `name=systemd`", make_systemd_cgroup(&specification)).flatten();
    let (cgroup, processes) = cgroup.unzip();
    held.cgroup_processes = processes;
    let namespaces = warned("the namespaces", namespaces(&specification, &mut held.kept)).unwrap_or_default();
    if HELD.set(held).is_err() {
        log::error!("a container was prepared twice");
    }
    Prepared { namespaces, cgroup }
}

fn warned<T>(what: &str, result: Result<T>) -> Option<T> {
    result.inspect_err(|error| log::warn!("{what} could not be prepared for the container: {error:#}")).ok()
}

fn open_directory(path: &str) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .with_context(|| format!("cannot open `{path}`"))
}

fn namespaces(specification: &Value, kept: &mut Vec<OwnedFd>) -> Result<Namespaces> {
    let network = specification::makes(specification, "network");
    let readonly_sysfs = network && specification::has_readonly_sysfs(specification);
    if !specification::makes(specification, "user") {
        return Ok(Namespaces::default());
    }
    Ok(keep(in_user_namespace(specification, Wanted { network, readonly_sysfs })?, kept))
}

/// Holds what was made, for whoever is forked from this process. Returns where that finds the namespaces.
fn keep(made: Made, kept: &mut Vec<OwnedFd>) -> Namespaces {
    let mut path = |descriptor: Option<WireFd<OwnedFd>>| {
        descriptor.map(|descriptor| {
            let descriptor = descriptor.into_inner();
            let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
            kept.push(descriptor);
            path
        })
    };
    path(made.sysfs);
    Namespaces { network: path(made.network), user: path(made.user) }
}

/// Descriptors of what was made.
#[derive(Default, Serialize, Deserialize)]
struct Made {
    network: Option<WireFd<OwnedFd>>,
    user: Option<WireFd<OwnedFd>>,
    sysfs: Option<WireFd<OwnedFd>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Wanted {
    network: bool,
    readonly_sysfs: bool,
}

fn open_namespace(kind: &str) -> Result<OwnedFd> {
    // Of this thread, which may have left those of its process.
    let path = format!("/proc/thread-self/ns/{kind}");
    Ok(File::open(&path).with_context(|| format!("cannot open `{path}`"))?.into())
}

/// Makes the network that this process just entered what a container's is.
fn make_network(readonly_sysfs: bool) -> Result<Made> {
    kernel::bring_loopback_up().context("cannot bring `lo` up")?;
    let sysfs = if readonly_sysfs { Some(WireFd::new(readonly_sysfs_of_this_network()?)) } else { None };
    Ok(Made { network: Some(WireFd::new(open_namespace("net")?)), sysfs, user: None })
}

/// There is one sysfs for each network; who mounts it first decides whether it can be written to.
fn readonly_sysfs_of_this_network() -> Result<OwnedFd> {
    let made = || -> rustix::io::Result<OwnedFd> {
        let context = fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_flag(&context, "ro")?;
        fsconfig_create(&context)?;
        Ok(context)
    };
    made().context("cannot make a read-only sysfs")
}

/// Makes the user namespace, and the network in it, in a process of its own: nobody returns from one.
fn in_user_namespace(specification: &Value, wanted: Wanted) -> Result<Made> {
    let helper = Zygote::new();
    let pid = helper.try_run(
        |()| {
            let left = kernel::leave_namespaces(UnshareFlags::NEWUSER);
            left.map(|()| std::process::id()).map_err(|error| error.to_string())
        },
        (),
    )?;
    let pid = pid.map_err(|reason| anyhow!("cannot make a user namespace: {reason}"))?;
    for (file, list) in [("uid_map", "uidMappings"), ("gid_map", "gidMappings")] {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, mappings(&specification["linux"][list]))
            .with_context(|| format!("cannot write `{path}`"))?;
    }
    let made = helper.try_run(|wanted| make_inside(wanted).map_err(|error| format!("{error:#}")), wanted)?;
    made.map_err(|reason| anyhow!("cannot set the user namespace up: {reason}"))
}

fn make_inside(wanted: Wanted) -> Result<Made> {
    let made = if wanted.network {
        kernel::leave_namespaces(UnshareFlags::NEWNET).context("cannot make a network namespace")?;
        make_network(wanted.readonly_sysfs)?
    } else {
        Made::default()
    };
    Ok(Made { user: Some(WireFd::new(open_namespace("user")?)), ..made })
}

/// The lines of `uid_map` and `gid_map` (user_namespaces(7)).
fn mappings(list: &Value) -> String {
    let line = |mapping: &Value| {
        let number = |name: &str| mapping[name].as_u64().unwrap_or_default();
        format!("{} {} {}\n", number("containerID"), number("hostID"), number("size"))
    };
    list.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().concat()
}

/// Makes the container's cgroup in the hierarchy that systemd names processes by. `None` where there is no such
/// hierarchy of version 1, or the specification names no path of its own.
fn make_systemd_cgroup(specification: &Value) -> Result<Option<(PathBuf, File)>> {
    let Some(folder) = systemd_cgroup(specification)? else {
        return Ok(None);
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let path = folder.join("cgroup.procs");
    let file = File::options().write(true).open(&path).with_context(|| format!("cannot open `{}`", path.display()))?;
    Ok(Some((folder, file)))
}

/// Makes that cgroup before the zygote does, which then finds it. What goes wrong is said by the zygote.
pub fn make_cgroup_ahead() {
    drop(bundle::read().and_then(|specification| make_systemd_cgroup(&specification)));
}

fn systemd_cgroup(specification: &Value) -> Result<Option<PathBuf>> {
    let path = specification["linux"]["cgroupsPath"].as_str().and_then(|path| path.strip_prefix('/'));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").context("cannot read `/proc/self/mountinfo`")?;
    Ok(systemd_hierarchy(&mounts).zip(path).map(|(hierarchy, path)| Path::new(hierarchy).join(path)))
}

/// Where that hierarchy is mounted (proc_pid_mountinfo(5): the mount point is the fifth field).
fn systemd_hierarchy(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = file_system.split(' ');
        let named = fields.next() == Some("cgroup")
            && fields.nth(1).is_some_and(|options| options.split(',').any(|option| option == "name=systemd"));
        named.then(|| mount.split(' ').nth(4)).flatten()
    })
}

/// Removes the cgroup that `prepare` made. Called in the server, at its end.
pub fn remove_cgroup(folder: &Path) {
    if let Err(error) = std::fs::remove_dir(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("cannot remove `{}`: {error}", folder.display());
    }
}

/// Moves this process, a container's, into that cgroup. The kernel asks who opened the file, not who writes.
pub fn enter_systemd_cgroup() -> Result<()> {
    let Some(mut file) = HELD.get().and_then(|held| held.cgroup_processes.as_ref()) else {
        return Ok(());
    };
    file.write_all(b"0").context("cannot join the cgroup `name=systemd`")
}

#[cfg(test)]
mod tests {
    use super::{mappings, systemd_hierarchy};
    use serde_json::json;

    #[test]
    fn mappings_become_lines() {
        let list =
            json!([{ "containerID": 0, "hostID": 1000, "size": 10 }, { "containerID": 10, "hostID": 5, "size": 1 }]);
        assert_eq!(mappings(&list), "0 1000 10\n10 5 1\n");
        assert_eq!(mappings(&serde_json::Value::Null), "");
    }

    #[test]
    fn the_hierarchy_of_systemd_is_found_by_its_name() {
        let mounts = "34 33 0:29 / /sys/fs/cgroup/cpu rw shared:1 - cgroup cgroup rw,cpu\n\
                      35 33 0:30 / /sys/fs/cgroup/systemd rw,nosuid shared:2 master:1 - cgroup systemd rw,xattr,name=systemd\n";
        assert_eq!(systemd_hierarchy(mounts), Some("/sys/fs/cgroup/systemd"));
        assert_eq!(systemd_hierarchy("34 33 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), None);
    }
}
