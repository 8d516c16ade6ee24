//! What lies below the programs of images that have a base: packages, fetched when a plan has such an image, and packed.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::images;
use super::programs::options;
use crate::cli::ProgramArgs;
use crate::progress::{Progress, Stderr, Steps};
use crate::toolbox::packages::{self, PackageFile};
use crate::toolbox::{Contents, Options};
use crate::workspace::Workspace;
use oci::Bases;
use oci::base::{Base, Package};
use oci::definition::{self, Definition};
use oci::epoch::Epoch;
use results::PackageRecord;

/// What the step of set-up is called.
pub const STEP: &str = "the packages of base images";

/// The bases of some images.
#[derive(Clone, Debug, Default)]
pub struct PackedBases {
    /// Those that could be made, by image.
    pub bases: Bases,
    /// Why the others could not, with the way out.
    pub absent: BTreeMap<String, String>,
    /// The packages in each of them.
    pub packages: BTreeMap<String, Vec<PackageRecord>>,
}

/// Whether any of these images has a base.
pub fn are_needed(definitions: &[Definition]) -> bool {
    definitions.iter().any(|definition| definition.base.is_some())
}

/// The bases of these images, the last of `steps` where there are any.
///
/// # Errors
/// When one of them can not be packed.
pub fn all(
    workspace: &Workspace,
    definitions: &[Definition],
    programs: &ProgramArgs,
    steps: &mut Steps,
) -> anyhow::Result<PackedBases> {
    if !are_needed(definitions) {
        return Ok(PackedBases::default());
    }
    let packed = pack(workspace, definitions, programs, (images::epoch()?, &mut steps.next(STEP)))?;
    if let Some(reason) = packed.absent.values().next() {
        bail!("{reason}");
    }
    Ok(packed)
}

/// The bases of these images. One that can not be made bars what needs it, and nothing else.
///
/// # Errors
/// When the options are wrong.
pub fn pack(
    workspace: &Workspace,
    definitions: &[Definition],
    programs: &ProgramArgs,
    (epoch, progress): (Epoch, &mut Stderr),
) -> anyhow::Result<PackedBases> {
    let mut packed = PackedBases::default();
    let options = options(programs)?;
    for definition in definitions {
        let Some(wanted) = &definition.base else { continue };
        match base(workspace, (definition, wanted), &options, (epoch, progress)) {
            Ok((base, packages)) => {
                packed.bases.insert(definition.name.clone(), base);
                let records = packages.into_iter().map(|package| package.record).collect();
                packed.packages.insert(definition.name.clone(), records);
            }
            Err(error) => {
                let reason = format!("the base of the image `{}` can not be had: {error:#}", definition.name);
                packed.absent.insert(definition.name.clone(), reason);
            }
        }
    }
    Ok(packed)
}

/// Whether the packages of an image are there; so they are where it has none. Nothing is fetched.
pub fn are_there(workspace: &Workspace, definition: &Definition) -> bool {
    let contents = |base| Contents::of_base(&definition.name, base);
    definition.base.as_ref().is_none_or(|base| packages::are_there(workspace, contents(&base.packages)))
}

fn base(
    workspace: &Workspace,
    (definition, wanted): (&Definition, &definition::Base),
    options: &Options,
    (epoch, progress): (Epoch, &mut dyn Progress),
) -> anyhow::Result<(Base, Vec<PackageFile>)> {
    let contents = Contents::of_base(&definition.name, &wanted.packages);
    let files = packages::ensure(workspace, contents, options, progress)?;
    let unpacked = files.iter().map(package).collect::<anyhow::Result<Vec<_>>>()?;
    let compression = definition.form.compression().context("nothing lies below a module that is the layer")?;
    Ok((Base::pack(wanted, &unpacked, compression, epoch)?, files))
}

fn package(file: &PackageFile) -> anyhow::Result<Package> {
    let PackageRecord { name, version, architecture, sha256 } = &file.record;
    Ok(Package { identity: format!("{name} {version} {architecture} sha256:{sha256}"), tar: file.tar()? })
}
