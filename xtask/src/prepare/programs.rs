//! The programs that a command needs: those of the toolbox, or those that were named instead.

use std::path::PathBuf;

use crate::cli::ProgramArgs;
use crate::progress::Stderr;
use crate::toolbox::{self, Group, Mirror, Options, Toolbox};
use crate::workspace::Workspace;

/// The toolbox's programs, or those that were named instead.
pub fn toolbox(workspace: &Workspace, programs: &ProgramArgs, progress: &mut Stderr) -> anyhow::Result<Toolbox> {
    toolbox::ensure(workspace, Group::Run, &options(programs)?, progress)
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

/// The folders in which containerd looks for runtimes.
pub fn search(toolbox: &Toolbox) -> anyhow::Result<Vec<PathBuf>> {
    let parent = |name: &str| anyhow::Ok(toolbox.program(name)?.parent().map(PathBuf::from));
    Ok([parent("containerd")?, parent("runc")?].into_iter().flatten().collect())
}
