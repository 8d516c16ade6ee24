//! A sandbox and a container as they are asked for: what a kubelet fills in, as far as it is needed here.

use std::collections::HashMap;
use std::path::Path;

use super::image;
use super::messages::{
    CONTAINER, ContainerConfig, ContainerMetadata, LinuxContainerConfig, LinuxContainerSecurityContext,
    LinuxPodSandboxConfig, LinuxSandboxSecurityContext, NODE, NamespaceOption, PodSandboxConfig, PodSandboxMetadata,
};
use crate::matrix::Annotations;

/// A sandbox to be made.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'a> {
    /// Its name, which no other has.
    pub name: &'a str,
    /// The runtime handler of containerd's configuration.
    pub handler: &'a str,
    /// The cgroup above its own.
    pub cgroup: &'a str,
    /// The folder of its containers' logs.
    pub logs: &'a Path,
    /// What it and its containers are annotated with.
    pub annotations: &'a Annotations,
}

/// A container to be made in it.
#[derive(Clone, Copy, Debug)]
pub struct PodContainer<'a> {
    /// Which of its pod it is, from 0.
    pub attempt: u32,
    /// The image, as it was pulled.
    pub image: &'a str,
    /// The program.
    pub command: &'a [String],
    /// Its arguments.
    pub args: &'a [String],
    /// The name of its log in the pod's folder.
    pub log: &'a str,
}

fn map(annotations: &Annotations) -> HashMap<String, String> {
    annotations.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Pod<'_> {
    /// On the node's network: a network of its own needs plugins that configure one. Processes are each container's own, as
    /// a kubelet has it unless told otherwise.
    pub(super) fn config(&self) -> PodSandboxConfig {
        let namespace_options = Some(NamespaceOption { network: NODE, pid: CONTAINER });
        PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: self.name.to_owned(),
                uid: self.name.to_owned(),
                namespace: "default".to_owned(),
            }),
            hostname: String::new(),
            log_directory: self.logs.to_string_lossy().into_owned(),
            annotations: map(self.annotations),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: self.cgroup.to_owned(),
                security_context: Some(LinuxSandboxSecurityContext { namespace_options }),
            }),
        }
    }
}

impl PodContainer<'_> {
    pub(super) fn config(&self, pod: &Pod<'_>) -> ContainerConfig {
        let namespace_options = Some(NamespaceOption { network: NODE, pid: CONTAINER });
        ContainerConfig {
            metadata: Some(ContainerMetadata { name: "program".to_owned(), attempt: self.attempt }),
            image: Some(image(self.image)),
            command: self.command.to_vec(),
            args: self.args.to_vec(),
            annotations: map(pod.annotations),
            log_path: self.log.to_owned(),
            linux: Some(LinuxContainerConfig {
                security_context: Some(LinuxContainerSecurityContext { namespace_options }),
            }),
        }
    }
}
