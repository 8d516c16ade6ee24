//! Of a package with several programs the one is built that was asked for, as Cargo would; and a file of what is right is
//! held against what it prints.

use std::path::PathBuf;

use anyhow::ensure;

use super::{Rig, direct, path};
use crate::expect_error;

/// Two binaries, one of which prints whether it has a feature, and an example; and a right and a wrong output of that.
fn package(rig: &Rig) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join("several");
    let manifest =
        "[package]\nname = \"several\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[features]\nloud = []\n[workspace]\n";
    for (file, text) in [
        ("Cargo.toml", manifest),
        ("src/bin/one.rs", "fn main() {\n    println!(\"{}\", cfg!(feature = \"loud\"));\n}\n"),
        ("src/bin/two.rs", "fn main() {\n    println!(\"two\");\n}\n"),
        ("examples/shown.rs", "fn main() {\n    println!(\"shown\");\n}\n"),
        ("right.txt", "shown\n"),
        ("wrong.txt", "hidden\n"),
    ] {
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        std::fs::write(file, text)?;
    }
    Ok(folder)
}

pub fn as_cargo_does(rig: &Rig) -> anyhow::Result<()> {
    let folder = package(rig)?;
    let (right, wrong) = (folder.join("right.txt"), folder.join("wrong.txt"));
    let program = ["--program", path(&folder)?];
    let loud = ["--bin", "one", "--features", "loud", "--profile", "workload", "--expect-pattern", "^true\n$"];
    let quiet = ["--bin", "one", "--expect-pattern", "^false\n$"];
    let shown = ["--example", "shown", "--expect", path(&right)?];
    let hidden = ["--example", "shown", "--expect", path(&wrong)?];
    for (name, options, code, target) in [
        ("chosen-loud", &loud[..], 0, "bin one"),
        ("chosen-quiet", &quiet, 0, "bin one"),
        ("chosen-example", &shown, 0, "example shown"),
        ("chosen-wrong", &hidden, 3, "example shown"),
    ] {
        let run = direct(rig, name, &[&program, options].concat())?;
        ensure!(run.code == Some(code), "{name}: exit status {:?}: {}", run.code, run.stderr);
        ensure!(run.manifest["own_program"]["target"] == target, "{name}: {}", run.manifest["own_program"]);
        let is_good = run.samples.iter().all(|sample| sample.reason.is_none());
        ensure!(is_good == (code == 0), "{name}: {:?}", run.samples);
    }
    for options in [&[][..], &["--bin", "three"]] {
        let refused = rig.xtask(&[&["bench"], &program[..], options].concat()).output()?;
        expect_error(&refused, 1, &["`several`", "`one`, `two`"])?;
    }
    Ok(())
}
