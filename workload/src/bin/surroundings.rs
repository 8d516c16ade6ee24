//! Prints what the kernel tells a process of its surroundings, and waits to be ended: `bench` runs it once in a container of
//! every runtime, and reads there what isolation that is.
//!
//! Each file, link or folder begins with `== NAME`; a line `==` is the end of all. Natively only: a module sees nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// What is read.
const FILES: [&str; 5] =
    ["/proc/self/status", "/proc/self/mountinfo", "/proc/self/limits", "/proc/version", "/proc/net/dev"];
/// What links are followed to.
const NAMESPACES: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

fn main() -> ExitCode {
    let mut text = String::new();
    for file in FILES {
        let content = std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        section(&mut text, file, &content.unwrap_or_default());
    }
    for namespace in NAMESPACES {
        let link = format!("/proc/self/ns/{namespace}");
        let target = std::fs::read_link(&link).map(|target| target.to_string_lossy().into_owned());
        section(&mut text, &link, &target.unwrap_or_default());
    }
    text.push_str("==\n");
    let mut stdout = std::io::stdout();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    // Whoever reads this looks at the process meanwhile, and ends it.
    loop {
        std::thread::sleep(std::time::Duration::from_mins(1));
    }
}

fn section(text: &mut String, name: &str, content: &str) {
    // Writing to a string can not fail.
    writeln!(text, "== {name}\n{}", content.trim_end()).unwrap_or_default();
}
