//! The stage on images: the same bytes twice, every finding of `--verify`, and an independent reader.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Rig, expect_error, tools};
use xtask::cmd::Cmd;

/// The images that are made: each of the kinds of a default run, in every form.
const IMAGE: [&str; 5] = ["image", "native", "native-*", "wasm", "wasm-*"];

/// What must be true of the layout.
pub fn images(rig: &Rig) -> Vec<Check> {
    let assembled = rig.xtask(&IMAGE).run().map(|_| ());
    if assembled.is_err() {
        return vec![Check::of("the images are assembled", assembled)];
    }
    vec![
        Check::of("the images are assembled", assembled),
        Check::of("two builds in two folders give the same bytes", reproducible(rig)),
        Check::of(
            "every blob, diff id, platform and tar header is right",
            rig.xtask(&["image", "--verify"]).run().map(|_| ()),
        ),
        Check::of("a changed blob is found, named, and made again", changed(rig)),
        Check::of("skopeo copies every tag with its digest", skopeo(rig)),
        Check::of("an image with a base has it below its program, and says what it is made of", based(rig)),
        Check::of("a base in 32 layers is the base in one", layered(rig)),
        Check::of("a program's index offers an image for each name of a platform", offered(rig)),
    ]
}

/// The second folder has artifacts of its own, from a build of its own.
fn reproducible(rig: &Rig) -> anyhow::Result<()> {
    let second = rig.scratch.join("second-target");
    std::fs::create_dir_all(&second)?;
    std::os::unix::fs::symlink(rig.workspace.toolbox(), second.join("toolbox"))?;
    rig.xtask(&IMAGE).env("CARGO_TARGET_DIR", &second).run()?;
    let (first, second) = (blobs(&rig.workspace.oci())?, blobs(&second.join("oci"))?);
    ensure!(!first.is_empty() && first == second, "the layouts differ: {first:?} and {second:?}");
    Ok(())
}

/// The names of all blobs, which are the digests of their bytes (`--verify` has checked that).
fn blobs(layout: &Path) -> anyhow::Result<Vec<String>> {
    let dir = layout.join("blobs/sha256");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("can not list `{}`", dir.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn largest_blob(layout: &Path) -> anyhow::Result<PathBuf> {
    let dir = layout.join("blobs/sha256");
    let names = blobs(layout)?;
    let size = |name: &String| std::fs::metadata(dir.join(name)).map_or(0, |data| data.len());
    Ok(dir.join(names.iter().max_by_key(|name| size(name)).context("no blob")?))
}

fn changed(rig: &Rig) -> anyhow::Result<()> {
    let blob = largest_blob(&rig.workspace.oci())?;
    let good = std::fs::read(&blob)?;
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    std::fs::write(&blob, bad)?;
    let name = blob.file_name().unwrap_or_default().to_string_lossy().into_owned();
    expect_error(&rig.xtask(&["image", "--verify"]).output()?, 1, &[&name, "cargo xtask image"])?;
    rig.xtask(&IMAGE).run()?;
    ensure!(std::fs::read(&blob)? == good, "`{}` was not made again", blob.display());
    Ok(())
}

fn skopeo(rig: &Rig) -> anyhow::Result<()> {
    let skopeo = tools::toolbox_program(rig, "skopeo")?;
    let layout = rig.workspace.oci();
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json"))?)?;
    let manifests = index["manifests"].as_array().context("no `manifests`")?;
    ensure!(manifests.len() >= 26, "{} tags instead of at least 26", manifests.len());
    // A policy of its own: the host may have none.
    let policy = rig.scratch.join("policy.json");
    std::fs::write(&policy, r#"{"default": [{"type": "insecureAcceptAnything"}]}"#)?;
    for (number, manifest) in manifests.iter().enumerate() {
        let tag =
            manifest["annotations"]["org.opencontainers.image.ref.name"].as_str().context("a manifest without tag")?;
        let to = rig.scratch.join(format!("skopeo-{number}"));
        let from = format!("oci:{}:{tag}", layout.display());
        let policy = format!("--policy={}", policy.display());
        let copy = ["copy", "--all", "--preserve-digests", &from, &format!("dir:{}", to.display())];
        Cmd::new(&skopeo).arg(policy).args(copy).run()?;
        let copied = std::fs::read(to.join("manifest.json"))?;
        let digest = format!("sha256:{}", oci::digest::Digest::of(&copied).hex());
        ensure!(manifest["digest"] == digest, "skopeo's `{tag}` has digest {digest}");
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Value> {
    serde_json::from_slice(&std::fs::read(path)?).with_context(|| format!("`{}`", path.display()))
}

/// The file of what a descriptor names.
fn blob(rig: &Rig, descriptor: &Value) -> anyhow::Result<PathBuf> {
    let digest = descriptor["digest"].as_str().context("no digest")?;
    Ok(rig.workspace.oci().join("blobs/sha256").join(digest.trim_start_matches("sha256:")))
}

/// The manifest or index of this name.
fn tagged(rig: &Rig, name: &str) -> anyhow::Result<Value> {
    let index = read(&rig.workspace.oci().join("index.json"))?;
    let is_it = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == *name;
    let entry = index["manifests"].as_array().and_then(|entries| entries.iter().find(is_it));
    read(&blob(rig, entry.with_context(|| format!("no `{name}`"))?)?)
}

/// What an independent program unpacks of 32 layers, one above the other, is what it unpacks of one.
fn layered(rig: &Rig) -> anyhow::Result<()> {
    let mut listings = Vec::new();
    for (name, count) in [("native-on-base", 2), ("native-in-layers", 33)] {
        let manifest = tagged(rig, &format!("noop:{name}"))?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        ensure!(layers.len() == count, "`{name}` has {} layers", layers.len());
        let root = rig.scratch.join(format!("root-{name}"));
        std::fs::create_dir_all(&root)?;
        for layer in layers {
            Cmd::new("tar").args(["-xzpf"]).arg(blob(rig, layer)?).arg("-C").arg(&root).run()?;
        }
        let find = Cmd::new("find").arg(&root).args(["-printf", "%P %y %m %s %l\\n"]).run()?.text();
        // The size of a folder is its file system's.
        let line = |line: &str| {
            if line.contains(" d ") { line.rsplitn(3, ' ').nth(2).unwrap_or(line).to_owned() } else { line.to_owned() }
        };
        let mut listing: Vec<String> = find.lines().map(line).collect();
        listing.sort();
        listings.push(listing);
    }
    let differing: Vec<&String> = listings[0].iter().filter(|line| !listings[1].contains(line)).collect();
    ensure!(listings[0] == listings[1], "they differ, for instance in {:?}", differing.first());
    Ok(())
}

fn offered(rig: &Rig) -> anyhow::Result<()> {
    let index = tagged(rig, "noop:latest")?;
    let platform =
        |entry: &Value| format!("{}/{}", entry["platform"]["os"], entry["platform"]["architecture"]).replace('"', "");
    let platforms: Vec<String> = index["manifests"].as_array().context("no manifests")?.iter().map(platform).collect();
    ensure!(platforms == ["linux/amd64", "wasip1/wasm", "wasi/wasm"], "the index offers {platforms:?}");
    Ok(())
}

/// Both programs have the one base, and their own layer above it.
fn based(rig: &Rig) -> anyhow::Result<()> {
    let mut bases = Vec::new();
    for program in ["array-sum", "noop"] {
        let manifest = tagged(rig, &format!("{program}:native-on-base"))?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        ensure!(layers.len() == 2 && layers[0]["size"].as_u64() > Some(3_000_000), "the layers are {layers:?}");
        let history = read(&blob(rig, &manifest["config"])?)?["history"][0]["created_by"].to_string();
        let named = ["base-files ", "busybox-static ", "libc6 "].iter().all(|package| history.contains(package));
        ensure!(named && history.matches(" sha256:").count() >= 3, "the history says {history}");
        bases.push(layers[0]["digest"].clone());
    }
    ensure!(bases[0] == bases[1], "the programs have two bases: {bases:?}");
    let unpacked = rig.scratch.join("base");
    std::fs::create_dir_all(&unpacked)?;
    let layer = blob(rig, &serde_json::json!({ "digest": bases[0] }))?;
    Cmd::new("tar").args(["-xzf"]).arg(layer).arg("-C").arg(&unpacked).run()?;
    // Started with its own linker and library: what the links of the base lead to is there and is whole.
    let loader = unpacked.join("lib64/ld-linux-x86-64.so.2");
    let library = unpacked.join("lib/x86_64-linux-gnu");
    let mawk = Cmd::new(loader).arg("--library-path").arg(library).arg(unpacked.join("bin/mawk"));
    let said = mawk.args(["BEGIN { print 6 * 7 }"]).run()?.text();
    ensure!(said.trim() == "42", "a program of the base says {said:?}");
    let said = Cmd::new(unpacked.join("bin/sh")).args(["-c", "echo $((6 * 7))"]).run()?.text();
    ensure!(said.trim() == "42", "the shell of the base says {said:?}");
    ensure!(!unpacked.join("usr/share/man").exists(), "there are manuals in the base");
    let licence = unpacked.join("usr/share/doc/libc6/copyright");
    ensure!(licence.is_file(), "`{}` is not there", licence.display());
    Ok(())
}
