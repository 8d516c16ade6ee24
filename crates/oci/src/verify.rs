//! The search for damage in an image layout on disk: every blob hashed again, every document followed.
//!
//! It reads what is there and believes nothing, so that it finds the same things in a layout that another
//! program wrote. Not here: repair; `layout::write` does that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;

use super::config::{self, ArtifactConfig, Config};
use super::definition::{Definition, Platform};
use super::digest::{DiffId, Digest};
use super::index::{self, Index};
use super::layer::{Algorithm, MODULE_MAGIC, MODULE_MEDIA_TYPE, unpack};
use super::layout::{BLOBS, INDEX, MARKER, Marker, REF_NAME, WAY_OUT, blob_path};
use super::manifest::{self, Descriptor, Manifest, SCHEMA_VERSION};

mod archive;
#[cfg(test)]
mod tests;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, below the layout's folder.
    pub path: PathBuf,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do about it.
    pub way_out: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: expected {}, found {}: {}", self.path.display(), self.expected, self.found, self.way_out)
    }
}

/// Checks a layout. No findings means that every byte of it is accounted for; `beside` names the files that the caller
/// keeps in the folder next to it, `definitions` say for which platform the images of a tag are.
///
/// # Errors
/// When the folder is not there or can not be listed.
pub fn verify(dir: &Path, beside: &[&str], definitions: &[Definition]) -> anyhow::Result<Vec<Finding>> {
    ensure!(dir.is_dir(), "there is no image layout at `{}`: run `cargo xtask image` to make it", dir.display());
    let mut verifier = Verifier { dir, beside, definitions, findings: Vec::new(), seen: BTreeMap::new() };
    verifier.marker();
    verifier.index();
    verifier.strangers()?;
    Ok(verifier.findings)
}

/// Whether a layer is a module itself.
fn is_module(layer: &Descriptor) -> bool {
    layer.media_type == MODULE_MEDIA_TYPE
}

/// What is known of a manifest that was followed.
#[derive(Clone, Debug, Default)]
struct Followed {
    /// `os/architecture` of its config, if that could be read.
    platform: Option<String>,
}

struct Verifier<'a> {
    dir: &'a Path,
    beside: &'a [&'a str],
    definitions: &'a [Definition],
    findings: Vec<Finding>,
    /// Blobs that something refers to; each document is followed once.
    seen: BTreeMap<Digest, Followed>,
}

impl Verifier<'_> {
    fn report(&mut self, path: &Path, expected: impl fmt::Display, found: impl fmt::Display) {
        self.findings.push(Finding {
            path: path.to_path_buf(),
            expected: expected.to_string(),
            found: found.to_string(),
            way_out: WAY_OUT,
        });
    }

    fn expect<T: PartialEq + fmt::Debug>(&mut self, path: &Path, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.report(path, format!("{what} {expected:?}"), format!("{found:?}"));
        }
    }

    fn read(&mut self, path: &Path) -> Option<Vec<u8>> {
        fs::read(self.dir.join(path)).map_err(|error| self.report(path, "a file", error)).ok()
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &Path, what: &str, bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|error| self.report(path, what, format!("`{error}`"))).ok()
    }

    fn marker(&mut self) {
        let path = Path::new(MARKER);
        let Some(bytes) = self.read(path) else { return };
        if let Some(marker) = self.parse::<Marker>(path, "the marker of a layout", &bytes) {
            self.expect(path, "layout", &Marker::current(), &marker);
        }
    }

    fn index(&mut self) {
        let path = Path::new(INDEX);
        let Some(bytes) = self.read(path) else { return };
        let Some(index) = self.parse::<Index>(path, "an index", &bytes) else { return };
        self.index_header(path, &index);
        let mut names = BTreeSet::new();
        for entry in &index.manifests {
            let name = entry.annotations.get(REF_NAME).map_or("", String::as_str);
            if name.is_empty() || !names.insert(name) {
                self.report(path, format!("a `{REF_NAME}` of its own for {}", entry.digest), format!("`{name}`"));
            }
            let followed = self.document(entry);
            let tag = name.rsplit(':').next();
            let definition = self.definitions.iter().find(|definition| Some(definition.name.as_str()) == tag);
            if let (Some(definition), Some(platform)) = (definition, followed.platform) {
                let (at, expected) = (blob_path(entry.digest), definition.platform.to_string());
                self.expect(&at, &format!("for `{name}` the platform"), &expected, &platform);
            }
        }
    }

    fn index_header(&mut self, path: &Path, index: &Index) {
        self.expect(path, "schema version", &SCHEMA_VERSION, &index.schema_version);
        self.expect(path, "media type", &index::MEDIA_TYPE, &index.media_type.as_str());
    }

    /// Follows a manifest or an index, once.
    fn document(&mut self, descriptor: &Descriptor) -> Followed {
        if let Some(followed) = self.seen.get(&descriptor.digest) {
            return followed.clone();
        }
        let path = blob_path(descriptor.digest);
        let Some(bytes) = self.blob(descriptor) else { return Followed::default() };
        let platform = match descriptor.media_type.as_str() {
            manifest::MEDIA_TYPE => {
                self.parse::<Manifest>(&path, "a manifest", &bytes).and_then(|manifest| self.manifest(&path, &manifest))
            }
            index::MEDIA_TYPE => {
                if let Some(index) = self.parse::<Index>(&path, "an index", &bytes) {
                    self.inner_index(&path, &index);
                }
                None
            }
            other => {
                self.report(&path, "the media type of a manifest or an index", format!("`{other}`"));
                None
            }
        };
        let followed = Followed { platform };
        self.seen.insert(descriptor.digest, followed.clone());
        followed
    }

    fn inner_index(&mut self, path: &Path, index: &Index) {
        self.index_header(path, index);
        for entry in &index.manifests {
            // An index in an index would be legal; nothing here writes one, and following it invites loops.
            if entry.media_type != manifest::MEDIA_TYPE {
                self.report(path, "only manifests in it", format!("`{}`", entry.media_type));
                continue;
            }
            let stated = entry.platform.as_ref().map(|platform| format!("{}/{}", platform.os, platform.architecture));
            if let Some(platform) = self.document(entry).platform {
                self.expect(path, "platform", &Some(platform), &stated);
            }
        }
    }

    fn manifest(&mut self, path: &Path, manifest: &Manifest) -> Option<String> {
        self.expect(path, "schema version", &SCHEMA_VERSION, &manifest.schema_version);
        self.expect(path, "media type", &manifest::MEDIA_TYPE, &manifest.media_type.as_str());
        if manifest.config.media_type == config::ARTIFACT_MEDIA_TYPE {
            return self.artifact(path, manifest);
        }
        self.expect(path, "config of media type", &config::MEDIA_TYPE, &manifest.config.media_type.as_str());
        let config_path = blob_path(manifest.config.digest);
        let config =
            self.blob(&manifest.config).and_then(|bytes| self.parse::<Config>(&config_path, "an image config", &bytes));
        let (modules, tars): (Vec<&Descriptor>, Vec<&Descriptor>) =
            manifest.layers.iter().partition(|layer| is_module(layer));
        for module in &modules {
            self.module(module);
        }
        let layers = tars;
        let tars: Vec<_> = layers.iter().map(|layer| self.layer(layer)).collect();
        let config = config?;
        let platform = config.platform();
        self.platform(&config_path, &platform);
        self.expect(&config_path, "diff ids:", &tars.len(), &config.rootfs.diff_ids.len());
        let steps = config.history.iter().filter(|step| !step.empty_layer).count();
        if !config.history.is_empty() {
            self.expect(&config_path, "steps of its history:", &tars.len(), &steps);
        }
        let mut names = BTreeSet::new();
        for ((layer, tar), expected) in layers.iter().zip(&tars).zip(&config.rootfs.diff_ids) {
            let Some(tar) = tar else { continue };
            let path = blob_path(layer.digest);
            self.expect(&path, "diff id", expected, &DiffId::of(tar));
            for (expected, found) in archive::check(tar, &config.created, &mut names) {
                self.report(&path, expected, found);
            }
        }
        // A module that is the layer has no path: its entrypoint is a name for it.
        let has_paths = modules.is_empty() && tars.iter().all(Option::is_some);
        self.entrypoint(&config_path, &config, has_paths.then_some(&names));
        Some(platform)
    }

    /// A Wasm artifact: one module, which its config names.
    fn artifact(&mut self, path: &Path, manifest: &Manifest) -> Option<String> {
        let config_path = blob_path(manifest.config.digest);
        self.expect(path, "layers:", &1, &manifest.layers.len());
        for layer in &manifest.layers {
            if !is_module(layer) {
                self.report(path, format!("a layer of `{MODULE_MEDIA_TYPE}`"), format!("`{}`", layer.media_type));
            }
            self.module(layer);
        }
        let config = self.blob(&manifest.config)?;
        let config = self.parse::<ArtifactConfig>(&config_path, "the config of a Wasm artifact", &config)?;
        let layers: Vec<Digest> = manifest.layers.iter().map(|layer| layer.digest).collect();
        self.expect(&config_path, "layer digests", &layers, &config.layer_digests);
        let platform = config.platform();
        self.platform(&config_path, &platform);
        Some(platform)
    }

    /// A layer that is a module.
    fn module(&mut self, layer: &Descriptor) {
        let Some(bytes) = self.blob(layer) else { return };
        if !bytes.starts_with(MODULE_MAGIC) {
            self.report(&blob_path(layer.digest), "a module of WebAssembly", "something else");
        }
    }

    fn platform(&mut self, path: &Path, platform: &str) {
        if !Platform::ALL.iter().any(|known| known.to_string() == platform) {
            let known: Vec<String> = Platform::ALL.iter().map(|known| format!("`{known}`")).collect();
            self.report(path, format!("a platform among {}", known.join(", ")), format!("`{platform}`"));
        }
    }

    fn entrypoint(&mut self, path: &Path, config: &Config, names: Option<&BTreeSet<String>>) {
        let first = config.execution.entrypoint.first().map_or("", String::as_str);
        let program = first.split('#').next().unwrap_or_default().trim_start_matches('/');
        if names.is_some_and(|names| !names.contains(program)) {
            self.report(path, "an entrypoint that is in a layer", format!("`{first}`"));
        }
    }

    fn layer(&mut self, layer: &Descriptor) -> Option<Vec<u8>> {
        let bytes = self.blob(layer)?;
        let path = blob_path(layer.digest);
        let Some(algorithm) = Algorithm::of_media_type(&layer.media_type) else {
            self.report(&path, "the media type of a tar layer", format!("`{}`", layer.media_type));
            return None;
        };
        unpack(&bytes, algorithm)
            .map_err(|error| self.report(&path, format!("a layer of `{}`", layer.media_type), format!("`{error:#}`")))
            .ok()
    }

    /// The bytes that a descriptor names, if they are those.
    fn blob(&mut self, descriptor: &Descriptor) -> Option<Vec<u8>> {
        let path = blob_path(descriptor.digest);
        self.seen.entry(descriptor.digest).or_default();
        let bytes = self.read(&path)?;
        let before = self.findings.len();
        self.expect(&path, "bytes:", &descriptor.size, &(bytes.len() as u64));
        self.expect(&path, "digest", &descriptor.digest, &Digest::of(&bytes));
        (self.findings.len() == before).then_some(bytes)
    }

    /// Files and folders that nothing refers to.
    fn strangers(&mut self) -> anyhow::Result<()> {
        let blobs = Path::new(BLOBS);
        let parent = blobs.parent().unwrap_or(blobs);
        let referenced: BTreeSet<PathBuf> = self.seen.keys().map(|digest| blob_path(*digest)).collect();
        let mut top = BTreeSet::from([MARKER.into(), INDEX.into(), parent.to_path_buf()]);
        top.extend(self.beside.iter().map(PathBuf::from));
        for (folder, known) in
            [(Path::new(""), top), (parent, BTreeSet::from([blobs.to_path_buf()])), (blobs, referenced)]
        {
            let full = self.dir.join(folder);
            if !full.is_dir() {
                self.report(folder, "a folder", "none");
                continue;
            }
            let listing = || format!("can not list `{}`", full.display());
            for entry in fs::read_dir(&full).with_context(listing)? {
                let path = folder.join(entry.with_context(listing)?.file_name());
                if !known.contains(&path) {
                    self.report(&path, "nothing, for nothing refers to it", "a file");
                    if let Some(finding) = self.findings.last_mut().filter(|_| folder != blobs) {
                        finding.way_out = "remove it";
                    }
                }
            }
        }
        Ok(())
    }
}
