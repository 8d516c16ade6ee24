//! Every argument vector for `kubectl`, and what its answers mean. Only JSON, raw metrics and templates of ours are read,
//! never tables made for people.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::objects::{self, OURS};
use crate::clock::Stopwatch;
use crate::cmd::{Cmd, Following};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a new namespace may be without its account, and how often it is asked for.
const ACCOUNT_LIMIT: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
/// How long it may take until everything that was removed is gone.
const REMOVED_LIMIT: Duration = Duration::from_mins(3);

/// Makes what stands on stdin. Else `kubectl` fetches and reads the schema of everything before, in each Job's time.
const CREATE: [&str; 4] = ["create", "--validate=false", "-f", "-"];
/// What the watch says of a pod: a line per change.
const CHANGES: &str = "{.metadata.name}|{.metadata.labels.job-name}|{.spec.nodeName}|{.status.phase}|\
                       {.status.containerStatuses[0].state.waiting.reason}{\"\\n\"}";

/// How to reach one cluster.
#[derive(Clone, Debug)]
pub struct Kubectl {
    /// The program, a name or a path.
    pub program: PathBuf,
    /// Whose configuration: `--kubeconfig`, `--context`.
    pub global: Vec<String>,
    /// The namespace that everything of ours is in.
    pub namespace: String,
}

/// A change of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub pod: String,
    /// Its Job.
    pub job: String,
    /// Its node, when it has one.
    pub node: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed`.
    pub phase: String,
    /// Why its container waits.
    pub waits: String,
}

impl Kubectl {
    fn cmd(&self) -> Cmd {
        Cmd::new(&self.program).args(&self.global).limit(LIMIT)
    }

    fn inside(&self) -> Cmd {
        self.cmd().args(["--namespace", &self.namespace])
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// When the cluster can not be reached, or refuses.
    pub fn json(&self, args: &[&str]) -> anyhow::Result<Value> {
        let output = self.inside().args(args).args(["-o", "json"]).run()?;
        serde_json::from_slice(&output.stdout).with_context(|| format!("`kubectl {}` gave no JSON", args.join(" ")))
    }

    /// Asks for text, as it is.
    ///
    /// # Errors
    /// As [`Kubectl::json`].
    pub fn text(&self, args: &[&str]) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(args)?).into_owned())
    }

    /// Asks for bytes, as they are.
    ///
    /// # Errors
    /// As [`Kubectl::json`].
    pub fn bytes(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        Ok(self.inside().args(args).run()?.stdout)
    }

    /// Whether this user may do something with a resource, or a part of it: `nodes`, `nodes/proxy`.
    ///
    /// # Errors
    /// When the cluster can not be reached.
    pub fn may(&self, verb: &str, resource: &str) -> anyhow::Result<bool> {
        // With a slash between them it is asked for an object of that name.
        let (kind, part) = resource.split_once('/').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        let output = self.inside().args(["auth", "can-i", verb, kind, &part]).output()?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => Ok(true),
            said if said.starts_with("no") => Ok(false),
            _ => bail!("`kubectl auth can-i` did not answer{}", crate::cmd::stderr_end(&output.stderr)),
        }
    }

    /// The object of this kind and name, if it is there.
    ///
    /// # Errors
    /// When the cluster can not be reached, or it may not be read.
    fn find(&self, kind: &str, name: &str) -> anyhow::Result<Option<Value>> {
        let output = self.cmd().args(["get", kind, name, "--ignore-not-found", "-o", "json"]).run()?;
        if output.stdout.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("`kubectl get {kind} {name}` gave no JSON"))
    }

    /// Makes the namespace and the classes of these handlers, where they are not there: an administrator may have made them.
    /// Says how many it made.
    ///
    /// # Errors
    /// When one can not be made, or a class of that name is of another handler.
    pub fn set_up(&self, handlers: &[String]) -> anyhow::Result<usize> {
        let mut made = 0;
        if self.find("namespace", &self.namespace)?.is_none() {
            self.make(&objects::namespace(&self.namespace)).context("the namespace can not be made")?;
            made += 1;
            self.await_account()?;
        }
        for handler in handlers {
            if !self.has_class(handler)? {
                self.make(&objects::runtime_class(handler)).context("a RuntimeClass can not be made")?;
                made += 1;
            }
        }
        Ok(made)
    }

    /// Whether there is a class of this handler under the name that it has here.
    ///
    /// # Errors
    /// When the class of that name is of another handler.
    pub fn has_class(&self, handler: &str) -> anyhow::Result<bool> {
        let name = objects::class(handler);
        match self.find("runtimeclass.node.k8s.io", &name)? {
            None => Ok(false),
            Some(found) if found["handler"] == handler => Ok(true),
            Some(found) => {
                let wrong = objects::of_another_handler(&found, handler);
                bail!("the RuntimeClass {wrong}: {}", objects::remedy(&name))
            }
        }
    }

    /// Pods are refused before a new namespace has its account. Whoever may not look for it goes on.
    fn await_account(&self) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        while clock.elapsed() < ACCOUNT_LIMIT {
            let cmd = self.inside().args(["get", "serviceaccount", "default", "--ignore-not-found", "-o", "name"]);
            let output = cmd.output()?;
            if output.code != Some(0) || !output.stdout.is_empty() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn make(&self, object: &Value) -> anyhow::Result<()> {
        let context = "`cargo xtask cluster manifests` prints what an administrator has to apply";
        self.cmd().args(CREATE).stdin(object.to_string()).run().map(drop).context(context)
    }

    /// Makes an object that is not there yet.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub fn create(&self, object: &Value) -> anyhow::Result<()> {
        self.inside().args(CREATE).stdin(object.to_string()).run().map(drop)
    }

    /// Follows the changes of our pods.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn watch(&self) -> anyhow::Result<Following> {
        let template = format!("jsonpath={CHANGES}");
        self.inside().args(["get", "pods", "-l", OURS, "--watch", "-o", &template]).follow()
    }

    /// Asks for the end of a Job, and does not wait for it.
    ///
    /// # Errors
    /// When the cluster can not be reached.
    pub fn end_job(&self, name: &str) -> anyhow::Result<()> {
        self.inside().args(["delete", "job", name, "--wait=false", "--ignore-not-found"]).run().map(drop)
    }

    /// Removes a Secret of ours.
    ///
    /// # Errors
    /// When the cluster can not be reached, or it may not be removed.
    pub fn remove_secret(&self, name: &str) -> anyhow::Result<()> {
        self.inside().args(["delete", "secret", name, "--ignore-not-found"]).run().map(drop)
    }

    /// Removes our Jobs and their pods, and returns when they are gone: each by name.
    ///
    /// # Errors
    /// When something stays.
    pub fn remove_jobs(&self) -> anyhow::Result<Vec<String>> {
        let names = self.jobs()?;
        if names.is_empty() {
            return Ok(names);
        }
        for kind in [
            format!("apis/batch/v1/namespaces/{}/jobs", self.namespace),
            format!("api/v1/namespaces/{}/pods", self.namespace),
        ] {
            // All of a kind at once: `kubectl delete` asks twice for each, and older ones five times in a second.
            let address = format!("/{kind}?labelSelector={}&propagationPolicy=Background", OURS.replace('=', "%3D"));
            let output = self.cmd().args(["delete", "--raw", &address]).limit(REMOVED_LIMIT).output()?;
            if output.code != Some(0) {
                // Whoever may not do that may still remove them one by one.
                removed(self.inside(), "jobs,pods")?;
                return Ok(names);
            }
        }
        let clock = Stopwatch::start();
        loop {
            let left = self.jobs()?;
            if left.is_empty() {
                return Ok(names);
            }
            ensure!(
                clock.elapsed() < REMOVED_LIMIT,
                "still there after {} s: {}",
                REMOVED_LIMIT.as_secs(),
                left.join(", ")
            );
            std::thread::sleep(LOOK);
        }
    }

    /// Our Jobs and their pods, by name.
    fn jobs(&self) -> anyhow::Result<Vec<String>> {
        let text = self.text(&["get", "jobs,pods", "-l", OURS, "-o", "name"])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Removes everything that has our label, wherever it is: each by name. A namespace that somebody else made stays.
    ///
    /// # Errors
    /// When something stays, or may not be removed.
    pub fn clean(&self) -> anyhow::Result<Vec<String>> {
        let mut all = self.remove_jobs()?;
        // Whoever may not look for secrets has made none here; and with a namespace of ours they go, too.
        if self.may("list", "secrets")? {
            all.extend(removed(self.inside(), "secrets")?);
        }
        for kinds in ["namespaces", "runtimeclasses.node.k8s.io"] {
            all.extend(removed(self.cmd(), kinds)?);
        }
        Ok(all)
    }

    /// What a kubelet counted of its calls to the container runtime, by call: sum in seconds, and how many.
    ///
    /// # Errors
    /// When the node does not answer, or it is not allowed.
    pub fn counters(&self, node: &str) -> anyhow::Result<Vec<Counter>> {
        let text = self.text(&["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/metrics")])?;
        Ok(counters(&text))
    }
}

/// One call of a kubelet.
#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    /// `run_podsandbox`, …
    pub call: String,
    /// Seconds that all of them took.
    pub sum: f64,
    /// How many.
    pub count: f64,
}

/// `kubelet_runtime_operations_duration_seconds`: that by runtime handler is broken in 1.20.
fn counters(text: &str) -> Vec<Counter> {
    const NAME: &str = "kubelet_runtime_operations_duration_seconds_";
    let mut found: Vec<Counter> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(NAME)) {
        let Some((kind, rest)) = line.split_once("{operation_type=\"") else { continue };
        let Some((call, value)) = rest.split_once("\"} ").filter(|_| kind != "bucket") else { continue };
        let Ok(value) = value.trim().parse::<f64>() else { continue };
        let at = found.iter().position(|counter| counter.call == call).unwrap_or_else(|| {
            found.push(Counter { call: call.to_owned(), sum: 0.0, count: 0.0 });
            found.len() - 1
        });
        match kind {
            "sum" => found[at].sum = value,
            "count" => found[at].count = value,
            _ => {}
        }
    }
    found
}

fn removed(cmd: Cmd, kinds: &str) -> anyhow::Result<Vec<String>> {
    let cmd = cmd.args(["delete", kinds, "-l", OURS, "--wait=true", "--ignore-not-found", "-o", "name"]);
    let output = cmd.limit(REMOVED_LIMIT).run()?;
    // Where there is nothing, it says so in a sentence.
    Ok(output.text().lines().filter(|line| line.contains('/') && !line.contains(' ')).map(str::to_owned).collect())
}

/// A line of the watch.
pub fn change(line: &str) -> Option<Change> {
    let mut fields = line.split('|').map(str::to_owned);
    Some(Change {
        pod: fields.next()?,
        job: fields.next()?,
        node: fields.next()?,
        phase: fields.next()?,
        waits: fields.next()?,
    })
}

/// The selector of a pod's Job.
pub fn of_job(name: &str) -> String {
    format!("{OURS},job-name={name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_call() {
        let text = "# HELP x\n\
            kubelet_runtime_operations_duration_seconds_bucket{operation_type=\"run_podsandbox\",le=\"0.005\"} 0\n\
            kubelet_runtime_operations_duration_seconds_sum{operation_type=\"run_podsandbox\"} 0.25\n\
            kubelet_runtime_operations_duration_seconds_count{operation_type=\"run_podsandbox\"} 2\n\
            kubelet_run_podsandbox_duration_seconds_sum{runtime_handler=\"\"} 7\n";
        assert_eq!(counters(text), [Counter { call: "run_podsandbox".to_owned(), sum: 0.25, count: 2.0 }]);
    }

    #[test]
    fn a_line_of_the_watch_is_a_change() {
        let found = change("r0-p1-x|r0-p1|n1|Pending|ContainerCreating").unwrap();
        assert_eq!(
            (found.job.as_str(), found.node.as_str(), found.waits.as_str()),
            ("r0-p1", "n1", "ContainerCreating")
        );
        assert_eq!(change("r0-p1-x|r0-p1||Pending|").unwrap().node, "");
        assert_eq!(change("nothing"), None);
    }
}
