//! Faults of folders and locks: whatever is in a folder that somebody names, only our own is ever removed; and what
//! would spoil a measurement is refused, with the name of whoever measures.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use crate::endings::{END_LIMIT, measuring, wait_until};
use crate::{Check, Named, Rig, expect_code, expect_error};
use results::Outcome;
use results::store::parse_samples;
use xtask::cmd::{Cmd, Running};
use xtask::session::scratch::{ROOT, Scratch};
use xtask::workspace::{LOCK_FOLDER, MARKER};

/// A user who is nobody here.
const STRANGER: u32 = 4711;

/// Each fault and what must come of it.
pub fn checks(rig: &Rig) -> Vec<Check> {
    let mut checks = vec![
        Check::of(
            "`clean` leaves what this program did not make, in a `CARGO_TARGET_DIR` of others",
            clean_target(rig),
        ),
        Check::of("`clean` and `test` beside a bench are refused by name, and it goes on", beside_a_bench(rig)),
        Check::of("a second clone is refused before it builds, with the name of who measures", second_clone(rig)),
        Check::of("`--wait` measures when the other has ended", waits(rig)),
        Check::of("a link in place of the machine's lock is refused, and its target untouched", linked_lock(rig)),
    ];
    let as_root: [Named; 4] = [
        ("`--scratch DIR` removes nothing of others, and what a killed run left", scratch),
        ("two benches with one scratch both end well", shared_scratch),
        ("a quote in `--scratch` does not break containerd's configuration", quoted_scratch),
        ("the machine's lock works between users, and a stale one is harmless", other_users),
    ];
    for (name, check) in as_root {
        checks.push(match rig.no_containers() {
            Some(reason) => Check::skipped(name, reason),
            None => Check::of(name, check(rig)),
        });
    }
    checks
}

fn folder(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The shortest bench of these cases.
fn bench(rig: &Rig, cases: &str, out: &Path) -> Cmd {
    rig.xtask(&["bench", "--bench", "noop", "--rounds", "1", "--warmup", "0", "--case", cases, "--out"]).arg(out)
}

/// A bench that is still measuring.
fn long(rig: &Rig, name: &str, more: &[&str]) -> anyhow::Result<Running> {
    let out = rig.scratch.join(name);
    let args = ["bench", "--bench", "noop", "--rounds", "100000", "--out"];
    measuring(&rig.xtask(&args).arg(&out).args(more), &out)
}

/// Interrupts it, and expects that every run until then was one.
fn end(rig: &Rig, name: &str, running: Running) -> anyhow::Result<()> {
    running.signal(Signal::INT)?;
    expect_code(&running.wait(END_LIMIT)?, 130)?;
    let (samples, lost) = parse_samples(&fs::read(rig.scratch.join(name).join("samples.jsonl"))?);
    let bad: Vec<_> = samples.iter().filter(|sample| sample.outcome != Outcome::Ok).collect();
    ensure!(bad.is_empty() && lost.is_empty(), "it lost {lost:?}, and these failed: {bad:#?}");
    Ok(())
}

fn photo(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let photo = folder.join("photo");
    fs::write(&photo, "precious")?;
    Ok(photo)
}

fn scratch(rig: &Rig) -> anyhow::Result<()> {
    let dir = folder(rig, "named-scratch")?;
    let ours = |process: u32| format!("deploy-bench-20260101T000000Z-{process}");
    let elsewhere = rig.scratch.join("elsewhere");
    let photos = [
        photo(&dir.join("my-photos"))?,
        photo(&dir.join("deploy-bench-of-mine"))?,
        photo(&dir.join(ours(1)))?,
        photo(&elsewhere)?,
    ];
    fs::write(elsewhere.join(MARKER), "")?;
    symlink(&elsewhere, dir.join(ours(2)))?;
    let live = Scratch::create(&dir.join(ours(3)))?;
    let abandoned = dir.join(ours(4));
    drop(Scratch::create(&abandoned)?);
    fs::create_dir_all(abandoned.join(ROOT).join("snapshots"))?;
    let output = bench(rig, "native/runc", &rig.scratch.join("scratch-run")).arg("--scratch").arg(&dir).output()?;
    expect_code(&output, 0)?;
    for photo in &photos {
        ensure!(photo.is_file(), "`{}` is gone", photo.display());
    }
    ensure!(live.path().is_dir(), "the folder of a run that goes on is gone");
    ensure!(!abandoned.exists(), "what a killed run left is still there");
    Ok(())
}

/// Each with a lock of its own, as on two machines with one disk, or in two containers.
fn shared_scratch(rig: &Rig) -> anyhow::Result<()> {
    let dir = folder(rig, "shared-scratch")?;
    let first = long(rig, "shared-first", &["--case", "native/runc", "--scratch", &dir.to_string_lossy()])?;
    let second = bench(rig, "native/runc", &rig.scratch.join("shared-second")).arg("--scratch").arg(&dir);
    let second = second.env(LOCK_FOLDER, rig.scratch.join("other-locks")).output();
    let ended = end(rig, "shared-first", first);
    expect_code(&second?, 0)?;
    ended
}

fn quoted_scratch(rig: &Rig) -> anyhow::Result<()> {
    let dir = folder(rig, "a\"b\\c")?;
    let output = bench(rig, "native/runc", &rig.scratch.join("quoted-run")).arg("--scratch").arg(&dir).output()?;
    expect_code(&output, 0)
}

fn clean_target(rig: &Rig) -> anyhow::Result<()> {
    let target = folder(rig, "home")?;
    let photos = ["artifacts", "oci", "host", "toolbox"].map(|name| photo(&target.join(name)));
    let output = rig.xtask(&["clean", "--all"]).env("CARGO_TARGET_DIR", &target).output()?;
    expect_error(&output, 1, &["was not removed", "did not make it", "artifacts"])?;
    for photo in photos {
        let photo = photo?;
        ensure!(photo.is_file(), "`{}` is gone", photo.display());
        fs::remove_dir_all(photo.parent().context("it has no folder")?)?;
    }
    let ours = target.join("artifacts");
    fs::create_dir(&ours)?;
    fs::write(ours.join(MARKER), "")?;
    let output = rig.xtask(&["clean", "--all"]).env("CARGO_TARGET_DIR", &target).output()?;
    expect_error(&output, 1, &["CACHEDIR.TAG"])?;
    ensure!(!ours.exists(), "`{}` is still there", ours.display());
    Ok(())
}

fn beside_a_bench(rig: &Rig) -> anyhow::Result<()> {
    let running = long(rig, "cleaned", &["--case", "native/process"])?;
    let process = format!("process {}", running.process()?);
    let cleaned = rig.xtask(&["clean"]).output();
    let tested = rig.suite(&["test", "--stage", "format"]).output();
    end(rig, "cleaned", running)?;
    expect_error(&cleaned?, 1, &["in use", &process, "bench"])?;
    expect_error(&tested?, 1, &["measure each other", &process, "bench"])
}

/// Another `target`, as another clone has, so that only the machine's lock is common.
fn second_clone(rig: &Rig) -> anyhow::Result<()> {
    let running = long(rig, "first-clone", &["--case", "native/process"])?;
    let target = rig.scratch.join("second-clone");
    let second = bench(rig, "native/process", &rig.scratch.join("second-clone-run")).env("CARGO_TARGET_DIR", &target);
    let refused = second.output();
    let process = format!("process {}", running.process()?);
    end(rig, "first-clone", running)?;
    expect_error(&refused?, 1, &["measure each other", &process, "Wait for its end"])?;
    ensure!(!target.exists(), "it began to build");
    Ok(())
}

fn waits(rig: &Rig) -> anyhow::Result<()> {
    let running = long(rig, "waited-for", &["--case", "native/process"])?;
    let second = bench(rig, "native/process", &rig.scratch.join("waited")).arg("--wait").start()?;
    end(rig, "waited-for", running)?;
    let output = second.wait(END_LIMIT * 3)?;
    expect_code(&output, 0)
}

fn linked_lock(rig: &Rig) -> anyhow::Result<()> {
    let locks = folder(rig, "linked-locks")?;
    let precious = photo(&folder(rig, "precious")?)?;
    symlink(&precious, locks.join("deploy-bench.lock"))?;
    let output = bench(rig, "native/process", &rig.scratch.join("linked-run")).env(LOCK_FOLDER, &locks).output()?;
    expect_error(&output, 1, &["deploy-bench.lock", "can not open"])?;
    ensure!(fs::read_to_string(&precious)? == "precious", "it was written to");
    Ok(())
}

/// A sticky folder for all, as `/tmp` is: the lock that a stranger made there is neither ours to write nor to remove.
fn other_users(rig: &Rig) -> anyhow::Result<()> {
    let locks = folder(rig, "shared-locks")?;
    fs::set_permissions(&rig.scratch, PermissionsExt::from_mode(0o755))?;
    fs::set_permissions(&locks, PermissionsExt::from_mode(0o1777))?;
    let lock = locks.join("deploy-bench.lock");
    fs::write(&lock, "")?;
    fs::set_permissions(&lock, PermissionsExt::from_mode(0o644))?;
    chown(&lock, Some(STRANGER), Some(STRANGER))?;
    let run = |name: &str| bench(rig, "native/process", &rig.scratch.join(name)).env(LOCK_FOLDER, &locks);
    expect_code(&run("stale-run").output()?, 0)?;
    let stranger = |command: &[&str]| {
        let user = format!("--reuid={STRANGER}");
        Cmd::new("setpriv").args([&user, "--clear-groups", "--", "flock"]).args(command)
    };
    let path = lock.to_string_lossy();
    let held = stranger(&[&path, "sleep", "60"]).start()?;
    wait_until(END_LIMIT, || {
        held.ensure_running()?;
        Ok(stranger(&["--nonblock", &path, "true"]).output()?.code != Some(0))
    })?;
    expect_error(&run("refused-run").output()?, 1, &["measure each other", "process ", "flock"])?;
    drop(held);
    fs::remove_file(&lock)?;
    let ours = run("own-run").output()?;
    expect_code(&ours, 0)?;
    expect_code(&stranger(&["--nonblock", &path, "true"]).output()?, 0)
}
