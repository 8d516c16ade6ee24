//! The stage on other ways to measure: until a precision is reached, a size sweep, a containerd that is there already.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Rig, expect_code, tools};
use results::store::parse_samples;

/// Each variant.
pub fn variants(rig: &Rig) -> Vec<Check> {
    let existing = "a containerd that is there already is used by its address, and emptied again";
    vec![
        Check::of("`--until` stops at a preset look, at its confidence", until(rig)),
        Check::of("a size sweep is fitted: a fixed and a marginal cost with intervals", sweep(rig)),
        match rig.no_containers() {
            Some(reason) => Check::skipped(existing, reason),
            None => Check::of(existing, existing_containerd(rig)),
        },
    ]
}

fn json(path: &Path) -> anyhow::Result<Value> {
    serde_json::from_slice(&std::fs::read(path).with_context(|| format!("can not read `{}`", path.display()))?)
        .with_context(|| format!("`{}` is not JSON", path.display()))
}

/// The interpreter takes many times as long: a ratio interval as wide as the ratio itself is soon reached.
fn until(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("until");
    let args = ["bench", "--bench", "noop", "--case", "*/process", "--until", "900%", "--rounds", "640", "--out"];
    rig.xtask(&args).arg(&out).run()?;
    let sequential = &json(&out.join("manifest.json"))?["sequential"];
    let looks: Vec<u64> =
        sequential["looks"].as_array().context("no looks")?.iter().filter_map(Value::as_u64).collect();
    ensure!(sequential["look_confidence"].as_f64() > Some(0.95), "a look has no more confidence than the whole");
    let (samples, _) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    let done = samples.iter().filter(|sample| !sample.warmup).map(|sample| sample.round).max().context("no sample")?;
    let end = &json(&out.join("manifest.json"))?["finished"]["until"];
    ensure!(end["reason"] == "reached" && end["rounds"] == done, "it says {end}, and made {done} rounds");
    ensure!(looks.contains(&u64::from(done)) && done < 640, "it stopped after {done} rounds; the looks are {looks:?}");
    Ok(())
}

fn sweep(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("sweep");
    let args = ["bench", "--bench", "array-sum-sweep", "--case", "*/process", "--rounds", "6", "--out"];
    rig.xtask(&args).arg(&out).run()?;
    let summary = json(&out.join("summary.json"))?;
    let fits = summary["fits"].as_array().context("no `fits`")?;
    let slope = |case: &str| {
        let fit = fits.iter().find(|fit| fit["case"] == case).with_context(|| format!("no fit for {case}"))?;
        let of = |end: &str| fit["b_per_n"][end].as_f64().with_context(|| format!("{case} has no {end} of b"));
        anyhow::Ok((of("low")?, of("high")?))
    };
    let (native, interpreter) = (slope("native/process")?, slope("wasm-interpreter/process")?);
    ensure!(native.0 > 0.0, "execution costs nothing: {native:?} ns per number");
    ensure!(interpreter.0 > native.1 * 5.0, "the interpreter computes as fast as native: {interpreter:?}, {native:?}");
    let aot = slope("wasm-aot/process")?;
    ensure!(aot.1 < interpreter.0 / 3.0, "the compiled module was interpreted: {aot:?}, {interpreter:?}");
    Ok(())
}

/// Those of runs, also of other checkouts.
fn cgroups() -> anyhow::Result<BTreeSet<PathBuf>> {
    Ok(glob::glob(&format!("/sys/fs/cgroup/*/{}*", xtask::session::leftovers::NAMESPACE_PREFIX))?.flatten().collect())
}

/// Daemon and program share mount and PID namespaces that end with the check, as on a host of their own.
fn existing_containerd(rig: &Rig) -> anyhow::Result<()> {
    let before = cgroups()?;
    let folder = rig.scratch.join("existing");
    std::fs::create_dir_all(&folder)?;
    let (socket, config) = (folder.join("c.sock"), folder.join("config.toml"));
    let text = format!(
        "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\n  address = \"{1}\"\n",
        folder.display(),
        socket.display()
    );
    std::fs::write(&config, text)?;
    let containerd = tools::toolbox_program(rig, "containerd")?;
    let ctr = tools::toolbox_program(rig, "ctr")?;
    let out = folder.join("run");
    let script = "mount -t tmpfs tmpfs /run; PATH=\"$1:$PATH\" \"$1/containerd\" --config \"$2\" >\"$2.log\" 2>&1 &\n\
                  i=0; until \"$3\" --address \"$4\" version >/dev/null 2>&1; do i=$((i+1)); [ $i -lt 200 ] || exit 99; sleep 0.1; done\n\
                  ctr=$3; socket=$4; shift 4; \"$@\"; status=$?\n\
                  \"$ctr\" --address \"$socket\" namespaces list --quiet >&2; exit $status";
    let mut wrapper: Vec<&std::ffi::OsStr> =
        ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", script, "sh"]
            .map(std::ffi::OsStr::new)
            .to_vec();
    let folder = containerd.parent().context("containerd has no folder")?;
    wrapper.extend([folder.as_os_str(), config.as_os_str(), ctr.as_os_str(), socket.as_os_str()]);
    let output = rig
        .xtask_below("unshare", wrapper)
        .args(["bench", "--bench", "noop", "--case", "native/runc", "--case", "wasm-aot/wasmedge", "--rounds", "2"])
        .args([Path::new("--out"), &out, Path::new("--containerd-address"), &socket])
        .output()?;
    expect_code(&output, 0)?;
    let namespaces = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    ensure!(!namespaces.contains(xtask::session::leftovers::NAMESPACE_PREFIX), "it left the namespace `{namespaces}`");
    let left: Vec<PathBuf> = cgroups()?.difference(&before).cloned().collect();
    ensure!(left.is_empty(), "it left these cgroups: {left:?}");
    ensure!(
        json(&out.join("manifest.json"))?["host"]["containerd"] == *socket.to_string_lossy(),
        "it used another one"
    );
    Ok(())
}
