//! The stage on registries: what `cargo test` proves with the embedded registry, proved once more with
//! Debian's docker-registry by the same function.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use self::probe::{answers, free_port};
use super::{Check, Rig, tools};
use xtask::clock::Stopwatch;
use xtask::cmd::{Cmd, Running};
use xtask::registry::{Destination, PlainHttp, RegistryAccess};

mod conformance;
pub mod faulty;
mod probe;

#[cfg(test)]
mod tests;

/// Assembling and pushing everything, all built, must take less.
const ASSEMBLE_AND_PUSH_LIMIT_NS: f64 = 500e6;

/// Both registries.
pub fn registries(rig: &Rig) -> Vec<Check> {
    vec![
        Check::of("docker-registry passes the same round trip as the embedded one", docker_registry(rig)),
        Check::of("`push --registry` fills docker-registry, with equal digests", push(rig)),
        Check::of("assembling and pushing every image takes less than half a second", fast(rig)),
    ]
}

/// Debian's docker-registry with a configuration of our own: the packaged one listens everywhere.
fn start(rig: &Rig, name: &str) -> anyhow::Result<(Running, String)> {
    let program = tools::toolbox_program(rig, "docker-registry")?;
    let folder = rig.scratch.join(name);
    std::fs::create_dir_all(folder.join("data"))?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let config = folder.join("config.yml");
    let text = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        folder.join("data").display()
    );
    std::fs::write(&config, text)?;
    let running = Cmd::new(program).arg("serve").arg(&config).start()?;
    let clock = Stopwatch::start();
    while !answers(&address) {
        running.ensure_running()?;
        ensure!(clock.elapsed() < Duration::from_secs(20), "docker-registry does not answer at {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok((running, address))
}

fn docker_registry(rig: &Rig) -> anyhow::Result<()> {
    let (_running, address) = start(rig, "conformance")?;
    let destination = Destination::parse(&format!("{address}/conformance"), PlainHttp::Loopback)?;
    conformance::round_trip(&destination, &RegistryAccess::ANONYMOUS).map(|_| ())
}

fn push(rig: &Rig) -> anyhow::Result<()> {
    let (_running, address) = start(rig, "push")?;
    let to = format!("{address}/some/prefix");
    let output = rig.xtask(&["push", "--registry", &to, "--format", "json"]).run()?;
    let pushed: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let rows = pushed["pushed"].as_array().context("no `pushed`")?;
    ensure!(rows.len() >= 6, "{} pushed", rows.len());
    let blobs = rig.scratch.join("push/data/docker/registry/v2/blobs/sha256");
    for row in rows {
        let digest = row["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).context("no digest")?;
        let stored = blobs.join(&digest[..2]).join(digest).join("data");
        same_digest(&stored, digest)?;
    }
    Ok(())
}

fn same_digest(stored: &Path, digest: &str) -> anyhow::Result<()> {
    let bytes = std::fs::read(stored).with_context(|| format!("the registry does not hold `{}`", stored.display()))?;
    let found = oci::digest::Digest::of(&bytes).hex();
    ensure!(found == digest, "the registry holds {found} for {digest}");
    Ok(())
}

/// The best of three: the machine is shared, and this is about what the program does.
fn fast(rig: &Rig) -> anyhow::Result<()> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let output = rig.xtask(&["push", "--format", "json"]).run()?;
        let pushed: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        best = best.min(pushed["assemble_and_push_ns"].as_f64().context("no time")?);
    }
    ensure!(best < ASSEMBLE_AND_PUSH_LIMIT_NS, "it takes {:.3} s", best / 1e9);
    Ok(())
}
