//! Faults that could show a secret: a password is in no file, argument vector, variable, error or report, whether the
//! run succeeds or fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::registries::faulty::{self, ToContainerd};
use crate::{Check, Named, Rig, expect_code, expect_error};
use xtask::clock::Stopwatch;
use xtask::cmd::Output;
use xtask::registry::EmbeddedRegistry;
use xtask::secret::Secret;

/// Nothing else on this machine contains it.
const PASSWORD: &str = "correct-horse-9f3b1c77-battery";
const USER: &str = "somebody";
/// Nobody listens there (discard).
const NOWHERE: &str = "127.0.0.1:9/debian";
/// How long something may take that is refused before anything is built.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let anywhere: [Named; 4] = [
        ("an account in `--registry` is refused at once, and not repeated", account_in_registry),
        ("a password in `--mirror` is in no error and no file of a toolbox that fails", failing_mirror),
        ("a password in `--mirror` or its variable is in no record of a run", recorded_mirror),
        ("`--help` does not show a password that is in the variable of `--mirror`", help),
    ];
    let with_containers: [Named; 3] = [
        ("a password, sent itself: a run that succeeds shows it nowhere", by_password),
        ("a password, exchanged for a token: a run that succeeds shows it nowhere", by_token),
        ("a password: a run whose pulls fail shows it nowhere", failing_pulls),
    ];
    let mut checks: Vec<Check> = anywhere.iter().map(|(name, check)| Check::of(*name, check(rig))).collect();
    checks.extend(with_containers.iter().map(|(name, check)| match rig.no_containers() {
        Some(reason) => Check::skipped(*name, reason),
        None => Check::of(*name, check(rig)),
    }));
    checks
}

/// What must not be seen: the password, and as it goes over the wire.
fn forms() -> [Vec<u8>; 2] {
    [PASSWORD.into(), STANDARD.encode(format!("{USER}:{PASSWORD}")).into()]
}

fn shows(bytes: &[u8]) -> bool {
    forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_slice()))
}

fn ensure_hidden(output: &Output) -> anyhow::Result<()> {
    ensure!(!shows(&output.stdout), "stdout shows it");
    ensure!(!shows(&output.stderr), "stderr shows it");
    Ok(())
}

/// Fails when a file below a folder has the password; gives the number of files.
fn search(folder: &Path) -> anyhow::Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("can not read `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files += search(&path)?;
        } else if path.is_file() {
            let bytes = std::fs::read(&path).with_context(|| format!("can not read `{}`", path.display()))?;
            ensure!(!shows(&bytes), "`{}` shows it", path.display());
            files += 1;
        }
    }
    Ok(files)
}

fn account_in_registry(rig: &Rig) -> anyhow::Result<()> {
    let to = format!("{USER}:{PASSWORD}@127.0.0.1:5000/x");
    for command in [&["bench"][..], &["push"], &["run", "native/process"]] {
        for to in [&to, &format!("https://{to}")] {
            let clock = Stopwatch::start();
            let output = rig.xtask(command).args(["--registry", to]).output()?;
            expect_error(&output, 1, &["docker login", "HOST[:PORT]"])?;
            ensure_hidden(&output)?;
            ensure!(clock.elapsed() < AT_ONCE, "`{command:?}` took {:?}", clock.elapsed());
        }
    }
    Ok(())
}

fn mirror() -> String {
    format!("http://{USER}:{PASSWORD}@{NOWHERE}")
}

fn failing_mirror(rig: &Rig) -> anyhow::Result<()> {
    let target = rig.scratch.join("secret-mirror");
    std::fs::create_dir_all(&target)?;
    let by_argument = rig.xtask(&["toolbox", "--mirror", &mirror()]);
    let by_variable = rig.xtask(&["toolbox"]).env("XTASK_MIRROR", mirror());
    for cmd in [by_argument, by_variable] {
        let output = cmd.env("CARGO_TARGET_DIR", &target).output()?;
        expect_error(&output, 1, &[NOWHERE])?;
        ensure_hidden(&output)?;
        ensure!(search(&target)? > 0, "it left no file: this check could not fail");
    }
    Ok(())
}

fn recorded_mirror(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("secret-mirror-run");
    let args = ["bench", "--bench", "noop", "--case", "native/process", "--rounds", "1", "--mirror"];
    let output = rig.xtask(&args).arg(mirror()).arg("--out").arg(&out).output()?;
    expect_code(&output, 0)?;
    ensure_hidden(&output)?;
    ensure!(search(&out)? > 3, "the run has hardly a file");
    let manifest = std::fs::read_to_string(out.join("manifest.json"))?;
    ensure!(manifest.contains(&format!("http://***@{NOWHERE}")), "the command is not recorded");
    Ok(())
}

fn help(rig: &Rig) -> anyhow::Result<()> {
    let output = rig.xtask(&["bench", "--help"]).env("XTASK_MIRROR", mirror()).output()?;
    expect_code(&output, 0)?;
    ensure!(String::from_utf8_lossy(&output.stdout).contains("XTASK_MIRROR"), "it does not name the variable");
    ensure_hidden(&output)
}

fn by_password(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::with_password(USER, &Secret::new(PASSWORD))?;
    run_watched(rig, &registry, "secret-basic", 0).map(|_| ())
}

fn by_token(rig: &Rig) -> anyhow::Result<()> {
    let registry = faulty::with_tokens(USER, &Secret::new(PASSWORD))?;
    run_watched(rig, &registry, "secret-token", 0).map(|_| ())
}

fn failing_pulls(rig: &Rig) -> anyhow::Result<()> {
    let password = Secret::new(PASSWORD);
    let registry = faulty::to_containerd(ToContainerd::Refusal, Some((USER, &password)))?;
    let out = run_watched(rig, &registry, "secret-failing", 3)?;
    let manifest = std::fs::read_to_string(out.join("manifest.json"))?;
    ensure!(manifest.contains("can not pull"), "the failed pull is not recorded");
    Ok(())
}

/// A bench through a registry that wants the password, with every process looked at meanwhile and every file afterwards.
fn run_watched(rig: &Rig, registry: &EmbeddedRegistry, name: &str, code: i32) -> anyhow::Result<PathBuf> {
    let (out, login) = (rig.scratch.join(name), rig.scratch.join(format!("{name}-login")));
    std::fs::create_dir_all(&login)?;
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let config = serde_json::json!({"auths": {registry.address().to_string(): {"auth": auth}}});
    std::fs::write(login.join("config.json"), config.to_string())?;
    let args = ["bench", "--bench", "noop", "--case", "native/runc", "--rounds", "1", "--warmup", "0", "--registry"];
    let cmd = rig.xtask(&args).arg(registry.destination("x").to_string()).arg("--out").arg(&out);
    let cmd = cmd.env("DOCKER_CONFIG", &login).limit(Duration::from_mins(3));
    let ended = AtomicBool::new(false);
    let (output, seen) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&ended));
        let output = cmd.output();
        ended.store(true, Ordering::Relaxed);
        (output, watching.join())
    });
    let (output, seen) = (output?, seen.map_err(|_| anyhow::anyhow!("looking at processes broke off"))??);
    expect_code(&output, code)?;
    ensure_hidden(&output)?;
    ensure!(seen.pulls > 0, "no `ctr images pull` was seen: this check could not fail");
    ensure!(seen.shown.is_empty(), "processes show it: {:?}", seen.shown);
    let kept = search(&out)? + search(&rig.workspace.target().join("session"))? + search(&rig.workspace.hosts())?;
    ensure!(kept > 3, "{kept} files were left: this check could not fail");
    Ok(out)
}

/// What was seen of processes.
#[derive(Debug, Default)]
struct Seen {
    /// How often a pull was.
    pulls: usize,
    /// The files in `/proc` that have the password.
    shown: BTreeSet<String>,
}

/// Looks at the arguments and variables of every process, until the end.
fn watch(ended: &AtomicBool) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while !ended.load(Ordering::Relaxed) {
        for entry in std::fs::read_dir("/proc")? {
            let process = entry?.path();
            for file in ["cmdline", "environ"] {
                // A process may be gone meanwhile, or have neither.
                let bytes = std::fs::read(process.join(file)).unwrap_or_default();
                seen.pulls +=
                    usize::from(file == "cmdline" && bytes.windows(13).any(|part| part == b"\0images\0pull\0"));
                if shows(&bytes) {
                    seen.shown.insert(process.join(file).display().to_string());
                }
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(seen)
}
