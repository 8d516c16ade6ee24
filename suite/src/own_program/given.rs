//! What a program is given arrives, in every case, and is recorded.

use anyhow::{Context as _, ensure};

use super::{Rig, Short, cases, direct, path, short, trial};
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
    let own = ["--", "show", "two words", "\"'$HOME`", "a\nline", "grüße 🦀", "", "--n=1", "/in side/a file.txt"];
    short(rig, "given", &[&given[..], &own].concat())
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
