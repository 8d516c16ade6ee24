//! One Job: asked for, followed through a watch until its pods have ended, and checked: image, exit status, output.
//!
//! What the clock shows is what `kubectl` shows, and a kubelet looks at its containers once a second. Its own counters are
//! finer, and are read after each Job where that is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::counters::Counters;
use super::output::{self, Judge};
use super::pull::{self, Pull};
use crate::bench::Variable;
use crate::clock::Stopwatch;
use crate::cluster::kubectl::{Change, Kubectl, change, of_job};
use crate::cluster::nodes;
use crate::cluster::objects::{self, JobSpec, Network, Pods};
use crate::cmd::Following;
use crate::matrix::Annotations;
use crate::measure::runs::NamedImage;
use results::Outcome;
use results::metric::{HEADLINE, job};

/// How long the watch is waited for at a time.
const LOOK: Duration = Duration::from_millis(500);
/// After so long without a change it is asked why.
const QUIET: Duration = Duration::from_secs(4);
/// So much longer a burst may take for each of its pods.
const PER_POD: Duration = Duration::from_secs(1);
/// What a container waits for in vain.
const HOPELESS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];
/// What a kubelet says of a sandbox that it will never have.
const NO_HANDLER: &str = "no runtime for";
/// Of so many pods that are wrong the reason is given.
const REASONS_SHOWN: usize = 2;

/// What is to be run.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The Job's name.
    pub name: String,
    /// Its pods.
    pub pods: &'a Pods,
    /// The runtime handler.
    pub handler: &'a str,
    /// What its pods are annotated with.
    pub annotations: &'a Annotations,
    /// The image.
    pub image: Option<&'a NamedImage>,
    /// The program's arguments.
    pub args: &'a [String],
    /// Its environment.
    pub env: &'a [Variable],
    /// The network of its pods.
    pub network: Network,
    /// The Secret with which its nodes pull.
    pub pull_secret: Option<&'a str>,
    /// How long one pod may take.
    pub limit: Duration,
}

/// Why a Job is no sample.
#[derive(Debug)]
pub enum Failure {
    /// Its run went wrong.
    Run(Outcome, String),
    /// A node that it needs is gone.
    Lost {
        /// The node.
        node: String,
        /// Why.
        why: String,
        /// What became of the Job, where it came to something.
        job: Option<String>,
    },
}

impl Failure {
    /// As a sample has it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Run(outcome, _) => *outcome,
            Self::Lost { .. } => Outcome::NotStarted,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(_, why) | Self::Lost { why, job: None, .. } => f.write_str(why),
            Self::Lost { why, job: Some(job), .. } => write!(f, "{why}; its Job: {job}"),
        }
    }
}

/// What follows Jobs.
#[derive(Debug)]
pub struct Observer<'a> {
    kubectl: &'a Kubectl,
    watch: Following,
    counters: Counters<'a>,
}

type Values = BTreeMap<String, u64>;

impl<'a> Observer<'a> {
    /// Begins to watch the pods of a namespace, and reads the counters of their nodes.
    ///
    /// # Errors
    /// When the watch can not be started.
    pub fn new(kubectl: &'a Kubectl, pods: &[Pods]) -> anyhow::Result<Self> {
        let nodes: BTreeSet<&String> = pods.iter().flat_map(Pods::nodes).collect();
        Ok(Self { kubectl, watch: kubectl.watch()?, counters: Counters::read(kubectl, nodes) })
    }

    /// Why the counters of kubelets are not read, if they are not.
    pub fn uncounted(&self) -> Option<&str> {
        self.counters.unread.as_deref()
    }

    /// Runs one: what was measured of it, and whether that is a sample.
    pub fn run(&mut self, asked: &Asked<'_>, judge: &mut Judge<'_>) -> (Values, Result<(), Failure>) {
        let mut values = Values::new();
        let end = self.measure(asked, judge, &mut values);
        let end = end.unwrap_or_else(|error| Err(Failure::Run(Outcome::NotStarted, format!("{error:#}"))));
        let end = end.map_err(|failure| self.blamed(asked, failure));
        if end.is_err() {
            // What did not run took no time.
            values.clear();
        }
        (values, end)
    }

    /// A Job that failed on a node that takes no more, as after its pods were evicted, failed for that reason.
    fn blamed(&self, asked: &Asked<'_>, failure: Failure) -> Failure {
        let Failure::Run(outcome, job) = failure else { return failure };
        let lost = asked.pods.nodes().iter().find_map(|node| Some((node, nodes::lost(self.kubectl, node)?)));
        match lost {
            Some((node, why)) => Failure::Lost { node: node.clone(), why, job: Some(job) },
            None => Failure::Run(outcome, job),
        }
    }

    fn measure(
        &mut self,
        asked: &Asked<'_>,
        judge: &mut Judge<'_>,
        values: &mut Values,
    ) -> anyhow::Result<Result<(), Failure>> {
        let image = asked.image.context("it has no image")?;
        let object = objects::job(&JobSpec {
            name: &asked.name,
            pods: asked.pods,
            handler: asked.handler,
            annotations: asked.annotations,
            image: &image.reference,
            command: &image.entrypoint,
            args: asked.args,
            env: asked.env,
            network: asked.network,
            pull_secret: asked.pull_secret,
        });
        let clock = Stopwatch::start();
        self.kubectl.create(&object)?;
        values.insert(job::CREATED.to_owned(), clock.elapsed_ns());
        if let Err(failure) = self.follow(asked, clock, values)? {
            return Ok(Err(failure));
        }
        values.insert(HEADLINE.to_owned(), clock.elapsed_ns());
        self.counters.count(asked.pods, values);
        let checked = self.check(asked, image, judge)?;
        if checked.is_err() || !matches!(asked.pods, Pods::Pulling { .. }) {
            return Ok(checked);
        }
        match pull::of_job(self.kubectl, &asked.name)? {
            Pull::Took(ns) => drop(values.insert(job::PULLED.to_owned(), ns)),
            Pull::Unsaid => {}
            Pull::None => {
                let why = "its node had the image before, so that it pulled nothing".to_owned();
                return Ok(Err(Failure::Run(Outcome::NotStarted, why)));
            }
        }
        Ok(Ok(()))
    }

    /// Follows the pods of a Job to their ends, or to where there is none to come.
    fn follow(
        &mut self,
        asked: &Asked<'_>,
        clock: Stopwatch,
        values: &mut Values,
    ) -> anyhow::Result<Result<(), Failure>> {
        let count = asked.pods.count();
        let limit = asked.limit + PER_POD * (count - 1);
        let mut quiet = Stopwatch::start();
        let (mut placed, mut ended) = (BTreeSet::new(), BTreeSet::new());
        loop {
            if clock.elapsed() > limit {
                let why = format!("not ended after {} ms{}", limit.as_millis(), self.said(&asked.name));
                return Ok(Err(Failure::Run(Outcome::TimedOut, why)));
            }
            if quiet.elapsed() > QUIET {
                if let Some(failure) = self.look(asked) {
                    return Ok(Err(failure));
                }
                quiet = Stopwatch::start();
            }
            let Some(change) = self.change()?.filter(|change| change.job == asked.name) else { continue };
            quiet = Stopwatch::start();
            if !change.node.is_empty() && placed.insert(change.pod.clone()) && placed.len() == count as usize {
                values.insert(job::SCHEDULED.to_owned(), clock.elapsed_ns());
            }
            if HOPELESS.contains(&change.waits.as_str()) {
                let why = format!("{}{}", change.waits, self.said(&asked.name));
                return Ok(Err(Failure::Run(Outcome::NotStarted, why)));
            }
            match change.phase.as_str() {
                // With one that failed the others are ended: the check says what they came to.
                "Failed" => return Ok(Ok(())),
                "Succeeded" => ended.insert(change.pod),
                _ => continue,
            };
            if ended.len() == count as usize {
                return Ok(Ok(()));
            }
        }
    }

    /// The next change. A server ends a watch now and then, which is no reason to end a run.
    fn change(&mut self) -> anyhow::Result<Option<Change>> {
        let Ok(line) = self.watch.line(LOOK) else {
            self.watch = self.kubectl.watch()?;
            return Ok(None);
        };
        Ok(line.as_deref().and_then(change))
    }

    /// Why nothing changes, where that will stay so.
    fn look(&self, asked: &Asked<'_>) -> Option<Failure> {
        for node in asked.pods.nodes() {
            if let Some(why) = nodes::lost(self.kubectl, node) {
                return Some(Failure::Lost { node: node.clone(), why, job: None });
            }
        }
        let said = warnings(self.kubectl, &asked.name);
        let is_final = |(reason, message): &&(String, String)| reason == "FailedCreate" || message.contains(NO_HANDLER);
        let (reason, message) = said.iter().rfind(is_final)?;
        Some(Failure::Run(Outcome::NotStarted, format!("{reason}: {message}")))
    }

    /// What says what nothing else does.
    fn said(&self, name: &str) -> String {
        telling(warnings(self.kubectl, name)).map_or_else(String::new, |message| format!(": {message}"))
    }

    fn check(
        &self,
        asked: &Asked<'_>,
        image: &NamedImage,
        judge: &mut Judge<'_>,
    ) -> anyhow::Result<Result<(), Failure>> {
        let found = self.kubectl.json(&["get", "pods", "-l", &of_job(&asked.name)])?;
        let pods = found["items"].as_array().map_or(&[][..], Vec::as_slice);
        let mut reasons = Vec::new();
        let mut worst = Outcome::WrongOutput;
        for pod in pods {
            if let Err((outcome, reason)) = state(pod, image) {
                worst = outcome;
                reasons.push(reason);
            }
        }
        let count = asked.pods.count() as usize;
        if !reasons.is_empty() {
            let log = output::of_all(self.kubectl, &asked.name).unwrap_or_default();
            reasons.truncate(REASONS_SHOWN);
            let why = format!("{}; its output: `{}`", reasons.join("; "), String::from_utf8_lossy(&log).trim_end());
            return Ok(Err(Failure::Run(worst, why)));
        }
        if pods.len() != count {
            let why = format!("{} of its {count} pods are there", pods.len());
            return Ok(Err(Failure::Run(Outcome::NotStarted, why)));
        }
        let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
        let fault = output::fault(self.kubectl, (&asked.name, &names), judge)?;
        Ok(fault.map_or(Ok(()), |why| Err(Failure::Run(Outcome::WrongOutput, why))))
    }
}

/// The last warning that says more than what a container waits for, which is known.
fn telling(mut warnings: Vec<(String, String)>) -> Option<String> {
    let is_telling =
        |(_, message): &(String, String)| !HOPELESS.iter().any(|waits| *message == format!("Error: {waits}"));
    let last = warnings.iter().rposition(is_telling).or_else(|| warnings.len().checked_sub(1))?;
    Some(warnings.swap_remove(last).1)
}

/// The warnings about a Job and its pods: reason and message, the last one last.
fn warnings(kubectl: &Kubectl, name: &str) -> Vec<(String, String)> {
    let Ok(events) = kubectl.json(&["get", "events", "--field-selector", "type=Warning"]) else { return Vec::new() };
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let of_pods = format!("{name}-");
    let is_its = |event: &&Value| {
        let of = event["involvedObject"]["name"].as_str().unwrap_or_default();
        of == name || of.starts_with(&of_pods)
    };
    let events = events["items"].as_array().into_iter().flatten().filter(is_its);
    events.map(|event| (text(event, "reason"), text(event, "message"))).collect()
}

/// Whether a pod ran the image that was meant, and ended well.
///
/// # Errors
/// What it is instead of a sample, and why.
pub fn state(pod: &Value, image: &NamedImage) -> Result<(), (Outcome, String)> {
    let status = &pod["status"]["containerStatuses"][0];
    let ran = status["imageID"].as_str().unwrap_or_default();
    // After a pull it is the manifest's digest.
    if !ran.ends_with(&image.manifest.to_string()) {
        return Err((Outcome::WrongOutput, format!("the node ran `{ran}`, which is not `{}`", image.reference)));
    }
    match status["state"]["terminated"]["exitCode"].as_i64() {
        Some(0) => Ok(()),
        Some(code) => Err((Outcome::NonZeroExit, format!("exit status {code}"))),
        None => Err((Outcome::NotStarted, "it has no exit status".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::digest::Digest;
    use serde_json::json;

    #[test]
    fn of_warnings_the_one_with_the_reason_is_told() {
        let warning = |message: &str| ("Failed".to_owned(), message.to_owned());
        let why = "Failed to pull image \"r/x\": 401 Unauthorized";
        let of = |messages: &[&str]| telling(messages.iter().map(|message| warning(message)).collect());
        let all = [why, "Error: ErrImagePull", "Error: ImagePullBackOff"];
        assert_eq!(of(&all).as_deref(), Some(why));
        assert_eq!(of(&all[1..]).as_deref(), Some("Error: ImagePullBackOff"));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_pod_is_held_against_the_manifest_that_was_meant() {
        let manifest = Digest::of(b"meant");
        let image = NamedImage {
            name: "native".to_owned(),
            reference: format!("r/native@{manifest}"),
            manifest,
            blobs: Vec::new(),
            transfer_bytes: 0,
            platform: "linux/amd64".to_owned(),
            entrypoint: Vec::new(),
        };
        let pod =
            |id: &str, state: Value| json!({ "status": { "containerStatuses": [{ "imageID": id, "state": state }] } });
        let done = |code: i64| json!({ "terminated": { "exitCode": code } });
        let right = format!("r/native@{manifest}");
        assert_eq!(state(&pod(&right, done(0)), &image), Ok(()));
        assert_eq!(state(&pod(&right, done(3)), &image).unwrap_err().0, Outcome::NonZeroExit);
        assert_eq!(state(&pod(&right, json!({})), &image).unwrap_err().0, Outcome::NotStarted);
        // What an index by mistake comes to.
        let index = format!("r/native@{}", Digest::of(b"an index"));
        let (outcome, why) = state(&pod(&index, done(0)), &image).unwrap_err();
        assert_eq!(outcome, Outcome::WrongOutput);
        assert!(why.contains("which is not"), "{why}");
    }
}
