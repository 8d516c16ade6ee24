//! Whether a program that was named by option is what it is named as: asked before anything is built, because a program
//! that does nothing and ends with 0 would be measured, and fast.

use std::hash::{BuildHasher as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::cmd::Cmd;
use report::visible::visible;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// The most that is shown of an answer.
const SHOWN_CHARS: usize = 200;

/// Asks a program who it is; the engine has to execute something, too.
///
/// # Errors
/// When the answer is not that of such a program.
pub fn check(name: &str, program: &Path) -> anyhow::Result<()> {
    let way_out = || format!("`--{name} {}` can not be used: name a {name}", program.display());
    let output = ask(program).arg("--version").output().with_context(way_out)?;
    let said = output.text();
    ensure!(
        output.code == Some(0) && is(name, &said),
        "{}; asked for its version it said {}",
        way_out(),
        quoted(&said, output.code)
    );
    if name == "wasmedge" { executes(program).with_context(way_out) } else { Ok(()) }
}

/// What a program that makes containers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// An OCI runtime.
    Oci,
    /// A containerd shim.
    Shim,
}

impl Maker {
    /// What makes it say its version.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Oci => "--version",
            Self::Shim => "-v",
        }
    }
}

/// Asks a runtime who it is. A shim is known by its file's name, for containerd starts shims by that.
///
/// # Errors
/// When it can not be executed, does not answer, or not as such a program does.
pub fn runtime(program: &Path) -> anyhow::Result<Maker> {
    let found = program.metadata().with_context(|| format!("there is no `{}`", program.display()))?;
    ensure!(found.is_file() && found.permissions().mode() & 0o111 != 0, "it is no executable file");
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let maker = if name.starts_with("containerd-shim-") { Maker::Shim } else { Maker::Oci };
    let output = ask(program).arg(maker.version()).output()?;
    let said = output.text();
    let is_one = said.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.contains("version") && line.chars().any(|letter| letter.is_ascii_digit())
    });
    let what = match maker {
        Maker::Oci => "an OCI runtime says its version (a shim's file is named `containerd-shim-…`)",
        Maker::Shim => "a containerd shim says its version",
    };
    ensure!(
        output.code == Some(0) && is_one,
        "asked with `{}` it said {}; {what}",
        maker.version(),
        quoted(&said, output.code)
    );
    Ok(maker)
}

fn ask(program: &Path) -> Cmd {
    Cmd::new(program).bare().limit(ANSWER_LIMIT)
}

/// `containerd github.com/containerd/containerd 1.7.24 …`, `ctr …` likewise, `runc version 1.1.15`,
/// `/a/wasmedge version 0.14.1`.
fn is(name: &str, said: &str) -> bool {
    let is_version = |word: &str| {
        let word = word.strip_prefix('v').unwrap_or(word);
        word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.')
    };
    let words: Vec<&str> = said.lines().next().unwrap_or_default().split_whitespace().collect();
    match (name, &words[..]) {
        ("runc", ["runc", "version", version, ..]) => is_version(version),
        ("wasmedge", [program, "version", version, ..]) => program.ends_with("wasmedge") && is_version(version),
        ("containerd" | "ctr", [program, rest @ ..]) => *program == name && rest.iter().any(|word| is_version(word)),
        _ => false,
    }
}

fn quoted(said: &str, code: Option<i32>) -> String {
    let short: String = said.chars().take(SHOWN_CHARS).collect();
    let how = code.map_or("was ended by a signal".to_owned(), |code| format!("ended with {code}"));
    if short.is_empty() { format!("nothing and {how}") } else { format!("`{}` and {how}", visible(&short)) }
}

/// A module that prints a number which nobody knows beforehand.
fn executes(engine: &Path) -> anyhow::Result<()> {
    let token = format!("{:016x}", std::hash::RandomState::new().build_hasher().finish());
    let module = wat::parse_str(format!(
        r#"(module
             (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
             (memory (export "memory") 1)
             (data (i32.const 8) "{token}")
             (func (export "_start")
               (i32.store (i32.const 0) (i32.const 8))
               (i32.store (i32.const 4) (i32.const {}))
               (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))))"#,
        token.len()
    ))?;
    let folder = tempfile::tempdir().context("can not make a temporary folder")?;
    let file = folder.path().join("token.wasm");
    std::fs::write(&file, module).with_context(|| format!("can not write `{}`", file.display()))?;
    for options in [&["--force-interpreter"][..], &[]] {
        let output = ask(engine).args(options).arg(&file).output()?;
        ensure!(
            output.code == Some(0) && output.text() == token,
            "it did not execute a module: instead of `{token}` it printed {}",
            quoted(&output.text(), output.code)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_own_words() {
        let said = [
            ("containerd", "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1"),
            ("containerd", "containerd containerd.io 1.6.33 d2d58213f83a351ca8f528a95fbd145f5654e957"),
            ("ctr", "ctr github.com/containerd/containerd/v2 v2.0.0"),
            ("runc", "runc version 1.1.15+ds1\ncommit: x\nspec: 1.2.0"),
            ("wasmedge", "/usr/bin/wasmedge version 0.14.1\n (plugin \"wasi_logging\") version 0.1.0.0"),
        ];
        for (name, text) in said {
            assert!(is(name, text), "{name}: {text}");
            for other in ["containerd", "ctr", "runc", "wasmedge"].into_iter().filter(|other| *other != name) {
                assert!(!is(other, text), "{other}: {text}");
            }
            assert!(!is(name, "") && !is(name, name) && !is(name, "true (GNU coreutils) 9.1"), "{name}");
        }
        assert!(!is("runc", "crun version 1.21"));
    }

    #[test]
    fn a_runtime_is_told_by_its_name_and_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, body: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let oci = script("mine", "[ $1 = --version ] && echo mine version 1.2");
        assert_eq!(runtime(&oci).unwrap(), Maker::Oci);
        let shim = script("containerd-shim-mine-v1", "[ $1 = -v ] && printf 'x:\\n  Version:  v1.0\\n'");
        assert_eq!(runtime(&shim).unwrap(), Maker::Shim);
        let refused = |path: &Path| format!("{:#}", runtime(path).unwrap_err());
        assert!(refused(&script("garbage", "head -c 400 /dev/zero")).contains("an OCI runtime says its version"));
        assert!(refused(&script("containerd-shim-no-v1", "echo hello")).contains("a containerd shim says its version"));
        assert!(refused(&script("fails", "echo version 1; exit 7")).contains("ended with 7"));
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        assert!(refused(&plain).contains("no executable file"));
        assert!(refused(&folder.path().join("absent")).contains("there is no"));
    }

    #[test]
    fn an_impostor_is_told_by_option_file_and_words() {
        for name in ["containerd", "ctr", "runc", "wasmedge"] {
            let error = format!("{:#}", check(name, Path::new("/bin/false")).unwrap_err());
            assert!(error.contains(&format!("`--{name} /bin/false`")) && error.contains("ended with 1"), "{error}");
        }
        assert_eq!(quoted("", Some(0)), "nothing and ended with 0");
        assert_eq!(quoted("\u{1b}[2J", None), "`\\u{1b}[2J` and was ended by a signal");
    }
}
