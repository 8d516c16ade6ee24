//! Faults of rights and surroundings: root without capabilities, a moved checkout, the caller's environment.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::{Check, Named, Rig, expect_code, expect_error, tools};
use results::store::parse_samples;
use results::{Outcome, Sample};
use xtask::cmd::{Cmd, Output};
use xtask::session::{privileges::Privileges, process::INSIDE};

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let mut checks = vec![
        Check::of("a host without `unshare`: direct rows, sizes, the reason, exit status 3", no_unshare(rig)),
        Check::of("a program that is not what it is named as is refused before anything is built", impostors(rig)),
        Check::of("an engine that executes nothing is refused", idle_engine(rig)),
    ];
    let as_root: [Named; 4] = [
        ("a client that runs no container gives no container row", idle_client),
        ("root without CAP_SYS_ADMIN: direct rows, sizes, the reason, exit status 3", no_capability),
        ("the measuring process needs no checkout where it was compiled", moved),
        ("containerd and `ctr` see no variable of the caller but the way to a registry", environment),
    ];
    for (name, check) in as_root {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

const BENCH: [&str; 6] = ["bench", "--bench", "noop", "--rounds", "6", "--out"];

/// Every direct row, no container row but its reason.
fn direct_only(output: &Output, out: &Path, says: &str) -> anyhow::Result<()> {
    expect_code(output, 3)?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.contains("not measured") && table.contains("native/runc"), "no row says so:\n{table}");
    let summary = fs::read_to_string(out.join("summary.json"))?;
    ensure!(summary.contains(says), "no reason says {says:?}:\n{summary}");
    let (samples, _) = parse_samples(&fs::read(out.join("samples.jsonl"))?);
    let good: Vec<_> = samples.iter().filter(|sample| sample.outcome == Outcome::Ok).collect();
    ensure!(good.iter().all(|sample| sample.case.contains("/process")), "it has container rows");
    let cells: BTreeSet<&str> = good.iter().map(|sample| sample.case.as_str()).collect();
    ensure!(cells.len() == 4 && good.len() == 7 * 4, "{} samples of {cells:?}", good.len());
    Ok(())
}

fn no_capability(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("no-capability");
    let output = rig.xtask_below("setpriv", ["--bounding-set", "-sys_admin", "--"]).args(BENCH).arg(&out).output()?;
    direct_only(&output, &out, "CAP_SYS_ADMIN")
}

/// Everything of `PATH` but one program.
fn path_without(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join(format!("without-{name}"));
    fs::create_dir_all(&folder)?;
    for from in std::env::split_paths(&std::env::var_os("PATH").context("no PATH")?) {
        let Ok(entries) = fs::read_dir(&from) else { continue };
        for entry in entries {
            let entry = entry?;
            let to = folder.join(entry.file_name());
            if entry.file_name() != name && fs::symlink_metadata(&to).is_err() {
                symlink(entry.path(), to)?;
            }
        }
    }
    Ok(folder)
}

fn no_unshare(rig: &Rig) -> anyhow::Result<()> {
    let out = rig.scratch.join("no-unshare");
    let path = path_without(rig, "unshare")?;
    let output = rig.xtask(&BENCH).arg(&out).env("PATH", path).output()?;
    let says = if matches!(rig.privileges, Privileges::Root) { "util-linux" } else { "containers need" };
    direct_only(&output, &out, says)
}

/// As under sudo, which takes Cargo's variables away, in a checkout that was moved: the compiled-in path leads nowhere.
/// The four bytes say that there is no password.
fn moved(rig: &Rig) -> anyhow::Result<()> {
    let program = rig.scratch.join("moved-xtask");
    fs::copy(rig.program(), &program)?;
    let script = "mount -t tmpfs tmpfs \"$1\" && shift && printf '\\377\\377\\377\\377' | \"$@\"";
    let output = Cmd::new("unshare")
        .args(["--mount", "--", "sh", "-c", script, "sh"])
        .args([rig.workspace.root(), &program, Path::new(INSIDE), Path::new("/no/request.json")])
        .bare()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()?;
    expect_error(&output, 1, &["/no/request.json"])
}

/// A script that notes its environment, then is the real program.
fn noting(folder: &Path, program: &Path) -> anyhow::Result<PathBuf> {
    let script = folder.join(program.file_name().context("no name")?);
    let text = format!("#!/bin/sh\nenv >>'{}.env'\nexec '{}' \"$@\"\n", script.display(), program.display());
    fs::write(&script, text)?;
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755))?;
    Ok(script)
}

fn environment(rig: &Rig) -> anyhow::Result<()> {
    const HOSTILE: [(&str, &str); 6] = [
        ("CONTAINERD_ADDRESS", "/nowhere/c.sock"),
        ("CONTAINERD_NAMESPACE", "nowhere"),
        ("CONTAINERD_SNAPSHOTTER", "zfs"),
        ("GODEBUG", "inittrace=1"),
        ("LD_PRELOAD", "/nowhere/library.so"),
        ("WASMEDGE_PLUGIN_PATH", "/nowhere"),
    ];
    let folder = rig.scratch.join("noting");
    fs::create_dir_all(&folder)?;
    let shim = "containerd-shim-runc-v2";
    symlink(tools::toolbox_program(rig, shim)?, folder.join(shim))?;
    let programs = ["containerd", "ctr"].map(|name| noting(&folder, &tools::toolbox_program(rig, name)?));
    let [containerd, ctr] = programs;
    let bench = rig.xtask(&BENCH).arg(rig.scratch.join("hostile")).args(["--case", "native/runc"]);
    let bench = bench.arg("--containerd").arg(containerd?).arg("--ctr").arg(ctr?).env("NO_PROXY", "kept.example");
    let output = HOSTILE.iter().fold(bench, |bench, (name, value)| bench.env(name, value)).output()?;
    expect_code(&output, 0)?;
    for (name, once_kept) in [("containerd", "NO_PROXY=kept.example"), ("ctr", "NO_PROXY=kept.example")] {
        let seen = fs::read_to_string(folder.join(format!("{name}.env")))?;
        ensure!(seen.contains(once_kept), "`{name}` does not know how to reach a registry:\n{seen}");
        let leaked: Vec<&str> =
            HOSTILE.iter().map(|(name, _)| *name).filter(|name| seen.contains(&format!("{name}="))).collect();
        ensure!(leaked.is_empty(), "`{name}` got {leaked:?}");
    }
    Ok(())
}

fn script(rig: &Rig, name: &str, body: &str) -> anyhow::Result<PathBuf> {
    let path = rig.scratch.join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    Ok(path)
}

fn impostors(rig: &Rig) -> anyhow::Result<()> {
    let garbage = script(rig, "garbage", "head -c 3000000 /dev/urandom")?;
    let hangs = script(rig, "hangs-for-ever", "sleep 600; true")?;
    let target = rig.scratch.join("impostors-target");
    for program in [Path::new("/bin/true"), &garbage, &hangs] {
        for option in ["--containerd", "--ctr", "--runc", "--wasmedge"] {
            // One is enough of what costs its whole time limit.
            if program == hangs && option != "--ctr" {
                continue;
            }
            let bench = rig.xtask(&BENCH).arg(rig.scratch.join("impostors")).arg(option).arg(program);
            let output = bench.env("CARGO_TARGET_DIR", &target).output()?;
            expect_error(&output, 1, &[&format!("`{option} {}`", program.display()), "can not be used"])?;
            ensure!(!target.join("artifacts").exists() && !target.join("toolbox").exists(), "it began to set up");
        }
    }
    Ok(())
}

fn idle_engine(rig: &Rig) -> anyhow::Result<()> {
    let engine = script(rig, "wasmedge", "[ \"$1\" = --version ] && echo wasmedge version 0.14.1\nexit 0")?;
    let bench = rig.xtask(&BENCH).arg(rig.scratch.join("idle-engine")).args(["--case", "wasm-interpreter/process"]);
    expect_error(&bench.arg("--wasmedge").arg(&engine).output()?, 1, &["--wasmedge", "did not execute a module"])
}

/// It does everything but the one thing that is measured.
fn idle_client(rig: &Rig) -> anyhow::Result<()> {
    let real = tools::toolbox_program(rig, "ctr")?;
    let body = format!("for word; do [ \"$word\" = run ] && exit 0; done\nexec '{}' \"$@\"", real.display());
    let client = script(rig, "idle-ctr", &body)?;
    let out = rig.scratch.join("idle-client");
    let output = rig.xtask(&BENCH).arg(&out).args(["--case", "native/*", "--ctr"]).arg(client).output()?;
    expect_code(&output, 3)?;
    let (samples, _) = parse_samples(&fs::read(out.join("samples.jsonl"))?);
    let (containers, direct): (Vec<_>, Vec<_>) = samples.iter().partition(|sample| !sample.case.contains("/process"));
    ensure!(direct.len() == 14 && direct.iter().all(|sample| sample.outcome == Outcome::Ok), "{direct:#?}");
    let is_told = |sample: &Sample| sample.reason.as_ref().is_some_and(|text| text.contains("no container was run"));
    ensure!(!containers.is_empty() && containers.iter().all(|sample| is_told(sample)), "{containers:#?}");
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.contains("not measured"), "the table has no row for it:\n{table}");
    Ok(())
}
