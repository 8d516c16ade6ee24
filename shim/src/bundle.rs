//! The bundle: the directory where containerd puts a container's specification, and where it starts the shim.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rustix::fs::{Mode, OFlags};
use serde_json::Value;

use crate::engine::{self, LINKED, LOADING};
use crate::marks;
use crate::preparation::{self, Adopted};
use crate::root::Root;
use crate::specification::{self, Namespaces};

const SPECIFICATION: &str = "config.json";
const NEXT_SPECIFICATION: &str = "config.json.next";

/// The specification of the container.
///
/// # Errors
/// The bundle has none, or it is not JSON.
pub fn read() -> Result<Value> {
    let text = std::fs::read(SPECIFICATION).context("cannot read `config.json` in the bundle")?;
    serde_json::from_slice(&text).context("`config.json` in the bundle is not JSON")
}

/// Replaces the specification in one step, because the library may be reading it.
fn write(specification: &Value) -> Result<()> {
    let text = serde_json::to_vec(specification).context("cannot serialise the specification")?;
    // For its owner only: the container's environment is in it.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let file = rustix::fs::open(NEXT_SPECIFICATION, flags, Mode::RUSR | Mode::WUSR)
        .context("cannot create `config.json.next` in the bundle")?;
    File::from(file).write_all(&text).context("cannot write `config.json.next` in the bundle")?;
    std::fs::rename(NEXT_SPECIFICATION, SPECIFICATION).context("cannot replace `config.json` in the bundle")
}

/// Lets this container have a shim of its own, though it belongs to a pod.
///
/// # Errors
/// As for [`read`]; or the bundle can not be written to.
pub fn leave_pod() -> Result<()> {
    let text = std::fs::read_to_string(SPECIFICATION).context("cannot read `config.json` in the bundle")?;
    if !specification::names_pod(&text) {
        return Ok(());
    }
    specification::without_pod(read()?).map_or(Ok(()), |changed| write(&changed))
}

/// What a container asks of every process of its shim.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Its engine is loaded as a linked one.
    pub linked: bool,
    /// Moments are noted in this file.
    pub marks: Option<PathBuf>,
}

/// What this container asks for. Where nothing can be read it is nothing: what is wrong with the bundle is told by whoever
/// needs it.
pub fn wishes() -> Wishes {
    let text = std::fs::read_to_string(SPECIFICATION).unwrap_or_default();
    // Most containers ask for nothing, and are spared a parser.
    if ![LOADING, marks::ANNOTATION].into_iter().any(|name| text.contains(name)) {
        return Wishes::default();
    }
    let Ok(specification) = serde_json::from_str(&text) else { return Wishes::default() };
    Wishes {
        linked: specification::loading(&specification).as_deref() == Some(LINKED),
        marks: specification::marks(&specification).map(PathBuf::from),
    }
}

/// Whether the program that a container names is in its root directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is a file there.
    File,
    /// There is none of that name: it may be in the image's layer itself.
    Nothing,
}

/// Adapts the specification (`specification::rewritten`) and tells the process that containers are made from what
/// it is going to run. Called when the container's root file system is mounted, and before the library makes the
/// container.
///
/// # Errors
/// The bundle can not be read or written to, or that process is gone.
pub fn adapt(namespaces: &Namespaces) -> Result<Found> {
    let specification = read()?;
    let root = Root::open(&specification, engine::this().owns)?;
    let program = specification::program(&specification, &root);
    let found = if specification::has_program(&specification, &root) { Found::File } else { Found::Nothing };
    let home = root.home(specification["process"]["user"]["uid"].as_u64().unwrap_or_default());
    // Not to be guessed, so that no image can name it as its entrypoint.
    let mark = format!("shim-{:016x}", RandomState::new().build_hasher().finish());
    let (mode, loading) = (specification::mode(&specification), specification::loading(&specification));
    let given = preparation::adopt(&Adopted { mark: mark.clone(), program, mode, loading })?;
    let namespaces =
        &Namespaces { network: given.network.or_else(|| namespaces.network.clone()), ..namespaces.clone() };
    write(&specification::rewritten(specification, program, &mark, &home, namespaces))?;
    Ok(found)
}
