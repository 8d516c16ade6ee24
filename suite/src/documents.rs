//! The stage on documents and the tree: what they say is current, what must not be there is not.

use anyhow::{Context as _, ensure};

use super::{Check, Rig};
use xtask::commands::report;

/// The longest that ARCHITECTURE.md may be: a map that needs a map is none.
const ARCHITECTURE_LINES: usize = 150;

/// Each document, and the tree.
pub fn documents(rig: &Rig) -> Vec<Check> {
    vec![
        Check::of("the README's result is that of the recorded run", fresh(rig)),
        Check::of("the recorded run's report is what this program makes of it", recorded(rig)),
        Check::of(
            "the report of very many samples is made in bounds, and its page is small",
            super::large::very_many(rig),
        ),
        Check::of("ARCHITECTURE.md is a map and names every module", architecture(rig)),
        Check::of("the program that people measure with holds nothing of its tests", apart(rig)),
        Check::of("the Makefile's recipes are one `cargo xtask` line each", makefile(rig)),
        Check::of("the help names every command, and completions are made", help(rig)),
    ]
}

fn read(rig: &Rig, name: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(rig.workspace.root().join(name)).with_context(|| format!("can not read `{name}`"))
}

fn fresh(rig: &Rig) -> anyhow::Result<()> {
    let stale = report::readme(&rig.workspace, &report::recorded(&rig.workspace)?)?;
    ensure!(read(rig, "README.md")? == stale, "it is stale: run `cargo xtask report --readme`");
    Ok(())
}

fn recorded(rig: &Rig) -> anyhow::Result<()> {
    let run = report::recorded(&rig.workspace)?;
    for (name, bytes) in report::files(&rig.workspace, &run)? {
        let path = run.path().join(name);
        let there = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
        ensure!(there == bytes, "`{}` is stale: run `cargo xtask report {}`", path.display(), run.path().display());
    }
    Ok(())
}

fn architecture(rig: &Rig) -> anyhow::Result<()> {
    let text = read(rig, "ARCHITECTURE.md")?;
    let lines = text.lines().count();
    ensure!(lines <= ARCHITECTURE_LINES, "it has {lines} lines");
    let mut modules = 0;
    for line in read(rig, "xtask/src/lib.rs")?.lines() {
        if let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            ensure!(text.contains(&format!("`{module}`")), "it does not name `{module}`");
            modules += 1;
        }
    }
    ensure!(modules > 20, "{modules} modules of `xtask` are not all of them");
    Ok(())
}

/// By what a compiled program holds of its source: texts, and the paths in the names of functions.
fn apart(rig: &Rig) -> anyhow::Result<()> {
    let of_tests = crate::all_stages().map(|(_, stage)| stage.what).chain(["5suite10registries", "3oci7example"]);
    let [suite, program] = [&rig.suite, &rig.program].map(std::fs::read);
    // As text, because the standard library's search is compiled with care in a test build too: a minute less.
    let [suite, program] = [suite?, program?].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let holds = |bytes: &str, text: &str| bytes.contains(text);
    ensure!(holds(&program, "5xtask8registry4push"), "`{}` names none of its functions", rig.program.display());
    for text in of_tests {
        ensure!(holds(&suite, text), "`{}` does not hold `{text}`", rig.suite.display());
        ensure!(!holds(&program, text), "`{}` holds `{text}`", rig.program.display());
    }
    Ok(())
}

fn makefile(rig: &Rig) -> anyhow::Result<()> {
    let text = read(rig, "Makefile")?;
    for target in ["build", "image", "push", "bench", "report", "test", "clean", "help"] {
        ensure!(text.lines().any(|line| line.starts_with(&format!("{target}:"))), "it has no `{target}`");
    }
    for recipe in text.lines().filter(|line| line.starts_with('\t')) {
        ensure!(
            recipe.trim_start_matches(['\t', '@']).starts_with("cargo xtask"),
            "it has the recipe `{}`",
            recipe.trim()
        );
    }
    Ok(())
}

fn help(rig: &Rig) -> anyhow::Result<()> {
    let help = rig.xtask(&["--help"]).run()?.text();
    for command in [
        "doctor", "build", "image", "push", "run", "bench", "report", "compare", "toolbox", "cases", "plan", "test",
        "clean",
    ] {
        ensure!(help.contains(&format!("  {command} ")), "`--help` does not name `{command}`");
        rig.xtask(&[command, "--help"]).run()?;
    }
    for shell in ["bash", "zsh", "fish"] {
        ensure!(rig.xtask(&["completions", shell]).run()?.text().contains("bench"), "no completions for {shell}");
    }
    Ok(())
}
