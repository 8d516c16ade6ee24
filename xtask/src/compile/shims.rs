//! The containerd shims: one for each engine, built with what the toolbox holds for it.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;

use super::{Built, cargo_build, check_program, place};
use crate::toolbox::Toolbox;
use crate::toolbox::manifest::sha256;
use crate::toolbox::talk::Talk;
use crate::workspace::Workspace;

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

/// Builds a shim.
///
/// # Errors
/// When the compiler refuses it, or the toolbox lacks something.
pub fn build(workspace: &Workspace, shim: Shim, toolbox: &Toolbox, talk: &mut dyn Talk) -> anyhow::Result<Built> {
    workspace.make(&workspace.artifacts())?;
    let (package, binary) = (shim.package(), shim.binary());
    let args = ["--package", package, "--release"].map(OsString::from);
    let files = cargo_build(workspace, &settings(shim, toolbox)?, &args, talk)?;
    let file = files.iter().find(|file| file.program == binary);
    let file = file.with_context(|| format!("Cargo built `{package}`, but no program `{binary}`"))?;
    check_program(&file.bytes).with_context(|| format!("`{}`", file.path.display()))?;
    let path = workspace.artifacts().join(binary);
    place(&path, &file.bytes)?;
    Ok(Built { path, size_bytes: file.bytes.len() as u64, sha256: sha256(&file.bytes) })
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
