//! The search for damage in one tar stream: is it the plain, reproducible ustar that `layer` writes?
//!
//! Not here: its hash, which the caller compares.

use std::collections::BTreeSet;

use crate::epoch::Epoch;

/// What was expected, and what was found.
type Difference = (String, String);

/// Differences between a tar stream and what `layer` writes. Every mtime must be `created`, the moment (RFC
/// 3339) that the image's config names. The paths of files are added to `names`.
pub(super) fn check(tar: &[u8], created: &str, names: &mut BTreeSet<String>) -> Vec<Difference> {
    let mut differences = Vec::new();
    // Raw: pax and GNU headers come as entries of their own.
    let mut archive = tar::Archive::new(tar);
    let entries = match archive.entries() {
        Ok(entries) => entries.raw(true),
        Err(error) => return vec![("a tar stream".to_owned(), format!("`{error}`"))],
    };
    let mut last = None;
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                differences.push(("a whole tar stream".to_owned(), format!("`{error}`")));
                break;
            }
        };
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        differences.extend(header(entry.header(), &path, created));
        if last.as_ref().is_some_and(|last| *last >= path) {
            differences.push((format!("`{path}` in the order of names"), "it after a later name".to_owned()));
        }
        names.insert(path.clone());
        last = Some(path);
    }
    if last.is_none() {
        differences.push(("a tar stream with a file".to_owned(), "none".to_owned()));
    }
    differences
}

fn header(header: &tar::Header, path: &str, created: &str) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut expect = |what: &str, expected: &str, found: String| {
        if expected != found {
            differences.push((format!("{what} {expected} for `{path}`"), found));
        }
    };
    let text = |value: std::io::Result<u64>| value.map_or_else(|error| format!("`{error}`"), |value| value.to_string());
    let kind = header.entry_type();
    if !kind.is_file() && !kind.is_dir() && !kind.is_symlink() {
        expect("a header for a", "file, folder or link", format!("type `{}`", kind.as_byte().escape_ascii()));
    }
    if header.as_ustar().is_none() {
        expect("format", "ustar", "another".to_owned());
    }
    expect("uid", "0", text(header.uid()));
    expect("gid", "0", text(header.gid()));
    let moment = header.mtime().ok().and_then(|mtime| Epoch::parse(Some(&mtime.to_string())).ok());
    expect("mtime", created, moment.map_or_else(|| text(header.mtime()), Epoch::rfc3339));
    for name in [header.username_bytes(), header.groupname_bytes()].into_iter().flatten() {
        expect("owner name", "``", format!("`{}`", name.escape_ascii()));
    }
    differences
}
