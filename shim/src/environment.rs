//! The environment that native programs get. Modules get theirs through WASI (`sandbox`).
//!
//! The library leaves the environment of a container's process as it finds it, and executes native programs
//! with that: they would see the variables of containerd's own. The zygote, from which the process is forked,
//! therefore takes the container's environment on.
//!
//! Known weakness: a pod's containers share one shim, and so one zygote. Their native programs then get no
//! environment at all, rather than that of another container.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::ffi;

/// Marks a container that shares its shim with others (the key is containerd's, for Kubernetes).
const SANDBOX_ANNOTATION: &str = "io.kubernetes.cri.sandbox-id";

/// Replaces this process's environment by the one in the container's specification, `config.json` in the
/// working directory, where containerd starts a shim. Only for a process with one thread.
///
/// # Errors
/// The specification can not be read. The environment is then empty.
pub fn take_on() -> Result<()> {
    let specification = Path::new("config.json");
    let text = std::fs::read(specification).with_context(|| format!("cannot read `{}`", specification.display()));
    let parsed = text.and_then(|text| {
        serde_json::from_slice(&text).with_context(|| format!("`{}` is not JSON", specification.display()))
    });
    let value = parsed.as_ref().unwrap_or(&Value::Null);
    ffi::replace_environment(variables(value).into_iter());
    parsed.map(drop)
}

/// The variables of the one container that this specification is of (OCI runtime specification,
/// `process.env`). Entries without `=` name no variable.
fn variables(specification: &Value) -> Vec<(&str, &str)> {
    if !specification["annotations"][SANDBOX_ANNOTATION].is_null() {
        return Vec::new();
    }
    specification["process"]["env"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.as_str()?.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::variables;
    use serde_json::json;

    #[test]
    fn variables_are_split_at_the_first_equals_sign() {
        let specification = json!({"process": {"env": ["PATH=/bin", "A=b=c", "EMPTY=", "BROKEN", "=x"]}});
        assert_eq!(variables(&specification), [("PATH", "/bin"), ("A", "b=c"), ("EMPTY", "")]);
    }

    #[test]
    fn a_container_of_a_pod_gets_none() {
        let specification = json!({
            "annotations": {"io.kubernetes.cri.sandbox-id": "p"},
            "process": {"env": ["PATH=/bin"]}
        });
        assert!(variables(&specification).is_empty());
    }

    #[test]
    fn no_specification_has_none() {
        assert!(variables(&serde_json::Value::Null).is_empty());
    }
}
