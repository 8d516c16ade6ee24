//! The programs that only some rows need, the shims among them: fetched or built when a plan has such a row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::programs::options;
use crate::cli::ProgramArgs;
use crate::compile;
use crate::compile::shims::Shim;
use crate::plan::Plan;
use crate::programs::Programs;
use crate::progress::Steps;
use crate::toolbox::Toolbox;
use crate::toolbox::manifest::Verification;
use crate::workspace::Workspace;
use results::ProgramRecord;

/// What the step of set-up is called.
const STEP: &str = "the programs that only some of these rows need";

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
            let (list, options, mut progress) = (Programs::load(workspace)?, options(programs)?, steps.next(STEP));
            for name in &self.on_request {
                let found = list.ensure(name, &options, Verification::Quick, &mut progress);
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
