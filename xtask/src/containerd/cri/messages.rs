//! The messages of the Container Runtime Interface that the calls of [`super`] take and give: version `runtime.v1`, as
//! `pkg/apis/runtime/v1/api.proto` of k8s.io/cri-api defines them. Written by hand, with the fields that are used and
//! their numbers: nobody needs `protoc` for this program, and a reader of protobuf skips the fields that it does not know.

use std::collections::HashMap;

use prost::Message;

/// `NamespaceMode`: the node's.
pub const NODE: i32 = 2;
/// `NamespaceMode`: one of the container's own. 0 is the pod's.
pub const CONTAINER: i32 = 1;
/// `ContainerState.CONTAINER_EXITED`.
pub const EXITED: i32 = 2;
/// `ContainerEventType.CONTAINER_STOPPED_EVENT`.
pub const STOPPED: i32 = 2;

/// A message without a field that is used.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Nothing {}

/// What a sandbox is called.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PodSandboxMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub uid: String,
    #[prost(string, tag = "3")]
    pub namespace: String,
}

/// Which namespaces are the node's.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct NamespaceOption {
    #[prost(int32, tag = "1")]
    pub network: i32,
    #[prost(int32, tag = "2")]
    pub pid: i32,
}

/// What a sandbox may do.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinuxSandboxSecurityContext {
    #[prost(message, optional, tag = "1")]
    pub namespace_options: Option<NamespaceOption>,
}

/// The part of a sandbox that is Linux's.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinuxPodSandboxConfig {
    #[prost(string, tag = "1")]
    pub cgroup_parent: String,
    #[prost(message, optional, tag = "2")]
    pub security_context: Option<LinuxSandboxSecurityContext>,
}

/// A sandbox to be made.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PodSandboxConfig {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<PodSandboxMetadata>,
    #[prost(string, tag = "2")]
    pub hostname: String,
    #[prost(string, tag = "3")]
    pub log_directory: String,
    #[prost(map = "string, string", tag = "7")]
    pub annotations: HashMap<String, String>,
    #[prost(message, optional, tag = "8")]
    pub linux: Option<LinuxPodSandboxConfig>,
}

/// `RunPodSandbox`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RunPodSandboxRequest {
    #[prost(message, optional, tag = "1")]
    pub config: Option<PodSandboxConfig>,
    #[prost(string, tag = "2")]
    pub runtime_handler: String,
}

/// The requests and answers that hold an identifier and no more, which is their first field.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Identifier {
    #[prost(string, tag = "1")]
    pub id: String,
}

/// An image by its name.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ImageSpec {
    #[prost(string, tag = "1")]
    pub image: String,
}

/// What a container is called within its sandbox.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContainerMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(uint32, tag = "2")]
    pub attempt: u32,
}

/// What a container may do.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinuxContainerSecurityContext {
    #[prost(message, optional, tag = "3")]
    pub namespace_options: Option<NamespaceOption>,
}

/// The part of a container that is Linux's.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinuxContainerConfig {
    #[prost(message, optional, tag = "2")]
    pub security_context: Option<LinuxContainerSecurityContext>,
}

/// A container to be made.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContainerConfig {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<ContainerMetadata>,
    #[prost(message, optional, tag = "2")]
    pub image: Option<ImageSpec>,
    #[prost(string, repeated, tag = "3")]
    pub command: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub args: Vec<String>,
    #[prost(map = "string, string", tag = "10")]
    pub annotations: HashMap<String, String>,
    #[prost(string, tag = "11")]
    pub log_path: String,
    #[prost(message, optional, tag = "15")]
    pub linux: Option<LinuxContainerConfig>,
}

/// `CreateContainer`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CreateContainerRequest {
    #[prost(string, tag = "1")]
    pub pod_sandbox_id: String,
    #[prost(message, optional, tag = "2")]
    pub config: Option<ContainerConfig>,
    #[prost(message, optional, tag = "3")]
    pub sandbox_config: Option<PodSandboxConfig>,
}

/// `StopContainer`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct StopContainerRequest {
    #[prost(string, tag = "1")]
    pub container_id: String,
    /// Seconds between SIGTERM and SIGKILL.
    #[prost(int64, tag = "2")]
    pub timeout: i64,
}

/// `ContainerStatus`, the part that is read.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContainerStatus {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(int32, tag = "3")]
    pub state: i32,
    #[prost(int32, tag = "7")]
    pub exit_code: i32,
    #[prost(string, tag = "10")]
    pub reason: String,
}

/// `ContainerStatus`' answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContainerStatusResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<ContainerStatus>,
}

/// One of `GetContainerEvents`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContainerEventResponse {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(int32, tag = "2")]
    pub container_event_type: i32,
    #[prost(message, repeated, tag = "5")]
    pub containers_statuses: Vec<ContainerStatus>,
}

/// `ListPodSandbox`' answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ListPodSandboxResponse {
    #[prost(message, repeated, tag = "1")]
    pub items: Vec<Identifier>,
}

/// The account that a registry wants.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct AuthConfig {
    #[prost(string, tag = "1")]
    pub username: String,
    #[prost(string, tag = "2")]
    pub password: String,
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthConfig").finish_non_exhaustive()
    }
}

/// `PullImage`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PullImageRequest {
    #[prost(message, optional, tag = "1")]
    pub image: Option<ImageSpec>,
    #[prost(message, optional, tag = "2")]
    pub auth: Option<AuthConfig>,
}

/// `PullImage`'s answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PullImageResponse {
    #[prost(string, tag = "1")]
    pub image_ref: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes were made by hand after the protobuf encoding (https://protobuf.dev/programming-guides/encoding/) from
    /// the field numbers of `api.proto`.
    #[test]
    fn fields_have_the_numbers_of_the_interface() {
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata { name: "a".into(), uid: "b".into(), namespace: "c".into() }),
            log_directory: "/l".into(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: "/g".into(),
                security_context: Some(LinuxSandboxSecurityContext {
                    namespace_options: Some(NamespaceOption { network: NODE, pid: CONTAINER }),
                }),
            }),
            ..PodSandboxConfig::default()
        };
        let request = RunPodSandboxRequest { config: Some(config), runtime_handler: "runc".into() };
        let metadata = b"\x0a\x09\x0a\x01a\x12\x01b\x1a\x01c";
        let linux = b"\x42\x0c\x0a\x02/g\x12\x06\x0a\x04\x08\x02\x10\x01";
        let inner = [&metadata[..], b"\x1a\x02/l", linux].concat();
        let length = u8::try_from(inner.len()).unwrap();
        assert_eq!(request.encode_to_vec(), [&[0x0a, length][..], &inner, b"\x12\x04runc"].concat());
    }

    #[test]
    fn fields_that_are_not_used_are_skipped() {
        // An event with `created_at` (3) and `pod_sandbox_status` (4), and a status with `image` (8).
        let bytes = b"\x0a\x01x\x10\x02\x18\x05\x22\x02\x0a\x00\x2a\x0b\x0a\x01x\x18\x02\x38\x07\x42\x02\x0a\x00";
        let event = ContainerEventResponse::decode(&bytes[..]).unwrap();
        assert_eq!((event.container_id.as_str(), event.container_event_type), ("x", STOPPED));
        let status = &event.containers_statuses[0];
        assert_eq!((status.state, status.exit_code), (EXITED, 7));
    }

    #[test]
    fn a_password_is_not_shown() {
        let auth = AuthConfig { username: "u".into(), password: "hunter2".into() };
        assert!(!format!("{:?}", PullImageRequest { image: None, auth: Some(auth) }).contains("hunter2"));
    }
}
