//! Stamps target, profile and toolchain into the programs, for `--version`.
//!
//! No time, no path, no revision: the same source gives the same bytes in every folder.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=WORKLOAD_TARGET={}", variable("TARGET"));
    println!("cargo::rustc-env=WORKLOAD_PROFILE={}", profile().unwrap_or_else(|| variable("PROFILE")));
    println!("cargo::rustc-env=WORKLOAD_TOOLCHAIN={}", toolchain(&variable("RUSTC")));
}

/// `PROFILE` says `release` for every profile that inherits from it; the name is in the output folder,
/// `…/<profile>/build/<package>-<hash>/out`.
fn profile() -> Option<String> {
    let output = PathBuf::from(std::env::var_os("OUT_DIR")?);
    let name = output.ancestors().nth(3)?.file_name()?;
    Some(name.to_str()?.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a build script has no `cmd` module")]
fn toolchain(rustc: &str) -> String {
    let output = Command::new(rustc).arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
