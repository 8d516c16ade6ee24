//! The stage on images: the same bytes twice, every finding of `--verify`, and an independent reader.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{Check, Rig, expect_error, tools};
use xtask::cmd::Cmd;

/// What must be true of the layout.
pub fn images(rig: &Rig) -> Vec<Check> {
    let assembled = rig.xtask(&["image"]).run().map(|_| ());
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
    ]
}

/// The second folder has artifacts of its own, from a build of its own.
fn reproducible(rig: &Rig) -> anyhow::Result<()> {
    let second = rig.scratch.join("second-target");
    std::fs::create_dir_all(&second)?;
    std::os::unix::fs::symlink(rig.workspace.toolbox(), second.join("toolbox"))?;
    rig.xtask(&["image"]).env("CARGO_TARGET_DIR", &second).run()?;
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
    rig.xtask(&["image"]).run()?;
    ensure!(std::fs::read(&blob)? == good, "`{}` was not made again", blob.display());
    Ok(())
}

fn skopeo(rig: &Rig) -> anyhow::Result<()> {
    let skopeo = tools::toolbox_program(rig, "skopeo")?;
    let layout = rig.workspace.oci();
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(layout.join("index.json"))?)?;
    let manifests = index["manifests"].as_array().context("no `manifests`")?;
    ensure!(manifests.len() >= 6, "{} tags instead of at least 6", manifests.len());
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
