//! The image config (OCI image-spec 1.1, config.md): own structs with a fixed order of fields, so that the
//! same image has the same bytes.
//!
//! An image of one layer has no `history`: it is optional, and would say nothing that the definition does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::{Platform, Settings};
use super::digest::{DiffId, Digest};
use super::epoch::Epoch;

/// The media type of [`Config`].
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of [`ArtifactConfig`].
pub const ARTIFACT_MEDIA_TYPE: &str = "application/vnd.wasm.config.v0+json";
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
    /// How each layer came about, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// How a layer came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// In words, or the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether it stands for no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
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
    /// One per tar layer of the manifest: containerd refuses an image with fewer or more.
    pub diff_ids: Vec<DiffId>,
}

/// The config of a Wasm artifact (Wasm OCI Artifact Layout of the CNCF's TAG Runtime). It says what the module is, and
/// nothing of how it is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactConfig {
    /// RFC 3339.
    pub created: String,
    /// As in [`Platform`].
    pub architecture: String,
    /// As in [`Platform`].
    pub os: String,
    /// The layers as they are stored: there is nothing inside them.
    pub layer_digests: Vec<Digest>,
}

impl ArtifactConfig {
    /// The config of an artifact with these layers.
    pub fn new(platform: Platform, layer_digests: Vec<Digest>, epoch: Epoch) -> Self {
        Self {
            created: epoch.rfc3339(),
            architecture: platform.architecture().to_owned(),
            os: platform.os().to_owned(),
            layer_digests,
        }
    }

    /// `os/architecture`.
    pub fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }
}

impl Config {
    /// The config of an image with these layers, from the lowest: what is in each, and how it came about.
    pub fn new(platform: Platform, settings: &Settings, layers: &[(DiffId, String)], epoch: Epoch) -> Self {
        let history = layers.iter().map(|(_, created_by)| History {
            created: Some(epoch.rfc3339()),
            created_by: Some(created_by.clone()),
            empty_layer: false,
        });
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
            rootfs: RootFs { kind: ROOTFS_TYPE.to_owned(), diff_ids: layers.iter().map(|(id, _)| *id).collect() },
            history: if layers.len() > 1 { history.collect() } else { Vec::new() },
        }
    }

    /// `os/architecture`.
    pub fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }
}
