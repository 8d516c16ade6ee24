//! Whether nodes have a runtime handler, and reach a registry. Kubernetes knows neither: a pod is made on each node for each
//! handler, with an image that does not exist. Its sandbox tells of the handler, the refusal of its image of the registry.

use std::time::Duration;

use serde_json::Value;

use super::kubectl::Kubectl;
use super::objects::{self, ProbeSpec};
use crate::clock::{Stopwatch, now_utc};

/// How long the probes may take.
const LIMIT: Duration = Duration::from_mins(1);
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// An image that nobody has.
const ABSENT: &str = "deploy-bench-absent:absent";
/// What a registry that answers says of it.
const ANSWERS: [&str; 6] = ["not found", "unknown", "404", "denied", "unauthorized", "authorization failed"];

/// What a probe showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The handler is there, and the registry answered.
    Both,
    /// The handler is there, and the registry was not reached, with what the node said.
    NoRegistry(String),
    /// There is no sandbox, with what the node said.
    NoSandbox(String),
    /// Nothing, in the time that there was.
    Nothing,
}

/// A probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The node.
    pub node: String,
    /// The handler.
    pub handler: String,
    /// What it showed.
    pub shown: Shown,
}

/// Probes handlers on nodes, at once. The pods are removed again.
///
/// # Errors
/// When pods can not be made, seen or removed.
pub fn probe(kubectl: &Kubectl, nodes: &[String], handlers: &[String], registry: &str) -> anyhow::Result<Vec<Probe>> {
    let pairs = nodes.iter().flat_map(|node| handlers.iter().map(move |handler| (node.clone(), handler.clone())));
    let mut probes: Vec<Probe> = pairs.map(|(node, handler)| Probe { node, handler, shown: Shown::Nothing }).collect();
    let image = format!("{}/{ABSENT}", registry.trim_end_matches('/'));
    // Events stay when a pod has gone: those of another time are of other names.
    let prefix = format!("probe-{}-{}", now_utc().compact().to_lowercase(), std::process::id());
    let name = |index: usize| format!("{prefix}-{index}");
    for (index, probe) in probes.iter().enumerate() {
        let spec = ProbeSpec { name: &name(index), node: &probe.node, handler: &probe.handler, image: &image };
        kubectl.create(&objects::probe(&spec))?;
    }
    let clock = Stopwatch::start();
    while clock.elapsed() < LIMIT && probes.iter().any(|probe| probe.shown == Shown::Nothing) {
        std::thread::sleep(LOOK);
        let (pods, events) = (kubectl.json(&["get", "pods", "-l", objects::OURS])?, kubectl.json(&["get", "events"])?);
        for (index, probe) in probes.iter_mut().enumerate() {
            probe.shown = shown(&name(index), &pods, &events);
        }
    }
    kubectl.remove_jobs()?;
    Ok(probes)
}

fn shown(name: &str, pods: &Value, events: &Value) -> Shown {
    let items = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
    let pod = items(pods).into_iter().find(|pod| pod["metadata"]["name"] == name).unwrap_or_default();
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    let said = waiting["message"].as_str().unwrap_or_default();
    if matches!(waiting["reason"].as_str(), Some("ErrImagePull" | "ImagePullBackOff")) {
        // The second of the two repeats the first without its reason.
        let of_pull = items(events)
            .into_iter()
            .filter(|event| event["involvedObject"]["name"] == name && event["reason"] == "Failed");
        let messages: Vec<String> = of_pull.filter_map(|event| event["message"].as_str().map(str::to_owned)).collect();
        let answers = |text: &str| ANSWERS.iter().any(|answer| text.contains(answer));
        if answers(said) || messages.iter().any(|message| answers(message)) {
            return Shown::Both;
        }
        let message = messages.into_iter().find(|message| message.contains("pull")).unwrap_or_else(|| said.to_owned());
        return Shown::NoRegistry(message);
    }
    let no_sandbox =
        |event: &Value| event["involvedObject"]["name"] == name && event["reason"] == "FailedCreatePodSandBox";
    let event = items(events).into_iter().find(no_sandbox);
    event.map_or(Shown::Nothing, |event| Shown::NoSandbox(event["message"].as_str().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refused_image_tells_of_the_handler_and_a_missing_sandbox_of_none() {
        let pod = |message: &str| {
            let waiting = json!({ "reason": "ErrImagePull", "message": message });
            let status = json!({ "containerStatuses": [{ "state": { "waiting": waiting } }] });
            json!({ "items": [{ "metadata": { "name": "probe-0" }, "status": status }] })
        };
        let none = json!({ "items": [] });
        assert_eq!(shown("probe-0", &pod("r/absent: not found"), &none), Shown::Both);
        assert!(matches!(shown("probe-0", &pod("connection refused"), &none), Shown::NoRegistry(_)));
        assert_eq!(shown("probe-1", &pod("r/absent: not found"), &none), Shown::Nothing);
        let event = json!({ "involvedObject": { "name": "probe-0" }, "reason": "FailedCreatePodSandBox", "message": "no runtime" });
        let events = json!({ "items": [event] });
        assert_eq!(shown("probe-0", &none, &events), Shown::NoSandbox("no runtime".to_owned()));
    }
}
