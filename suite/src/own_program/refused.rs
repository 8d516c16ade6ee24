//! What can not be measured is a row with a reason, and an exit status that says so; what is wrong is refused at once.

use anyhow::ensure;

use super::{Rig, Short, cases, direct, path, short, short_of, trial};
use crate::expect_error;

/// Which cases a trial is about.
#[derive(Clone, Copy)]
enum Where {
    Everywhere,
    /// What has nothing to do with containers.
    Directly,
}

impl Where {
    fn cases(self, rig: &Rig) -> &'static [&'static str] {
        match self {
            Self::Everywhere => cases(rig),
            Self::Directly => &cases(rig)[..2],
        }
    }
}

fn trial(rig: &Rig, (name, cases): (&str, Where), options: &[&str], own: &[&str]) -> anyhow::Result<Short> {
    let folder = trial::package(rig)?;
    let args = [&["--program", path(&folder)?], options, &["--"], own].concat();
    let run = short_of(rig, name, cases.cases(rig), &args)?;
    ensure!(run.code == Some(3), "exit status {:?} instead of 3: {}", run.code, run.stderr);
    ensure!(!run.stderr.contains("panicked at xtask"), "it panicked: {}", run.stderr);
    Ok(run)
}

/// Fails unless no case was measured, and each says this.
fn nowhere(rig: &Rig, (run, cases): (&Short, Where), words: &str) -> anyhow::Result<()> {
    ensure!(run.samples.iter().all(|sample| sample.reason.is_some()), "something was measured");
    cases.cases(rig).iter().try_for_each(|case| run.says(case, words))
}

pub fn missing_file(rig: &Rig) -> anyhow::Result<()> {
    let run = trial(rig, ("missing-file", Where::Everywhere), &[], &["read", "/no/such/file"])?;
    nowhere(rig, (&run, Where::Everywhere), "native itself failed: exit status 101; it said: ")?;
    run.says("native/process", "the file is read")
}

pub fn flood(rig: &Rig) -> anyhow::Result<()> {
    let says = "it wrote more than 16 MiB to stdout";
    nowhere(rig, (&trial(rig, ("flood", Where::Directly), &[], &["flood"])?, Where::Directly), says)?;
    let unchecked = trial(rig, ("flood-unchecked", Where::Everywhere), &["--expect-none"], &["flood"])?;
    nowhere(rig, (&unchecked, Where::Everywhere), says)
}

pub fn endless(rig: &Rig) -> anyhow::Result<()> {
    let says = "still running after 1000 ms";
    let limit = ["--timeout", "1", "--expect-none"];
    nowhere(rig, (&trial(rig, ("endless", Where::Directly), &limit[..2], &["forever"])?, Where::Directly), says)?;
    let unchecked = trial(rig, ("endless-unchecked", Where::Everywhere), &limit, &["forever"])?;
    nowhere(rig, (&unchecked, Where::Everywhere), says)
}

pub fn network(rig: &Rig) -> anyhow::Result<()> {
    let natives = |run: &Short, of: Where| {
        let all = of.cases(rig).iter().filter(|case| case.starts_with("native"));
        all.into_iter().try_for_each(|case| run.measured(case))
    };
    for (wants, of) in [("network", Where::Everywhere), ("thread", Where::Directly)] {
        let run = trial(rig, (wants, of), &[], &[wants])?;
        natives(&run, of)?;
        for case in of.cases(rig).iter().filter(|case| !case.starts_with("native")) {
            run.says(case, "WASI preview 1 has no sockets and no threads")?;
        }
    }
    Ok(())
}

pub fn nondeterministic(rig: &Rig) -> anyhow::Result<()> {
    let run = trial(rig, ("nondeterministic", Where::Everywhere), &[], &["clock"])?;
    nowhere(rig, (&run, Where::Everywhere), "native prints something else each time")?;
    nowhere(rig, (&run, Where::Everywhere), "`--expect-pattern REGEX`")?;
    let folder = trial::package(rig)?;
    for (name, options) in [("pattern", &["--expect-pattern", "^SystemTime"][..]), ("none", &["--expect-none"])] {
        let run = direct(rig, name, &[&["--program", path(&folder)?], options, &["--", "clock"]].concat())?;
        // The clock is written in another way on the other side: only its name is the same.
        ensure!(run.code == Some(0), "{name}: exit status {:?}: {}", run.code, run.stderr);
    }
    let run = trial(rig, ("other-pattern", Where::Directly), &["--expect-pattern", "^[0-9]+$"], &["clock"])?;
    nowhere(rig, (&run, Where::Directly), "matches `^[0-9]+$`")
}

pub fn not_for_wasi(rig: &Rig) -> anyhow::Result<()> {
    let folder = rig.scratch.join("not for wasi");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("Cargo.toml"), "[package]\nname = \"unix-only\"\nedition = \"2024\"\n[workspace]\n")?;
    std::fs::write(
        folder.join("src/main.rs"),
        "use std::os::unix::net::UnixStream;\nfn main() {\n    println!(\"{}\", size_of::<UnixStream>());\n}\n",
    )?;
    let run = short(rig, "unix-only", &["--program", path(&folder)?])?;
    ensure!(run.code == Some(3), "exit status {:?}: {}", run.code, run.stderr);
    for case in cases(rig) {
        if case.starts_with("native") {
            run.measured(case)?;
        } else {
            run.says(case, "it can not be built for wasm32-wasip1")?;
            run.says(case, "error[E0")?;
            run.says(case, "src/main.rs:1:")?;
            run.says(case, "--no-default-features")?;
        }
    }
    Ok(())
}

pub fn other_outputs(rig: &Rig) -> anyhow::Result<()> {
    let folder = trial::package(rig)?;
    rig.xtask(&["build", "--program", path(&folder)?]).run()?;
    // Its `noop` is the module of another program.
    rig.xtask(&["build"]).run()?;
    let own = rig.workspace.artifacts().join("own");
    let native = own.join("my-trial");
    let pair = |wasm: &str| -> anyhow::Result<Vec<String>> {
        let wasm = rig.workspace.artifacts().join(wasm);
        Ok(["--native", path(&native)?, "--wasm", path(&wasm)?].map(str::to_owned).into())
    };
    let same = pair("own/my-trial-wasm.wasm")?;
    let words = |pair: &[String]| -> Vec<String> { [pair, &["--".to_owned(), "unknown".to_owned()]].concat() };
    let of = |name: &str, pair: &[String]| {
        let words = words(pair);
        direct(rig, name, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let run = of("pair", &same)?;
    ensure!(run.code == Some(0) && run.manifest["own_program"]["origin"] == "pair", "{}", run.stderr);
    let run = of("other-pair", &pair("noop-wasm.wasm")?)?;
    ensure!(run.code == Some(3), "exit status {:?}: {}", run.code, run.stderr);
    run.measured("native/process")?;
    run.says("wasm-aot/process", "not what native printed: it printed nothing")?;
    let run = of("no-module", &[&same[..2], &["--wasm".to_owned(), path(&native)?.to_owned()]].concat())?;
    ensure!(run.code == Some(3), "exit status {:?}: {}", run.code, run.stderr);
    run.says("wasm-aot/process", "it is no WebAssembly")
}

pub fn wrong_file(rig: &Rig) -> anyhow::Result<()> {
    let file = rig.scratch.join("wrong.toml");
    for (text, says) in [
        ("[program]\npackage = \".\"\nbinary = \"x\"\n", "line 3"),
        ("[program]\n\n[[bench]]\n", "line 1"),
        ("[program]\npackage = \".\"\n[[bench]]\nexpect_none = true\nexpect_pattern = \"x\"\n", "line 3"),
    ] {
        std::fs::write(&file, text)?;
        for command in ["bench", "plan", "build", "image", "push"] {
            let output = rig.xtask(&[command, "--file", path(&file)?]).output()?;
            expect_error(&output, 1, &["wrong.toml`", says])?;
        }
        expect_error(
            &rig.xtask(&["run", "native/process", "--file", path(&file)?]).output()?,
            1,
            &["wrong.toml`", says],
        )?;
        expect_error(&rig.xtask(&["report", "--file", path(&file)?]).output()?, 1, &["wrong.toml`", says])?;
    }
    expect_error(&rig.xtask(&["bench", "--file", "/no/such.toml"]).output()?, 1, &["`/no/such.toml`", "init"])
}

pub fn not_there(rig: &Rig) -> anyhow::Result<()> {
    let folder = trial::package(rig)?;
    let package = path(&folder)?;
    for (words, code, says) in [
        (&["--program", "/no/such"][..], 1, "`/no/such`"),
        (&["--program", "/"], 1, "no `Cargo.toml`"),
        (&["--program", package, "--bin", "other"], 1, "no bin `other`: it has `my_trial`"),
        (&["--program", package, "--stdin", "/no/input"], 1, "`/no/input`"),
        (&["--program", package, "--dir", "/no/folder:/x"], 1, "`/no/folder`"),
        (&["--program", package, "--dir", "/tmp:/proc/x"], 1, "`/proc/x`"),
        (&["--program", package, "--env", "1=x"], 1, "no name of a variable"),
        (&["--program", package, "--expect-pattern", "("], 1, "the pattern for the output is none"),
        (&["--program", package, "--sweep", "n=1,2"], 2, "at least three"),
        (&["--program", package, "--sweep", "n=1,2,3"], 1, "no argument contains `{n}`"),
        (&["--native", "/bin/true"], 2, "--wasm"),
        (&["--native", "/bin/true", "--wasm", "/no/module"], 1, "`/no/module`"),
        (&["--", "an argument"], 1, "--program DIR"),
    ] {
        expect_error(&rig.xtask(&["bench"]).args(words).output()?, code, &[says])?;
    }
    Ok(())
}
