//! `cluster`: a Kubernetes of this machine's own.

use crate::cli::{ClusterArgs, ClusterCommand, Exit, LocalCommand, ProgramArgs};
use crate::clock::Stopwatch;
use crate::cluster::kubernetes::{self, Kubernetes};
use crate::cluster::local::{self, Parts};
use crate::cluster::request::Programs;
use crate::compile::shims::{self, Shim};
use crate::plan::{Build, PAUSE};
use crate::prepare::builds::{self, AvailablePrograms};
use crate::prepare::extra::ExtraPrograms;
use crate::prepare::{self, selection};
use crate::programs;
use crate::progress::{Stderr, Steps};
use crate::toolbox::manifest::Verification;
use crate::workspace::Workspace;
use crate::{commands, lock};
use anyhow::Context as _;
use results::case::Kind;

mod doctor;
mod run;
mod target;

/// The program of `matrix/programs.toml` that a control plane keeps everything in.
const ETCD: &str = "etcd";

/// Does it.
pub fn run(workspace: &Workspace, args: ClusterArgs) -> anyhow::Result<Exit> {
    let args = match args.command {
        ClusterCommand::Local(args) => args,
        ClusterCommand::Doctor(args) => return doctor::doctor(workspace, &args),
        ClusterCommand::Manifests(args) => return target::manifests(&args),
        ClusterCommand::Run(args) => return run::run(workspace, &args),
        ClusterCommand::Report(args) => return commands::report::run(workspace, &args),
        ClusterCommand::Clean(args) => return target::clean(workspace, &args),
    };
    match args.command {
        LocalCommand::Up { nodes, lacking, programs } => up(workspace, (nodes, lacking), &programs),
        LocalCommand::Down => local::down(workspace).map(|()| Exit::Done),
        LocalCommand::Build { programs } => {
            let _lock = lock::build(workspace)?;
            let options = prepare::programs::options(&programs)?;
            kubernetes::ensure_built(workspace, &options, &mut Stderr::default())?;
            Ok(Exit::Done)
        }
    }
}

fn up(
    workspace: &Workspace,
    (nodes, lacking): (u8, Vec<(String, String)>),
    args: &ProgramArgs,
) -> anyhow::Result<Exit> {
    local::ensure_possible()?;
    local::ensure_none(workspace)?;
    let _lock = lock::build(workspace)?;
    let (kubernetes, programs, pause) = make(workspace, args)?;
    let clock = Stopwatch::start();
    let parts = Parts { kubernetes: &kubernetes, programs, pause, nodes, lacking };
    let local = local::up(workspace, &parts)?;
    commands::print(&format!(
        "{} is up after {:.1} s: {nodes} nodes, which are namespaces on this machine. It is reached from within its network:\n\
         {} {} --kubeconfig {} get nodes\n\
         `cargo xtask cluster local down` ends it, and so does the end of process {}.\n",
        kubernetes::TITLE,
        clock.elapsed().as_secs_f64(),
        local.prefix().join(" "),
        local.kubectl.display(),
        local.kubeconfig().display(),
        local.process,
    ))?;
    Ok(Exit::Done)
}

/// Everything that a cluster is made of.
fn make(workspace: &Workspace, args: &ProgramArgs) -> anyhow::Result<(Kubernetes, Programs, std::path::PathBuf)> {
    let options = prepare::programs::options(args)?;
    let mut steps = Steps::of(5);
    let toolbox = prepare::programs::toolbox(workspace, args, &mut steps.next("the programs that this machine lacks"))?;
    let on_request = programs::Programs::load(workspace)?;
    let etcd = on_request.ensure(ETCD, &options, Verification::Quick, &mut steps.next("etcd"))?;
    let shim = shims::build(workspace, Shim::WasmEdge, &toolbox, &mut steps.next("the shim for WasmEdge"))?;
    let matrix = selection::defined(workspace)?;
    let none = ExtraPrograms::new();
    let available = AvailablePrograms { toolbox: Some(&toolbox), extra: &none };
    let pause = [Build { program: PAUSE.to_owned(), kind: Kind::Native }];
    let built =
        builds::artifacts(workspace, (&matrix, &pause), available, &mut steps.next("the program of the sandboxes"))?;
    let kubernetes = kubernetes::ensure_built(workspace, &options, &mut steps.next("Kubernetes"))?;
    let programs = Programs {
        own: std::env::current_exe().context("can not find this program's own file")?,
        kubernetes: kubernetes.programs.clone(),
        kubectl: kubernetes.kubectl.clone(),
        etcd: etcd.path,
        containerd: toolbox.program("containerd")?,
        ctr: toolbox.program("ctr")?,
        search: prepare::programs::search(&toolbox)?,
        runc: toolbox.program("runc")?,
        crun: toolbox.program("crun")?,
        shim: shim.path,
    };
    let pause = built.into_iter().next().context("the program of the sandboxes was not built")?.path;
    Ok((kubernetes, programs, pause))
}
