//! What this machine is: the fingerprint, from /proc and /sys.

use std::collections::BTreeMap;

/// The fields of os-release; empty when the host has none.
pub fn os_release() -> BTreeMap<String, String> {
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .map(|text| parse_os_release(&text))
        .unwrap_or_default()
}

/// `NAME=value` lines, with or without quotes (os-release(5)).
fn parse_os_release(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect()
}

/// What compiled code is tied to: model and features of the first processor; empty where /proc does not say.
pub fn cpu_identity() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    ["model name", "flags"].map(|name| cpuinfo_field(&text, name).unwrap_or_default()).join("\n")
}

fn cpuinfo_field(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

// STUBS until the fingerprint lands.
pub fn seed(now: crate::measure::clock::Utc) -> u64 {
    now.compact().bytes().fold(7, |a, b| a * 31 % 1_000_000_007 + u64::from(b))
}
pub fn filesystem(_path: &std::path::Path) -> String {
    "unknown".to_owned()
}
pub fn read() -> crate::results::Machine {
    crate::results::Machine::default()
}
pub fn source(_w: &crate::workspace::Workspace) -> crate::results::Source {
    crate::results::Source {
        revision: "unknown".into(),
        dirty: false,
        toolchain: "x".into(),
        profile: "workload".into(),
    }
}
pub fn program(name: &str, path: &std::path::Path, origin: &str) -> anyhow::Result<crate::results::ProgramRecord> {
    let bytes = std::fs::read(path)?;
    Ok(crate::results::ProgramRecord {
        name: name.into(),
        version: String::new(),
        sha256: crate::oci::digest::Digest::of(&bytes).hex(),
        origin: origin.into(),
        size_bytes: bytes.len() as u64,
    })
}
