//! The image config (OCI image-spec 1.1, config.md): own structs with a fixed order of fields, so that the
//! same image has the same bytes.
//!
//! Not here: `history`, which is optional and would say nothing that the definition does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::{Platform, Settings};
use super::digest::DiffId;
use super::epoch::Epoch;

/// The media type of [`Config`].
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The only type of root file system that the specification knows.
const ROOTFS_TYPE: &str = "layers";

/// What an image runs as, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// RFC 3339.
    pub created: String,
    /// As in [`Platform`].
    pub architecture: String,
    /// As in [`Platform`].
    pub os: String,
    /// How the container is started.
    #[serde(rename = "config")]
    pub execution: Execution,
    /// The layers.
    pub rootfs: RootFs,
}

/// How the container is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// `NAME=value` each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The command.
    pub entrypoint: Vec<String>,
    /// An absolute path.
    pub working_dir: String,
    /// Free text by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The layers, from the lowest, by what is in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One per layer of the manifest: containerd refuses an image with fewer or more.
    pub diff_ids: Vec<DiffId>,
}

impl Config {
    /// The config of an image with one layer.
    pub fn new(platform: Platform, settings: &Settings, diff_id: DiffId, epoch: Epoch) -> Self {
        Self {
            created: epoch.rfc3339(),
            architecture: platform.architecture().to_owned(),
            os: platform.os().to_owned(),
            execution: Execution {
                env: settings.env.clone(),
                entrypoint: settings.entrypoint.clone(),
                working_dir: settings.working_dir.clone(),
                labels: settings.labels.clone(),
            },
            rootfs: RootFs { kind: ROOTFS_TYPE.to_owned(), diff_ids: vec![diff_id] },
        }
    }

    /// `os/architecture`.
    pub fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }
}
