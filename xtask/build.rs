//! Records for which host, by which compiler and from which revision this program was built: for the fingerprint, and to
//! know whether what was built before it is of the same compiler.
//!
//! The revision here is that of the *program*; where the *source* stands when a run is made, and whether it was
//! changed, is asked of git at that time (`prepare::source`).

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let host = std::env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=XTASK_HOST={host}");
    let rustc = std::env::var("RUSTC").ok().and_then(|rustc| say(&rustc, &["--version"]));
    println!("cargo::rustc-env=XTASK_RUSTC={}", rustc.unwrap_or_else(|| "unknown".to_owned()));
    let revision = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=XTASK_REVISION={revision}");
    // HEAD changes with the branch, its log with every commit. A worktree has both in a folder of its own.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// `None` outside a checkout, or without git.
fn git(arguments: &[&str]) -> Option<String> {
    say("git", arguments)
}

#[expect(clippy::disallowed_methods, reason = "a build script has no `cmd` module")]
fn say(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
