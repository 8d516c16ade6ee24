//! `cluster doctor`: what a cluster has and lacks, each finding with its remedy.

use anyhow::Context as _;
use serde_json::Value;

use super::target;
use crate::cli::{ClusterDoctorArgs, Exit};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::probe::{Shown, probe};
use crate::cluster::{nodes, objects};
use crate::commands;
use crate::workspace::Workspace;

/// What images are made for.
const ARCHITECTURE: &str = "amd64";
/// What a user has to be allowed, and who helps where he is not.
const RIGHTS: [(&str, &str, &str); 6] = [
    ("create", "namespaces", "an administrator makes the namespace that `cluster manifests` prints"),
    ("create", "runtimeclasses.node.k8s.io", "an administrator applies what `cluster manifests` prints"),
    ("create", "jobs.batch", "a role in the namespace that may create Jobs"),
    ("delete", "jobs.batch", "a role in the namespace that may delete Jobs"),
    ("get", "pods/log", "a role in the namespace that may get the logs of pods: what they print is checked"),
    ("get", "nodes/proxy", "a role that may get `nodes/proxy`; without it the kubelets' counters are not measured"),
];

/// Lines for a person, and whether nothing is lacking.
struct Findings {
    lines: Vec<String>,
    complete: bool,
}

impl Findings {
    fn has(&mut self, what: &str, line: &str) {
        self.lines.push(format!("{what:<13} {line}"));
    }

    fn lacks(&mut self, what: &str, line: &str, remedy: &str) {
        self.complete = false;
        self.lines.push(format!("{what:<13} {line}\n              -> {remedy}"));
    }
}

/// Says what there is.
pub fn doctor(workspace: &Workspace, args: &ClusterDoctorArgs) -> anyhow::Result<Exit> {
    let kubectl = target::kubectl(workspace, &args.target)?;
    let version = kubectl.json(&["version"]);
    let version = version.context("the cluster can not be reached: which one does `kubectl` mean?")?;
    let mut findings = Findings { lines: Vec::new(), complete: true };
    findings.has("Kubernetes", text(&version["serverVersion"]["gitVersion"]));
    rights(&kubectl, &mut findings)?;
    let usable = nodes(&kubectl, &mut findings)?;
    let handlers = args.of.all();
    classes(&kubectl, &handlers, &mut findings)?;
    match &args.probe {
        Some(registry) => probes(&kubectl, (&usable, &handlers, registry), &mut findings)?,
        None => {
            findings.has("handlers", "not looked at: `--probe HOST[:PORT]/PREFIX` makes a pod on each node for each");
        }
    }
    commands::print(&(findings.lines.join("\n") + "\n"))?;
    Ok(if findings.complete { Exit::Done } else { Exit::Partial })
}

fn rights(kubectl: &Kubectl, findings: &mut Findings) -> anyhow::Result<()> {
    let before = findings.lines.len();
    for (verb, resource, remedy) in RIGHTS {
        if !kubectl.may(verb, resource)? {
            findings.lacks("rights", &format!("none to {verb} {resource}"), remedy);
        }
    }
    if findings.lines.len() == before {
        findings.has("rights", "all that are needed");
    }
    Ok(())
}

fn nodes(kubectl: &Kubectl, findings: &mut Findings) -> anyhow::Result<Vec<String>> {
    let found = kubectl.json(&["get", "nodes"])?;
    for node in found["items"].as_array().into_iter().flatten() {
        let info = &node["status"]["nodeInfo"];
        let of = |key: &str| text(&info[key]).to_owned();
        let name = text(&node["metadata"]["name"]);
        let line = format!("{name}: kubelet {}, {}", of("kubeletVersion"), of("containerRuntimeVersion"));
        if of("architecture") == ARCHITECTURE {
            findings.has("node", &line);
        } else {
            let line = format!("{line}, {}", of("architecture"));
            findings.lacks("node", &line, "images are for amd64: leave it out with `--node` for each of the others");
        }
    }
    match nodes::ready(kubectl, &[]) {
        Ok(usable) => {
            findings.has("take pods", &usable.join(", "));
            Ok(usable)
        }
        Err(error) => {
            findings.lacks("take pods", &format!("{error:#}"), "make a node ready, or take its taint away");
            Ok(Vec::new())
        }
    }
}

fn classes(kubectl: &Kubectl, handlers: &[String], findings: &mut Findings) -> anyhow::Result<()> {
    let found = kubectl.json(&["get", "runtimeclasses.node.k8s.io"])?;
    let found = found["items"].as_array().map_or(&[][..], Vec::as_slice);
    let name = |class: &Value| text(&class["metadata"]["name"]).to_owned();
    let known: Vec<String> =
        found.iter().map(|class| format!("{} ({})", name(class), text(&class["handler"]))).collect();
    let ours: Vec<String> = handlers.iter().map(|handler| objects::class(handler)).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let made = ours.join(", ");
    findings.has("RuntimeClass", &format!("{known}; `cluster run` makes {made} where they are not there"));
    for (handler, ours) in handlers.iter().zip(&ours) {
        let other = found.iter().find(|class| name(class) == *ours && class["handler"] != handler.as_str());
        if let Some(other) = other {
            findings.lacks("RuntimeClass", &objects::of_another_handler(other, handler), &objects::remedy(ours));
        }
    }
    Ok(())
}

fn probes(
    kubectl: &Kubectl,
    (nodes, handlers, registry): (&[String], &[String], &str),
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let made = kubectl.set_up(handlers)?;
    let probed = probe(kubectl, nodes, handlers, registry);
    if made > 0 {
        kubectl.clean()?;
    }
    for probe in probed? {
        let of = format!("{} on {}", probe.handler, probe.node);
        match &probe.shown {
            Shown::Both => findings.has("handler", &format!("{of}, and `{registry}` answers it")),
            Shown::NoRegistry(said) => findings.lacks(
                "registry",
                &format!("{of}: `{registry}` does not answer: {said}"),
                "name a registry that the nodes reach, and trust: plain HTTP has to be in their containerd's configuration",
            ),
            Shown::NoSandbox(said) => findings.lacks(
                "handler",
                &format!("{of}: there is none: {said}"),
                "set the node up as `cluster manifests` says, or leave it out with `--node` for each of the others",
            ),
            Shown::Nothing => findings.lacks(
                "handler",
                &format!("{of}: no pod was started within a minute"),
                "`kubectl describe node` says what the node lacks",
            ),
        }
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}
