//! `cluster manifests` and `cluster clean`, and how a cluster is reached.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::cli::{ClusterManifestsArgs, Exit, TargetArgs};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::{kubernetes, local, objects};
use crate::commands;
use crate::workspace::Workspace;

const KUBECTL: &str = "kubectl";
/// What is printed of the account that nodes pull with.
const LEFT_OUT: &str = "(the account for the registry in Docker's configuration: left out here)";

/// How the cluster that was named is reached.
///
/// # Errors
/// When the local one was meant, and none is up.
pub fn kubectl(workspace: &Workspace, args: &TargetArgs) -> anyhow::Result<Kubectl> {
    let mut global = Vec::new();
    let mut program = if args.local { PathBuf::new() } else { program(workspace, args)? };
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    if args.local {
        let up = local::find(workspace);
        let up = up.context("no cluster of this checkout is up: `cargo xtask cluster local up` starts one")?;
        // In its own network, from whichever this is.
        let mut line = up.prefix();
        line.extend([path(&up.kubectl), "--kubeconfig".to_owned(), path(&up.kubeconfig())]);
        program = line.remove(0).into();
        global = line;
    }
    global.extend(args.kubeconfig.iter().map(|file| format!("--kubeconfig={}", path(file))));
    global.extend(args.context.iter().map(|context| format!("--context={context}")));
    Ok(Kubectl { program, global, namespace: args.namespace.clone() })
}

/// The user's own, else that of the local cluster, whose version is old: a server of a much newer one may refuse it.
fn program(workspace: &Workspace, args: &TargetArgs) -> anyhow::Result<PathBuf> {
    if let Some(named) = &args.kubectl {
        return Ok(named.clone());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(KUBECTL).is_file()) {
        return Ok(KUBECTL.into());
    }
    let ours = kubernetes::folder(workspace).join(KUBECTL);
    ensure!(
        ours.is_file(),
        "there is no `{KUBECTL}`: install it, name one with `--kubectl FILE`, or have an old one by `cargo xtask cluster local build`"
    );
    Ok(ours)
}

/// Prints what would be applied, as YAML that can be: what is not to be is in comments.
pub fn manifests(args: &ClusterManifestsArgs) -> anyhow::Result<Exit> {
    let classes = args.of.all();
    let classes = classes.iter().map(|handler| objects::runtime_class(handler));
    let applied = std::iter::once(objects::namespace(&args.target.namespace)).chain(classes);
    let mut text = String::new();
    comment(&mut text, objects::node_setup())?;
    for object in applied {
        writeln!(text, "---\n{}", serde_json::to_string_pretty(&object)?)?;
    }
    comment(&mut text, "with `--pull-secret`, for the time of a run:")?;
    comment(&mut text, &serde_json::to_string_pretty(&objects::pull_secret("run-TIME", LEFT_OUT))?)?;
    comment(&mut text, "a Job for each run, removed after its round:")?;
    comment(&mut text, &serde_json::to_string_pretty(&objects::example())?)?;
    commands::print(&text)?;
    Ok(Exit::Done)
}

fn comment(into: &mut String, text: &str) -> std::fmt::Result {
    text.lines().try_for_each(|line| writeln!(into, "# {line}"))
}

/// Removes everything of ours.
pub fn clean(workspace: &Workspace, args: &TargetArgs) -> anyhow::Result<Exit> {
    let removed = kubectl(workspace, args)?.clean()?;
    let said = if removed.is_empty() { "nothing of ours was there".to_owned() } else { removed.join("\n") };
    commands::print(&format!("{said}\n"))?;
    Ok(Exit::Done)
}
