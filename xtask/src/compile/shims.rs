//! The containerd shims: one for each engine, built with what the toolbox holds for it.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Built, cargo_build, check_program, place, source, toolchain};
use crate::progress::Progress;
use crate::toolbox::Toolbox;
use crate::workspace::Workspace;
use files::{sha256_file, sha256_hex, write_whole};

/// The library of WasmEdge, which its shim opens.
pub const WASMEDGE: &str = "libwasmedge.so.0";

/// A shim, by its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shim {
    /// WasmEdge, whose library it opens
    #[value(name = "wasmedge")]
    WasmEdge,
    /// Wasmtime, which is part of it: takes minutes when it is built for the first time
    #[value(name = "wasmtime")]
    Wasmtime,
}

impl Shim {
    /// Its package.
    pub const fn package(self) -> &'static str {
        match self {
            Self::WasmEdge => "containerd-shim-wasmedge",
            Self::Wasmtime => "containerd-shim-wasmtime",
        }
    }

    /// Its program: containerd's name for a runtime, spelt as a file name.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::WasmEdge => "containerd-shim-wasmedge-v1",
            Self::Wasmtime => "containerd-shim-wasmtime-v1",
        }
    }

    /// What its building is called among the steps of a set-up.
    pub const fn step(self) -> &'static str {
        match self {
            Self::WasmEdge => "the containerd shim for WasmEdge",
            Self::Wasmtime => "the containerd shim for Wasmtime",
        }
    }

    /// The folder of its package below the checkout.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::WasmEdge => "shim/wasmedge",
            Self::Wasmtime => "shim/wasmtime",
        }
    }
}

/// What stands beside a shim that was built.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Of all that it was made from.
    recipe: String,
    sha256: String,
}

/// A shim, built if it is not there as its sources, the compiler and the toolbox would make it.
///
/// What Cargo has between is a gigabyte that nobody needs again who only runs the shim: it is removed after the first
/// build, and kept for those who change the shim, which the second build tells.
///
/// # Errors
/// When the compiler refuses it, or the toolbox lacks something.
pub fn build(
    workspace: &Workspace,
    shim: Shim,
    toolbox: &Toolbox,
    progress: &mut dyn Progress,
) -> anyhow::Result<Built> {
    workspace.make(&workspace.artifacts())?;
    let (package, binary) = (shim.package(), shim.binary());
    let path = workspace.artifacts().join(binary);
    let beside = workspace.artifacts().join(format!("{binary}.json"));
    let recipe = recipe(workspace, shim, toolbox)?;
    let before: Option<Record> = std::fs::read(&beside).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(record) = before.as_ref().filter(|record| record.recipe == recipe)
        && let Ok(bytes) = std::fs::read(&path)
        && sha256_hex(&bytes) == record.sha256
    {
        return Ok(Built { path, size_bytes: bytes.len() as u64, sha256: record.sha256.clone() });
    }
    let between = workspace.shims();
    workspace.make(&between)?;
    let args = ["--package", package, "--release", "--target-dir"].map(OsString::from);
    let args = [&args[..], &[between.clone().into()]].concat();
    let files = cargo_build(workspace, &settings(shim, toolbox)?, &args, progress)?;
    let file = files.iter().find(|file| file.program == binary);
    let file = file.with_context(|| format!("Cargo built `{package}`, but no program `{binary}`"))?;
    check_program(&file.bytes).with_context(|| format!("`{}`", file.path.display()))?;
    place(&path, &file.bytes)?;
    let sha256 = sha256_hex(&file.bytes);
    write_whole(&beside, &serde_json::to_vec(&Record { recipe, sha256: sha256.clone() })?)?;
    if before.is_none() && !workspace.keeps_builds() {
        workspace.remove(&between)?;
    }
    Ok(Built { path, size_bytes: file.bytes.len() as u64, sha256 })
}

/// A digest of everything that decides on a shim's bytes.
fn recipe(workspace: &Workspace, shim: Shim, toolbox: &Toolbox) -> anyhow::Result<String> {
    let mut lines = vec![source::shim_sha256(workspace.root(), shim)?, toolchain::find(workspace)?.version];
    lines.extend(settings(shim, toolbox)?.iter().map(|setting| setting.to_string_lossy().into_owned()));
    if shim == Shim::WasmEdge {
        lines.push(sha256_file(&toolbox.library(WASMEDGE)?)?);
    }
    Ok(sha256_hex(lines.join("\n").as_bytes()))
}

/// What a shim's build scripts want to know, `NAME=value` each: where protoc and libseccomp are, and for WasmEdge its
/// library and the C library that this needs.
///
/// # Errors
/// When the toolbox lacks one of them.
pub fn settings(shim: Shim, toolbox: &Toolbox) -> anyhow::Result<Vec<OsString>> {
    let set = |name: &str, value: &Path| OsString::from_iter([name.as_ref(), "=".as_ref(), value.as_os_str()]);
    let mut settings = vec![set("PROTOC", &toolbox.program("protoc")?)];
    if shim == Shim::WasmEdge {
        settings.push(set("WASMEDGE_LIBRARY", &toolbox.library(WASMEDGE)?));
        settings.extend(toolbox.sysroot().map(|sysroot| set("TOOLBOX_SYSROOT", sysroot)));
    }
    if let Some(folder) = toolbox.link_only("libseccomp") {
        settings.extend([set("LIBSECCOMP_LIB_PATH", &folder), "LIBSECCOMP_LINK_TYPE=static".into()]);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shim_is_a_package_of_this_checkout_whose_program_is_a_runtimes_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for shim in Shim::value_variants() {
            let manifest = std::fs::read_to_string(root.join(shim.folder()).join("Cargo.toml")).unwrap();
            let has = |name: &str| manifest.lines().any(|line| line == format!("name = \"{name}\""));
            assert!(has(shim.package()) && has(shim.binary()), "{shim:?}");
            assert_eq!(shim.binary(), format!("{}-v1", shim.package()));
        }
    }
}
