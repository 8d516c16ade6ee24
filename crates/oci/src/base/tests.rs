//! Bases of packages that are made here, and what is refused.

use super::*;
use crate::layer::{Algorithm, unpack};

/// A member of a package: path, type, what is in it or where it leads.
type Member<'a> = (&'a str, tar::EntryType, &'a str);

const FILE: tar::EntryType = tar::EntryType::Regular;
const FOLDER: tar::EntryType = tar::EntryType::Directory;
const LINK: tar::EntryType = tar::EntryType::Symlink;
const HARD_LINK: tar::EntryType = tar::EntryType::Link;

/// A package as dpkg has it: `./` in front, owners and times of all sorts.
fn package(identity: &str, members: &[Member<'_>]) -> Package {
    let mut builder = tar::Builder::new(Vec::new());
    for (number, (path, kind, content)) in (0..).zip(members) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(if *kind == FOLDER { 0o1777 } else { 0o4755 });
        header.set_uid(number);
        header.set_mtime(number * 1000);
        let is_file = *kind == FILE;
        header.set_size(if is_file { content.len() as u64 } else { 0 });
        if !is_file && !content.is_empty() {
            header.set_link_name_literal(content).unwrap();
        }
        let bytes = if is_file { content.as_bytes() } else { &[] };
        builder.append_data(&mut header, format!("./{path}"), bytes).unwrap();
    }
    Package { identity: identity.to_owned(), tar: builder.into_inner().unwrap() }
}

fn definition(more: &str) -> definition::Base {
    let text = format!(
        r#"
kind = "native"
why = "x"
platform = "linux/amd64"
[base]
packages = ["libc6"]
why = "y"
{more}
[layer]
compression = "none"
path = "/x"
mode = 0o755
[config]
entrypoint = ["/x"]
working_dir = "/"
"#
    );
    definition::parse("based", &text).unwrap().base.unwrap()
}

fn pack(more: &str, packages: &[Package]) -> anyhow::Result<Base> {
    let compression = Compression::new(Algorithm::None, None).unwrap();
    Base::pack(&definition(more), packages, compression, Epoch::ZERO)
}

/// What is in a base of one layer: path, type, mode, and what it holds or where it leads.
fn listed(base: &Base) -> Vec<String> {
    assert_eq!(base.layers.len(), 1);
    listed_layer(&base.layers[0])
}

fn listed_layer(layer: &Layer) -> Vec<String> {
    let tar = unpack(&layer.bytes, Algorithm::None).unwrap();
    let mut archive = tar::Archive::new(&tar[..]);
    let shown = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let target = header.link_name().unwrap().map(|target| format!(" -> {}", target.display()));
        let path = entry.path().unwrap().display().to_string();
        format!("{path} {:o}{} {content}", header.mode().unwrap(), target.unwrap_or_default()).trim().to_owned()
    };
    archive.entries().unwrap().map(shown).collect()
}

const MERGED: [Member<'_>; 4] =
    [("lib", LINK, "usr/lib"), ("usr/", FOLDER, ""), ("usr/lib/", FOLDER, ""), ("tmp/", FOLDER, "")];

#[test]
fn paths_through_links_stand_where_these_lead_and_owners_and_times_are_gone() {
    let old = package("b", &[("lib/", FOLDER, ""), ("lib/x.so", FILE, "x"), ("usr/lib/y.so", HARD_LINK, "./lib/x.so")]);
    let base = pack("", &[old.clone(), package("a", &MERGED)]).unwrap();
    let expected = [
        "lib 4755 -> usr/lib",
        "tmp/ 1777",
        "usr/ 1777",
        "usr/lib/ 1777",
        "usr/lib/x.so 4755 x",
        "usr/lib/y.so 4755 x",
    ];
    assert_eq!(listed(&base), expected);
    assert_eq!(base.created_by, "the files of a, b");
    assert_eq!(base, pack("", &[package("a", &MERGED), old]).unwrap(), "the order of the packages shows");
}

#[test]
fn what_is_left_out_is_gone_but_for_what_is_kept_and_links_are_added() {
    let doc = [
        ("usr/share/doc/a/", FOLDER, ""),
        ("usr/share/doc/a/copyright", FILE, "c"),
        ("usr/share/doc/a/changelog", FILE, "l"),
        ("usr/share/man/man1/a.1", FILE, "m"),
        ("usr/share/manual", FILE, "n"),
    ];
    let more = "leave_out = [\"/usr/share/doc\", \"/usr/share/man\"]\nkeep = [\"/usr/share/doc/*/copyright\"]\n\
                links = { \"/bin/sh\" = \"busybox\" }";
    let listed = listed(&pack(more, &[package("a", &doc)]).unwrap());
    let files: Vec<_> = listed.iter().filter(|line| !line.contains("/ ")).collect();
    assert_eq!(files, ["bin/sh 777 -> busybox", "usr/share/doc/a/copyright 4755 c", "usr/share/manual 4755 n"]);
}

#[test]
fn what_can_not_be_in_a_base_is_refused_with_package_and_path() {
    let links = "links = { \"/a\" = \"b\" }";
    for (more, packages, says) in [
        ("", vec![package("a", &[("dev/null", tar::EntryType::Char, "")])], "no devices"),
        ("", vec![package("a", &[("x", HARD_LINK, "./y")])], "`x` is linked to `y`"),
        (
            "",
            vec![package("a", &[("x", FILE, "1")]), package("b", &[("x", FILE, "2")])],
            "package `b`: `x` is in another",
        ),
        ("", vec![package("a", &[("x", LINK, "../..")]), package("b", &[("x/y", FILE, "")])], "leads out of the root"),
        (
            "",
            vec![package("a", &[("x", LINK, "y"), ("y", LINK, "x")]), package("b", &[("x/z", FILE, "")])],
            "in a circle",
        ),
        (links, vec![package("a", &[("a", FILE, "")])], "which a package has too"),
        ("", vec![Package { identity: "a".to_owned(), tar: b"no tar".to_vec() }], "package `a`"),
    ] {
        let error = format!("{:#}", pack(more, &packages).expect_err(says));
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_same_file_in_two_packages_is_one() {
    let twice = [package("a", &[("x", FILE, "1")]), package("b", &[("x", FILE, "1")])];
    assert_eq!(listed(&pack("", &twice).unwrap()), ["x 4755 1"]);
}

#[test]
fn several_layers_hold_what_one_does_and_keep_the_modes_of_folders() {
    let packages = [package("a", &MERGED), package("b", &[("usr/lib/x", FILE, "1"), ("usr/lib/z", FILE, "2")])];
    let one = listed(&pack("", &packages).unwrap());
    let several = pack("layers = 3", &packages).unwrap();
    let parts: Vec<Vec<String>> = several.layers.iter().map(listed_layer).collect();
    assert_eq!(parts.len(), 3);
    assert!(
        parts[2].contains(&"usr/lib/ 1777".to_owned()) && parts[2].contains(&"usr/lib/z 4755 2".to_owned()),
        "{parts:?}"
    );
    let mut all: Vec<String> = parts.concat();
    all.sort();
    all.dedup();
    assert_eq!(all, one);
    let error = format!("{:#}", pack("layers = 99", &packages).unwrap_err());
    assert!(error.contains("no more than"), "{error}");
}

#[test]
fn a_program_hides_nothing_of_its_base() {
    let base = pack("", &[package("a", &MERGED), package("b", &[("usr/lib/x", FILE, "")])]).unwrap();
    for good in ["/program", "/usr/lib/program", "/opt/program"] {
        base.accepts(good).unwrap();
    }
    for (bad, says) in [
        ("/lib/program", "a link to `usr/lib`"),
        ("/lib", "a link to"),
        ("/usr/lib/x", "a file at `/usr/lib/x`"),
        ("/usr/lib/x/y", "a file at"),
        ("/usr/lib", "a folder at"),
    ] {
        let error = base.accepts(bad).expect_err(bad).to_string();
        assert!(error.contains(says), "{bad}: {error}");
    }
}
