//! The image manifest and the descriptor that it is made of (OCI image-spec 1.1, manifest.md, descriptor.md).
//!
//! Not here: indexes, and artifact manifests (`artifactType`, `subject`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The media type of [`Manifest`].
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The only `schemaVersion` of manifests and indexes.
pub const SCHEMA_VERSION: u32 = 2;

/// What a document says about a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// What its bytes hash to.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// What it runs on; only in indexes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformRecord>,
    /// Free text by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A platform as documents write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformRecord {
    /// For example `wasm`.
    pub architecture: String,
    /// For example `wasip1`.
    pub os: String,
}

/// One image for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// [`MEDIA_TYPE`].
    pub media_type: String,
    /// The config.
    pub config: Descriptor,
    /// The layers, from the lowest.
    pub layers: Vec<Descriptor>,
    /// Free text by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// A manifest of these parts.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        Self { schema_version: SCHEMA_VERSION, media_type: MEDIA_TYPE.to_owned(), config, layers, annotations }
    }
}
