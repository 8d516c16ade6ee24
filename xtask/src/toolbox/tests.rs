//! Trees that are whole, half-made, damaged or moved; nothing here needs apt or network.

use std::fs;

use super::apt;
use super::manifest::record;
use super::manifest::{Package, TreeManifest};
use super::place::{Resolved, recipe};
use super::*;

/// A place with a tree of two files and a link that passes for whole.
fn whole(dir: &Path) -> TreePlace {
    let place = TreePlace::new(&Workspace::at(dir), Contents::of(Group::Tests)).unwrap();
    let programs = place.home.join("usr/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::write(programs.join("skopeo"), "#!/bin/sh\n").unwrap();
    fs::write(programs.join("hyperfine"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("skopeo", programs.join("other")).unwrap();
    write_manifest(&place, &place.home.clone(), &recipe(&Contents::of(Group::Tests)));
    place
}

fn write_manifest(place: &TreePlace, root: &Path, recipe: &str) {
    let manifest_json = place.home.join("manifest.json");
    if manifest_json.exists() {
        fs::remove_file(&manifest_json).unwrap();
    }
    let (files, links) = record(&place.home).unwrap();
    let manifest = TreeManifest {
        recipe: recipe.to_owned(),
        suite: "s".to_owned(),
        mirror: "m".to_owned(),
        root: root.to_path_buf(),
        packages: Vec::new(),
        programs: Vec::new(),
        files,
        links,
    };
    manifest.write(&place.home).unwrap();
}

fn why(state: State) -> String {
    match state {
        State::Damaged(why) => why,
        other => panic!("expected damage, found {other:?}"),
    }
}

#[test]
fn a_whole_tree_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    assert!(matches!(place.look(Verification::Full), State::Whole(_)));
    let workspace = Workspace::at(dir.path());
    let toolbox = ensure(&workspace, Group::Tests, &Options::default(), &mut crate::progress::Silent).unwrap();
    assert_eq!(toolbox.program("skopeo").unwrap(), place.home.join("usr/bin/skopeo"));
    assert_eq!(toolbox.origin("skopeo"), Origin::Toolbox);
    assert!(toolbox.program("docker").unwrap_err().to_string().contains("`docker`"));
}

#[test]
fn no_tree_is_absent_and_one_without_manifest_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let place = TreePlace::new(&Workspace::at(dir.path()), Contents::of(Group::Run)).unwrap();
    assert_eq!(place.look(Verification::Quick), State::Absent);
    fs::create_dir_all(place.home.join("usr/bin")).unwrap();
    assert!(why(place.look(Verification::Quick)).contains("no manifest"));
}

#[test]
fn a_tree_that_was_being_built_is_not_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    let new = place.home.with_extension("new");
    fs::create_dir_all(new.join("usr")).unwrap();
    fs::write(new.join("fresh"), "").unwrap();
    fs::create_dir_all(place.home.with_extension("old").join("left")).unwrap();
    tree::replace(&place.home, &new).unwrap();
    assert!(place.home.join("fresh").exists());
    assert!(!new.exists() && !place.home.with_extension("old").exists());
}

#[test]
fn a_missing_a_shorter_and_a_touched_file_are_found_quickly() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    let skopeo = place.home.join("usr/bin/skopeo");
    let file = fs::File::options().write(true).open(&skopeo).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert!(why(place.look(Verification::Quick)).contains("modified"));
    fs::write(&skopeo, "").unwrap();
    assert!(why(place.look(Verification::Quick)).contains("0 bytes, not 10"));
    fs::remove_file(&skopeo).unwrap();
    assert!(why(place.look(Verification::Quick)).contains("skopeo"));
}

#[test]
fn changed_bytes_of_the_same_size_and_time_are_found_by_the_full_check() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    let skopeo = place.home.join("usr/bin/skopeo");
    let modified = skopeo.metadata().unwrap().modified().unwrap();
    fs::write(&skopeo, "#!/bin/xx\n").unwrap();
    fs::File::options().write(true).open(&skopeo).unwrap().set_modified(modified).unwrap();
    assert!(matches!(place.look(Verification::Quick), State::Whole(_)));
    assert!(why(place.look(Verification::Full)).contains("SHA-256"));
}

#[test]
fn a_tree_of_another_recipe_or_place_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    write_manifest(&place, &place.home, "older");
    assert!(why(place.look(Verification::Quick)).contains("another version"));
    write_manifest(&place, Path::new("/elsewhere"), &recipe(&Contents::of(Group::Tests)));
    assert!(why(place.look(Verification::Quick)).contains("/elsewhere"));
}

#[test]
fn a_damaged_manifest_is_damage_and_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let place = whole(dir.path());
    fs::write(place.home.join("manifest.json"), "{").unwrap();
    assert!(why(place.look(Verification::Quick)).contains("manifest.json"));
}

#[test]
fn resolved_packages_without_their_files_are_not_enough() {
    let dir = tempfile::tempdir().unwrap();
    let place = TreePlace::new(&Workspace::at(dir.path()), Contents::of(Group::Run)).unwrap();
    fs::create_dir_all(place.apt().join("cache/archives")).unwrap();
    let record = PackageRecord {
        name: "a".to_owned(),
        version: "1".to_owned(),
        architecture: "all".to_owned(),
        sha256: files::sha256_hex(b"package"),
    };
    let package = Package { record, file: "a_1_all.deb".to_owned(), size_bytes: 7 };
    let archive = apt::archive(&place.apt(), &package);
    let resolved = Resolved {
        recipe: recipe(&Contents::of(Group::Run)),
        suite: "s".to_owned(),
        mirror: "m".to_owned(),
        packages: vec![package],
    };
    fs::write(place.resolved_json(), serde_json::to_vec(&resolved).unwrap()).unwrap();
    let usable = || place.cached(&Options::default()).is_some();
    assert!(!usable());
    fs::write(&archive, "damaged").unwrap();
    assert!(!usable());
    fs::write(&archive, "package").unwrap();
    assert!(usable());
    let other = Options { mirror: Some(Mirror::parse("n").unwrap()), ..Options::default() };
    assert!(place.cached(&other).is_none());
}

#[test]
fn host_programs_by_option_need_no_tree() {
    let dir = tempfile::tempdir().unwrap();
    let sh = Some(PathBuf::from("/bin/sh"));
    let options = Options { containerd: sh.clone(), ctr: sh.clone(), runc: sh.clone(), wasmedge: sh, mirror: None };
    let toolbox = ensure(&Workspace::at(dir.path()), Group::Run, &options, &mut crate::progress::Silent).unwrap();
    assert_eq!(toolbox.program("ctr").unwrap(), Path::new("/bin/sh"));
    assert_eq!(toolbox.origin("sh"), Origin::Host);
    assert_eq!(toolbox.sysroot(), None);
    let error = toolbox.program("no-such-program-here").unwrap_err().to_string();
    assert!(error.contains("`no-such-program-here`") && error.contains("--containerd"), "{error}");
}

#[test]
fn an_option_that_names_no_program_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { runc: Some(dir.path().join("runc")), ..Options::default() };
    let error =
        ensure(&Workspace::at(dir.path()), Group::Run, &options, &mut crate::progress::Silent).unwrap_err().to_string();
    assert!(error.contains("--runc") && error.contains("no executable file"), "{error}");
}

#[test]
fn a_program_belongs_to_the_package_that_brought_it_and_has_its_digest_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let programs = dir.path().join("usr/bin");
    fs::create_dir_all(&programs).unwrap();
    let mut known = Vec::new();
    fs::write(programs.join("containerd"), "as packaged").unwrap();
    tree::add_new_programs(dir.path(), "containerd", &mut known).unwrap();
    fs::write(programs.join("runc"), "runc").unwrap();
    std::os::unix::fs::symlink("runc", programs.join("link")).unwrap();
    // Patched, it keeps the digest that it came with.
    fs::write(programs.join("containerd"), "patched").unwrap();
    tree::add_new_programs(dir.path(), "runc", &mut known).unwrap();
    let shown: Vec<_> = known.iter().map(|each| (each.name.as_str(), each.package.as_str())).collect();
    assert_eq!(shown, [("containerd", "containerd"), ("runc", "runc")]);
    assert_eq!(known[0].sha256, files::sha256_hex(b"as packaged"));
}

#[test]
fn a_tree_on_request_knows_its_program_and_the_package_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(dir.path());
    let contents = || Contents::on_request("runsc", "gvisor");
    assert_eq!(find_tree(&workspace, contents()).unwrap(), None);
    let place = TreePlace::new(&workspace, contents()).unwrap();
    fs::create_dir_all(place.home.join("usr/bin")).unwrap();
    fs::write(place.home.join("usr/bin/runsc"), "patched").unwrap();
    write_manifest(&place, &place.home.clone(), &recipe(&contents()));
    let mut manifest = TreeManifest::read(&place.home).unwrap().unwrap();
    let record = PackageRecord {
        name: "gvisor".to_owned(),
        version: "1".to_owned(),
        architecture: "amd64".to_owned(),
        sha256: files::sha256_hex(b"package"),
    };
    manifest.packages.push(Package { record: record.clone(), file: "gvisor_1_amd64.deb".to_owned(), size_bytes: 7 });
    manifest.programs.push(Packaged {
        name: "runsc".to_owned(),
        package: "gvisor".to_owned(),
        sha256: files::sha256_hex(b"as packaged"),
        version: Some("runsc 1".to_owned()),
    });
    manifest.write(&place.home).unwrap();
    let tree = find_tree(&workspace, contents()).unwrap().unwrap();
    let path = tree.program("runsc").unwrap();
    assert_eq!(tree.file(&path).unwrap().sha256, files::sha256_hex(b"patched"));
    let (program, package) = tree.packaged("runsc").unwrap();
    assert_eq!((program.version.as_deref(), package), (Some("runsc 1"), &record));
    assert_ne!(recipe(&contents()), recipe(&Contents::on_request("runsc", "runsc")));
    fs::remove_file(&path).unwrap();
    assert!(find_tree(&workspace, contents()).unwrap_err().to_string().contains("usr/bin/runsc"));
}
