//! What is applied to a cluster: a namespace, the runtime classes, a Job per run. As JSON, which is YAML too.
//!
//! Everything has one label, by which it is found again, also by somebody else.

use serde_json::{Value, json};

use crate::bench::Variable;
use crate::matrix::Annotations;

/// The label of everything, as a selector.
pub const OURS: &str = "app.kubernetes.io/managed-by=deploy-bench";
/// The name of the container in each pod.
pub const CONTAINER: &str = "program";

fn labels() -> Value {
    json!({ "app.kubernetes.io/managed-by": "deploy-bench" })
}

/// The namespace.
pub fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels() } })
}

/// The class of a handler.
pub fn runtime_class(handler: &str) -> Value {
    json!({
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": { "name": class(handler), "labels": labels() },
        "handler": handler,
    })
}

/// The name of a handler's class.
pub fn class(handler: &str) -> String {
    format!("deploy-bench-{handler}")
}

/// What is said of a class of ours whose pods another handler would run: every row of it would be another's.
pub fn of_another_handler(class: &Value, handler: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let (name, other) = (text(&class["metadata"]["name"]), text(&class["handler"]));
    format!("`{name}` is of the handler `{other}`, not `{handler}`")
}

/// What helps then: no RuntimeClass can be changed.
pub fn remedy(class: &str) -> String {
    format!("`kubectl delete runtimeclass {class}`: `cluster run` makes it anew, as `cluster manifests` prints it")
}

/// What nodes pull with from a registry that wants a login: Docker's configuration of one account.
pub fn pull_secret(name: &str, docker_config: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "labels": labels() },
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": { ".dockerconfigjson": docker_config },
    })
}

/// Whether a pod has its node's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It does.
    Node,
    /// It has one of its own.
    Pod,
}

/// The pods of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pods {
    /// One, on this node.
    One {
        /// By its name.
        node: String,
    },
    /// One, on this node, of an image that the node has to pull.
    Pulling {
        /// By its name.
        node: String,
    },
    /// Many at once, where the scheduler puts them.
    Burst {
        /// How many.
        count: u32,
        /// Among these nodes.
        nodes: Vec<String>,
    },
}

impl Pods {
    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Self::One { .. } | Self::Pulling { .. } => 1,
            Self::Burst { count, .. } => *count,
        }
    }

    /// The nodes that they may be on.
    pub fn nodes(&self) -> &[String] {
        match self {
            Self::One { node } | Self::Pulling { node } => std::slice::from_ref(node),
            Self::Burst { nodes, .. } => nodes,
        }
    }
}

/// A program to be run as a Job.
#[derive(Clone, Copy, Debug)]
pub struct JobSpec<'a> {
    /// The Job's name.
    pub name: &'a str,
    /// Its pods.
    pub pods: &'a Pods,
    /// The runtime handler.
    pub handler: &'a str,
    /// What its pods are annotated with.
    pub annotations: &'a Annotations,
    /// The image, by the digest of its manifest: of an index a node takes what it likes.
    pub image: &'a str,
    /// The program in it.
    pub command: &'a [String],
    /// The program's arguments.
    pub args: &'a [String],
    /// The program's environment.
    pub env: &'a [Variable],
    /// The pod's network.
    pub network: Network,
    /// The Secret with which its node pulls.
    pub pull_secret: Option<&'a str>,
}

/// The Job. No second try: one that failed is a failed run.
pub fn job(spec: &JobSpec<'_>) -> Value {
    let secrets: Vec<Value> = spec.pull_secret.iter().map(|name| json!({ "name": name })).collect();
    let literal = |words: &[String]| words.iter().map(|word| literal(word)).collect::<Vec<_>>();
    let variable = |variable: &Variable| json!({ "name": variable.name, "value": self::literal(&variable.value) });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": spec.name, "labels": labels() },
        "spec": {
            "backoffLimit": 0,
            "completions": spec.pods.count(),
            "parallelism": spec.pods.count(),
            "template": {
                "metadata": { "labels": labels(), "annotations": spec.annotations },
                "spec": {
                    "restartPolicy": "Never",
                    "runtimeClassName": class(spec.handler),
                    // Else a pod waits for the volume of a token that it does not need.
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "hostNetwork": spec.network == Network::Node,
                    "affinity": affinity(spec.pods.nodes()),
                    "terminationGracePeriodSeconds": 0,
                    "imagePullSecrets": secrets,
                    "containers": [{
                        "name": CONTAINER,
                        "image": spec.image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": literal(spec.command),
                        "args": literal(spec.args),
                        "env": spec.env.iter().map(variable).collect::<Vec<_>>(),
                    }],
                },
            },
        },
    })
}

/// A word that a kubelet hands on as it is: of `$(NAME)` it would make what that variable holds, of `$$` one `$`.
fn literal(word: &str) -> String {
    word.replace('$', "$$")
}

/// A pod that shows what a node has.
#[derive(Clone, Copy, Debug)]
pub struct ProbeSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// The node.
    pub node: &'a str,
    /// The runtime handler.
    pub handler: &'a str,
    /// An image that is not there.
    pub image: &'a str,
}

/// The pod. It never runs anything.
pub fn probe(spec: &ProbeSpec<'_>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": spec.name, "labels": labels() },
        "spec": {
            "restartPolicy": "Never",
            "runtimeClassName": class(spec.handler),
            "automountServiceAccountToken": false,
            "hostNetwork": true,
            "affinity": affinity(&[spec.node.to_owned()]),
            "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": CONTAINER, "image": spec.image, "imagePullPolicy": "Always" }],
        },
    })
}

/// By the nodes' names, which no label has to repeat. A term may hold one name; one of the terms has to be true.
fn affinity(nodes: &[String]) -> Value {
    let term =
        |node: &String| json!({ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] });
    let terms: Vec<Value> = nodes.iter().map(term).collect();
    json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms } } })
}

/// A Job as it is made for each run, with words where a run has its own.
pub fn example() -> Value {
    let pods = Pods::One { node: "NODE".to_owned() };
    let (command, args) = (["/PROGRAM".to_owned()], ["ARGUMENT".to_owned()]);
    job(&JobSpec {
        name: "run-TIME-r0-p0",
        pods: &pods,
        handler: "HANDLER",
        annotations: &Annotations::new(),
        image: "REGISTRY/PROGRAM@sha256:MANIFEST",
        command: &command,
        args: &args,
        env: &[],
        network: Network::Pod,
        pull_secret: Some("run-TIME"),
    })
}

/// What has to be on each node, for whoever sets nodes up.
pub fn node_setup() -> &'static str {
    "each node needs in its containerd's configuration (/etc/containerd/config.toml, containerd 1.7), and then a restart of that:\n\
     [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.wasmedge]\n  \
       runtime_type = \"io.containerd.wasmedge.v1\"\n  \
       pod_annotations = [\"*\"]\n  \
       container_annotations = [\"*\"]\n\
     and in a folder of containerd's PATH the shim that `cargo xtask build --shim wasmedge` makes, as\n\
     containerd-shim-wasmedge-v1, with libwasmedge.so.0 beside the node's libraries; `runc` is there already"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_runs_once_under_our_label_on_the_nodes_that_were_named() {
        let made = example();
        let secret = pull_secret("s", "{}");
        for labelled in [&made, &made["spec"]["template"], &namespace("n"), &runtime_class("h"), &secret] {
            assert_eq!(labelled["metadata"]["labels"]["app.kubernetes.io/managed-by"], "deploy-bench", "{labelled}");
        }
        assert_eq!(made["spec"]["backoffLimit"], 0);
        let pod = &made["spec"]["template"]["spec"];
        assert_eq!(pod["runtimeClassName"], "deploy-bench-HANDLER");
        let required = &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0], "NODE");
        assert_eq!(pod["imagePullSecrets"], json!([{ "name": "run-TIME" }]));
        assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
        assert_eq!(secret["stringData"][".dockerconfigjson"], "{}");
        let env = [Variable { name: "A".to_owned(), value: "$(B)".to_owned() }];
        let words = ["a$$b".to_owned(), "plain".to_owned()];
        let given = job(&JobSpec {
            name: "name",
            pods: &Pods::One { node: "n".to_owned() },
            handler: "h",
            annotations: &Annotations::from([("mode".to_owned(), "aot".to_owned())]),
            image: "i",
            command: &[],
            args: &words,
            env: &env,
            network: Network::Node,
            pull_secret: None,
        });
        assert_eq!(given["spec"]["template"]["metadata"]["annotations"], json!({ "mode": "aot" }));
        let container = &given["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"], json!(["a$$$$b", "plain"]), "a kubelet makes one `$` of two");
        assert_eq!(container["env"], json!([{ "name": "A", "value": "$$(B)" }]));
        let burst = Pods::Burst { count: 3, nodes: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!((burst.count(), burst.nodes().len()), (3, 2));
    }
}
