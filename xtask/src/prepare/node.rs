//! What a node must have before it can run each case: the programs that start and execute it, and what these load.
//!
//! Not here: images, and what a node holds of them (`session`).

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Prepared;
use crate::cli::ProgramArgs;
use crate::compile::shims::{Shim, WASMEDGE};
use crate::matrix::{Behaviour, Matrix, Runtime};
use crate::plan::Plan;
use results::case::{Case, Mode};
use results::node::{NodeFile, NodeNeeds, NodePart, NodeRecord};

mod loaded;

use loaded::loaded;

/// What the library of WasmEdge needs for its compiler alone.
const COMPILER: &str = "libLLVM";
/// The shim that containerd starts OCI runtimes through.
const RUNC_SHIM: &str = "containerd-shim-runc-v2";
/// The annotation of containers whose shim loads the engine as it is shipped, compiler included.
const LOADING: (&str, &str) = ("run.deploy-bench.wasm.loading", "linked");

/// The files of a node: as they are stored with a run, and where they are here.
#[derive(Clone, Debug, Default)]
pub struct NodeFiles {
    /// Without any path.
    pub record: NodeRecord,
    /// The files of each case, by its name.
    pub paths: BTreeMap<String, Vec<PathBuf>>,
}

/// Whose containerd a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeDaemon {
    /// That of the toolbox, or the one that was named.
    Ours,
    /// One that was there already: what it is made of is not known.
    Existing,
}

impl NodeDaemon {
    /// As the options say.
    pub fn of(programs: &ProgramArgs) -> Self {
        if programs.containerd_address.is_some() { Self::Existing } else { Self::Ours }
    }
}

impl Prepared {
    /// What a node must have for the cases of a plan. A case with a program that is not there is left out.
    pub fn node(&self, (matrix, plan): (&Matrix, &Plan), daemon: NodeDaemon) -> NodeFiles {
        let mut node = NodeFiles::default();
        let mut names = BTreeSet::new();
        for cell in plan.cells.iter().filter(|cell| !cell.is_twin()) {
            let Some(roots) = self.roots(matrix, &cell.case, daemon) else { continue };
            let files = roots.files();
            let mut needs: Vec<String> = Vec::new();
            for name in files.iter().filter_map(|(path, _)| name(path)) {
                if !needs.contains(&name) {
                    needs.push(name);
                }
            }
            node.record.needs.push(NodeNeeds { case: cell.name.clone(), files: needs });
            for (path, part) in &files {
                // A node has one file of each name, whatever number of C libraries this machine has.
                node.record.files.extend(file(path, *part).filter(|file| names.insert(file.name.clone())));
            }
            node.paths.insert(cell.name.clone(), files.into_iter().map(|(path, _)| path).collect());
        }
        node
    }

    /// What a case is started with; `None` where some of it is not there.
    fn roots(&self, matrix: &Matrix, case: &Case, daemon: NodeDaemon) -> Option<Roots> {
        let runtime = matrix.runtime(case).ok()?;
        let toolbox = self.toolbox.as_ref();
        let program = |name: &str| self.program(name).ok();
        let library = || toolbox.and_then(|toolbox| toolbox.library(WASMEDGE).ok());
        let mut roots = Roots { programs: Vec::new(), libraries: Vec::new(), compiler: Compiler::Loaded };
        if runtime.behaviour.is_container() && daemon == NodeDaemon::Ours {
            roots.programs.push((program("containerd")?, NodePart::Containerd));
        }
        let behaviour = match &runtime.behaviour {
            Behaviour::Cri { maker, .. } => maker,
            other => other,
        };
        match behaviour {
            Behaviour::Process { own: Some(own) } => {
                roots.programs.push((program(&own.program)?, NodePart::Engine));
                roots.open(&own.program, library(), Compiler::LeftOut);
            }
            Behaviour::Process { own: None } => {
                let engine = matrix.engine(case).map(|engine| engine.program.as_str());
                if let Some(engine) = engine {
                    roots.programs.push((program(engine)?, NodePart::Engine));
                }
            }
            Behaviour::Oci { program: name, .. } => {
                roots.programs.extend(program(RUNC_SHIM).map(|path| (path, NodePart::Shim)));
                roots.programs.push((program(name)?, NodePart::Runtime));
                // crun opens the library of the engine that is built into it when it runs a module.
                if case.mode != Mode::Native && case.engine_name() == Some("wasmedge") {
                    roots.libraries.extend(library());
                }
            }
            Behaviour::Shim { program: name } => {
                roots.programs.push((program(name)?, NodePart::Shim));
                // What a shim of the user's opens is not known.
                if !behaviour.is_own() {
                    roots.open(name, library(), loading(runtime, case.mode));
                }
            }
            // What makes the containers of pods is one of the others.
            Behaviour::Cri { .. } => return None,
        }
        Some(roots)
    }
}

/// Whether an engine loads its compiler with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compiler {
    Loaded,
    LeftOut,
}

fn loading(runtime: &Runtime, mode: Mode) -> Compiler {
    let annotations = runtime.annotations.get(&mode);
    let is_linked = annotations.and_then(|found| found.get(LOADING.0)).is_some_and(|value| value == LOADING.1);
    if is_linked { Compiler::Loaded } else { Compiler::LeftOut }
}

/// What a case is started with, and what that opens by itself.
struct Roots {
    programs: Vec<(PathBuf, NodePart)>,
    libraries: Vec<PathBuf>,
    compiler: Compiler,
}

impl Roots {
    /// Our shim for WasmEdge opens the engine's library.
    fn open(&mut self, program: &str, library: Option<PathBuf>, compiler: Compiler) {
        if program == Shim::WasmEdge.binary() {
            self.libraries.extend(library);
            self.compiler = compiler;
        }
    }

    /// Every file, with what it is for.
    fn files(&self) -> Vec<(PathBuf, NodePart)> {
        let roots: Vec<PathBuf> = self.programs.iter().map(|(path, _)| path).chain(&self.libraries).cloned().collect();
        let without = loaded(&roots, |name| name.starts_with(COMPILER));
        let all = match self.compiler {
            Compiler::Loaded => loaded(&roots, |_| false),
            Compiler::LeftOut => without.clone(),
        };
        let own: BTreeMap<PathBuf, NodePart> =
            self.programs.iter().filter_map(|(path, part)| Some((path.canonicalize().ok()?, *part))).collect();
        let part = |path: &PathBuf| match own.get(path) {
            Some(part) => *part,
            None if !without.contains(path) => NodePart::Compiler,
            None if name(path).is_some_and(|name| name.starts_with("libwasmedge")) => NodePart::Engine,
            None => NodePart::System,
        };
        all.into_iter().map(|path| (path.clone(), part(&path))).collect()
    }
}

fn name(path: &Path) -> Option<String> {
    path.file_name().and_then(|name| name.to_str()).map(str::to_owned)
}

fn file(path: &Path, part: NodePart) -> Option<NodeFile> {
    let metadata = path.metadata().ok()?;
    // `st_blocks` counts units of 512 bytes, whatever the file system's blocks are (stat(3type)).
    Some(NodeFile { name: name(path)?, part, size_bytes: metadata.len(), disk_bytes: metadata.blocks() * 512 })
}
