//! Tests of whole images: golden digests, reproducibility, what is refused.

use expect_test::expect;

use super::*;

#[test]
#[expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
fn golden_digests_of_every_form() {
    let set = example::images(Epoch::parse(Some("1700000000")).unwrap()).unwrap();
    let seen: Vec<_> =
        set.tagged().iter().map(|tagged| format!("{} {}\n", tagged.name(), tagged.document.digest())).collect();
    expect![[r#"
        example:native sha256:01fdc81d12a2ddc077f263c44ec749c1856ba68a6517ec21ad272221e4773b98
        example:native-based sha256:651a5712d14103d8388fe2f5755ede567d9290899a8271281a50231bd61692be
        example:native-layered sha256:feaf13ea5b49c8abd98a3daa63725e60574295634e49910e1e2fbce4d2cfe598
        example:wasm sha256:80a261d6cab543b7fc369555044193de7946f7cb0a6e74378341cc2dd7b967d4
        example:wasm-artifact sha256:333247bef939d057c0af357e46005a0746d6ee7485d32122410dd54b5fba2cd8
        example:wasm-module sha256:ad500e798245ad40109e51968812c2e4d98e88098da57f18a4e6401017201ecb
        example:wasm-wasi sha256:b17110368de8bc7b0e0bace5d36f49c94ca1973cf5edd376d27260d94777fa4a
        example:wasm-aot sha256:f639aea085a4170918054a0327e324e569672cffeb83c7435133cf0f547c8870
        example:latest sha256:0948467a3cfd513e90b07e39d0f99ca45964f53faa8441ce201c81e7b8b0d784
    "#]]
    .assert_eq(&seen.concat());
}

#[test]
fn golden_documents() {
    let set = example::images(Epoch::ZERO).unwrap();
    let text = |blob: &Blob| String::from_utf8(blob.bytes().to_vec()).unwrap();
    let all = set.tagged();
    let tagged = ["native", "native-based", "wasm", "wasm-artifact", "latest"]
        .map(|tag| all.iter().find(|tagged| tagged.tag == tag).unwrap());
    expect![[r#"{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"Env":["LANG=C"],"Entrypoint":["/bin/example","--fast"],"WorkingDir":"/bin","Labels":{"org.example.program":"example"}},"rootfs":{"type":"layers","diff_ids":["sha256:27cb79746134efc6f10520e8206f149e1a54f686e395567601ea879a6458cc0f"]}}"#]].assert_eq(&text(tagged[0].blobs[0]));
    expect![[r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:76a264ad50d70731af04c644d7ef1ad11c753d9d25beeaac6ded1bfd6a102ba0","size":243},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:abf48e8da4c963e839cbc2cb6276aea552cb2e26f84414d8aa493260de1c6ae3","size":157}],"annotations":{"org.opencontainers.image.title":"example"}}"#]].assert_eq(&text(tagged[2].document));
    expect![[r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:d0a358fceb13ac862efdd0f4485e2097b4972552d854f608334be31be2b73237","size":397,"platform":{"architecture":"amd64","os":"linux"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:a12f1d23efb6205fe879a4787e6ef0032c0f731dbfdaa774bc825a850610d230","size":460,"platform":{"architecture":"wasm","os":"wasip1"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:01128e209eda7e497feff214f433fe9e228e236de5b6e8df3bda5bb17076069d","size":460,"platform":{"architecture":"wasm","os":"wasi"}}]}"#]].assert_eq(&text(tagged[4].document));
    expect![[r#"{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"Entrypoint":["/example"],"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":["sha256:41db2af92a02957a23216f471a75e2e3a41adbb40fb22d244d52b3bcd3a885a0","sha256:372e68ed8b38ea82e471afa0bba7d66f04a99527ec3ca08a9e36222df08dff04"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"the files of base 1 all, tools 2 amd64"},{"created":"1970-01-01T00:00:00Z","created_by":"the program `example`"}]}"#]].assert_eq(&text(tagged[1].blobs[0]));
    expect![[r#"{"created":"1970-01-01T00:00:00Z","architecture":"wasm","os":"wasip1","layerDigests":["sha256:7df70d7b64a258460655b904bd596057578d22eb14a31021396d1c4ec5dd2940"]}"#]].assert_eq(&text(tagged[3].blobs[0]));
}

#[test]
fn two_builds_in_two_folders_are_byte_identical() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let trees = dirs.each_ref().map(|dir| {
        layout::write(dir.path(), &example::images(Epoch::ZERO).unwrap()).unwrap();
        tree(dir.path())
    });
    assert_eq!(trees[0], trees[1]);
    // A marker, two indexes, of each image a manifest and a config, and the layers: one of a program for each of native,
    // based, wasm, module and wasm-aot, which others share, one of the base, and two of the base in parts.
    assert_eq!(trees[0].len(), 3 + 8 * 2 + 5 + 1 + 2);
}

/// Every file below a folder, with its bytes.
fn tree(dir: &std::path::Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(dir).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_epoch_is_part_of_the_image() {
    let digest = |epoch| example::images(epoch).unwrap().images()[0].manifest().digest();
    assert_ne!(digest(Epoch::ZERO), digest(Epoch::parse(Some("1")).unwrap()));
}

/// This project's definitions, one per kind.
fn defaults() -> Vec<Definition> {
    let all = definition::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images")).unwrap();
    all.into_iter().filter(Definition::is_default).collect()
}

#[test]
fn the_order_of_the_contents_does_not_matter() {
    let definitions = defaults();
    let mut contents: Vec<_> = ["b", "a"]
        .iter()
        .flat_map(|program| {
            Kind::ALL.map(|kind| Content { program: (*program).to_owned(), kind, bytes: kind.name().into() })
        })
        .collect();
    let one = build(&definitions, &Bases::new(), &contents, Epoch::ZERO).unwrap();
    contents.reverse();
    assert_eq!(one, build(&definitions, &Bases::new(), &contents, Epoch::ZERO).unwrap());
    let names: Vec<_> = one.tagged().iter().map(Tagged::name).collect();
    let all = ["native", "wasm", "wasm-aot", "cwasm"];
    let images = ["a", "b"].into_iter().flat_map(|program| all.map(|kind| format!("{program}:{kind}")));
    let expected: Vec<String> = images.chain(["a:latest", "b:latest"].map(str::to_owned)).collect();
    assert_eq!(names, expected);
}

#[test]
fn sizes_add_up() {
    for image in example::images(Epoch::ZERO).unwrap().images() {
        let sizes = image.sizes();
        let parts = sizes.manifest_bytes + sizes.config_bytes + sizes.layers_compressed_bytes;
        assert_eq!(sizes.transfer_bytes, parts);
        assert!(sizes.layers_unpacked_bytes >= 512 + 4 * 512 + 1024, "{sizes:?}");
    }
}

#[test]
fn a_module_that_is_the_layer_has_no_diff_id_and_the_artifact_names_it_by_its_digest() {
    let set = example::images(Epoch::ZERO).unwrap();
    let find = |name: &str| set.images().iter().find(|image| image.name() == name).unwrap();
    let json = |blob: &Blob| serde_json::from_slice::<serde_json::Value>(blob.bytes()).unwrap();
    for name in ["wasm-module", "wasm-artifact"] {
        let image = find(name);
        let blobs: Vec<&Blob> = image.blobs().collect();
        let (config, manifest) = (json(blobs[0]), json(image.manifest()));
        assert_eq!((blobs.len(), blobs[1].media_type()), (2, "application/wasm"));
        assert!(blobs[1].bytes().starts_with(b"\0asm"));
        assert_eq!(image.sizes().layers_unpacked_bytes, blobs[1].bytes().len() as u64);
        assert_eq!((config["os"].as_str(), config["architecture"].as_str()), (Some("wasip1"), Some("wasm")));
        if name == "wasm-module" {
            assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(0));
        } else {
            assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
            assert_eq!(config["layerDigests"][0], blobs[1].digest().to_string());
        }
    }
}

#[test]
fn the_index_offers_one_image_for_each_platform_and_none_that_it_would_break() {
    let set = example::images(Epoch::ZERO).unwrap();
    let tagged = set.tagged();
    let index: serde_json::Value = serde_json::from_slice(tagged.last().unwrap().document.bytes()).unwrap();
    let name = |digest: &serde_json::Value| {
        tagged.iter().find(|tagged| *digest == tagged.document.digest().to_string()).unwrap().tag.to_owned()
    };
    let offered: Vec<String> =
        index["manifests"].as_array().unwrap().iter().map(|entry| name(&entry["digest"])).collect();
    assert_eq!(offered, ["native", "wasm", "wasm-wasi"]);
}

#[test]
fn a_kind_without_definition_and_a_double_image_are_errors() {
    let content = Content { program: "a".to_owned(), kind: Kind::Wasm, bytes: Vec::new() };
    let error = build(&[], &Bases::new(), std::slice::from_ref(&content), Epoch::ZERO).unwrap_err().to_string();
    assert!(error.contains("images/wasm.toml"), "{error}");
    let definitions = defaults();
    let error = build(&definitions, &Bases::new(), &[content.clone(), content], Epoch::ZERO).unwrap_err().to_string();
    assert!(error.contains("`a:wasm`"), "{error}");
}

#[test]
fn a_kind_is_packed_by_each_of_its_definitions_and_the_index_offers_its_default() {
    let text = include_str!("../../../images/wasm.toml");
    let definitions = ["other", "wasm"].map(|name| definition::parse(name, text).unwrap());
    let content = Content { program: "a".to_owned(), kind: Kind::Wasm, bytes: b"x".to_vec() };
    let set = build(&definitions, &Bases::new(), &[content], Epoch::ZERO).unwrap();
    assert_eq!(set.tagged().iter().map(Tagged::name).collect::<Vec<_>>(), ["a:wasm", "a:other", "a:latest"]);
    let index: serde_json::Value = serde_json::from_slice(set.tagged()[2].document.bytes()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(index["manifests"][0]["digest"], set.images()[0].manifest().digest().to_string());
}

#[test]
fn a_base_that_was_not_made_and_one_in_the_programs_way_are_errors() {
    let definitions = example::definitions().unwrap();
    let content = |program: &str| Content { program: program.to_owned(), kind: Kind::Native, bytes: Vec::new() };
    let error = build(&definitions, &Bases::new(), &[content("a")], Epoch::ZERO).unwrap_err();
    assert!(format!("{error:#}").contains("the base of the image `native-"), "{error:#}");
    let bases = example::bases(&definitions, Epoch::ZERO).unwrap();
    let error = build(&definitions, &bases, &[content("tmp")], Epoch::ZERO).unwrap_err();
    assert!(format!("{error:#}").contains(": choose another `path`"), "{error:#}");
}

#[test]
fn the_lower_layer_is_the_same_for_every_program_and_its_origin_is_in_the_history() {
    let definitions = example::definitions().unwrap();
    let content = |program: &str| Content { program: program.to_owned(), kind: Kind::Native, bytes: program.into() };
    let bases = example::bases(&definitions, Epoch::ZERO).unwrap();
    let set = build(&definitions, &bases, &["a", "b"].map(content), Epoch::ZERO).unwrap();
    let images: Vec<&Image> = set.images().iter().filter(|image| image.name() == "native-based").collect();
    let layers = |image: &Image| image.blobs().skip(1).map(Blob::digest).collect::<Vec<_>>();
    let (first, second) = (layers(images[0]), layers(images[1]));
    assert_eq!((first.len(), first[0] == second[0], first[1] == second[1]), (2, true, false));
}
