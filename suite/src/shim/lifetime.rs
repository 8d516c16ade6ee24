//! Who ends with whom: a container's shim and its helpers are killed one at a time, and the container must end with
//! them; and a container must be made although one of the processes that make it is held up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::trials::{Trial, Want};
use super::{Runtimes, Trials, Verdict, command, ended};
use crate::endings::wait_until;
use xtask::cmd::Cmd;
use xtask::containerd::Ctr;
use xtask::session::leftovers;

/// How long the kernel may take to end a container's processes, and a request about it may take.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How long containerd may take to notice, and to have the rest removed.
const REMOVED_LIMIT: Duration = Duration::from_secs(15);

/// Delays what the process between reports, long after the container's own process is ready.
const HOLD_UP: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "youki:[1:INTER]") == 0) usleep(500000);
    ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
    return next(socket, message, flags);
}
"#;

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Server(Signal),
    Zygotes,
}

/// A shim that is the real one, but for what [`HOLD_UP`] does.
pub fn held_up(shim: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, library, held_up) =
        (folder.join("hold-up.c"), folder.join("hold-up.so"), folder.join("containerd-shim-heldup-v1"));
    std::fs::write(&source, HOLD_UP)?;
    Cmd::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").run()?;
    let script = format!("#!/bin/sh\nLD_PRELOAD='{}' exec '{}' \"$@\"\n", library.display(), shim.display());
    std::fs::write(&held_up, script)?;
    std::fs::set_permissions(&held_up, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(held_up)
}

/// Every check.
pub fn checks(runtimes: &Runtimes, ctr: &Ctr, trials: &Trials) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let victims = [
        ("SIGKILL of the shim", Victim::Server(Signal::KILL)),
        ("SIGTERM of the shim", Victim::Server(Signal::TERM)),
        ("the death of the shim's helpers", Victim::Zygotes),
    ];
    let endless = |form: &str| {
        let found =
            trials.trials.iter().find(|trial| matches!(trial.want, Want::KilledAtOnce) && trial.name.contains(form));
        found.with_context(|| format!("no endless {form} container"))
    };
    for (form, what) in [("plain, tar layer", "module"), ("native", "native")] {
        for (number, (name, victim)) in victims.into_iter().enumerate() {
            let id = format!("victim-{what}-{number}");
            let result = endless(form).and_then(|trial| ends(runtimes, ctr, trial, &id, victim));
            let outcome = match victim {
                Victim::Server(_) => "ends the container, and nothing of it is left",
                Victim::Zygotes => "does not keep `kill` and `delete` waiting",
            };
            verdicts.push(verdict(format!("{name} {outcome} ({what})"), result));
        }
    }
    for name in ["exit-code (plain, tar layer)", "a native image runs through the same shim"] {
        let result = made_although_held_up(runtimes, ctr, trials, name);
        verdicts.push(verdict(format!("a container is made although one of its makers is held up: {name}"), result));
    }
    verdicts
}

fn verdict(name: String, result: anyhow::Result<()>) -> Verdict {
    (name, result.err().map(|error| format!("{error:#}")))
}

fn made_although_held_up(runtimes: &Runtimes, ctr: &Ctr, trials: &Trials, name: &str) -> anyhow::Result<()> {
    let trial = trials.trials.iter().find(|trial| trial.name == name).context("there is no such trial")?;
    let runtimes = Runtimes { shim: trials.held_up.clone(), ..runtimes.clone() };
    let id = format!("held-up-{}", name.len());
    let result = ended(&runtimes, ctr, trial, &id);
    ctr.remove(&id)?;
    result
}

/// The processes of one container, as seen from the namespace in which containerd runs.
#[derive(Debug, Default)]
struct Family {
    server: Option<Pid>,
    zygotes: Vec<Pid>,
    container: Vec<Pid>,
}

impl Family {
    fn of(id: &str) -> anyhow::Result<Self> {
        let mut family = Self::default();
        let processes = processes()?;
        family.server = processes.iter().find(|process| process.serves(id)).map(|process| process.pid);
        for process in processes.iter().filter(|process| process.parent == family.server) {
            if process.namespaces == 1 { &mut family.zygotes } else { &mut family.container }.push(process.pid);
        }
        ensure!(
            !family.zygotes.is_empty() && !family.container.is_empty(),
            "the shim of `{id}` is incomplete: {family:?}"
        );
        Ok(family)
    }

    fn all(&self) -> Vec<Pid> {
        self.server.iter().chain(&self.zygotes).chain(&self.container).copied().collect()
    }
}

/// What `/proc` says of a process that has not ended.
#[derive(Debug)]
struct Process {
    pid: Pid,
    parent: Option<Pid>,
    /// The PID namespaces that it is in, from that of this process down.
    namespaces: usize,
    arguments: Vec<String>,
}

impl Process {
    /// The server was started by a process that has ended, so the first process of the namespace is its parent.
    fn serves(&self, id: &str) -> bool {
        self.parent == Some(Pid::INIT) && self.arguments.windows(2).any(|pair| pair == ["-id", id])
    }
}

fn processes() -> anyhow::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for path in glob::glob("/proc/[0-9]*/status")?.flatten() {
        let Ok(status) = std::fs::read_to_string(&path) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let pid = |text: &str| text.parse().ok().and_then(Pid::from_raw);
        let Some(number) = pid(field("Pid:")).filter(|_| !field("State:").starts_with('Z')) else { continue };
        let arguments = std::fs::read(path.with_file_name("cmdline")).unwrap_or_default();
        processes.push(Process {
            pid: number,
            parent: pid(field("PPid:")),
            namespaces: field("NSpid:").split_whitespace().count(),
            arguments: arguments
                .split(|byte| *byte == 0)
                .map(|part| String::from_utf8_lossy(part).into_owned())
                .collect(),
        });
    }
    Ok(processes)
}

fn ends(runtimes: &Runtimes, ctr: &Ctr, trial: &Trial, id: &str, victim: Victim) -> anyhow::Result<()> {
    let running = command(runtimes, ctr, trial, id).start()?;
    wait_until(Duration::from_secs(20), || {
        running.ensure_running()?;
        ctr.is_running(id)
    })?;
    let family = Family::of(id)?;
    let (killed, signal) = match victim {
        Victim::Server(signal) => (family.server.iter().copied().collect(), signal),
        Victim::Zygotes => (family.zygotes.clone(), Signal::KILL),
    };
    for pid in killed {
        kill_process(pid, signal)?;
    }
    if matches!(victim, Victim::Zygotes) {
        for args in [&["tasks", "kill", "--signal", "SIGKILL", id][..], &["tasks", "delete", "--force", id]] {
            // They may succeed or say why not: what they may not do is wait for ever.
            ctr.ask(args, END_LIMIT)?;
        }
    }
    wait_until(END_LIMIT, || Ok(!processes()?.iter().any(|process| family.all().contains(&process.pid))))
        .with_context(|| format!("of {family:?} some go on"))?;
    wait_until(REMOVED_LIMIT, || Ok(!ctr.is_running(id)? && cgroups(ctr, id)?.is_empty()))
        .with_context(|| format!("its task or cgroups are left: {:?}", cgroups(ctr, id)))?;
    running.wait(REMOVED_LIMIT).context("its client goes on")?;
    ctr.remove(id)
}

fn cgroups(ctr: &Ctr, id: &str) -> anyhow::Result<Vec<PathBuf>> {
    let below = |parent: &str| format!("{}{parent}/{}/{id}", leftovers::TREE, ctr.namespace);
    Ok(glob::glob(&below(""))?.chain(glob::glob(&below("/*"))?).flatten().collect())
}
