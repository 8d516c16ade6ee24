//! Faults of text: control characters, markup, formulas, sizes that overflow.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::{Check, Named, Rig, expect_code, expect_error};
use report::visible::is_hidden;
use results::Manifest;
use xtask::cmd::{Cmd, Output};
use xtask::commands::report::recorded;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let checks: [Named; 11] = [
        ("the command of a run, pasted from its README and its page, measures the same again", pasted),
        ("control characters in TOML and from a program are shown, not obeyed", control_characters),
        ("control characters in a file's name are shown, not obeyed", control_characters_in_a_name),
        ("a stored run with the greatest round is reported", greatest_round),
        ("a pipe instead of samples is refused, not waited for", pipe),
        ("a linked `exports` is not written through", linked_exports),
        ("colour only on a terminal that has it", colour),
        ("`report` says last where its page is", page),
        ("`report --open` leaves the page to a browser that stays, and says its path where there is none", opened),
        ("a toolchain that is not the project's is not changed", unfamiliar_toolchain),
        ("a call of Cargo that fails is reported in a line", failing_cargo),
    ];
    checks.into_iter().map(|(name, check)| Check::of(name, check(rig))).collect()
}

fn folder(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join(name);
    std::fs::create_dir(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    Ok(folder)
}

/// A file of one bench that prints this, as TOML writes it.
fn bench_that_prints(path: &Path, text: &str) -> anyhow::Result<()> {
    let bench = format!(
        "[[bench]]\nname = \"prints\"\nprogram = \"misbehave\"\nargs = [\"print\", \"{text}\"]\n\
         expected = \"{text}\\n\"\nwhy = \"{text}\"\n"
    );
    Ok(std::fs::write(path, bench)?)
}

/// `cargo xtask …` goes to this program, with a folder for the run.
fn pasted(rig: &Rig) -> anyhow::Result<()> {
    let folder = folder(rig, "pasted")?;
    let file = folder.join("it's a \"bench\"\nfile é $HOME.toml");
    bench_that_prints(&file, "a b")?;
    let file = file.to_string_lossy();
    let out = folder.join("first run");
    let args = ["bench", "--case", "native/process", "--rounds", "2", "--benches-file", &file, "--out"];
    expect_code(&rig.xtask(&args).arg(&out).output()?, 0)?;
    let first = manifest(&out)?;
    let readme = std::fs::read_to_string(out.join("README.md"))?;
    let page = std::fs::read_to_string(out.join("report.html"))?;
    let sources = [("README.md", between(&readme, "```sh\n", "\n```")?), ("report.html", unescaped(&page)?)];
    for (name, command) in sources {
        let again = folder.join(format!("run from {name}"));
        let program = folder.join("cargo");
        let path = std::env::var("PATH").unwrap_or_default();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = xtask ] || PATH='{path}' exec cargo \"$@\"\nshift\nexec '{}' \"$@\" --out '{}'\n",
            rig.program().display(),
            again.display()
        );
        std::fs::write(&program, script)?;
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let path = format!("{}:{path}", folder.display());
        let shell = rig.in_checkout(Cmd::new("sh")).args(["-c", &command]).env("PATH", path);
        expect_code(&shell.limit(Duration::from_mins(5)).output()?, 0).with_context(|| command.clone())?;
        let second = manifest(&again)?;
        let what =
            |manifest: &Manifest| (manifest.seed, manifest.rounds, manifest.cells.clone(), manifest.benches.clone());
        ensure!(what(&first) == what(&second), "`{name}` measured something else");
    }
    Ok(())
}

fn manifest(run: &Path) -> anyhow::Result<Manifest> {
    Ok(serde_json::from_slice(&std::fs::read(run.join("manifest.json"))?)?)
}

fn between(text: &str, before: &str, after: &str) -> anyhow::Result<String> {
    let (_, rest) = text.split_once(before).with_context(|| format!("there is no {before:?}"))?;
    let (found, _) = rest.split_once(after).with_context(|| format!("there is no {after:?}"))?;
    Ok(found.to_owned())
}

/// What a person copies from the page: the text of the box, without the line that checks the revision out.
fn unescaped(page: &str) -> anyhow::Result<String> {
    let shown = between(page, "<pre><code>", "</code></pre>")?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let text = entities.into_iter().fold(shown, |text, (entity, letter)| text.replace(entity, letter));
    Ok(match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("git checkout ") => rest.to_owned(),
        _ => text,
    })
}

fn ensure_shown(name: &str, text: &str) -> anyhow::Result<()> {
    let hidden = text.replace("\r\n", "\n").chars().find(|letter| is_hidden(*letter));
    ensure!(hidden.is_none(), "{name} holds {hidden:?}");
    Ok(())
}

fn ensure_output_shown(output: &Output) -> anyhow::Result<()> {
    ensure_shown("stdout", &String::from_utf8_lossy(&output.stdout))?;
    ensure_shown("stderr", &String::from_utf8_lossy(&output.stderr))
}

fn control_characters(rig: &Rig) -> anyhow::Result<()> {
    let folder = folder(rig, "control-characters")?;
    let file = folder.join("benches.toml");
    bench_that_prints(&file, r"\u001b]0;title\u0007\u001b[31m\u009b2J\u202Egpj.exe")?;
    // What it expects is not what it prints: the reason quotes both.
    let text = std::fs::read_to_string(&file)?.replace("expected = \"", "expected = \"not ");
    std::fs::write(&file, text)?;
    let out = folder.join("run");
    let args = ["bench", "--case", "native/process", "--rounds", "2", "--benches-file"];
    let output = rig.xtask(&args).arg(&file).arg("--out").arg(&out).output()?;
    expect_code(&output, 3)?;
    ensure_output_shown(&output)?;
    ensure!(String::from_utf8_lossy(&output.stdout).contains("title"), "the reason is not shown");
    for name in
        ["README.md", "report.html", "summary.csv", "summary.json", "exports/samples.csv", "exports/pull-request.md"]
    {
        ensure_shown(name, &std::fs::read_to_string(out.join(name))?)?;
    }
    // And where TOML itself is quoted in an error.
    std::fs::write(&file, "[[bench]]\nname = \"x\u{1b}[31m\u{202e}\n")?;
    let output = rig.xtask(&["bench", "--benches-file"]).arg(&file).output()?;
    expect_error(&output, 1, &["benches.toml", "\\u{1b}[31m"])?;
    ensure_output_shown(&output)
}

fn control_characters_in_a_name(rig: &Rig) -> anyhow::Result<()> {
    let output = rig.xtask(&["bench", "--benches-file", "no\u{1b}[31m\u{202e}such.toml"]).output()?;
    expect_error(&output, 1, &["no\\u{1b}[31m\\u{202e}such.toml"])?;
    ensure_output_shown(&output)
}

/// The recorded run's facts in a folder of their own.
fn copy_of_the_recorded_run(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let copy = folder(rig, name)?;
    crate::rig::copy_facts(recorded(&rig.workspace)?.path(), &copy)?;
    Ok(copy)
}

fn greatest_round(rig: &Rig) -> anyhow::Result<()> {
    let run = copy_of_the_recorded_run(rig, "greatest-round")?;
    let text = std::fs::read_to_string(run.join("samples.jsonl"))?;
    let (before, last) = text.trim_end().rsplit_once('\n').context("the recorded run has no samples")?;
    let (head, tail) = last.split_once("\"round\":").context("a sample without a round")?;
    let rest = tail.trim_start_matches(|letter: char| letter.is_ascii_digit());
    std::fs::write(run.join("samples.jsonl"), format!("{before}\n{head}\"round\":4294967295{rest}\n"))?;
    let output = rig.xtask(&["report"]).arg(&run).output()?;
    ensure!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "it panicked");
    ensure!(matches!(output.code, Some(0 | 3)), "exit status {:?}", output.code);
    Ok(())
}

fn pipe(rig: &Rig) -> anyhow::Result<()> {
    let run = copy_of_the_recorded_run(rig, "pipe")?;
    let samples = run.join("samples.jsonl");
    std::fs::remove_file(&samples)?;
    rustix::fs::mknodat(rustix::fs::CWD, &samples, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)?;
    let output = rig.xtask(&["report"]).arg(&run).limit(Duration::from_secs(30)).output()?;
    expect_error(&output, 1, &["samples.jsonl", "it is no file"])
}

fn linked_exports(rig: &Rig) -> anyhow::Result<()> {
    let run = copy_of_the_recorded_run(rig, "linked-exports")?;
    let elsewhere = folder(rig, "somebody-elses")?;
    std::os::unix::fs::symlink(&elsewhere, run.join("exports"))?;
    let output = rig.xtask(&["report"]).arg(&run).output()?;
    expect_error(&output, 1, &["exports", "is a link"])?;
    ensure!(std::fs::read_dir(&elsewhere)?.next().is_none(), "something was written there");
    Ok(())
}

/// What the report on a run writes to a terminal of this kind.
fn on_a_terminal(rig: &Rig, run: &Path, variables: &[(&str, &str)]) -> anyhow::Result<String> {
    let line = format!("'{}' report '{}'", rig.program().display(), run.display());
    let script = Cmd::new("script").args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let script = variables.iter().fold(script, |script, (name, value)| script.env(name, value));
    Ok(script.dir(rig.workspace.root()).run()?.text())
}

fn colour(rig: &Rig) -> anyhow::Result<()> {
    let run = copy_of_the_recorded_run(rig, "colour")?;
    let plain = [("TERM", "xterm"), ("NO_COLOR", "")];
    ensure!(on_a_terminal(rig, &run, &plain)?.contains("\u{1b}[3"), "a terminal with colour gets none");
    for variables in [[("TERM", "dumb"), ("NO_COLOR", "")], [("TERM", "xterm"), ("NO_COLOR", "1")]] {
        ensure!(!on_a_terminal(rig, &run, &variables)?.contains('\u{1b}'), "{variables:?} get colour");
    }
    Ok(())
}

fn page(rig: &Rig) -> anyhow::Result<()> {
    let run = copy_of_the_recorded_run(rig, "page")?;
    let output = rig.xtask(&["report"]).arg(&run).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = stderr.lines().last().unwrap_or_default();
    ensure!(last.ends_with(&format!(" {}", run.join("report.html").display())), "it ends with {last:?}");
    Ok(())
}

/// A toolchain that is not the project's, by programs in the place of rustc and rustup.
fn unfamiliar_toolchain(rig: &Rig) -> anyhow::Result<()> {
    let folder = folder(rig, "unfamiliar-toolchain")?;
    let log = folder.join("asked");
    let rustc = format!(
        "case \"$1\" in --version) echo rustc 9.9.9-nightly;; *) echo '{}';; esac",
        folder.join("sysroot").display()
    );
    let rustup = format!("echo \"$@\" >> '{}'\necho nightly-x86_64-unknown-linux-gnu", log.display());
    for (name, lines) in [("rustc", rustc), ("rustup", rustup)] {
        let program = folder.join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{lines}\n"))?;
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let out = folder.join("run");
    let args = ["bench", "--case", "native/process", "--rounds", "1", "--out"];
    let output = rig.xtask(&args).arg(&out).env("PATH", path).output()?;
    expect_error(&output, 1, &["`nightly-x86_64-unknown-linux-gnu`", "rustup target add --toolchain nightly"])?;
    let asked = std::fs::read_to_string(&log)?;
    ensure!(!asked.contains("target add"), "it was changed: {asked}");
    Ok(())
}

fn opened(rig: &Rig) -> anyhow::Result<()> {
    let folder = folder(rig, "opened")?;
    let run = folder.join("run");
    Cmd::new("cp").arg("-r").arg(recorded(&rig.workspace)?.path()).arg(&run).run()?;
    let page = run.join("report.html").display().to_string();
    let report = || rig.xtask(&["report", "--open"]).arg(&run);
    expect_error(&report().env("PATH", "").output()?, 1, &["no browser opened the page", &page, "`xdg-open`"])?;
    // One that stays as long as somebody reads, and holds on to what it was given.
    let browser = folder.join("xdg-open");
    let asked = folder.join("asked");
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$$ $1\" > '{}'\nexec tail -f /dev/null\n", asked.display()))?;
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let done = report().env("PATH", path).output()?;
    let text = std::fs::read_to_string(&asked)?;
    let (process, shown) = text.trim_end().split_once(' ').context("it was asked nothing")?;
    // It is there to be ended: nobody waited for it, and nobody took it along.
    Cmd::new("kill").arg(process).run()?;
    expect_code(&done, 0)?;
    ensure!(shown == page, "it was asked for {shown:?}");
    Ok(())
}

fn failing_cargo(rig: &Rig) -> anyhow::Result<()> {
    let out = folder(rig, "failing-cargo")?.join("run");
    let args = ["bench", "--case", "native/process", "--rounds", "1", "--out"];
    let output = rig.xtask(&args).arg(&out).env("CARGO", "/bin/false").output()?;
    expect_error(&output, 1, &["Cargo could not build", "exit status: 1"])?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = stderr.lines().find(|line| line.starts_with("error: ")).context("no error")?;
    ensure!(error.len() < 200, "it says {} characters: {error}", error.len());
    Ok(())
}
