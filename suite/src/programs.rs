//! The stage on programs that are had on request: fetched and built for real, run, damaged, interrupted, and refused
//! clearly where there is no network. Of the crates only the cheapest one: the others differ in what they cost.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::endings::wait_until;
use super::{Check, Named, Outcome, Rig, expect_code, expect_error};
use xtask::cmd::Cmd;
use xtask::compile::prepend::with_arguments;
use xtask::compile::toolchain::cargo;
use xtask::progress::Stderr;

/// Of a package, and of a crate.
const BOTH: [&str; 2] = ["runsc", "wasmi"];
const WITH_BOTH: [&str; 4] = ["--with", BOTH[0], "--with", BOTH[1]];
/// Nobody listens on port 9 of loopback (discard).
const NOWHERE: &str = "http://127.0.0.1:9";

/// Every check; those that need both programs only where they could be had.
pub fn programs(rig: &Rig) -> Vec<Check> {
    // Before any other build: the build that goes on after this one is the only one that the stage needs.
    let mut checks = vec![
        Check::of("SIGKILL of a build leaves nothing in its place, and the next call goes on", killed(rig)),
        Check::of(
            "a package is fetched and a crate is built",
            rig.xtask(&[&["toolbox"], &WITH_BOTH[..]].concat()).run().map(|_| ()),
        ),
    ];
    let ready = checks.iter().all(|check| matches!(check.outcome, Outcome::Passed(_)));
    let needs_both: [Named; 4] = [
        ("each program runs, and is recorded as what it is", each_runs),
        ("a damaged program of a package is reported, and fetched anew", damaged_package),
        ("a damaged program of a crate is reported, and not built by set-up", damaged_crate),
        ("a program that is there needs no network", needs_no_network),
    ];
    if ready {
        checks.extend(needs_both.map(|(name, check)| Check::of(name, check(rig))));
    }
    let others: [Named; 4] = [
        ("arguments are put in front of a program's own", prepended),
        ("no network: what can not be fetched is reported with the way out", unreachable_package),
        ("no network: what can not be built is reported with the way out", unreachable_crate),
        ("a program that is not known is reported with those that are", unknown),
    ];
    checks.extend(others.map(|(name, check)| Check::of(name, check(rig))));
    checks
}

fn document(rig: &Rig) -> anyhow::Result<Value> {
    let output = rig.xtask(&["toolbox", "--format", "json"]).run()?;
    serde_json::from_slice(&output.stdout).context("the toolbox's JSON can not be read")
}

/// What the toolbox's JSON says of a program that is had on request.
fn listed(rig: &Rig, name: &str) -> anyhow::Result<Value> {
    let document = document(rig)?;
    let all = document["on_request"].as_array().context("no `on_request`")?;
    Ok(all.iter().find(|program| program["name"] == name).with_context(|| format!("no `{name}`"))?.clone())
}

fn path(rig: &Rig, name: &str) -> anyhow::Result<PathBuf> {
    let listed = listed(rig, name)?;
    let path = listed.pointer("/available/path").and_then(Value::as_str);
    Ok(path.with_context(|| format!("`{name}` is not there: {}", listed["reason"]))?.into())
}

fn each_runs(rig: &Rig) -> anyhow::Result<()> {
    for name in BOTH {
        let said = Cmd::new(path(rig, name)?).arg("--version").bare().run()?.text();
        let listed = listed(rig, name)?;
        let record = &listed["available"]["record"];
        ensure!(said.lines().next() == record["version"].as_str(), "{name}: {said:?}, not {}", record["version"]);
        let found = files::sha256_file(&path(rig, name)?)?;
        ensure!(record["sha256"] == found, "{name}: {found}, not {}", record["sha256"]);
    }
    let runsc = listed(rig, "runsc")?;
    ensure!(runsc["available"]["made_of"]["package"]["name"] == "runsc", "{runsc}");
    let wasmi = listed(rig, "wasmi")?;
    let made_of = &wasmi["available"]["made_of"]["crate"];
    let lock = made_of["lock_sha256"].as_str().unwrap_or_default();
    ensure!(made_of["name"] == "wasmi_cli" && lock.len() == 64, "{wasmi}");
    let toolchain = made_of["toolchain"].as_str().unwrap_or_default();
    ensure!(toolchain == xtask::machine::RUSTC, "{toolchain:?}, not {:?}", xtask::machine::RUSTC);
    executes(rig)
}

/// A module that prints its own second argument.
fn executes(rig: &Rig) -> anyhow::Result<()> {
    let module = rig.scratch.join("print.wasm");
    let code = r#"(module
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (drop (call $args (i32.const 64) (i32.const 1024)))
          (i32.store (i32.const 0) (i32.load (i32.const 68)))
          (i32.store (i32.const 4) (i32.const 5))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#;
    std::fs::write(&module, wat::parse_str(code)?)?;
    let said = Cmd::new(path(rig, "wasmi")?).arg("run").arg(&module).arg("12345").bare().run()?.text();
    ensure!(said == "12345", "it printed {said:?}");
    Ok(())
}

/// With blanks and nothing in them, and with the exit status of the program.
fn prepended(rig: &Rig) -> anyhow::Result<()> {
    let front = |program: &str, arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        with_arguments(&rig.workspace, std::path::Path::new(program), &arguments, &mut Stderr::default())
    };
    let printf = front("/usr/bin/printf", &["[%s]", "a b", ""])?;
    let said = Cmd::new(&printf).args(["--c", "d"]).bare().run()?.text();
    ensure!(said == "[a b][][--c][d]", "it said {said:?}");
    ensure!(front("/usr/bin/printf", &["[%s]", "a b", ""])? == printf, "the same arguments have another file");
    ensure!(front("/usr/bin/printf", &["[%s]"])? != printf, "other arguments have the same file");
    expect_code(&Cmd::new(front("/bin/sh", &["-c"])?).arg("exit 7").bare().output()?, 7)?;
    let nothing = Cmd::new(front("/no/such/program", &[])?).bare().output()?;
    expect_error(&nothing, 127, &["can not start `/no/such/program`"])
}

fn damage(file: &std::path::Path) -> anyhow::Result<()> {
    let mut bytes = std::fs::read(file)?;
    bytes.truncate(1000);
    Ok(std::fs::write(file, bytes)?)
}

fn damaged_package(rig: &Rig) -> anyhow::Result<()> {
    let file = path(rig, "runsc")?;
    let before = std::fs::read(&file)?;
    damage(&file)?;
    let reason = listed(rig, "runsc")?["reason"].to_string();
    ensure!(reason.contains("1000 bytes") && reason.contains("--with runsc"), "{reason}");
    rig.xtask(&["toolbox", "--with", "runsc"]).run()?;
    ensure!(std::fs::read(path(rig, "runsc")?)? == before, "`{}` is another", file.display());
    Ok(())
}

/// A build takes minutes: afterwards the file is the one that it was.
fn damaged_crate(rig: &Rig) -> anyhow::Result<()> {
    let file = path(rig, "wasmi")?;
    let whole = file.with_extension("whole");
    std::fs::rename(&file, &whole)?;
    std::fs::copy(&whole, &file)?;
    damage(&file)?;
    let reason = listed(rig, "wasmi")?["reason"].to_string();
    ensure!(reason.contains("1000 bytes") && reason.contains("--with wasmi"), "{reason}");
    ensure!(std::fs::metadata(&file)?.len() == 1000, "a plain `toolbox` built it");
    std::fs::rename(&whole, &file)?;
    path(rig, "wasmi").map(|_| ())
}

fn killed(rig: &Rig) -> anyhow::Result<()> {
    let crates = rig.workspace.toolbox().join("crates");
    let (home, new, work) = (crates.join("wasmi"), crates.join("wasmi.new"), crates.join("wasmi.build"));
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let cmd = rig.xtask(&["toolbox", "--with", "wasmi"]);
    let build = cmd.start()?;
    wait_until(Duration::from_mins(2), || {
        build.ensure_running()?;
        Ok(work.join("release/deps").is_dir())
    })?;
    build.signal(Signal::KILL)?;
    ensure!(build.wait(Duration::from_secs(20))?.code.is_none(), "it had ended");
    ensure!(!home.exists(), "a build that was killed left `{}`", home.display());
    // It waits for the Cargo that goes on, and takes over what that has compiled.
    expect_code(&cmd.output()?, 0)?;
    let left: Vec<_> = [&new, &work].into_iter().filter(|path| path.exists()).collect();
    ensure!(left.is_empty(), "{left:?} stayed");
    executes(rig)
}

/// The programs of this toolbox by option: a `target` of its own then needs no tree for them.
fn elsewhere(rig: &Rig, name: &str, more: &[&str]) -> anyhow::Result<Cmd> {
    let document = document(rig)?;
    let program = |name: &str| document["programs"][name].as_str().with_context(|| format!("no `{name}`"));
    let mut cmd = rig.xtask(&["toolbox", "--with", name]).args(more);
    for name in ["containerd", "ctr", "runc", "wasmedge"] {
        cmd = cmd.arg(format!("--{name}")).arg(program(name)?);
    }
    // The others are then looked for on PATH.
    let folder = std::path::Path::new(program("protoc")?).parent().context("`protoc` is in no folder")?;
    let path = format!("{}:{}", std::env::var("PATH")?, folder.display());
    let cmd = cmd.env("CARGO_TARGET_DIR", rig.scratch.join("no-network")).env("PATH", path);
    Ok(without_network(cmd).env("CARGO_HOME", rig.scratch.join("no-crates")).env("CARGO", cargo()))
}

fn without_network(cmd: Cmd) -> Cmd {
    let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "CARGO_HTTP_PROXY"];
    names.into_iter().fold(cmd.env("CARGO_NET_RETRY", "0"), |cmd, name| cmd.env(name, NOWHERE))
}

fn needs_no_network(rig: &Rig) -> anyhow::Result<()> {
    let args = [&["toolbox"], &WITH_BOTH[..], &["--verify"]].concat();
    let cmd = without_network(rig.xtask(&args)).env("CARGO_HOME", rig.scratch.join("no-crates"));
    expect_code(&cmd.output()?, 0)
}

fn unreachable_package(rig: &Rig) -> anyhow::Result<()> {
    let output = elsewhere(rig, "runsc", &["--mirror", &format!("{NOWHERE}/debian")])?.output()?;
    expect_error(&output, 1, &["127.0.0.1:9", "`--mirror URL`", "leave out the cases that need `runsc`"])
}

fn unreachable_crate(rig: &Rig) -> anyhow::Result<()> {
    let output = elsewhere(rig, "wasmi", &[])?.output()?;
    let says = ["can not build `wasmi` from wasmi_cli", "crates.io", "`CARGO_NET_OFFLINE=true`", "leave out the cases"];
    expect_error(&output, 1, &says)?;
    let left: Vec<_> = glob::glob(&format!("{}/no-network/toolbox/crates/wasmi*", rig.scratch.display()))?.collect();
    ensure!(left.len() == 1, "beside its lock file it left {left:?}");
    Ok(())
}

fn unknown(rig: &Rig) -> anyhow::Result<()> {
    let output = rig.xtask(&["toolbox", "--with", "wasmy"]).output()?;
    expect_error(&output, 2, &["`wasmy`", "did you mean `wasmi`?", "`runsc`", "`wasmtime`"])
}
