//! The program as it is installed, called in a folder that knows nothing of this checkout.

use anyhow::{Context as _, ensure};

use super::{Rig, path, trial};
use xtask::cmd::Cmd;

/// Only a native process: everything else needs the toolbox, which would be fetched anew into the cache of this check.
pub fn elsewhere(rig: &Rig) -> anyhow::Result<()> {
    let root = rig.workspace.root();
    let built =
        ["build", "--quiet", "--locked", "--package", "deploy-bench", "--message-format=json-render-diagnostics"];
    let said = Cmd::new("cargo").args(built).dir(root).run()?.text();
    let program = said
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|line| line["executable"].as_str().filter(|path| path.ends_with("deploy-bench")).map(str::to_owned))
        .context("Cargo names no program `deploy-bench`")?;
    let (here, cache) = (rig.scratch.join("some where"), rig.scratch.join("cache"));
    std::fs::create_dir_all(&here)?;
    let call = |args: &[&str]| {
        let clean = ["-u", "CARGO_MANIFEST_DIR", "-u", "CARGO_TARGET_DIR"];
        let cmd = Cmd::new("env").args(clean).arg(format!("XDG_CACHE_HOME={}", cache.display()));
        rig.in_checkout(cmd.arg(&program).args(args)).dir(&here).run()
    };
    let help = call(&["--help"])?.text();
    ensure!(help.contains("deploy-bench") && !help.contains("cargo xtask"), "{help}");
    call(&["init"])?;
    ensure!(here.join("wasm-bench.toml").is_file(), "`init` wrote nothing here");
    let cases = call(&["cases"])?.text();
    ensure!(cases.contains("wasm-aot/wasmedge"), "its definitions are not inside: {cases}");
    let package = trial::package(rig)?;
    let args = ["--rounds", "1", "--warmup", "0", "--case", "native/process", "--", "show"];
    call(&[&["bench", "--program", path(&package)?][..], &args].concat())?;
    let runs: Vec<_> = std::fs::read_dir(here.join("wasm-bench-results"))?.collect::<Result<_, _>>()?;
    let [run] = &runs[..] else { anyhow::bail!("{} runs are where it was called", runs.len()) };
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(run.path().join("manifest.json"))?)?;
    ensure!(manifest["command"][0] == "deploy-bench", "{}", manifest["command"]);
    ensure!(call(&["report"])?.text().contains("my-trial"), "`report` does not find the run");
    Ok(())
}
