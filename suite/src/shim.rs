//! The stages on the shims, one for each: every module of `shim/tests/modules`, plain and compiled, in a tar layer and as
//! a wasm layer, in real containers; and a native image through the same shim.
//!
//! The images are made here, the containers run in a measuring process's namespaces (`inside`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use self::archive::{Form, ImageSpec};
pub use self::compiler::ModuleCompiler;
use super::{Check, Rig, isolation, source};
use results::case::Kind;
use xtask::cli::ProgramArgs;
use xtask::clock::Stopwatch;
use xtask::cmd::Cmd;
use xtask::compile::{
    self, Compilers,
    shims::{self, Shim},
};
use xtask::containerd::{Container, ContainerRuntime, Ctr, Scheme};
use xtask::plan::Build;
use xtask::prepare;
use xtask::progress::Stderr;
use xtask::session::inside::ContainerHost;
use xtask::session::privileges::Namespaces;
use xtask::session::request::{Containers, DaemonChoice};
use xtask::session::scratch::{self, Scratch};
use xtask::session::{leftovers, password, process, request};
use xtask::stop::Stop;
use xtask::toolbox::Toolbox;

mod archive;
mod compiler;
mod lifetime;
mod trials;

use trials::{Trial, Want};

/// A containerd, and what makes containers below it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setting {
    /// The containerd.
    pub containers: Containers,
    /// The runtimes.
    pub runtimes: Runtimes,
}

/// runc and the shim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runtimes {
    /// The runc executable.
    pub runc: PathBuf,
    /// The shim.
    pub shim: PathBuf,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// runc.
    Runc,
    /// The shim.
    Shim,
}

impl Runtimes {
    /// What makes a container.
    pub fn of(&self, runner: Runner) -> ContainerRuntime {
        match runner {
            Runner::Runc => ContainerRuntime::Oci { program: self.runc.clone() },
            Runner::Shim => ContainerRuntime::Shim { program: self.shim.clone() },
        }
    }
}

/// What the process inside is asked to do.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    setting: Setting,
    task: Task,
    verdicts: PathBuf,
}

/// What is tried with the containers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Task {
    /// The stage `shim`.
    Trials(Trials),
    /// The stage `isolation`.
    Isolation(isolation::IsolationPlan),
}

/// The trials, and what they need.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trials {
    /// Names and archives.
    images: Vec<(String, PathBuf)>,
    /// What is tried.
    trials: Vec<Trial>,
    /// What is in the name of those in which a module is interpreted.
    interpreted: String,
    /// A shim with one of the processes that make a container held host.
    held_up: PathBuf,
}

/// A trial's name, and why it failed.
pub type Verdict = (String, Option<String>);

/// Builds what is needed, runs every trial inside, and reports each as a check.
pub fn stage(rig: &Rig) -> Vec<Check> {
    checks(rig, "the shim's suite runs", |rig| trial_verdicts(rig, Shim::WasmEdge))
}

/// Everything that the other stages do with the shim for WasmEdge, with the shim for Wasmtime.
pub fn wasmtime(rig: &Rig) -> Vec<Check> {
    let mut all = source::unit_of(rig, Shim::Wasmtime);
    all.push(source::shared(rig));
    all.extend(checks(rig, "the shim's suite runs", |rig| trial_verdicts(rig, Shim::Wasmtime)));
    all.extend(checks(rig, "its isolation is tried", |rig| isolation::verdicts(rig, Shim::Wasmtime)));
    all
}

/// A check for each verdict, or one of this name when there is none.
pub fn checks(rig: &Rig, name: &str, verdicts: fn(&Rig) -> anyhow::Result<Vec<Verdict>>) -> Vec<Check> {
    if let Some(reason) = rig.no_containers() {
        return vec![Check::skipped(name, reason)];
    }
    match verdicts(rig) {
        Err(error) => vec![Check::of(name, Err(error))],
        Ok(verdicts) if verdicts.is_empty() => vec![Check::of(name, Err(anyhow::anyhow!("it had no trial")))],
        Ok(verdicts) => verdicts
            .into_iter()
            .map(|(name, failure)| Check::of(name, failure.map_or(Ok(()), |reason| Err(anyhow::anyhow!(reason)))))
            .collect(),
    }
}

fn trial_verdicts(rig: &Rig, kind: Shim) -> anyhow::Result<Vec<Verdict>> {
    let toolbox = prepare::programs::toolbox(&rig.workspace, &ProgramArgs::default(), &mut Stderr::default())?;
    let folder = rig.scratch.join(kind.package());
    std::fs::create_dir_all(&folder)?;
    let (setting, _scratch) = setting(rig, &toolbox, kind)?;
    let modules = modules(rig, &folder, &ModuleCompiler::of(kind, &toolbox, &setting.runtimes.shim)?)?;
    let mut images = archive::wasm_images(&modules, &folder)?;
    for program in [trials::NATIVE, trials::NATIVE_ENDLESS] {
        images.push(native_image(rig, &folder, program)?);
    }
    let trials = trials::trials(&images, kind);
    let images = images.into_iter().map(|image| (image.name, image.archive)).collect();
    let held_up = lifetime::held_up(&setting.runtimes.shim, &folder)?;
    let interpreted = trials::interpreted(kind).to_owned();
    run_inside(rig, &folder, setting, Task::Trials(Trials { images, trials, interpreted, held_up }))
}

/// A private containerd with runc and a shim, and the folder that it works in.
pub fn setting(rig: &Rig, toolbox: &Toolbox, shim: Shim) -> anyhow::Result<(Setting, Scratch)> {
    let shim = shims::build(&rig.workspace, shim, toolbox, &mut Stderr::default())?.path;
    let name = format!("{}{}-{}", leftovers::NAMESPACE_PREFIX, leftovers::SUITE, std::process::id());
    let hosts = std::path::absolute(rig.workspace.hosts())?;
    // The stage before this one had a folder of the same name, whose log stays for whoever wants to know.
    let left = scratch::sweep(&hosts, rustix::process::geteuid().as_raw());
    ensure!(left.is_empty(), "{}", left.join("\n"));
    let scratch = Scratch::create(&hosts.join(&name))?;
    let containers = Containers {
        daemon: DaemonChoice::Private {
            containerd: toolbox.program("containerd")?,
            search: prepare::programs::search(toolbox)?,
            scratch: scratch.path().to_path_buf(),
            abandoned: Vec::new(),
        },
        ctr: toolbox.program("ctr")?,
        namespace: name,
        scheme: Scheme::Http,
        user: None,
        pods: None,
    };
    let runtimes = Runtimes { runc: toolbox.program("runc")?, shim };
    Ok((Setting { containers, runtimes }, scratch))
}

/// Has a task done in namespaces of its own.
pub fn run_inside(rig: &Rig, folder: &Path, setting: Setting, task: Task) -> anyhow::Result<Vec<Verdict>> {
    let file = folder.join("request.json");
    let verdicts = folder.join("verdicts.json");
    request::write(&file, &Request { setting, task, verdicts: verdicts.clone() })?;
    process::run_inside(&rig.privileges, INSIDE, (&file, None), Namespaces::Private, &Stop::never()?)?;
    request::read(&verdicts)
}

/// A module in plain or compiled form.
struct Module {
    name: String,
    compiled: bool,
    bytes: Vec<u8>,
}

/// Assembles every module, and compiles each that can be.
fn modules(rig: &Rig, folder: &Path, compiler: &ModuleCompiler) -> anyhow::Result<Vec<Module>> {
    let sources = rig.workspace.root().join("shim/tests/modules");
    let mut modules = Vec::new();
    for path in glob::glob(&format!("{}/*.wat", sources.display()))?.flatten() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = wat::parse_file(&path).with_context(|| format!("can not assemble `{}`", path.display()))?;
        let plain = folder.join(format!("{name}.wasm"));
        std::fs::write(&plain, &bytes)?;
        modules.push(Module { name: name.clone(), compiled: false, bytes });
        // What breaks the type rules is refused by the compiler: that is its point.
        if name != trials::ILL_TYPED {
            modules.push(Module { name, compiled: true, bytes: compiler.compile(&plain)? });
        }
    }
    ensure!(!modules.is_empty(), "there is no module in `{}`", sources.display());
    let damaged =
        modules.iter().find(|module| module.name == "exit-code" && module.compiled).context("no `exit-code`")?;
    let bytes = compiler.for_another_version(&damaged.bytes)?;
    modules.push(Module { name: trials::FOREIGN_CODE.to_owned(), compiled: true, bytes });
    if let Some(bytes) = compiler.compile_for_interpreter(&folder.join("exit-code.wasm"))? {
        modules.push(Module { name: trials::INTERPRETER_CODE.to_owned(), compiled: true, bytes });
    }
    Ok(modules)
}

fn native_image(rig: &Rig, folder: &Path, program: &str) -> anyhow::Result<ImageSpec> {
    let build = Build { program: program.to_owned(), kind: Kind::Native };
    let artifact = compile::build(&rig.workspace, &[build], &Compilers::new(), &mut Stderr::default())?
        .into_iter()
        .next()
        .context("no artifact")?;
    archive::image(folder, program, Form::Native, &format!("/{program}"), &std::fs::read(&artifact.path)?)
}

/// The hidden subcommand that tries a shim inside.
pub const INSIDE: &str = "shim-suite";

/// The process inside: does the task, writes the verdicts.
pub fn inside(path: &Path) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    ensure!(password::receive(std::io::stdin())?.is_none(), "nobody gives the shim's suite a password");
    stop.follow_lifeline()?;
    let order: Request = request::read(path)?;
    let Setting { containers, runtimes } = &order.setting;
    let host = ContainerHost::start(containers)?;
    let verdicts = match &order.task {
        Task::Trials(trials) => all(runtimes, &host.ctr, trials),
        Task::Isolation(plan) => Ok(isolation::inside(runtimes, &host.ctr, plan)),
    };
    host.stop(containers)?;
    request::write(&order.verdicts, &verdicts?)
}

fn all(runtimes: &Runtimes, ctr: &Ctr, trials: &Trials) -> anyhow::Result<Vec<Verdict>> {
    for (_, archive) in &trials.images {
        ctr.import(archive)?;
    }
    let mut verdicts = Vec::new();
    let mut busy = Vec::new();
    for (number, trial) in trials.trials.iter().enumerate() {
        let (result, took) = tried(runtimes, ctr, trial, &format!("trial-{number}"))?;
        if trial.name.starts_with("busy (") {
            busy.push((trial, took));
        }
        verdicts.push((trial.name.clone(), result.err().map(|error| format!("{error:#}"))));
    }
    let name = "a compiled module runs compiled: `busy` is at least twice as fast as interpreted";
    verdicts.push((name.to_owned(), mode((runtimes, ctr), &busy, &trials.interpreted)?));
    verdicts.extend(lifetime::checks(runtimes, ctr, trials));
    Ok(verdicts)
}

/// What a trial came to, and how long it took with everything around it.
fn tried(runtimes: &Runtimes, ctr: &Ctr, trial: &Trial, id: &str) -> anyhow::Result<(anyhow::Result<()>, Duration)> {
    let clock = Stopwatch::start();
    let result = match trial.want {
        Want::KilledAtOnce => killed(runtimes, ctr, trial, id),
        _ => ended(runtimes, ctr, trial, id),
    };
    let took = clock.elapsed();
    ctr.remove(id)?;
    Ok((result, took))
}

/// How often a compiled module is tried whose time is no proof: the machine may have had something else to do.
const TRIES: u32 = 3;

/// The engine may fall back to its interpreter without an error: only the time tells.
fn mode(
    (runtimes, ctr): (&Runtimes, &Ctr),
    busy: &[(&Trial, Duration)],
    interpreted: &str,
) -> anyhow::Result<Option<String>> {
    let (slow, fast): (Vec<_>, Vec<_>) = busy.iter().partition(|(trial, _)| trial.name.contains(interpreted));
    let Some(interpreted) = slow.iter().map(|(_, took)| *took).min().filter(|_| !fast.is_empty()) else {
        return Ok(Some("it was not tried in both ways".to_owned()));
    };
    for (trial, first) in fast {
        let mut least = first;
        for again in 1..TRIES {
            if least * 2 < interpreted {
                break;
            }
            let (result, took) = tried(runtimes, ctr, trial, &format!("busy-again-{again}"))?;
            result?;
            least = least.min(took);
        }
        if least * 2 >= interpreted {
            return Ok(Some(format!("{} took {least:?} at least, and interpreted {interpreted:?}", trial.name)));
        }
    }
    Ok(None)
}

fn command(runtimes: &Runtimes, ctr: &Ctr, trial: &Trial, id: &str) -> Cmd {
    let runtime = runtimes.of(Runner::Shim);
    let container = Container {
        image: &trial.image,
        platform: &trial.platform,
        id,
        runtime: &runtime,
        command: &trial.command,
        annotations: &BTreeMap::new(),
        cgroup: None,
        env: &trial.env,
        folders: &[],
    };
    let mut invocation = ctr.run(&container);
    if let Some((key, value)) = &trial.annotation {
        // Options come before the image.
        let place = invocation.args.iter().position(|arg| arg == "--rm").map_or(0, |place| place + 1);
        invocation.args.splice(place..place, ["--annotation".to_owned(), format!("{key}={value}")]);
    }
    Cmd::new(&invocation.program).args(&invocation.args).stdin(trial.stdin.as_bytes()).limit(Duration::from_secs(30))
}

fn ended(runtimes: &Runtimes, ctr: &Ctr, trial: &Trial, id: &str) -> anyhow::Result<()> {
    let output = command(runtimes, ctr, trial, id).output()?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let seen = format!("exit status {:?}, stdout {stdout:.400?}, stderr {stderr:.400?}", output.code);
    match &trial.want {
        Want::Exactly { code, stdout: wanted } => {
            ensure!(output.code == Some(*code) && stdout == wanted.as_str() && stderr.is_empty(), "{seen}");
        }
        Want::Streams { stdout: out, stderr: err } => {
            ensure!(output.code == Some(0) && stdout == out.as_str() && stderr == err.as_str(), "{seen}");
        }
        Want::Lines { lines } => {
            let all = lines.iter().all(|line| stdout.lines().any(|printed| printed == line));
            ensure!(output.code == Some(0) && all, "{seen}");
        }
        Want::Refused { code, says } => {
            ensure!(output.code == Some(*code) && stdout.is_empty(), "{seen}");
            ensure!(says.iter().all(|words| stderr.contains(words.as_str())), "{seen}");
        }
        Want::KilledAtOnce => {}
    }
    Ok(())
}

/// How long a kill may take: the module spins in the engine, which can not be asked to stop.
const KILL_LIMIT: Duration = Duration::from_secs(2);

fn killed(runtimes: &Runtimes, ctr: &Ctr, trial: &Trial, id: &str) -> anyhow::Result<()> {
    let running = command(runtimes, ctr, trial, id).start()?;
    let clock = Stopwatch::start();
    while !ctr.is_running(id)? {
        running.ensure_running()?;
        ensure!(clock.elapsed() < Duration::from_secs(20), "the container does not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let clock = Stopwatch::start();
    ctr.kill(id)?;
    let output = running.wait(Duration::from_secs(20))?;
    ensure!(clock.elapsed() < KILL_LIMIT, "it took {:?}", clock.elapsed());
    ensure!(output.code == Some(137), "exit status {:?}", output.code);
    Ok(())
}
