//! What apt says, and what is made of it.

use super::*;
use crate::toolbox::suite::FAMILIES;

#[test]
fn only_the_familys_own_archive_is_a_mirror() {
    let text = "\
Packages|deb|http://elsewhere/hashi/|bookworm|main|Hashi|Hashi
DEP-11|deb|http://m/debian/|bookworm|main|Debian|Debian
Packages|deb|http://m/security/|bookworm-security|main|Debian|Debian-Security
Packages|deb-src|http://s/debian/|bookworm|main|Debian|Debian
Packages|deb|http://m/debian/|bookworm|main|Debian|Debian
Packages|deb|http://m/debian/|bookworm-updates|main|Debian|Debian
Packages|deb|http://n/x/|nodistro|contrib|Debian|Debian
";
    assert_eq!(parse_targets(text, &FAMILIES[0]), ["http://m/debian/"]);
}

#[test]
fn without_fetched_lists_the_likeliest_address_comes_first() {
    let text = "\
Packages|deb|http://elsewhere/apt/|bookworm|main|$(ORIGIN)|$(LABEL)
Packages|deb|cdrom:[Debian]/|bookworm|main|$(ORIGIN)|$(LABEL)
Packages|deb|mirror+file:/etc/apt/mirrors/debian.list/|bookworm|main|$(ORIGIN)|$(LABEL)
Packages|deb|http://m/debian/|bookworm|main|$(ORIGIN)|$(LABEL)
";
    let found = parse_targets(text, &FAMILIES[0]);
    assert_eq!(found[0], "http://m/debian/");
    assert_eq!(found.len(), 3);
}

#[test]
fn a_package_line_gives_name_version_and_digest() {
    let line = "'http://m/libcap2_2.75.deb' libcap2_1%3a2.75-10+b3_amd64.deb 28988 SHA256:ab12";
    let packages = parse_uris(line).unwrap();
    assert_eq!(packages[0].record.name, "libcap2");
    assert_eq!(packages[0].record.version, "1:2.75-10+b3");
    assert_eq!(packages[0].record.sha256, "ab12");
    assert_eq!(packages[0].size_bytes, 28988);
}

#[test]
fn a_package_without_a_strong_digest_is_refused() {
    let error = parse_uris("'http://m/a.deb' a_1_all.deb 1 MD5Sum:ab").unwrap_err().to_string();
    assert!(error.contains("SHA-256"), "{error}");
}

#[test]
fn the_account_of_a_mirror_is_in_one_private_file_that_goes_with_apt() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let mirror = Mirror::parse("http://u:hunter2@m/debian").unwrap();
    // One of an earlier version of this program, which anybody could read.
    std::fs::write(dir.path().join("apt.conf"), "old").unwrap();
    let proxy = "Acquire::http::Proxy \"http://u:hunter2@p:1\";\n";
    let apt = Apt::prepare(dir.path(), &FAMILIES[0], &mirror, proxy).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && std::fs::read_to_string(&path).unwrap().contains("hunter2") {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert!(std::fs::read_to_string(dir.path().join("auth.conf")).unwrap().contains("login u password hunter2"));
    assert!(std::fs::read_to_string(dir.path().join("sources.list")).unwrap().contains(" http://m/debian "));
    drop(apt);
    assert!(PRIVATE.iter().all(|name| !dir.path().join(name).exists()));
}

#[test]
fn the_configuration_reads_nothing_of_the_hosts() {
    let text = configuration(Path::new("/d"), "Acquire::http::Proxy \"http://p:1\";\n");
    assert!(text.starts_with("Acquire::http::Proxy"));
    assert!(text.contains("Dir::Etc::Parts \"/dev/null\"") && text.contains("Dir::State \"/d\""));
}
