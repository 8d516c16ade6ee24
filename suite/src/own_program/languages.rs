//! On request: the pairs in C and in Go, made and measured as their document says. It fetches 180 MB that nothing else needs.

use anyhow::{Context as _, ensure};

use super::{Check, Rig, cases, path, short};
use xtask::cmd::Cmd;

use std::time::Duration;

/// For two compilers, of which one builds its C library first.
const LIMIT: Duration = Duration::from_mins(15);

pub fn languages(rig: &Rig) -> Vec<Check> {
    let made = make(rig);
    let name = "what `examples/README.md` says makes a pair in C and one in Go";
    if made.is_err() {
        return vec![Check::of(name, made)];
    }
    vec![Check::of(name, made), Check::of("both are measured, and count the same", measured(rig))]
}

/// The commands of the document, as they stand there.
fn make(rig: &Rig) -> anyhow::Result<()> {
    let document = std::fs::read_to_string(rig.workspace.root().join("examples/README.md"))?;
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let commands = blocks.into_iter().find(|block| block.contains("pip install")).context("it has no such commands")?;
    Cmd::new("sh").args(["-eu", "-c", commands]).dir(rig.workspace.root()).limit(LIMIT).run().map(drop)
}

fn measured(rig: &Rig) -> anyhow::Result<()> {
    let digest = |language: &str| {
        let file = rig.workspace.root().join("examples").join(language).join("wasm-bench.toml");
        let run = short(rig, &format!("in-{language}"), &["--file", path(&file)?])?;
        ensure!(run.code == Some(0), "`{language}` ended with {:?}: {}", run.code, run.stderr);
        cases(rig).iter().try_for_each(|case| run.measured(case).context(language.to_owned()))?;
        let digest = run.manifest["benches"][0]["expected_sha256"].as_str().unwrap_or_default().to_owned();
        ensure!(!digest.is_empty(), "{}", run.manifest["benches"]);
        Ok(digest)
    };
    let (c, go) = (digest("c")?, digest("go")?);
    ensure!(c == go, "they print something else");
    Ok(())
}
