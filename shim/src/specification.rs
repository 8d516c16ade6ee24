//! What the shim changes in a container's specification (`config.json` in the bundle) before the library reads it.
//!
//! The library has no other door: it hands native programs to a runtime of its own, and its runtime mounts, unshares
//! and drops what the specification says. So what runc does and the library does not is written into the
//! specification, and what a module must not see is taken out of it. Pure but for `root`, which looks into the image.
//!
//! One shim serves one container: what is prepared here is for the container that the shim was started for.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::{LOADING, MODE};
use crate::marks;
use crate::root::Root;

/// Marks a container that would share its shim with the others of its pod (the key is containerd's, for Kubernetes).
const POD: &str = "io.kubernetes.cri.sandbox-id";

/// Where that mark is while the library decides which shim serves the container.
const POD_ASIDE: &str = "containerd-shim/sandbox-id";

/// What an image's entrypoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// An executable file with a header that the kernel knows: executed.
    Native,
    /// Anything else: given to the engine, which says what is wrong with it.
    Module,
}

/// Namespaces that are there before the container is, each as a path that the container's process can open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// A network with `lo` up.
    pub network: Option<String>,
    /// A user namespace with the container's mappings.
    pub user: Option<String>,
}

/// Whether the text of a specification may name a pod: spares most containers a parser in the process that `start`s.
pub fn names_pod(text: &str) -> bool {
    text.contains(POD)
}

/// Sets the mark of a pod aside, so that the library gives every container a shim of its own. `None` without one.
pub fn without_pod(mut specification: Value) -> Option<Value> {
    let annotations = specification["annotations"].as_object_mut()?;
    let pod = annotations.remove(POD)?;
    annotations.insert(POD_ASIDE.to_owned(), pod);
    Some(specification)
}

/// What the entrypoint of this container is, by the file that it names in the image or in a mounted volume.
pub fn program(specification: &Value, root: &Root) -> Program {
    let candidates = candidates(specification, entrypoint(specification));
    let native = candidates.iter().find_map(|path| root.is_native_program(path)).unwrap_or(false);
    if native { Program::Native } else { Program::Module }
}

/// Whether the entrypoint is a file in the image or in a mounted volume. A module's may name a function behind `#`, and is
/// looked for in the working directory too (`sandbox`).
pub fn has_program(specification: &Value, root: &Root) -> bool {
    let name = entrypoint(specification);
    let mut names = vec![name];
    names.extend(name.split_once('#').map(|(file, _)| file));
    names.into_iter().filter(|name| !name.is_empty()).any(|name| {
        let here = Path::new(directory(specification)).join(name);
        candidates(specification, name).iter().chain([&here]).any(|path| root.is_file(path))
    })
}

fn entrypoint(specification: &Value) -> &str {
    specification["process"]["args"][0].as_str().unwrap_or_default()
}

fn directory(specification: &Value) -> &str {
    specification["process"]["cwd"].as_str().unwrap_or("/")
}

/// Where a program of this name may be.
fn candidates(specification: &Value, name: &str) -> Vec<PathBuf> {
    let directory = Path::new(directory(specification));
    match name {
        "" => Vec::new(),
        path if path.contains('/') => vec![directory.join(path)],
        name => {
            let path = variable(specification, "PATH").unwrap_or_default();
            path.split(':').map(|folder| directory.join(folder).join(name)).collect()
        }
    }
}

/// The mode that the container asks for; an empty one, which no engine has, when the annotation is no text.
pub fn mode(specification: &Value) -> Option<String> {
    annotation(specification, MODE)
}

/// The way of loading its engine that the container asks for, as [`mode`].
pub fn loading(specification: &Value) -> Option<String> {
    annotation(specification, LOADING)
}

/// The file in which the container wants moments to be noted.
pub fn marks(specification: &Value) -> Option<String> {
    annotation(specification, marks::ANNOTATION)
}

fn annotation(specification: &Value, name: &str) -> Option<String> {
    specification["annotations"].get(name).map(|value| value.as_str().unwrap_or_default().to_owned())
}

/// A variable of the container's environment; the last one counts, as for the C library's `setenv`.
fn variable<'a>(specification: &'a Value, name: &str) -> Option<&'a str> {
    let entries = specification["process"]["env"].as_array()?;
    entries.iter().rev().filter_map(Value::as_str).filter_map(|entry| entry.split_once('=')).find_map(
        |(found, value)| {
            let matches = found == name;
            matches.then_some(value)
        },
    )
}

/// The specification that the library gets.
///
/// - The program's name is put behind `mark`, a word that is no file: the library then leaves native programs to
///   `sandbox` too, which does for both what has to be done in the container's own process.
/// - `HOME` is there, as under runc. The library would look it up with the C library, which loads what the *image's*
///   `nsswitch.conf` names.
/// - Namespaces that are there are joined and not made.
/// - A module has no `/proc` and no `/sys`: it runs in a process that was never executed, and whoever writes to that
///   process's memory is no longer in the engine's hands.
pub fn rewritten(mut specification: Value, program: Program, mark: &str, home: &str, namespaces: &Namespaces) -> Value {
    if let Some(annotations) = specification["annotations"].as_object_mut()
        && let Some(pod) = annotations.remove(POD_ASIDE)
    {
        annotations.insert(POD.to_owned(), pod);
    }
    if let Some(args) = specification["process"]["args"].as_array_mut() {
        args.insert(0, json!(mark));
    }
    if variable(&specification, "HOME").is_none_or(str::is_empty) {
        set_home(&mut specification, home);
    }
    // The process that the container is forked from has them: the library would need the container's `/proc`.
    if let Some(user) = specification["process"]["user"].as_object_mut() {
        user.remove("additionalGids");
    }
    join(&mut specification, "network", namespaces.network.as_deref());
    join(&mut specification, "user", namespaces.user.as_deref());
    if program == Program::Module {
        hide_kernel_files(&mut specification);
    }
    specification
}

fn set_home(specification: &mut Value, home: &str) {
    let process = &mut specification["process"];
    if !process["env"].is_array() {
        process["env"] = json!([]);
    }
    if let Some(entries) = process["env"].as_array_mut() {
        entries.retain(|entry| entry.as_str().is_none_or(|entry| !entry.starts_with("HOME=")));
        entries.push(json!(format!("HOME={home}")));
    }
}

fn join(specification: &mut Value, kind: &str, path: Option<&str>) {
    let namespaces = specification["linux"]["namespaces"].as_array_mut().into_iter().flatten();
    for namespace in namespaces.filter(|namespace| namespace["type"] == kind) {
        if let Some(path) = path {
            namespace["path"] = json!(path);
        }
    }
}

/// Whether this container is to have a new namespace of this kind: listed, and without a path.
pub fn makes(specification: &Value, kind: &str) -> bool {
    let mut namespaces = specification["linux"]["namespaces"].as_array().into_iter().flatten();
    namespaces.any(|namespace| namespace["type"] == kind && namespace["path"].as_str().is_none_or(str::is_empty))
}

/// The container's supplementary groups, as the host numbers them. One that its user namespace does not map is left
/// out.
pub fn groups(specification: &Value) -> Vec<u32> {
    let mappings = specification["linux"]["gidMappings"].as_array().filter(|_| makes(specification, "user"));
    let listed = specification["process"]["user"]["additionalGids"].as_array().into_iter().flatten();
    listed
        .filter_map(Value::as_u64)
        .filter_map(|group| match mappings {
            None => Some(group),
            Some(mappings) => mappings.iter().find_map(|mapping| {
                let offset = group.checked_sub(mapping["containerID"].as_u64()?)?;
                (offset < mapping["size"].as_u64()?).then_some(mapping["hostID"].as_u64()? + offset)
            }),
        })
        .filter_map(|group| u32::try_from(group).ok())
        .collect()
}

/// Whether the container's `/sys` is to be read-only.
pub fn has_readonly_sysfs(specification: &Value) -> bool {
    let mut mounts = specification["mounts"].as_array().into_iter().flatten();
    mounts.any(|mount| {
        let mut options = mount["options"].as_array().into_iter().flatten();
        mount["type"] == "sysfs" && options.any(|option| option == "ro")
    })
}

/// Takes out every mount on or below `/proc` and `/sys`, every mount of the file systems behind them wherever it is,
/// and the paths that would be masked there. Two settings for which the library needs a `/proc` in the container go too:
/// AppArmor's profile would take effect when something is executed, and the parameters of the kernel reach nothing
/// that a module can see.
fn hide_kernel_files(specification: &mut Value) {
    for (part, setting) in [("process", "apparmorProfile"), ("linux", "sysctl")] {
        if specification[part].as_object_mut().is_some_and(|part| part.remove(setting).is_some()) {
            log::warn!("`{setting}` has no effect on a module");
        }
    }
    let below = |path: &str| ["/proc", "/sys"].iter().any(|folder| Path::new(path).starts_with(folder));
    if let Some(mounts) = specification["mounts"].as_array_mut() {
        mounts.retain(|mount| {
            let kind = mount["type"].as_str().unwrap_or_default();
            let kernels = matches!(kind, "proc" | "sysfs" | "cgroup" | "cgroup2");
            !kernels && !below(mount["destination"].as_str().unwrap_or_default())
        });
    }
    for list in ["maskedPaths", "readonlyPaths"] {
        if let Some(paths) = specification["linux"][list].as_array_mut() {
            paths.retain(|path| !below(path.as_str().unwrap_or_default()));
        }
    }
}

#[cfg(test)]
mod tests;
