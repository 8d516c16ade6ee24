//! The nodes of a cluster: which take pods, and why one does no more.

use anyhow::{bail, ensure};
use serde_json::Value;

use super::kubectl::Kubectl;

/// The nodes that take pods, by name.
///
/// # Errors
/// When there is none, or one that was named is not among them.
pub fn ready(kubectl: &Kubectl, named: &[String]) -> anyhow::Result<Vec<String>> {
    let found = kubectl.json(&["get", "nodes"])?;
    let name = |node: &Value| node["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let all: Vec<&Value> = found["items"].as_array().into_iter().flatten().collect();
    let nodes: Vec<String> = all.iter().filter(|node| unfit(node).is_none()).map(|node| name(node)).collect();
    let others = || {
        let why = |node: &&Value| unfit(node).map(|why| format!("`{}`: {why}", name(node)));
        all.iter().filter_map(why).collect::<Vec<_>>().join("; ")
    };
    ensure!(!nodes.is_empty(), "the cluster has no node that takes pods: {}", others());
    match named.iter().find(|name| !nodes.contains(name)) {
        None if named.is_empty() => Ok(nodes),
        None => Ok(named.to_vec()),
        Some(absent) => {
            bail!("there is no node `{absent}` that takes pods: there are {}; {}", nodes.join(", "), others())
        }
    }
}

/// Why a node runs nothing any more, if it is so.
pub fn lost(kubectl: &Kubectl, node: &str) -> Option<String> {
    let why = match kubectl.json(&["get", "node", node]) {
        Ok(found) => unfit(&found)?,
        Err(error) => format!("{error:#}"),
    };
    Some(format!("the node `{node}` is lost: {why}"))
}

/// Why a node takes no pods.
fn unfit(node: &Value) -> Option<String> {
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    let Some(ready) = ready.next() else { return Some("it has never reported".to_owned()) };
    if ready["status"] != "True" {
        return Some(format!("it is not ready ({})", ready["message"].as_str().unwrap_or("it says no more")));
    }
    if node["spec"]["unschedulable"] == true {
        return Some("it is cordoned".to_owned());
    }
    let mut taints = node["spec"]["taints"].as_array().into_iter().flatten();
    let taint = taints.find(|taint| taint["effect"] != "PreferNoSchedule")?;
    Some(format!("it has the taint `{}`", taint["key"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_that_takes_no_pods_says_why() {
        let node = |status: &str, spec: Value| json!({ "status": { "conditions": [{ "type": "Ready", "status": status, "message": "gone" }] }, "spec": spec });
        assert_eq!(unfit(&node("True", json!({}))), None);
        let soft = json!({ "taints": [{ "key": "a", "effect": "PreferNoSchedule" }] });
        assert_eq!(unfit(&node("True", soft)), None);
        for (found, says) in [
            (node("Unknown", json!({})), "not ready (gone)"),
            (node("True", json!({ "unschedulable": true })), "cordoned"),
            (
                node("True", json!({ "taints": [{ "key": "control-plane", "effect": "NoSchedule" }] })),
                "`control-plane`",
            ),
            (json!({}), "never reported"),
        ] {
            let why = unfit(&found).unwrap();
            assert!(why.contains(says), "{why}");
        }
    }
}
