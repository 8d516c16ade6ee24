//! Faults of registries: another image than was pushed, silence, answers without end, refusals, no loopback interface.
//! Unit tests beside `registry` have the faults of a push; here are those that meet containerd.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::registries::faulty::{self, ToContainerd};
use crate::{Check, Named, Rig, expect_code, expect_error};
use results::Manifest;
use xtask::clock::Stopwatch;
use xtask::cmd::{Cmd, Output};
use xtask::registry::EmbeddedRegistry;

/// How long one command may take here.
const LIMIT: Duration = Duration::from_mins(3);
/// How long a pull from a silent registry takes, and one that is cut off at most.
const GIVEN_UP_SECONDS: u64 = 30;
/// What may have been read of an answer without end.
const READ_BYTES: u64 = 256 << 20;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 2] = [
        ("a manifest without end is given up after a few megabytes", endless_manifest),
        ("no loopback interface: said, and not taken for a registry that is not there", no_loopback),
    ];
    let with_containers: [Named; 6] = [
        ("tags moved between push and pull: what was pushed is what is pulled and run", moved_tags),
        ("another image under the digest that was asked for is not run", other_images),
        ("a registry that refuses containerd: a row with its reason, and the others", refusal),
        ("a layer without end is cut off, and does not fill the disk", endless_layer),
        ("a silent registry is given up after 30 s, once for all its images", silence),
        ("Ctrl-C ends a pull at once", interrupted),
    ];
    let mut checks: Vec<Check> = anywhere.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    checks.extend(with_containers.iter().map(|(name, check)| match rig.no_containers() {
        Some(reason) => Check::skipped(*name, reason),
        None => Check::of(*name, check(rig)),
    }));
    checks
}

/// A bench through a registry: two programs, pushed in two kinds, one of which is run in containers. No case needs the
/// shim, which takes minutes to build.
fn bench(rig: &Rig, registry: &EmbeddedRegistry, name: &str) -> Cmd {
    rig.xtask(&["bench", "--rounds", "1", "--warmup", "0"])
        .args([
            "--bench",
            "noop",
            "--bench",
            "array-sum",
            "--case",
            "native/runc",
            "--case",
            "wasm-interpreter/process",
        ])
        .arg("--registry")
        .arg(registry.destination("x").to_string())
        .arg("--out")
        .arg(rig.scratch.join(name))
        .limit(LIMIT)
}

fn manifest(rig: &Rig, name: &str) -> anyhow::Result<Manifest> {
    let path = rig.scratch.join(name).join("manifest.json");
    serde_json::from_slice(&std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?)
        .with_context(|| format!("`{}` is damaged", path.display()))
}

/// Why cases were not measured, after an exit status of 3.
fn reasons(rig: &Rig, name: &str, output: &Output) -> anyhow::Result<Vec<String>> {
    expect_code(output, 3)?;
    let reasons = manifest(rig, name)?.not_measured.into_iter().filter(|row| !row.case.contains("process"));
    Ok(reasons.map(|row| row.reason).collect())
}

fn endless_manifest(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::endless_documents()?;
    let to = registry.destination("x").to_string();
    expect_error(&rig.xtask(&["push", "--registry", &to]).limit(LIMIT).output()?, 1, &["4194304 bytes", &to])
}

fn no_loopback(rig: &Rig) -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let output = Cmd::new("unshare")
        .args(["--net", "--"])
        .arg(rig.program())
        .arg("push")
        .dir(rig.workspace.root())
        .limit(LIMIT)
        .output()?;
    expect_error(&output, 1, &["loopback interface", "ip link set lo up"])
}

fn moved_tags(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::MovedTags, None)?;
    let output = bench(rig, &registry, "moved-tags").output()?;
    expect_code(&output, 0)?;
    let manifest = manifest(rig, "moved-tags")?;
    let pulled: Vec<_> = manifest.images.iter().filter(|image| image.pulled_digest.is_some()).collect();
    ensure!(manifest.images.len() == 4 && pulled.len() == 2, "{} of {} pulled", pulled.len(), manifest.images.len());
    for image in pulled {
        ensure!(image.pulled_digest.as_ref() == Some(&image.manifest_digest), "{image:?}");
    }
    Ok(())
}

fn other_images(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::OtherImages, None)?;
    let output = bench(rig, &registry, "other-images").output()?;
    let reasons = reasons(rig, "other-images", &output)?;
    ensure!(reasons.len() == 2 && reasons.iter().all(|reason| reason.contains("can not pull")), "{reasons:?}");
    ensure!(manifest(rig, "other-images")?.images.iter().all(|image| image.pulled_digest.is_none()), "it was pulled");
    Ok(())
}

fn refusal(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::Refusal, None)?;
    let output = bench(rig, &registry, "refusal").output()?;
    let reasons = reasons(rig, "refusal", &output)?;
    let address = registry.address().to_string();
    let names = |reason: &String| reason.contains("403") && reason.contains(&address);
    ensure!(reasons.len() == 2 && reasons.iter().all(names), "{reasons:?}");
    Ok(())
}

fn endless_layer(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::EndlessBlobs, None)?;
    let clock = Stopwatch::start();
    let output = bench(rig, &registry, "endless-layer").output()?;
    let reasons = reasons(rig, "endless-layer", &output)?;
    ensure!(reasons.len() == 2, "{reasons:?}");
    for reason in &reasons {
        let (_, rest) = reason.split_once("the registry sent ").with_context(|| reason.clone())?;
        let read: u64 = rest.split(' ').next().context("no number")?.parse().with_context(|| reason.clone())?;
        ensure!(read < READ_BYTES, "{read} bytes were read");
    }
    ensure!(clock.elapsed().as_secs() < GIVEN_UP_SECONDS, "it took {:?}", clock.elapsed());
    Ok(())
}

fn silence(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::Silence, None)?;
    let clock = Stopwatch::start();
    let output = bench(rig, &registry, "silence").output()?;
    let reasons = reasons(rig, "silence", &output)?;
    ensure!(reasons.len() == 2, "{reasons:?}");
    ensure!(reasons.iter().all(|reason| reason.contains("does not answer")), "{reasons:?}");
    let tried = reasons.iter().filter(|reason| !reason.starts_with("not tried: ")).count();
    ensure!(tried == 1, "not one image was tried: {reasons:?}");
    let seconds = clock.elapsed().as_secs();
    ensure!((GIVEN_UP_SECONDS..2 * GIVEN_UP_SECONDS + 30).contains(&seconds), "it took {seconds} s");
    Ok(())
}

/// `ctr` hangs in its first request when the signal comes.
fn interrupted(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::to_containerd(ToContainerd::Silence, None)?;
    let running = bench(rig, &registry, "interrupted-pull").start()?;
    let address = registry.address().to_string();
    let clock = Stopwatch::start();
    while !pulls_from(&address)? {
        running.ensure_running()?;
        ensure!(clock.elapsed() < LIMIT, "no pull began within {} s", LIMIT.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
    let clock = Stopwatch::start();
    running.signal(rustix::process::Signal::INT)?;
    let output = running.wait(LIMIT)?;
    expect_code(&output, 130)?;
    ensure!(clock.elapsed() < Duration::from_secs(10), "it took {:?}", clock.elapsed());
    Ok(())
}

/// Whether a `ctr` pulls from there now.
fn pulls_from(address: &str) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir("/proc")? {
        let line = std::fs::read(Path::new(&entry?.path()).join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(" images pull ") && line.contains(address) {
            return Ok(true);
        }
    }
    Ok(false)
}
