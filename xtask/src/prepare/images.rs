//! Images: assembled, and pushed where containers are run.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use super::bases::PackedBases;
use super::builds;
use super::registry::{self, Registry};
use crate::cli::RegistryArgs;
use crate::compile::Artifact;
use crate::measure::runs::NamedImage;
use crate::plan::Plan;
use crate::registry::Pushed;
use crate::secret::Secret;
use crate::stop::Stop;
use crate::workspace::Workspace;
use oci::definition::Definition;
use oci::epoch::Epoch;
use oci::{Bases, Blob, Content, Image, ImageSet};
use results::PackageRecord;
use results::names::Names;

/// The image definitions, checked.
pub fn definitions(workspace: &Workspace) -> anyhow::Result<Vec<Definition>> {
    oci::definition::load(&workspace.images())
}

/// The definitions of the images that a plan needs.
///
/// # Errors
/// When a definition is wrong.
pub fn of_plan(workspace: &Workspace, plan: &Plan) -> anyhow::Result<Vec<Definition>> {
    let needed = plan.images();
    let all = definitions(workspace)?.into_iter();
    Ok(all.filter(|definition| needed.contains(definition.name.as_str())).collect())
}

/// The image definitions that patterns match; without a pattern the default one of each kind that a default bench runs.
///
/// # Errors
/// When a definition is wrong, or a pattern matches none.
pub fn matching(workspace: &Workspace, patterns: &[String]) -> anyhow::Result<Vec<Definition>> {
    let all = definitions(workspace)?;
    if patterns.is_empty() {
        let kinds = builds::default_kinds(workspace)?;
        return Ok(all.into_iter().filter(|image| image.is_default() && kinds.contains(&image.kind)).collect());
    }
    let known = all.iter().map(|definition| definition.name.clone()).collect();
    let names = Names { one: "image", several: "images", known };
    let mut chosen = BTreeSet::new();
    for pattern in patterns {
        chosen.extend(names.matching(pattern)?);
    }
    Ok(chosen.into_iter().map(|index| all[index].clone()).collect())
}

/// The one time that everything in an image has.
///
/// # Errors
/// When `SOURCE_DATE_EPOCH` is no time.
pub fn epoch() -> anyhow::Result<Epoch> {
    Epoch::parse(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())
}

/// Images of artifacts by these definitions, above these bases, written as an OCI layout.
pub fn assemble(
    workspace: &Workspace,
    (definitions, bases): (&[Definition], &Bases),
    artifacts: &[Artifact],
) -> anyhow::Result<ImageSet> {
    let contents = artifacts
        .iter()
        .map(|artifact| {
            let bytes = std::fs::read(&artifact.path)
                .with_context(|| format!("can not read the artifact `{}`", artifact.path.display()))?;
            Ok(Content { program: artifact.program.clone(), kind: artifact.kind, bytes })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let images = oci::build(definitions, bases, &contents, epoch()?)?;
    workspace.make(&workspace.oci())?;
    oci::layout::write(&workspace.oci(), &images)?;
    Ok(images)
}

/// Pushes images and proves that the registry holds them.
pub fn push(images: &ImageSet, registry: &Registry, stop: &Stop) -> anyhow::Result<Vec<Pushed>> {
    Ok(crate::registry::push(images, &registry.destination, (&registry.access, stop), &mut |_| ())?.pushed)
}

/// Images, and where they can be pulled from.
#[derive(Debug)]
pub struct Shipped {
    /// What was assembled.
    pub images: ImageSet,
    /// Why an image was not assembled that was to be, by its name.
    pub absent: BTreeMap<String, String>,
    /// The packages that lie below some of them, by name.
    packages: BTreeMap<String, Vec<PackageRecord>>,
    /// By which definitions.
    definitions: Vec<Definition>,
    /// What lies below them.
    bases: Bases,
    /// The registry, which lives as long as this; absent when nothing was pushed.
    pub registry: Option<Registry>,
    /// What it holds.
    pushed: Vec<Pushed>,
}

/// An image in a registry, as runs name it.
pub fn named(image: &Image, pushed: &Pushed, definition: &Definition) -> NamedImage {
    NamedImage {
        name: definition.name.clone(),
        reference: pushed.pinned().to_owned(),
        manifest: image.manifest().digest(),
        blobs: image.blobs().map(Blob::digest).collect(),
        transfer_bytes: image.sizes().transfer_bytes,
        platform: image.platform(),
        entrypoint: definition.for_program(image.program()).entrypoint,
    }
}

/// Whether images have to be in a registry.
#[derive(Clone, Copy, Debug)]
pub enum Shipping<'a> {
    /// They do: containers will be run. The push ends at a wish to stop.
    Push(&'a RegistryArgs, &'a Stop),
    /// Only their sizes count.
    AssembleOnly,
}

impl Shipped {
    /// The password that the registry wants; `None` when it wants none, or when nothing was pushed.
    pub fn password(&self) -> Option<&Secret> {
        self.registry.as_ref()?.password()
    }

    /// The packages that lie below an image's program.
    pub fn packages_of(&self, image: &Image) -> &[PackageRecord] {
        self.packages.get(image.name()).map_or(&[], Vec::as_slice)
    }

    /// The proof that an image is in the registry.
    pub fn pushed(&self, image: &Image) -> Option<&Pushed> {
        self.pushed.iter().find(|pushed| pushed.digest() == image.manifest().digest())
    }

    /// The images of a program, as a session needs them.
    pub fn of(&self, program: &str) -> Vec<NamedImage> {
        let images = self.images.images().iter().filter(|image| image.program() == program);
        images
            .filter_map(|image| {
                let definition = self.definition(image.name())?;
                Some(named(image, self.pushed(image)?, definition))
            })
            .collect()
    }

    /// The definition of this name.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// What lies below the programs of images, by their definitions' names.
    pub fn bases(&self) -> &Bases {
        &self.bases
    }
}

/// Assembles the images of artifacts by these definitions, and pushes them where that is needed. One whose base is absent
/// is left out.
pub fn ship(
    workspace: &Workspace,
    (mut definitions, packed): (Vec<Definition>, PackedBases),
    artifacts: &[Artifact],
    shipping: Shipping<'_>,
) -> anyhow::Result<Shipped> {
    definitions.retain(|definition| !packed.absent.contains_key(&definition.name));
    let images = assemble(workspace, (&definitions, &packed.bases), artifacts)?;
    let (registry, pushed) = match shipping {
        Shipping::AssembleOnly => (None, Vec::new()),
        Shipping::Push(args, stop) => {
            let registry = registry::start(args)?;
            let pushed = push(&images, &registry, stop)?;
            (Some(registry), pushed)
        }
    };
    let PackedBases { bases, absent, packages, .. } = packed;
    Ok(Shipped { images, absent, packages, definitions, bases, registry, pushed })
}
