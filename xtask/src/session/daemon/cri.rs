//! The part of containerd's configuration that is its Container Runtime Interface's: the handlers of a session's pods.
//!
//! Without pods the plugin is off, so that it can not cost the others anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::containerd::ContainerRuntime;
use crate::session::request::PodSetup;

/// The plugin's name.
pub const PLUGIN: &str = "io.containerd.grpc.v1.cri";

/// `[plugins."io.containerd.grpc.v1.cri"]` (containerd 1.7, `docs/cri/config.md`).
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the plugin's own")]
pub struct Cri<'a> {
    sandbox_image: &'a str,
    /// A sandbox wants to be killed last (-998), for which CAP_SYS_RESOURCE is needed: only as far as it may.
    restrict_oom_score_adj: bool,
    disable_apparmor: bool,
    disable_hugetlb_controller: bool,
    tolerate_missing_hugetlb_controller: bool,
    /// For `exec`, `attach` and port forwarding, which nobody asks for: on loopback, on a port that is free.
    stream_server_address: &'static str,
    stream_server_port: &'static str,
    containerd: Containerd<'a>,
    cni: Cni,
    registry: Registry<'a>,
}

#[derive(Serialize)]
struct Registry<'a> {
    mirrors: BTreeMap<&'a str, Mirror>,
}

#[derive(Serialize)]
struct Mirror {
    endpoint: [String; 1],
}

/// Pods are on the node's network. The folders would be made in `/etc` and `/opt`.
#[derive(Serialize)]
struct Cni {
    conf_dir: PathBuf,
    bin_dir: PathBuf,
}

#[derive(Serialize)]
struct Containerd<'a> {
    snapshotter: &'a str,
    runtimes: BTreeMap<&'a str, Runtime<'a>>,
}

#[derive(Serialize)]
struct Runtime<'a> {
    runtime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_path: Option<&'a Path>,
    /// Without this no annotation reaches the runtime.
    pod_annotations: [&'static str; 1],
    container_annotations: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options<'a>>,
}

#[derive(Serialize)]
struct Options<'a> {
    #[serde(rename = "BinaryName")]
    binary_name: &'a Path,
}

/// The configuration for these pods, with files of its own below `root`.
pub fn configuration<'a>(pods: &'a PodSetup, snapshotter: &'a str, root: &Path) -> Cri<'a> {
    let mirror = |address: &'a String| (address.as_str(), Mirror { endpoint: [format!("http://{address}")] });
    Cri {
        sandbox_image: &pods.pause.reference,
        restrict_oom_score_adj: true,
        disable_apparmor: true,
        disable_hugetlb_controller: true,
        tolerate_missing_hugetlb_controller: true,
        stream_server_address: "127.0.0.1",
        stream_server_port: "0",
        containerd: Containerd {
            snapshotter,
            runtimes: pods.handlers.iter().map(|(name, made_by)| (name.as_str(), runtime(made_by))).collect(),
        },
        cni: Cni { conf_dir: networks(root), bin_dir: root.join("cni/bin") },
        registry: Registry { mirrors: pods.plain_http.iter().map(mirror).collect() },
    }
}

/// Where networks are described.
pub fn networks(root: &Path) -> PathBuf {
    root.join("cni/net.d")
}

fn runtime(made_by: &ContainerRuntime) -> Runtime<'_> {
    let all = ["*"];
    let (runtime_type, runtime_path, options) = match made_by {
        ContainerRuntime::Oci { program } => {
            ("io.containerd.runc.v2".to_owned(), None, Some(Options { binary_name: program }))
        }
        ContainerRuntime::Shim { program } => (shim_type(program), Some(program.as_path()), None),
    };
    Runtime { runtime_type, runtime_path, pod_annotations: all, container_annotations: all, options }
}

/// `containerd-shim-NAME-VERSION` is of the type `io.containerd.NAME.VERSION`. Where a path is given only its form counts.
fn shim_type(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let parts = name.strip_prefix("containerd-shim-").and_then(|rest| rest.rsplit_once('-'));
    let (name, version) = parts.unwrap_or(("shim", "v1"));
    format!("io.containerd.{name}.{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shim_is_of_the_type_of_its_name() {
        assert_eq!(shim_type(Path::new("/t/containerd-shim-wasmedge-v1")), "io.containerd.wasmedge.v1");
        assert_eq!(shim_type(Path::new("/t/containerd-shim-my-own-v2")), "io.containerd.my-own.v2");
        assert_eq!(shim_type(Path::new("/t/other")), "io.containerd.shim.v1");
    }
}
