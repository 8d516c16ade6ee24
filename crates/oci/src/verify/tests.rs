//! Every finding of `verify`, made by damaging a good layout.

use serde_json::{Value, json};

use super::*;
use crate::epoch::Epoch;
use crate::{ImageSet, example, layout};

/// A layout on disk that can be damaged.
struct Layout {
    dir: tempfile::TempDir,
    set: ImageSet,
}

impl Layout {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let set = example::images(Epoch::ZERO).unwrap();
        layout::write(dir.path(), &set).unwrap();
        Self { dir, set }
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    fn findings(&self) -> Vec<Finding> {
        verify(self.dir.path(), &[], &example::definitions().unwrap()).unwrap()
    }

    /// The only finding's path, and its text.
    fn finding(&self) -> (PathBuf, String) {
        let findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        (findings[0].path.clone(), findings[0].to_string())
    }

    fn json(&self, digest: Digest) -> Value {
        serde_json::from_slice(&fs::read(self.path(blob_path(digest))).unwrap()).unwrap()
    }

    /// Stores a blob under its own digest and gives its descriptor's digest and size.
    fn add(&self, bytes: &[u8]) -> Value {
        fs::write(self.path(blob_path(Digest::of(bytes))), bytes).unwrap();
        json!({ "digest": Digest::of(bytes), "size": bytes.len() })
    }

    /// Makes the layout hold one image, `example:native`, whose documents went through `change`
    /// (config, manifest), and whose layer has these bytes. All digests and sizes are right.
    fn only_image(&self, tar: &[u8], change: impl FnOnce(&mut Value, &mut Value)) {
        let tagged = self.set.tagged();
        let image = &tagged[0];
        let mut manifest = self.json(image.document.digest());
        let mut config = self.json(image.blobs[0].digest());
        fs::remove_dir_all(self.path(BLOBS)).unwrap();
        fs::create_dir(self.path(BLOBS)).unwrap();
        config["rootfs"]["diff_ids"][0] = json!(DiffId::of(tar));
        merge(&mut manifest["layers"][0], &self.add(tar));
        change(&mut config, &mut manifest);
        merge(&mut manifest["config"], &self.add(&serde_json::to_vec(&config).unwrap()));
        let mut entry = json!({ "mediaType": manifest::MEDIA_TYPE, "annotations": { REF_NAME: "example:native" } });
        merge(&mut entry, &self.add(&serde_json::to_vec(&manifest).unwrap()));
        let index = json!({ "schemaVersion": 2, "mediaType": index::MEDIA_TYPE, "manifests": [entry] });
        fs::write(self.path(INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
    }
}

impl Layout {
    /// Makes the layout hold one artifact, whose layer has these bytes and whose documents went through `change`
    /// (config, manifest).
    fn only_artifact(&self, module: &[u8], change: impl FnOnce(&mut Value, &mut Value)) {
        let tagged = self.set.tagged();
        let image = tagged.iter().find(|tagged| tagged.tag == "wasm-artifact").unwrap();
        let mut manifest = self.json(image.document.digest());
        let mut config = self.json(image.blobs[0].digest());
        fs::remove_dir_all(self.path(BLOBS)).unwrap();
        fs::create_dir(self.path(BLOBS)).unwrap();
        config["layerDigests"] = json!([Digest::of(module)]);
        merge(&mut manifest["layers"][0], &self.add(module));
        change(&mut config, &mut manifest);
        merge(&mut manifest["config"], &self.add(&serde_json::to_vec(&config).unwrap()));
        let mut entry =
            json!({ "mediaType": manifest::MEDIA_TYPE, "annotations": { REF_NAME: "example:wasm-artifact" } });
        merge(&mut entry, &self.add(&serde_json::to_vec(&manifest).unwrap()));
        let index = json!({ "schemaVersion": 2, "mediaType": index::MEDIA_TYPE, "manifests": [entry] });
        fs::write(self.path(INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
    }
}

#[test]
fn an_artifact_is_one_module_that_its_config_names() {
    type Change = fn(&mut Value, &mut Value);
    let layout = Layout::new();
    layout.only_artifact(b"\0asm and more", |_, _| ());
    assert_eq!(layout.findings(), []);
    let changes: [(&[u8], Change, &str); 5] = [
        (b"no module", |_, _| (), "a module of WebAssembly"),
        (b"\0asm", |config, _| config["layerDigests"] = json!([]), "layer digests"),
        (b"\0asm", |config, _| config["os"] = json!("plan9"), "a platform among"),
        (b"\0asm", |config, _| config["os"] = json!(3), "the config of a Wasm artifact"),
        (
            b"\0asm",
            |_, manifest| manifest["layers"][0]["mediaType"] = json!("application/zip"),
            "a layer of `application/wasm`",
        ),
    ];
    for (module, change, expected) in changes {
        let layout = Layout::new();
        layout.only_artifact(module, change);
        let findings = layout.findings();
        assert!(findings.iter().any(|finding| finding.expected.contains(expected)), "{expected}: {findings:?}");
    }
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().unwrap() {
        into[key] = value.clone();
    }
}

/// A tar stream with one file, `bin/example`, whose header went through `change`.
fn tar_with(change: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path("bin/example").unwrap();
    for set in [tar::Header::set_uid, tar::Header::set_gid, tar::Header::set_mtime, tar::Header::set_size] {
        set(&mut header, 0);
    }
    header.set_mode(0o755);
    change(&mut header);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &[][..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn a_whole_layout_has_no_findings() {
    assert_eq!(Layout::new().findings(), []);
    let layout = Layout::new();
    layout.only_image(&tar_with(|_| ()), |_, _| ());
    assert_eq!(layout.findings(), []);
}

#[test]
fn a_changed_byte_of_any_blob_is_found_in_that_blob() {
    let layout = Layout::new();
    for entry in fs::read_dir(layout.path(BLOBS)).unwrap() {
        let path = entry.unwrap().path();
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 0x20;
        fs::write(&path, bad).unwrap();
        let findings = layout.findings();
        let relative = path.strip_prefix(layout.dir.path()).unwrap();
        assert!(findings.iter().any(|finding| finding.path == relative && finding.expected.contains("digest")));
        fs::write(&path, good).unwrap();
    }
    assert_eq!(layout.findings(), []);
}

#[test]
fn truncated_and_missing_blobs_are_found() {
    let layout = Layout::new();
    let path = layout.path(blob_path(layout.set.tagged()[0].blobs[1].digest()));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let findings = layout.findings();
    assert!(findings[0].expected.starts_with("bytes: "), "{findings:?}");
    fs::remove_file(&path).unwrap();
    let (_, text) = layout.finding();
    assert!(text.contains("expected a file") && text.contains("cargo xtask image"), "{text}");
}

#[test]
fn files_that_nothing_refers_to_are_found() {
    let layout = Layout::new();
    for (path, way_out) in [
        ("stray", "remove it"),
        ("blobs/sha512", "remove it"),
        ("blobs/sha256/.new-abandoned", "run `cargo xtask image` to rebuild it"),
    ] {
        fs::write(layout.path(path), b"").unwrap();
        let (at, text) = layout.finding();
        assert_eq!(at, Path::new(path));
        assert!(text.contains("nothing refers to it") && text.ends_with(way_out), "{text}");
        fs::remove_file(layout.path(path)).unwrap();
    }
}

#[test]
fn garbage_in_any_document_is_a_finding_and_not_a_panic() {
    for path in [MARKER, INDEX] {
        for garbage in [&b""[..], b"[", b"{}", b"null", b"\xff\xfe", b"{\"schemaVersion\":2,\"manifests\":[{}]}"] {
            let layout = Layout::new();
            fs::write(layout.path(path), garbage).unwrap();
            let findings = layout.findings();
            assert!(findings.iter().any(|finding| finding.path == Path::new(path)), "{findings:?}");
        }
    }
    let layout = Layout::new();
    fs::remove_dir_all(layout.path("blobs")).unwrap();
    assert!(!layout.findings().is_empty());
    assert!(verify(&layout.path("absent"), &[], &[]).unwrap_err().to_string().contains("cargo xtask image"));
}

#[test]
fn wrong_documents_with_right_digests_are_found() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(Change, &str); 9] = [
        (|config, _| config["rootfs"]["diff_ids"][0] = json!(DiffId::of(b"other")), "diff id"),
        (|config, _| config["rootfs"]["diff_ids"] = json!([]), "diff ids: 1"),
        (|config, _| config["architecture"] = json!("wasm"), "a platform among `linux/amd64`"),
        (|config, _| config["config"]["Entrypoint"] = json!(["/sh"]), "an entrypoint that is in a layer"),
        (|config, _| config["rootfs"] = json!(3), "an image config"),
        (|_, manifest| manifest["mediaType"] = json!("x"), "media type"),
        (|_, manifest| manifest["schemaVersion"] = json!(1), "schema version"),
        (|_, manifest| manifest["layers"][0]["mediaType"] = json!("application/zip"), "a tar layer"),
        (|_, manifest| manifest["layers"][0]["mediaType"] = json!("application/wasm"), "a module of WebAssembly"),
    ];
    for (change, expected) in changes {
        let layout = Layout::new();
        layout.only_image(&tar_with(|_| ()), change);
        let findings = layout.findings();
        assert!(findings.iter().any(|finding| finding.expected.contains(expected)), "{expected}: {findings:?}");
    }
}

#[test]
fn an_image_of_another_platform_than_its_tag_says_is_found() {
    let layout = Layout::new();
    layout.only_image(&tar_with(|_| ()), |config, _| {
        config["os"] = json!("wasip1");
        config["architecture"] = json!("wasm");
    });
    let (_, text) = layout.finding();
    assert!(text.contains("for `example:native` the platform \"linux/amd64\""), "{text}");
}

#[test]
fn an_index_that_states_another_platform_is_found() {
    let layout = Layout::new();
    let last = layout.set.tagged().len() - 1;
    let latest = layout.set.tagged()[last].document.digest();
    let mut inner = layout.json(latest);
    inner["manifests"][1]["platform"] = json!({ "os": "linux", "architecture": "arm64" });
    fs::remove_file(layout.path(blob_path(latest))).unwrap();
    let added = layout.add(&serde_json::to_vec(&inner).unwrap());
    let mut index: Value = serde_json::from_slice(&fs::read(layout.path(INDEX)).unwrap()).unwrap();
    merge(&mut index["manifests"][last], &added);
    fs::write(layout.path(INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
    let (_, text) = layout.finding();
    assert!(text.contains("wasip1/wasm") && text.contains("linux/arm64"), "{text}");
}

#[test]
fn entries_without_or_with_one_name_are_found() {
    for name in [json!("example:native"), json!("")] {
        let layout = Layout::new();
        let mut index: Value = serde_json::from_slice(&fs::read(layout.path(INDEX)).unwrap()).unwrap();
        index["manifests"][3]["annotations"][REF_NAME] = name;
        fs::write(layout.path(INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
        let findings = layout.findings();
        assert!(findings.iter().any(|finding| finding.expected.contains("of its own")), "{findings:?}");
    }
}

#[test]
fn headers_that_are_not_reproducible_are_found() {
    type Change = fn(&mut tar::Header);
    let changes: [(Change, &str); 6] = [
        (|header| header.set_mtime(1), "mtime 1970-01-01T00:00:00Z for `bin/example`"),
        (|header| header.set_uid(1000), "uid 0"),
        (|header| header.set_gid(1000), "gid 0"),
        (|header| header.set_username("me").unwrap(), "owner name"),
        (|header| header.set_entry_type(tar::EntryType::Fifo), "file, folder or link"),
        (|header| header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0"), "ustar"),
    ];
    for (change, expected) in changes {
        let layout = Layout::new();
        layout.only_image(&tar_with(change), |_, _| ());
        let (_, text) = layout.finding();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn pax_headers_are_found() {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("mtime", &b"0.5"[..])]).unwrap();
    let mut tar = builder.into_inner().unwrap();
    tar.truncate(tar.len() - 1024);
    tar.extend(tar_with(|_| ()));
    let layout = Layout::new();
    layout.only_image(&tar, |_, _| ());
    let findings = layout.findings();
    assert!(findings.iter().any(|finding| finding.found == "type `x`"), "{findings:?}");
}

#[test]
fn names_out_of_order_and_broken_streams_are_found() {
    let one = tar_with(|_| ());
    let mut double = one[..one.len() - 1024].to_vec();
    double.extend(&one);
    let mut broken = one.clone();
    broken[0] ^= 1;
    for (tar, expected) in [(&double[..], "order of names"), (&broken, "whole tar"), (&[0; 1024], "with a file")] {
        let layout = Layout::new();
        layout.only_image(tar, |_, _| ());
        let findings = layout.findings();
        assert!(findings.iter().any(|finding| finding.expected.contains(expected)), "{expected}: {findings:?}");
    }
}

#[test]
fn a_history_of_more_or_fewer_steps_than_layers_is_found() {
    for (steps, is_wrong) in
        [(json!([{}]), false), (json!([{}, { "empty_layer": true }]), false), (json!([{}, {}]), true)]
    {
        let layout = Layout::new();
        layout.only_image(&tar_with(|_| ()), |config, _| config["history"] = steps);
        let findings = layout.findings();
        assert_eq!(findings.iter().any(|finding| finding.expected.contains("history")), is_wrong, "{findings:?}");
    }
}
