//! `form` of a definition: whether the program is a file of a tar layer, or the layer.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use toml::Spanned;

use super::{Checker, Template, absolute};
use crate::kind::Kind;
use crate::layer::{Algorithm, Compression};

/// How a program lies in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a file in a tar layer, with an image config: what every containerd unpacks.
    Tar {
        /// How the layer is stored.
        compression: Compression,
        /// The file's permission bits.
        mode: u32,
    },
    /// A module that is the layer itself (`application/wasm`), with an image config that lists no tar layer: what shims of
    /// runwasi ask containerd's content store for.
    Module,
    /// The same with a config of its own type and without entrypoint: the Wasm OCI artifact of the CNCF.
    Artifact,
}

impl Form {
    /// How layers are stored; a module that is one is stored as it is.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::Tar { compression, .. } => compression.algorithm(),
            Self::Module | Self::Artifact => Algorithm::None,
        }
    }

    /// The compression of tar layers; absent where there are none.
    pub fn compression(self) -> Option<Compression> {
        match self {
            Self::Tar { compression, .. } => Some(compression),
            Self::Module | Self::Artifact => None,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WireForm {
    #[default]
    Tar,
    Module,
    Artifact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireLayer {
    compression: Spanned<String>,
    level: Option<Spanned<u8>>,
    path: Spanned<String>,
    mode: Spanned<u32>,
}

impl Checker<'_> {
    /// The form, and where the program stands: its path in a tar layer, or what the entrypoint calls the module.
    pub(super) fn form(
        &self,
        (form, kind): (Option<&Spanned<WireForm>>, Kind),
        layer: Option<&Spanned<WireLayer>>,
        entrypoint: &Spanned<Vec<Spanned<String>>>,
    ) -> anyhow::Result<(Form, Template)> {
        let wanted = form.map_or(WireForm::Tar, |form| *form.get_ref());
        if wanted == WireForm::Tar {
            let layer = layer.context("`[layer]` is missing: the tar layer that the program lies in")?.get_ref();
            let path = self.at(&layer.path, |path| absolute(path))?;
            let mode = self.at(&layer.mode, |mode| {
                ensure!(mode & !0o777 == 0, "`mode` is {mode:#o}: expected permission bits, at most 0o777");
                Ok(*mode)
            })?;
            return Ok((Form::Tar { compression: self.compression(layer)?, mode }, path));
        }
        if let Some(form) = form {
            self.at(form, |_| {
                ensure!(
                    matches!(kind, Kind::Wasm | Kind::WasmAot),
                    "only a module can be a layer, and `{kind}` is none: leave out `form`"
                );
                ensure!(layer.is_none(), "a module that is the layer has no `[layer]`: it is stored as it is");
                Ok(())
            })?;
        }
        let path = self.at(entrypoint, |words| {
            let first = words.first().map_or("", |word| word.get_ref());
            absolute(first.split('#').next().unwrap_or_default())
        })?;
        Ok((if wanted == WireForm::Module { Form::Module } else { Form::Artifact }, path))
    }

    fn compression(&self, wire: &WireLayer) -> anyhow::Result<Compression> {
        let algorithm = self.at(&wire.compression, |name| {
            let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
            known.with_context(|| format!("`compression` is `{name}`: expected `none`, `gzip` or `zstd`"))
        })?;
        match &wire.level {
            None => Compression::new(algorithm, None),
            Some(level) => self.at(level, |level| Compression::new(algorithm, Some(*level))),
        }
    }
}
