//! The image index (OCI image-spec 1.1, image-index.md): the same program for several platforms.
//!
//! The `index.json` of a layout has the same type and is `layout`'s business.

use serde::{Deserialize, Serialize};

use super::Image;
use super::definition::{Form, Platform};
use super::manifest::{Descriptor, SCHEMA_VERSION};
use crate::kind::Kind;

/// The media type of [`Index`].
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// The kinds that a program's index points at, in this order. `wasm-aot` and `cwasm` have the platform of `wasm` and are
/// tied to one processor and engine version, so they stay out and are pulled by their own tags.
const KINDS: [Kind; 2] = [Kind::Native, Kind::Wasm];

/// Whether a program's index points at an image: the default one of its kind, and what has another name for the platform.
/// Not one whose module is the layer: shims of runwasi read what a name stands for as a manifest, and find an index. Every
/// other image is pulled by its own tag.
pub fn offers(image: &Image) -> bool {
    let usual = Platform::of(image.kind()).first().map(ToString::to_string);
    let stands_for_its_platform = image.name() == image.kind().name() || usual != Some(image.platform());
    KINDS.contains(&image.kind()) && stands_for_its_platform && matches!(image.form(), Form::Tar { .. })
}

/// Manifests, each with its platform or its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// [`MEDIA_TYPE`].
    pub media_type: String,
    /// What it points at.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// An index of these manifests.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self { schema_version: SCHEMA_VERSION, media_type: MEDIA_TYPE.to_owned(), manifests }
    }
}
