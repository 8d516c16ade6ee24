//! The stage on isolation: what a container of our shim may do, beside what runc's may, under several sets of options;
//! and attacks from inside. Inside means a measuring process's namespaces, as for the stage `shim`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use self::container::Inside;
use super::{Check, Rig, shim};
use xtask::cli::ProgramArgs;
use xtask::cmd::Cmd;
use xtask::compile::shims::Shim;
use xtask::containerd::Ctr;
use xtask::prepare;
use xtask::progress::Stderr;
use xtask::session::request::DaemonChoice;

mod attacks;
mod comparison;
mod container;
mod facts;

/// A variable of containerd's environment that no container may see.
const SECRET: &str = "CONTAINERD_SHIM_WASMEDGE_PROBE_SECRET";

/// Where the files are that the process inside needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IsolationPlan {
    /// A root directory with the probe as `/native`, as `/module.wasm`, compiled as `/compiled.wasm`, and with a script
    /// `/script` whose interpreter is whatever executes it.
    root: PathBuf,
    /// A folder that containers can write to, whoever they run as.
    shared: PathBuf,
}

/// The comparison and the attacks.
pub fn isolation(rig: &Rig) -> Vec<Check> {
    shim::checks(rig, "the stage on isolation runs", |rig| verdicts(rig, Shim::WasmEdge))
}

/// Both for one shim.
pub fn verdicts(rig: &Rig, kind: Shim) -> anyhow::Result<Vec<shim::Verdict>> {
    let toolbox = prepare::programs::toolbox(&rig.workspace, &ProgramArgs::default(), &mut Stderr::default())?;
    let folder = rig.scratch.join(format!("isolation-{}", kind.package()));
    let (mut setting, _scratch) = shim::setting(rig, &toolbox, kind)?;
    let plan = prepare(rig, &folder, &shim::ModuleCompiler::of(kind, &toolbox, &setting.runtimes.shim)?)?;
    if let DaemonChoice::Private { containerd, .. } = &mut setting.containers.daemon {
        *containerd = wrapper(&folder, &plan, containerd)?;
    }
    shim::run_inside(rig, &folder, setting, shim::Task::Isolation(plan))
}

/// The probe in every form, in one root directory.
fn prepare(rig: &Rig, folder: &Path, compiler: &shim::ModuleCompiler) -> anyhow::Result<IsolationPlan> {
    let plan = IsolationPlan { root: folder.join("root"), shared: folder.join("shared") };
    std::fs::create_dir_all(&plan.root)?;
    std::fs::create_dir_all(&plan.shared)?;
    std::fs::set_permissions(&plan.shared, std::fs::Permissions::from_mode(0o777))?;
    let source = rig.workspace.root().join("shim/tests/isolation/probe.rs");
    for (target, name) in [("x86_64-unknown-linux-musl", "native"), ("wasm32-wasip1", "module.wasm")] {
        let args = ["--edition", "2024", "-C", "opt-level=1", "-C", "strip=symbols", "--target", target, "-o"];
        let rustc = Cmd::new("rustc").args(args).arg(plan.root.join(name)).arg(&source).dir(rig.workspace.root());
        rustc.run().with_context(|| format!("can not compile `{}`", source.display()))?;
    }
    std::fs::write(plan.root.join("compiled.wasm"), compiler.compile(&plan.root.join("module.wasm"))?)?;
    script(&plan.root.join("script"), "#!/proc/self/exe\n")?;
    Ok(plan)
}

/// Starts containerd with a secret in its environment, a key in its session keyring, and, as `nohup` does, with a signal
/// ignored, which is inherited by what it executes.
fn wrapper(folder: &Path, plan: &IsolationPlan, containerd: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("containerd-with-secrets");
    let (probe, containerd) = (plan.root.join("native"), containerd.display());
    let text =
        format!("#!/bin/sh\ntrap '' HUP\n{SECRET}=x exec '{}' with-key '{containerd}' \"$@\"\n", probe.display());
    script(&path, &text)?;
    Ok(path)
}

fn script(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The process inside: every comparison, then every attack.
pub fn inside(runtimes: &shim::Runtimes, ctr: &Ctr, plan: &IsolationPlan) -> Vec<shim::Verdict> {
    let inside = Inside { runtimes, ctr, plan };
    [comparison::all(&inside), attacks::all(&inside)].concat()
}
