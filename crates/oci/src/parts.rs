//! What a manifest names: config and layers, by the form of an image.
//!
//! Not here: the manifest, and the tar streams (`layer`).

use super::base::Base;
use super::config::{self, ArtifactConfig, Config};
use super::definition::{Definition, Form, Settings};
use super::epoch::Epoch;
use super::layer::{self, Layer};
use super::{Blob, Content};

/// What a manifest names.
pub(super) struct Parts {
    pub(super) config: Blob,
    pub(super) layers: Vec<Blob>,
    pub(super) unpacked_bytes: u64,
}

impl Parts {
    /// A program in a tar layer, above those of a base.
    pub(super) fn of_tar_layers(
        definition: &Definition,
        settings: &Settings,
        (base, layer, program): (Option<&Base>, Layer, &str),
        epoch: Epoch,
    ) -> anyhow::Result<Self> {
        let mut layers: Vec<(Layer, String)> = Vec::new();
        if let Some(base) = base {
            let count = base.layers.len();
            for (index, layer) in base.layers.iter().enumerate() {
                let part = if count > 1 { format!(", part {} of {count}", index + 1) } else { String::new() };
                layers.push((layer.clone(), format!("{}{part}", base.created_by)));
            }
        }
        layers.push((layer, format!("the program `{program}`")));
        let steps: Vec<_> = layers.iter().map(|(layer, created_by)| (layer.diff_id, created_by.clone())).collect();
        let config = Config::new(definition.platform, settings, &steps, epoch);
        let unpacked_bytes = layers.iter().map(|(layer, _)| layer.unpacked_bytes).sum();
        let blob =
            |layer: Layer| Blob { media_type: layer.algorithm.media_type(), digest: layer.digest, bytes: layer.bytes };
        Ok(Self {
            config: Blob::json(config::MEDIA_TYPE, &config)?,
            layers: layers.into_iter().map(|(layer, _)| blob(layer)).collect(),
            unpacked_bytes,
        })
    }

    /// A module that is the layer: no tar, so no diff id.
    pub(super) fn of_module(
        definition: &Definition,
        settings: &Settings,
        content: &Content,
        epoch: Epoch,
    ) -> anyhow::Result<Self> {
        let layer = Blob::new(layer::MODULE_MEDIA_TYPE, content.bytes.clone());
        let config = if definition.form == Form::Artifact {
            let config = ArtifactConfig::new(definition.platform, vec![layer.digest()], epoch);
            Blob::json(config::ARTIFACT_MEDIA_TYPE, &config)?
        } else {
            Blob::json(config::MEDIA_TYPE, &Config::new(definition.platform, settings, &[], epoch))?
        };
        Ok(Self { config, unpacked_bytes: layer.size_bytes(), layers: vec![layer] })
    }
}
