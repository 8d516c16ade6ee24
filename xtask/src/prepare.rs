//! The set-up that a command needs, and no more: programs, artifacts, images, registry, each made from the
//! one before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum as _;

use crate::cli::{MatrixArgs, ProgramArgs, RegistryArgs};
use crate::compile::shims::Shim;
use crate::compile::{self, Artifact};
use crate::matrix::{self, Matrix};
use crate::plan::{Build, Plan};
use crate::programs::Programs;
use crate::progress::{Stderr, Steps};
use crate::registry::{Credentials, Destination, EmbeddedRegistry, Patience, PlainHttp, Pushed, RegistryAccess};
use crate::secret::Secret;
use crate::session::request::KindImage;
use crate::stop::Stop;
use crate::toolbox::manifest::Check;
use crate::toolbox::{self, Group, Mirror, Options, Toolbox};
use crate::workspace::Workspace;
use oci::definition::Definition;
use oci::epoch::Epoch;
use oci::{self, Blob, Content, Image, ImageSet};
use results::ProgramRecord;
use results::case::Kind;

pub mod manifest;
pub mod starts;

/// What the steps of a set-up are called.
pub const PROGRAMS: &str = "the programs that this machine lacks";
/// The second of them.
pub const WORKLOAD: &str = "the programs to be measured, for every target";
/// The step between, where it is needed.
pub const EXTRA: &str = "the programs that only some of these rows need";

/// The rows that there are: those of a folder, and those of runtimes that were named. Each of these is asked who it is.
///
/// # Errors
/// When a file of the folder is refused, or a runtime is none.
pub fn matrix(workspace: &Workspace, args: &MatrixArgs) -> anyhow::Result<Matrix> {
    let folder = args.matrix.clone().unwrap_or_else(|| workspace.matrix());
    let mut matrix = matrix::load(&folder)?;
    for (name, file) in &args.runtimes {
        let context = || format!("`--runtime {name}={}` can not be used", file.display());
        let path = std::path::absolute(file).with_context(context)?;
        let behaviour = toolbox::identity::runtime(&path).with_context(context)?;
        matrix.add_runtime(name, &path, behaviour).with_context(context)?;
    }
    Ok(matrix)
}

/// The toolbox's programs, or those that were named instead.
pub fn toolbox(workspace: &Workspace, programs: &ProgramArgs, progress: &mut Stderr) -> anyhow::Result<Toolbox> {
    toolbox::ensure(workspace, Group::Run, &options(programs)?, progress)
}

/// A program that only some cases need.
#[derive(Clone, Debug)]
pub struct ExtraProgram {
    /// Where it is.
    pub path: PathBuf,
    /// As it is stored with a run.
    pub record: ProgramRecord,
}

/// Those that a plan needs, by name: there, or the reason why not, with how to get them.
pub type ExtraPrograms = BTreeMap<String, Result<ExtraProgram, String>>;

/// What a plan needs beyond the toolbox.
#[derive(Debug)]
pub struct Needs {
    on_request: Vec<String>,
    shims: Vec<Shim>,
}

impl Needs {
    /// What this plan needs.
    ///
    /// # Errors
    /// When the list of what is had on request can not be read.
    pub fn of(workspace: &Workspace, plan: &Plan) -> anyhow::Result<Self> {
        let list = Programs::load(workspace)?;
        let names = list.definitions().iter().map(|definition| definition.name.clone());
        let shims = Shim::value_variants().iter().copied().filter(|shim| plan.needs(shim.binary()));
        Ok(Self { on_request: names.filter(|name| plan.needs(name)).collect(), shims: shims.collect() })
    }

    /// How many steps of set-up that takes.
    pub fn steps(&self) -> usize {
        usize::from(!self.on_request.is_empty()) + self.shims.len()
    }

    /// Fetches or builds it all. What can not be had bars its cells, and no others.
    ///
    /// # Errors
    /// When the list can not be read, the options are wrong, or what was made can not be read.
    pub fn get(
        &self,
        workspace: &Workspace,
        toolbox: &Toolbox,
        programs: &ProgramArgs,
        steps: &mut Steps,
    ) -> anyhow::Result<ExtraPrograms> {
        let mut further = ExtraPrograms::new();
        if !self.on_request.is_empty() {
            let (list, options, mut progress) = (Programs::load(workspace)?, options(programs)?, steps.next(EXTRA));
            for name in &self.on_request {
                let found = list.ensure(name, &options, Check::Quick, &mut progress);
                let program = found.map(|found| ExtraProgram { path: found.path.clone(), record: found.record() });
                let why = |error| format!("`{name}` can not be had: {error:#}; {}", list.how_to_get(name));
                further.insert(name.clone(), program.map_err(why));
            }
        }
        for shim in &self.shims {
            let built = compile::shims::build(workspace, *shim, toolbox, &mut steps.next(shim.step()));
            let program = match built {
                Ok(built) => Ok(ExtraProgram {
                    record: shim_record(workspace, *shim, (toolbox, &built.path))?,
                    path: built.path,
                }),
                Err(error) => Err(format!("`{}` could not be built: {error:#}", shim.binary())),
            };
            further.insert(shim.binary().to_owned(), program);
        }
        Ok(further)
    }
}

fn shim_record(workspace: &Workspace, shim: Shim, (toolbox, path): (&Toolbox, &Path)) -> anyhow::Result<ProgramRecord> {
    let library = match shim {
        Shim::WasmEdge => toolbox.library(compile::shims::WASMEDGE).ok(),
        Shim::Wasmtime => None,
    };
    let libraries: Vec<PathBuf> = library.into_iter().collect();
    let record = crate::machine::program(shim.binary(), path, "built", "-v", &libraries)?;
    let source = compile::source::shim_sha256(workspace.root(), shim)?;
    Ok(ProgramRecord { source_sha256: Some(source), ..record })
}

/// Artifacts of builds, with what the compiler has to say on stderr.
pub fn artifacts(
    workspace: &Workspace,
    builds: &[Build],
    toolbox: Option<&Toolbox>,
    progress: &mut Stderr,
) -> anyhow::Result<Vec<Artifact>> {
    compile::build(workspace, builds, toolbox, progress)
}

/// What the toolbox is asked for.
///
/// # Errors
/// When the mirror that was named is no address, or a program that was named is not what it is named as.
pub fn options(programs: &ProgramArgs) -> anyhow::Result<Options> {
    let options = Options {
        containerd: programs.containerd.clone(),
        ctr: programs.ctr.clone(),
        runc: programs.runc.clone(),
        wasmedge: programs.wasmedge.clone(),
        mirror: programs.mirror.as_deref().map(Mirror::parse).transpose()?,
    };
    options.check()?;
    Ok(options)
}

/// Every program that a default bench runs, in every kind.
pub fn default_builds(workspace: &Workspace) -> anyhow::Result<Vec<Build>> {
    let benches = crate::bench::load(&workspace.benches_toml())?;
    let mut programs: Vec<String> = benches.into_iter().map(|bench| bench.program).collect();
    programs.sort();
    programs.dedup();
    Ok(programs
        .into_iter()
        .flat_map(|program| Kind::ALL.map(|kind| Build { program: program.clone(), kind }))
        .collect())
}

/// The image definitions, checked.
pub fn definitions(workspace: &Workspace) -> anyhow::Result<Vec<Definition>> {
    oci::definition::load(&workspace.images())
}

/// Images of artifacts, written as an OCI layout.
pub fn images(workspace: &Workspace, artifacts: &[Artifact]) -> anyhow::Result<ImageSet> {
    let contents = artifacts
        .iter()
        .map(|artifact| {
            let bytes = std::fs::read(&artifact.path)
                .with_context(|| format!("can not read the artifact `{}`", artifact.path.display()))?;
            Ok(Content { program: artifact.program.clone(), kind: artifact.kind, bytes })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let epoch = Epoch::parse(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?;
    let images = oci::build(&definitions(workspace)?, &contents, epoch)?;
    workspace.make(&workspace.oci())?;
    oci::layout::write(&workspace.oci(), &images)?;
    Ok(images)
}

/// Where images are pushed: the registry that was named, or an embedded one that lives as long as this.
#[derive(Debug)]
pub struct Registry {
    /// Its address and prefix.
    pub destination: Destination,
    /// How it is to know us.
    pub access: RegistryAccess,
    _embedded: Option<EmbeddedRegistry>,
}

impl Registry {
    /// The password of its account, when it wants one.
    pub fn password(&self) -> Option<&Secret> {
        match &self.access.credentials {
            Credentials::Anonymous => None,
            Credentials::Password { password, .. } => Some(password),
        }
    }
}

/// The registry that was named. Asked before anything is built: a typing error should be told at once.
pub fn destination(args: &RegistryArgs) -> anyhow::Result<Option<Destination>> {
    let plain = if args.plain_http { PlainHttp::Requested } else { PlainHttp::Loopback };
    args.registry.as_deref().map(|text| Destination::parse(text, plain)).transpose()
}

/// Starts the embedded registry, unless another one was named.
pub fn registry(args: &RegistryArgs) -> anyhow::Result<Registry> {
    if let Some(destination) = destination(args)? {
        let access =
            RegistryAccess { credentials: Credentials::from_docker(&destination)?, patience: Patience::DEFAULT };
        return Ok(Registry { destination, access, _embedded: None });
    }
    let embedded = EmbeddedRegistry::start()?;
    let access = RegistryAccess { credentials: embedded.credentials().clone(), patience: Patience::DEFAULT };
    Ok(Registry { destination: embedded.destination("bench"), access, _embedded: Some(embedded) })
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
    /// By which definitions.
    definitions: Vec<Definition>,
    /// The registry, which lives as long as this; absent when nothing was pushed.
    pub registry: Option<Registry>,
    /// What it holds.
    pushed: Vec<Pushed>,
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
    /// The proof that an image is in the registry.
    pub fn pushed(&self, image: &Image) -> Option<&Pushed> {
        self.pushed.iter().find(|pushed| pushed.digest() == image.manifest().digest())
    }

    /// The images of a program, as a session needs them.
    pub fn of(&self, program: &str) -> Vec<KindImage> {
        let images = self.images.images().iter().filter(|image| image.program() == program);
        images
            .filter_map(|image| {
                let definition = self.definitions.iter().find(|definition| definition.kind == image.kind())?;
                Some(KindImage {
                    kind: image.kind(),
                    reference: self.pushed(image)?.pinned().to_owned(),
                    manifest: image.manifest().digest(),
                    blobs: image.blobs().map(Blob::digest).collect(),
                    transfer_bytes: image.sizes().transfer_bytes,
                    platform: image.platform(),
                    entrypoint: definition.for_program(program).entrypoint,
                })
            })
            .collect()
    }
}

/// Assembles the images of artifacts and pushes them where that is needed.
pub fn ship(workspace: &Workspace, artifacts: &[Artifact], shipping: Shipping<'_>) -> anyhow::Result<Shipped> {
    let images = images(workspace, artifacts)?;
    let (registry, pushed) = match shipping {
        Shipping::AssembleOnly => (None, Vec::new()),
        Shipping::Push(args, stop) => {
            let registry = registry(args)?;
            let pushed = push(&images, &registry, stop)?;
            (Some(registry), pushed)
        }
    };
    Ok(Shipped { images, definitions: definitions(workspace)?, registry, pushed })
}

/// What a shim is built, tested and linted with: `NAME=value` each.
pub fn shim_settings(workspace: &Workspace, shim: Shim) -> anyhow::Result<Vec<std::ffi::OsString>> {
    compile::shims::settings(shim, &toolbox(workspace, &ProgramArgs::default(), &mut Stderr::default())?)
}

/// The folders in which containerd looks for runtimes.
pub fn search(toolbox: &Toolbox) -> anyhow::Result<Vec<PathBuf>> {
    let parent = |name: &str| anyhow::Ok(toolbox.program(name)?.parent().map(PathBuf::from));
    Ok([parent("containerd")?, parent("runc")?].into_iter().flatten().collect())
}
