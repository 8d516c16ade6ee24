//! What a program is given arrives, in every case, and is recorded.

use anyhow::{Context as _, ensure};

use super::{Rig, Short, cases, direct, path, short, trial};
use crate::{expect_code, expect_error};
use results::density::DensitySummary;
use results::first_use::{Class, FirstUseSample};
use results::timeline::Phase;
use results::{Outcome, Summary};
use xtask::cmd::Cmd;

fn shown(rig: &Rig) -> anyhow::Result<Short> {
    let folder = trial::package(rig)?;
    let (data, stdin) = (folder.join("data"), folder.join("data/in put.txt"));
    let given = [
        ["--program", path(&folder)?],
        ["--stdin", path(&stdin)?],
        ["--env", "ONE=a=b, \"c\" d"],
        ["--env", "TOKEN=hunter2-hunter2"],
        ["--dir", &format!("{}:/in side", path(&data)?)],
    ];
    let given: Vec<&str> = given.iter().flatten().copied().collect();
    let beside = ["--timeline", "--first-use", "--first-use-rounds", "1", "--link", "1000"];
    let own = ["--", "show", "two words", "\"'$HOME`", "a\nline", "grüße 🦀", "", "--n=1", "/in side/a file.txt"];
    short(rig, "given", &[&given[..], &beside, &own].concat())
}

pub fn everything(rig: &Rig) -> anyhow::Result<()> {
    let run = shown(rig)?;
    ensure!(run.code == Some(0), "exit status {:?}: {}", run.code, run.stderr);
    cases(rig).iter().try_for_each(|case| run.measured(case))?;
    let bench = &run.manifest["benches"][0];
    ensure!(bench["args"][1] == "two words" && bench["args"][3] == "a\nline", "recorded as {bench}");
    ensure!(bench["judged_by"] == "first-native" && bench["input"]["stdin"]["size_bytes"] == 600_003, "{bench}");
    ensure!(bench["input"]["folders"][0]["guest"] == "/in side", "{bench}");
    let printed = run.samples.first().and_then(|sample| sample.output_sha256.clone());
    ensure!(printed.is_some() && bench["expected_sha256"].as_str() == printed.as_deref(), "{bench}");
    let own = &run.manifest["own_program"];
    beside(rig, &run)?;
    ensure!(own["name"] == "my-trial" && own["version"] == "1.2.3" && own["target"] == "bin my_trial", "{own}");
    // What a variable holds is in no file of a run.
    let found = Cmd::new("grep").args(["-r", "-l", "hunter2"]).arg(&run.folder).output()?;
    ensure!(found.code == Some(1), "it is in {}", String::from_utf8_lossy(&found.stdout));
    let stored = bench["input"]["env"][1]["value_sha256"].as_str().unwrap_or_default();
    ensure!(stored == files::sha256_hex(b"hunter2-hunter2"), "its digest is not stored");
    // It was really given: what it prints of it is what was put in.
    let folder = trial::package(rig)?;
    let stdin = folder.join("data/in put.txt");
    let words = ["run", cases(rig)[cases(rig).len() - 1], "--program", path(&folder)?, "--stdin", path(&stdin)?];
    let said = rig.xtask(&words).args(["--env", "ONE=1", "--", "show", "a\nline", "grüße"]).run()?.text();
    for line in ["args [\"a\\nline\", \"grüße\"]", "stdin 600003 bytes, \"dne\"", "variables Ok(\"1\") Err(NotPresent)"]
    {
        ensure!(said.contains(line), "it does not print {line:?}: {said}");
    }
    Ok(())
}

/// Traced runs and those of first use are given the same, and what the program does not tell is said.
fn beside(rig: &Rig, run: &Short) -> anyhow::Result<()> {
    let summary: Summary = serde_json::from_slice(&std::fs::read(run.folder.join("summary.json"))?)?;
    for case in cases(rig) {
        let row = summary.timeline.iter().find(|row| row.case == *case).context("no timeline")?;
        let has_it = row.phases.iter().any(|found| found.phase == Phase::Program && found.ns.median > 0.0);
        ensure!(row.n == 1 && row.failed == 0 && row.note.is_none() && has_it, "{row:?}");
        let whole: f64 = row.phases.iter().map(|found| found.ns.median).sum();
        ensure!(row.wall_ns.is_some_and(|wall| (wall.median - whole).abs() < 1.0), "{row:?}");
    }
    let text = std::fs::read_to_string(run.folder.join("first-use.jsonl"))?;
    let found = text.lines().map(serde_json::from_str).collect::<Result<Vec<FirstUseSample>, _>>()?;
    let failed = found.iter().find(|sample| sample.outcome != Outcome::Ok);
    ensure!(failed.is_none(), "{failed:?}");
    let has = |case: &str, class| found.iter().any(|sample| sample.case == case && sample.class == class);
    for case in cases(rig) {
        let class = if case.ends_with("/process") { Class::ColdCache } else { Class::FirstAfterStart };
        ensure!(has(case, class), "{case}: {found:?}");
    }
    let page = std::fs::read_to_string(run.folder.join("report.html"))?;
    ensure!(page.contains("does not print its clock"), "what is not dated is not said");
    Ok(())
}

pub fn idle(rig: &Rig) -> anyhow::Result<()> {
    let (folder, out) = (trial::package(rig)?, rig.scratch.join("own-density"));
    let waits = ["wasm-aot/process", "wasm-aot/wasmedge"];
    let chosen = waits.iter().chain(&["native/process"]).flat_map(|case| ["--case", *case]);
    let run = rig.xtask(&["density", "--up-to", "2", "--repeat", "1", "--hold", "1", "--out"]).arg(&out).args(chosen);
    // Its module waits, and its native program ends at once.
    let output = run.args(["--program", path(&folder)?, "--", "idle"]).output()?;
    if rig.no_containers().is_some() {
        return expect_error(&output, 1, &["nothing can be measured"]);
    }
    expect_code(&output, 3)?;
    let summary: DensitySummary = serde_json::from_slice(&std::fs::read(out.join("density.json"))?)?;
    for case in waits {
        let arm = summary.arms.iter().find(|arm| arm.case == *case).context("no row")?;
        let processes = arm.per_instance.iter().find(|row| row.metric == "processes").context("no processes")?;
        ensure!(processes.slope.value >= 1.0, "{case}: {processes:?}");
    }
    let ended =
        summary.not_measured.iter().find(|row| row.case == "native/process").context("it can not have waited")?;
    ensure!(
        ended.reason.contains("ended although it was to wait: what is counted has to be there"),
        "{}",
        ended.reason
    );
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("manifest.json"))?)?;
    ensure!(manifest["own_program"]["name"] == "my-trial", "{}", manifest["own_program"]);
    Ok(())
}

pub fn sweep(rig: &Rig) -> anyhow::Result<()> {
    let folder = trial::package(rig)?;
    let args = ["--program", path(&folder)?, "--sweep", "size=10,1000,100000", "--", "count", "{size}"];
    let run = direct(rig, "own-sweep", &args)?;
    ensure!(run.code == Some(0), "exit status {:?}: {}", run.code, run.stderr);
    let benches = run.manifest["benches"].as_array().context("no benches")?;
    let names: Vec<&str> = benches.iter().filter_map(|bench| bench["name"].as_str()).collect();
    ensure!(names == ["my-trial/10", "my-trial/1000", "my-trial/100000"], "{names:?}");
    ensure!(benches[2]["args"][1] == "100000" && benches[2]["sweep"]["n"] == 100_000, "{}", benches[2]);
    Ok(())
}

pub fn by_file(rig: &Rig) -> anyhow::Result<()> {
    let folder = trial::package(rig)?;
    let file = folder.join("wasm-bench.toml");
    rig.xtask(&["init"]).arg(&file).run()?;
    let again = rig.xtask(&["init"]).arg(&file).output()?;
    ensure!(again.code == Some(1), "`init` wrote over a file");
    let text = "results = \"runs\"\n[program]\npackage = \".\"\n[[bench]]\nname = \"reads\"\nargs = [\"read\", \
                \"/d/a file.txt\"]\ndirs = [\"data:/d\"]\n[[bench]]\nname = \"counts\"\nargs = [\"count\", \"{n}\"]\n\
                sweep = { n = [1, 2, 3] }\n";
    std::fs::write(&file, text)?;
    let file = path(&file)?;
    let plan = rig.xtask(&["plan", "--file", file, "--rounds", "1"]).run()?.text();
    ensure!(plan.contains("reads") && plan.contains("counts/3") && plan.contains("my-trial wasm-aot"), "{plan}");
    let built = rig.xtask(&["build", "--file", file]).run()?.text();
    ensure!(built.contains("my-trial"), "{built}");
    let images = rig.xtask(&["image", "native", "wasm", "--file", file]).run()?.text();
    ensure!(images.contains("my-trial:native") && images.contains("my-trial:wasm"), "{images}");
    let said = rig.xtask(&["run", "wasm-aot/process", "--file", file]).run()?.text();
    ensure!(said.contains("what is in it"), "{said}");
    let cases = ["--case", "native/process", "--case", "wasm-aot/process", "--bench", "reads"];
    rig.xtask(&["bench", "--file", file, "--rounds", "1", "--warmup", "0"]).args(cases).run()?;
    let report = rig.xtask(&["report", "--file", file]).run()?.text();
    ensure!(report.contains("my-trial"), "{report}");
    let runs = std::fs::read_dir(folder.join("runs"))?.count();
    ensure!(runs == 1, "{runs} runs are where the file says");
    Ok(())
}
