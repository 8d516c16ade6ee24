//! Records for which host this program was built and from which revision, for the fingerprint.
//!
//! The revision here is that of the *program*; where the *source* stands when a run is made, and whether it was
//! changed, is asked of git at that time (`machine::source`).

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let host = std::env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=XTASK_HOST={host}");
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
#[expect(clippy::disallowed_methods, reason = "a build script has no `cmd` module")]
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
