//! OCI images assembled without Docker: bytes in, bytes out, the same bytes for the same input.
//!
//! An [`Image`] is one program for one platform, an [`IndexImage`] stands beside the images of a program.
//! Only `layout`, `verify` and `definition::load` touch files. Not here: registries.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use self::base::Base;
use self::definition::{Definition, Form};
use self::digest::Digest;
use self::epoch::Epoch;
use self::index::Index;
use self::layer::{Entry, Layer, Node};
use self::manifest::{Descriptor, Manifest, PlatformRecord};
use self::marked::Mark;
use self::parts::Parts;
use crate::kind::Kind;

pub mod base;
pub mod config;
pub mod definition;
pub mod digest;
pub mod epoch;
pub mod example;
pub mod index;
pub mod kind;
pub mod layer;
pub mod layout;
pub mod manifest;
pub mod marked;
mod parts;
pub mod verify;

#[cfg(test)]
mod tests;

/// The tag of a program's index. The tag of an image is its definition's name.
pub const INDEX_TAG: &str = "latest";

/// A built program, to be packed.
#[derive(Clone, Debug)]
pub struct Content {
    /// The program's name.
    pub program: String,
    /// What `bytes` are.
    pub kind: Kind,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Bytes that other documents point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    media_type: &'static str,
    digest: Digest,
    bytes: Vec<u8>,
}

impl Blob {
    /// A blob of these bytes.
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Digest::of(&bytes), bytes }
    }

    /// A document as JSON without blanks, keys in the order of the struct's fields.
    fn json(media_type: &'static str, document: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self::new(media_type, serde_json::to_vec(document)?))
    }

    /// What the blob is.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// What its bytes hash to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.to_owned(),
            digest: self.digest,
            size: self.size_bytes(),
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// One program for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    program: String,
    name: String,
    kind: Kind,
    platform: PlatformRecord,
    manifest: Blob,
    form: Form,
    config: Blob,
    layers: Vec<Blob>,
    layers_unpacked_bytes: u64,
}

/// The images of a program, one per platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexImage {
    program: String,
    document: Blob,
}

/// Every byte of an image that matters for shipping, under the names of `results::ImageRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The manifest.
    pub manifest_bytes: u64,
    /// The config.
    pub config_bytes: u64,
    /// All layers as transferred.
    pub layers_compressed_bytes: u64,
    /// All layers as unpacked tar streams; a module that is a layer, as it is.
    pub layers_unpacked_bytes: u64,
    /// Everything that a pull transfers: manifest, config and layers.
    pub transfer_bytes: u64,
}

impl Image {
    fn pack(
        definition: &Definition,
        (base, mark): (Option<&Base>, Option<&Mark>),
        content: &Content,
        epoch: Epoch,
    ) -> anyhow::Result<Self> {
        let settings = definition.for_program(&content.program);
        let parts = match definition.form {
            Form::Tar { compression, mode } => {
                let path = settings.path.trim_start_matches('/');
                let entry = Entry { path, mode, node: Node::File(&content.bytes) };
                let mark = mark.map(Mark::entry);
                let entries: Vec<Entry<'_>> = std::iter::once(entry).chain(mark).collect();
                let program = Layer::pack(&entries, compression, epoch)?;
                base.map_or(Ok(()), |base| base.accepts(path)).context("choose another `path`")?;
                Parts::of_tar_layers(definition, &settings, (base, program, &content.program), epoch)?
            }
            Form::Module | Form::Artifact => {
                ensure!(mark.is_none(), "its module is its layer, so that no file can make it another image");
                Parts::of_module(definition, &settings, content, epoch)?
            }
        };
        let descriptors = parts.layers.iter().map(Blob::descriptor).collect();
        let manifest = Manifest::new(parts.config.descriptor(), descriptors, settings.annotations);
        let platform = definition.platform;
        Ok(Self {
            program: content.program.clone(),
            name: mark.map_or_else(|| definition.name.clone(), |mark| mark.tag.clone()),
            kind: definition.kind,
            platform: PlatformRecord { architecture: platform.architecture().to_owned(), os: platform.os().to_owned() },
            form: definition.form,
            manifest: Blob::json(manifest::MEDIA_TYPE, &manifest)?,
            config: parts.config,
            layers: parts.layers,
            layers_unpacked_bytes: parts.unpacked_bytes,
        })
    }

    /// The program inside.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The name of its definition, which is its tag.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was packed.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `os/architecture`.
    pub fn platform(&self) -> String {
        format!("{}/{}", self.platform.os, self.platform.architecture)
    }

    /// How its layers are stored.
    pub fn compression(&self) -> layer::Algorithm {
        self.form.algorithm()
    }

    /// How the program lies in it.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The manifest: its digest is the image's identity.
    pub fn manifest(&self) -> &Blob {
        &self.manifest
    }

    /// What its manifest names: config and layers.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        std::iter::once(&self.config).chain(&self.layers)
    }

    /// Its place among others, its kind's default first.
    fn order(&self) -> (&str, Kind, bool, &str) {
        (&self.program, self.kind, self.name != self.kind.name(), &self.name)
    }

    /// What it weighs.
    pub fn sizes(&self) -> Sizes {
        let (manifest, config) = (self.manifest.size_bytes(), self.config.size_bytes());
        let layers = self.layers.iter().map(Blob::size_bytes).sum();
        Sizes {
            manifest_bytes: manifest,
            config_bytes: config,
            layers_compressed_bytes: layers,
            layers_unpacked_bytes: self.layers_unpacked_bytes,
            transfer_bytes: manifest + config + layers,
        }
    }
}

/// What a registry and a layout store under one name: a document, and the blobs that must be there before it.
#[derive(Clone, Debug)]
pub struct Tagged<'a> {
    /// The program: the last part of the repository.
    pub program: &'a str,
    /// The definition's name, or [`INDEX_TAG`].
    pub tag: &'a str,
    /// The kind; absent for an index.
    pub kind: Option<Kind>,
    /// The manifest or index.
    pub document: &'a Blob,
    /// Config and layers; empty for an index, whose manifests are tagged themselves.
    pub blobs: Vec<&'a Blob>,
}

impl Tagged<'_> {
    /// `program:tag`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.program, self.tag)
    }
}

/// Images, and an index for each program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSet {
    images: Vec<Image>,
    indexes: Vec<IndexImage>,
}

impl ImageSet {
    /// The images, sorted by program, kind and name.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Everything that has a name, in the order in which it can be stored: an index comes after its images.
    pub fn tagged(&self) -> Vec<Tagged<'_>> {
        let images = self.images.iter().map(|image| Tagged {
            program: &image.program,
            tag: &image.name,
            kind: Some(image.kind),
            document: &image.manifest,
            blobs: image.blobs().collect(),
        });
        let indexes = self.indexes.iter().map(|index| Tagged {
            program: &index.program,
            tag: INDEX_TAG,
            kind: None,
            document: &index.document,
            blobs: Vec::new(),
        });
        images.chain(indexes).collect()
    }

    fn new(mut images: Vec<Image>) -> anyhow::Result<Self> {
        images.sort_by(|a, b| a.order().cmp(&b.order()));
        for pair in images.windows(2) {
            ensure!(pair[0].order() != pair[1].order(), "two images are named `{}:{}`", pair[0].program, pair[0].name);
        }
        let mut by_program: BTreeMap<&str, Vec<Descriptor>> = BTreeMap::new();
        for image in images.iter().filter(|image| index::offers(image)) {
            let manifests = by_program.entry(&image.program).or_default();
            // A client takes the first entry of its platform: a second one would never be pulled.
            if manifests.iter().all(|other| other.platform.as_ref() != Some(&image.platform)) {
                let platform = Some(image.platform.clone());
                manifests.push(Descriptor { platform, ..image.manifest.descriptor() });
            }
        }
        let indexes = by_program
            .into_iter()
            .map(|(program, manifests)| {
                let document = Blob::json(index::MEDIA_TYPE, &Index::new(manifests))?;
                Ok(IndexImage { program: program.to_owned(), document })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { images, indexes })
    }
}

/// What lies below the programs of images, by their definitions' names.
pub type Bases = BTreeMap<String, Base>;

/// What lies below the programs of a definition's images.
fn below<'a>(definition: &Definition, bases: &'a Bases) -> anyhow::Result<Option<&'a Base>> {
    let base = bases.get(&definition.name);
    ensure!(base.is_some() == definition.base.is_some(), "the base of the image `{}` was not made", definition.name);
    Ok(base)
}

/// Packs every program by each definition of its kind, on as many threads as there are processors.
///
/// # Errors
/// When a kind has no definition, or a definition's base is not among `bases`, a program's name does not fit its path, or two images have one name.
pub fn build(
    definitions: &[Definition],
    bases: &Bases,
    contents: &[Content],
    epoch: Epoch,
) -> anyhow::Result<ImageSet> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut order: Vec<(&Definition, &Content)> = Vec::new();
    for content in contents {
        let of_kind = definitions.iter().filter(|definition| definition.kind == content.kind);
        let before = order.len();
        order.extend(of_kind.map(|definition| (definition, content)));
        ensure!(order.len() > before, "no image definition for `{0}`: add `images/{0}.toml`", content.kind);
    }
    // The largest first, dealt in turn: that is near enough to an even load for a handful of images.
    order.sort_by_key(|(_, content)| std::cmp::Reverse(content.bytes.len()));
    let pack = |(definition, content): (&Definition, &Content)| {
        Image::pack(definition, (below(definition, bases)?, None), content, epoch)
            .with_context(|| format!("can not make the image `{}:{}`", content.program, definition.name))
    };
    let images = std::thread::scope(|scope| {
        let order = &order;
        let workers: Vec<_> = (0..threads.min(order.len()))
            .map(|first| {
                scope.spawn(move || order.iter().skip(first).step_by(threads).map(|job| pack(*job)).collect::<Vec<_>>())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    ImageSet::new(images)
}
