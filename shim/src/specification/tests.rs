use super::{Namespaces, Program, Root, groups, has_program, has_readonly_sysfs, makes, rewritten, without_pod};
use serde_json::{Value, json};

fn specification() -> Value {
    json!({
        "process": { "args": ["/x", "one"], "env": ["PATH=/bin", "HOME="], "cwd": "/" },
        "mounts": [
            { "type": "proc", "destination": "/proc" },
            { "type": "sysfs", "destination": "/sys", "options": ["nosuid", "ro"] },
            { "type": "cgroup", "destination": "/sys/fs/cgroup" },
            { "type": "bind", "destination": "/proc/acpi", "source": "/x" },
            { "type": "proc", "destination": "/elsewhere" },
            { "type": "bind", "destination": "/process", "source": "/x" },
        ],
        "linux": {
            "namespaces": [{ "type": "network" }, { "type": "mount" }, { "type": "ipc", "path": "/n" }],
            "maskedPaths": ["/proc/kcore", "/data/secret"],
            "readonlyPaths": ["/proc/sys", "/data"],
        },
    })
}

fn destinations(specification: &Value) -> Vec<&str> {
    specification["mounts"].as_array().into_iter().flatten().filter_map(|mount| mount["destination"].as_str()).collect()
}

#[test]
fn a_module_sees_neither_proc_nor_sys() {
    let module = rewritten(specification(), Program::Module, "m", "/", &Namespaces::default());
    assert_eq!(destinations(&module), ["/process"]);
    assert_eq!(module["linux"]["maskedPaths"], json!(["/data/secret"]));
    assert_eq!(module["linux"]["readonlyPaths"], json!(["/data"]));
}

#[test]
fn a_native_program_keeps_every_mount() {
    let native = rewritten(specification(), Program::Native, "m", "/", &Namespaces::default());
    assert_eq!(native["mounts"], specification()["mounts"]);
    assert_eq!(native["linux"], specification()["linux"]);
}

#[test]
fn the_mark_stands_before_the_program_and_an_empty_home_is_replaced() {
    let native = rewritten(specification(), Program::Native, "m", "/root", &Namespaces::default());
    assert_eq!(native["process"]["args"], json!(["m", "/x", "one"]));
    assert_eq!(native["process"]["env"], json!(["PATH=/bin", "HOME=/root"]));
    let mut own = specification();
    own["process"]["env"] = json!(["HOME=/mine"]);
    let own = rewritten(own, Program::Native, "m", "/root", &Namespaces::default());
    assert_eq!(own["process"]["env"], json!(["HOME=/mine"]));
}

#[test]
fn namespaces_that_are_there_are_joined() {
    assert!(makes(&specification(), "network") && !makes(&specification(), "ipc") && !makes(&specification(), "user"));
    let there = Namespaces { network: Some("/proc/self/fd/9".to_owned()), user: None };
    let joined = rewritten(specification(), Program::Native, "m", "/", &there);
    assert_eq!(joined["linux"]["namespaces"][0], json!({ "type": "network", "path": "/proc/self/fd/9" }));
    assert_eq!(joined["linux"]["namespaces"][1], json!({ "type": "mount" }));
}

#[test]
fn a_pod_is_set_aside_and_restored() {
    assert_eq!(without_pod(specification()), None);
    let mut member = specification();
    member["annotations"] = json!({ "io.kubernetes.cri.sandbox-id": "p", "other": "x" });
    let aside = without_pod(member.clone()).expect("it has a pod");
    assert!(aside["annotations"]["io.kubernetes.cri.sandbox-id"].is_null());
    let restored = rewritten(aside, Program::Native, "m", "/", &Namespaces::default());
    assert_eq!(restored["annotations"], member["annotations"]);
}

#[test]
fn a_read_only_sysfs_is_seen() {
    assert!(has_readonly_sysfs(&specification()));
    assert!(!has_readonly_sysfs(&json!({ "mounts": [{ "type": "sysfs", "options": ["rw"] }] })));
    assert!(!has_readonly_sysfs(&json!({})));
}

#[test]
fn groups_are_numbered_as_on_the_host_and_left_to_the_process_that_is_forked() {
    let mut specification = specification();
    specification["process"]["user"] = json!({ "uid": 0, "additionalGids": [0, 10, 70_000] });
    assert_eq!(groups(&specification), [0, 10, 70_000]);
    let rewritten = rewritten(specification.clone(), Program::Native, "m", "/", &Namespaces::default());
    assert_eq!(rewritten["process"]["user"], json!({ "uid": 0 }));
    specification["linux"]["namespaces"] = json!([{ "type": "user" }]);
    specification["linux"]["gidMappings"] = json!([{ "containerID": 0, "hostID": 1000, "size": 65_536 }]);
    assert_eq!(groups(&specification), [1000, 1010]);
}

#[test]
fn what_needs_proc_in_the_container_is_taken_from_a_module_only() {
    let mut specification = specification();
    specification["process"]["apparmorProfile"] = json!("p");
    specification["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
    let native = rewritten(specification.clone(), Program::Native, "m", "/", &Namespaces::default());
    assert_eq!(native["linux"]["sysctl"], specification["linux"]["sysctl"]);
    let module = rewritten(specification, Program::Module, "m", "/", &Namespaces::default());
    assert!(module["linux"]["sysctl"].is_null() && module["process"]["apparmorProfile"].is_null());
}

#[test]
fn the_mode_is_an_annotation_and_anything_but_text_is_none_that_an_engine_has() {
    let of = |mode: Value| super::mode(&json!({ "annotations": { crate::engine::MODE: mode } }));
    assert_eq!(super::mode(&specification()), None);
    assert_eq!(of(json!("interpreter")).as_deref(), Some("interpreter"));
    assert_eq!(of(json!(1)).as_deref(), Some(""));
}

#[test]
fn a_program_is_a_file_by_its_path_by_path_or_in_the_working_directory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in ["x", "bin/y", "home/z"] {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        std::fs::write(file, "").expect("it can be written");
    }
    let found = |name: &str| {
        let mut specification = specification();
        specification["root"] = json!({ "path": folder.path() });
        specification["process"]["args"][0] = json!(name);
        specification["process"]["cwd"] = json!("/home");
        has_program(&specification, &Root::open(&specification, |_| false).expect("it is there"))
    };
    assert!(found("/x") && found("/x#function") && found("y") && found("z") && found("../x"));
    assert!(!found("/y") && !found("x") && !found("/bin") && !found("") && !found("#function"));
}
