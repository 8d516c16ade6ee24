//! What a local cluster is made of, in one value that its processes read, and where in its folder what is.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The bridge's address, which is the control plane's.
pub const CONTROL: &str = "10.200.0.1";
/// The registry of the cluster, on the bridge: plain HTTP, for everybody who is in there.
pub const REGISTRY: &str = "10.200.0.1:5000";
/// A registry that somebody else may run on the bridge, one that wants a login for example: nodes speak plain HTTP to it, too.
pub const OTHER_REGISTRY: &str = "10.200.0.1:5001";
/// Where the API server listens.
pub const API: &str = "https://10.200.0.1:6443";

/// A local cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Its folder.
    pub folder: PathBuf,
    /// How many nodes.
    pub nodes: u8,
    /// Nodes, and handlers that they are to lack.
    pub lacking: Vec<(String, String)>,
    /// Its programs.
    pub programs: Programs,
    /// The image definitions, for that of the sandboxes.
    pub images: PathBuf,
    /// The program of the sandboxes.
    pub pause: PathBuf,
}

/// The programs, absolute paths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Programs {
    /// This one.
    pub own: PathBuf,
    /// The folder of Kubernetes' own.
    pub kubernetes: PathBuf,
    /// `kubectl`.
    pub kubectl: PathBuf,
    /// etcd.
    pub etcd: PathBuf,
    /// containerd.
    pub containerd: PathBuf,
    /// `ctr`.
    pub ctr: PathBuf,
    /// The folders in which containerd looks for shims.
    pub search: Vec<PathBuf>,
    /// runc.
    pub runc: PathBuf,
    /// crun.
    pub crun: PathBuf,
    /// Our shim.
    pub shim: PathBuf,
}

impl Request {
    /// A file below the folder of certificates.
    pub fn pki(&self, name: &str) -> String {
        self.folder.join("pki").join(name).to_string_lossy().into_owned()
    }

    /// The configuration with which somebody speaks to the API server.
    pub fn kubeconfig(&self, who: &str) -> String {
        kubeconfig(&self.folder, who).to_string_lossy().into_owned()
    }

    /// What belongs to one node.
    pub fn of_node(&self, number: u8) -> PathBuf {
        self.folder.join(node(number))
    }

    /// The logs of the control plane.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }
}

/// The name of a node.
pub fn node(number: u8) -> String {
    format!("n{number}")
}

/// The address of a node.
pub fn address(number: u8) -> String {
    format!("10.200.0.{}", 10 + number)
}

/// The configuration of somebody in a cluster's folder.
pub fn kubeconfig(folder: &Path, who: &str) -> PathBuf {
    folder.join(format!("{who}.kubeconfig"))
}
