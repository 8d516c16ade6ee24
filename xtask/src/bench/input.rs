//! What a program is given beside its arguments: its standard input, its environment, and folders of the host.
//!
//! Not here: how each way of starting it is told (`measure::invocations`).

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use oci::digest::Digest;

/// Folders that a container has of its own, by the runtime and by every shim.
const TAKEN: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What a program is given beside its arguments. Nothing unless something is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its standard input.
    pub stdin: Reads,
    /// Its environment.
    pub env: Vec<Variable>,
    /// What it sees of the host's folders.
    pub folders: Vec<Folder>,
}

/// What a program may find on its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// Nothing, and it is known not to look.
    #[default]
    Nothing,
    /// Nothing, but it may look.
    Empty,
    /// This file, by an absolute path.
    File(PathBuf),
}

/// A variable of the environment. What it holds may be a secret: it is not shown, and a run stores its digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: String,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.digest())
    }
}

impl Variable {
    /// `NAME=VALUE`, or `NAME` for what `inherited` finds under it.
    ///
    /// # Errors
    /// When the name is none, or nothing is found.
    pub fn parse(text: &str, inherited: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, inherited(text)),
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        ensure!(
            !name.is_empty() && name.chars().all(letter) && !name.starts_with(|c: char| c.is_ascii_digit()),
            "`{name}` is no name of a variable: use letters, digits and `_`"
        );
        let value = value
            .with_context(|| format!("`{name}` is not set here: write `{name}=VALUE`, or set it for this command"))?;
        ensure!(!value.contains('\0'), "`{name}` holds a zero byte, which no environment can");
        Ok(Self { name: name.to_owned(), value })
    }

    /// SHA-256 of what it holds.
    pub fn digest(&self) -> Digest {
        Digest::of(self.value.as_bytes())
    }
}

/// A folder of the host, under a path of the program's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// As it was typed.
    pub given: String,
    /// Where it is, an absolute path.
    pub host: PathBuf,
    /// Where the program sees it, an absolute path. A native process sees the host's: its arguments are rewritten.
    pub guest: String,
}

impl Folder {
    /// `HOST:GUEST`, or `HOST` for a folder that is seen where it is. `HOST` is meant from `base` on.
    ///
    /// # Errors
    /// When `HOST` is no folder, or `GUEST` no path that a container can have a folder at.
    pub fn parse(text: &str, base: &Path) -> anyhow::Result<Self> {
        let (host, guest) = match text.rsplit_once(':') {
            Some((host, guest)) => (host, Some(guest)),
            None => (text, None),
        };
        let given = host;
        let host = std::fs::canonicalize(base.join(given)).with_context(|| format!("there is no folder `{given}`"))?;
        ensure!(host.is_dir(), "`{given}` is no folder");
        let shown = host.to_str().with_context(|| format!("`{}` is not UTF-8", host.display()))?.to_owned();
        Self::at((given, host), guest.unwrap_or(&shown))
    }

    /// A folder, seen under this path.
    ///
    /// # Errors
    /// When it is no path that a container can have a folder at.
    fn at((given, host): (&str, PathBuf), guest: &str) -> anyhow::Result<Self> {
        let guest = guest.strip_suffix('/').unwrap_or(guest);
        let plain = guest.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | "..")) && !rest.contains(['\0', '\n'])
        });
        ensure!(
            plain && !TAKEN.iter().any(|taken| Path::new(guest).starts_with(taken)),
            "`{guest}` is no path for a folder in a container: write an absolute one, without `.` and `..`, outside {}",
            TAKEN.join(", ")
        );
        Ok(Self { given: given.to_owned(), host, guest: guest.to_owned() })
    }
}

impl Input {
    /// Whether it is given nothing that it could read or see.
    pub fn is_empty(&self) -> bool {
        !matches!(self.stdin, Reads::File(_)) && self.env.is_empty() && self.folders.is_empty()
    }

    /// An argument as a native process needs it: it sees the host's folders and no others, so a path below one of the
    /// program's is rewritten, at the beginning of the argument or behind a `=`.
    pub fn for_process(&self, arg: &str) -> String {
        for folder in self.folders.iter().filter(|folder| Path::new(&folder.guest) != folder.host) {
            let start = if arg.starts_with(&folder.guest) {
                0
            } else {
                match arg.find(&format!("={}", folder.guest)) {
                    Some(at) => at + 1,
                    None => continue,
                }
            };
            let rest = &arg[start + folder.guest.len()..];
            if rest.is_empty() || rest.starts_with('/') {
                return format!("{}{}{rest}", &arg[..start], folder.host.display());
            }
        }
        arg.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_and_its_value_is_not_shown() {
        let variable = Variable::parse("TOKEN=a=b c\n\"", |_| None).unwrap();
        assert_eq!((variable.name.as_str(), variable.value.as_str()), ("TOKEN", "a=b c\n\""));
        let shown = format!("{variable:?}");
        assert!(shown.starts_with("TOKEN=sha256:") && !shown.contains("a=b"), "{shown}");
        assert_eq!(Variable::parse("HOME", |_| Some("/x".to_owned())).unwrap().value, "/x");
        for (text, says) in [("HOME", "not set"), ("=x", "no name"), ("1A=x", "no name"), ("A B=x", "no name")] {
            let error = Variable::parse(text, |_| None).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_folder_is_seen_where_it_is_or_under_another_path() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("a:b ü");
        std::fs::create_dir(&own).unwrap();
        let real = std::fs::canonicalize(&own).unwrap();
        let folder = Folder::parse("a:b ü:/data/", dir.path()).unwrap();
        assert_eq!((folder.host.as_path(), folder.guest.as_str()), (real.as_path(), "/data"));
        let here = Folder::parse(".", &real.parent().unwrap().join("a:b ü"));
        assert_eq!(here.unwrap().guest, real.to_str().unwrap());
        for (text, says) in [
            ("none:/data", "no folder `none`"),
            (".:data", "no path"),
            (".:/", "no path"),
            (".:/proc/x", "no path"),
            (".:/a/../b", "no path"),
        ] {
            let error = format!("{:#}", Folder::parse(text, dir.path()).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_native_process_is_told_the_hosts_paths() {
        let folders = vec![Folder { given: String::new(), host: "/h/own data".into(), guest: "/data".to_owned() }];
        let input = Input { folders, ..Input::default() };
        for (given, told) in [
            ("/data/in.md", "/h/own data/in.md"),
            ("/data", "/h/own data"),
            ("--in=/data/x", "--in=/h/own data/x"),
            ("/database", "/database"),
            ("/other/data", "/other/data"),
            ("", ""),
        ] {
            assert_eq!(input.for_process(given), told);
        }
    }
}
