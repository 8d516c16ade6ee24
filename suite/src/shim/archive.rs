//! Images of test modules as OCI archives (image-layout.md of the OCI image specification, in a tar). Made here
//! and not by `oci`, which makes only what the project ships: these have two files, or a wasm layer.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::Module;
use oci::digest::Digest;
use oci::epoch::Epoch;
use oci::layer::{Algorithm, Compression, Entry, Layer, Node};

/// How an image holds its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A module in a tar layer.
    Tar,
    /// A module as the layer itself.
    WasmLayer,
    /// A native program in a tar layer.
    Native,
}

/// An image in a file.
#[derive(Clone, Debug)]
pub struct ImageSpec {
    /// Its name in containerd.
    pub name: String,
    /// The module's name.
    pub module: String,
    /// How it holds the module.
    pub form: Form,
    /// Whether the module has native code.
    pub compiled: bool,
    /// Its entrypoint.
    pub entrypoint: String,
    /// The file.
    pub archive: PathBuf,
}

/// What a module can read in its root file system.
pub const GREETING: &str = "hello from the image\n";

/// Every module in every form, with each of its entrypoints.
pub fn wasm_images(modules: &[Module], folder: &Path) -> anyhow::Result<Vec<ImageSpec>> {
    let mut images = Vec::new();
    for module in modules {
        let entrypoints: &[&str] = match module.name.as_str() {
            "function" => &["/x.wasm", "/x.wasm#greet", "/x.wasm#absent", "/x.wasm#twice"],
            "streams" => &["/x.wasm", "/y.wasm"],
            _ => &["/x.wasm"],
        };
        for form in [Form::Tar, Form::WasmLayer] {
            for entrypoint in entrypoints {
                let mut image = image(folder, &module.name, form, entrypoint, &module.bytes)?;
                image.compiled = module.compiled;
                images.push(image);
            }
        }
    }
    Ok(images)
}

/// One image.
pub fn image(folder: &Path, module: &str, form: Form, entrypoint: &str, bytes: &[u8]) -> anyhow::Result<ImageSpec> {
    let mut blobs = Vec::new();
    let (layer_type, layer, diff_ids) = match form {
        Form::WasmLayer => ("application/wasm", bytes.to_vec(), Vec::new()),
        Form::Tar | Form::Native => {
            let path = if form == Form::Native { entrypoint.trim_start_matches('/') } else { "x.wasm" };
            let files = [
                Entry { path, mode: 0o755, node: Node::File(bytes) },
                Entry { path: "data/greeting.txt", mode: 0o644, node: Node::File(GREETING.as_bytes()) },
            ];
            let layer = Layer::pack(&files, Compression::new(Algorithm::None, None)?, Epoch::parse(None)?)?;
            ("application/vnd.oci.image.layer.v1.tar", layer.bytes, vec![layer.diff_id.to_string()])
        }
    };
    let (os, architecture) = if form == Form::Native { ("linux", "amd64") } else { ("wasip1", "wasm") };
    let config = json!({
        "architecture": architecture,
        "os": os,
        "config": { "Entrypoint": [entrypoint], "Env": ["PATH=/bin", "SEASON=autumn"], "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = descriptor("application/vnd.oci.image.config.v1+json", serde_json::to_vec(&config)?, &mut blobs);
    let layer = descriptor(layer_type, layer, &mut blobs);
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": [layer] });
    let mut manifest = descriptor(manifest_type, serde_json::to_vec(&manifest)?, &mut blobs);
    let name = format!("suite.local/{}:1", blobs.last().context("no manifest")?.0);
    manifest["annotations"] = json!({ "io.containerd.image.name": name });
    let archive = folder.join(format!("{}.tar", blobs.last().context("no manifest")?.0));
    write(&archive, &json!({ "schemaVersion": 2, "manifests": [manifest] }), &blobs)?;
    let (module, entrypoint) = (module.to_owned(), entrypoint.to_owned());
    Ok(ImageSpec { name, module, form, compiled: false, entrypoint, archive })
}

fn descriptor(media_type: &str, bytes: Vec<u8>, blobs: &mut Vec<(String, Vec<u8>)>) -> Value {
    let hex = Digest::of(&bytes).hex();
    let descriptor = json!({ "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len() });
    blobs.push((hex, bytes));
    descriptor
}

fn write(archive: &Path, index: &Value, blobs: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    let file = std::fs::File::create(archive).with_context(|| format!("can not make `{}`", archive.display()))?;
    let mut tar = tar::Builder::new(file);
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes)
    };
    put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    put("index.json", &serde_json::to_vec(index)?)?;
    for (hex, bytes) in blobs {
        put(&format!("blobs/sha256/{hex}"), bytes)?;
    }
    tar.into_inner()?.sync_all()?;
    Ok(())
}
