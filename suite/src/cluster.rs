//! The stage on clusters: a real Kubernetes of three nodes on this machine, everything that `cluster` does with one, and its end.
//!
//! One node lacks a handler, and is the one that is killed. Not here: what a Kubernetes of several machines does.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};

use super::endings::{Traces, wait_until};
use super::{Check, Named, Rig, expect_code};
use results::metric::job;
use results::store::parse_samples;
use results::{Manifest, Outcome, Sample};
use xtask::cluster::local::{self, Local};
use xtask::cluster::objects::OURS;
use xtask::cluster::request::{OTHER_REGISTRY, REGISTRY};
use xtask::cmd::{Cmd, Output, Running};
use xtask::registry::{Credentials, Destination, EmbeddedRegistry, PlainHttp};
use xtask::secret::Secret;

mod mistakes;

/// The node that lacks a handler.
const LACKING: &str = "n3";
/// The node that is drained.
const DRAINED: &str = "n2";
/// A namespace that somebody else has made: its end would be waited for in each check.
const PREPARED: &str = "prepared";
/// How long it may be without its account.
const ACCOUNT_LIMIT: Duration = Duration::from_mins(1);
/// How many pods a burst has here.
const BURST: &str = "8";
/// The cells of Jobs, with the twin.
const CELLS: usize = 5;
/// A user who may do everything that is needed but read the metrics of nodes.
const LIMITED: &str = "limited";
/// How long a run may take to its first samples.
const BEGIN_LIMIT: Duration = Duration::from_mins(3);
/// What a kubelet would change of the whole machine.
const SYSCTLS: [&str; 4] = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"];

const UP: &str = "a cluster comes up, and its three nodes are ready";
const END: &str = "one SIGKILL ends it, `down` removes its traces, and nothing of the machine has changed";
const ON_IT: [Named; 9] = [
    ("a handler that a node lacks is found by `doctor`, and its pods are rows with the reason", lacking),
    ("Jobs of every kind on two nodes, and bursts: none is lost, and the kubelets' counters are read", measured),
    ("an index by mistake runs the native program under any RuntimeClass, and is no sample", mistakes::index),
    ("a program of somebody's own, under another handler: what it is given arrives", mistakes::own_program),
    ("a RuntimeClass of another handler is found by `doctor`, and refused by `run`", mistakes::other_handler),
    ("an image that nodes may not have is a row with the reason", mistakes::refused_image),
    ("whoever may not read the metrics of nodes gets the rest, and is told; nodes pull, with an account", limited),
    ("after SIGKILL `clean` removes what is ours, and nothing else", cleaned),
    (
        "a node that is killed in the middle, and one that is drained, are named, and nothing that was measured is lost",
        lost,
    ),
];

/// Every check.
pub fn cluster(rig: &Rig) -> Vec<Check> {
    let names = std::iter::once(UP).chain(ON_IT.map(|(name, _)| name)).chain([END]);
    if let Some(reason) = impossible(rig) {
        return names.map(|name| Check::skipped(name, reason.clone())).collect();
    }
    let before = match Machine::now(rig) {
        Ok(before) => before,
        Err(error) => return vec![Check::of(UP, Err(error))],
    };
    let mut checks = vec![Check::of(UP, up(rig))];
    let is_up = local::find(&rig.workspace).is_some();
    checks.extend(ON_IT.map(|(name, check)| {
        if is_up { Check::of(name, check(rig)) } else { Check::skipped(name, "the cluster did not come up") }
    }));
    checks.push(Check::of(END, ended(rig, &before)));
    checks
}

/// Why there can be no cluster on this machine.
fn impossible(rig: &Rig) -> Option<String> {
    rig.no_containers().or_else(|| local::ensure_possible().err().map(|error| format!("{error:#}")))
}

/// What a cluster must leave as it is.
struct Machine {
    traces: Traces,
    sysctls: BTreeMap<&'static str, String>,
}

impl Machine {
    fn now(rig: &Rig) -> anyhow::Result<Self> {
        let value =
            |name: &'static str| anyhow::Ok((name, std::fs::read_to_string(Path::new("/proc/sys").join(name))?));
        Ok(Self { traces: Traces::now(rig)?, sysctls: SYSCTLS.into_iter().map(value).collect::<Result<_, _>>()? })
    }
}

fn found(rig: &Rig) -> anyhow::Result<Local> {
    local::find(&rig.workspace).context("the cluster is gone")
}

/// `kubectl` as the administrator.
fn kubectl(rig: &Rig, args: &[&str]) -> anyhow::Result<Cmd> {
    let local = found(rig)?;
    let prefix = local.prefix();
    let cmd = Cmd::new(&prefix[0]).args(&prefix[1..]).arg(&local.kubectl).arg("--kubeconfig").arg(local.kubeconfig());
    Ok(cmd.args(args))
}

fn up(rig: &Rig) -> anyhow::Result<()> {
    let lacking = format!("{LACKING}=wasmedge");
    let said = rig.xtask(&["cluster", "local", "up", "--nodes", "3", "--lacking", &lacking]).run()?.text();
    ensure!(said.contains("January 2021") && said.contains("3 nodes"), "it says: {said}");
    let nodes = kubectl(rig, &["get", "nodes", "-o", "name"])?.run()?.text();
    ensure!(nodes == "node/n1\nnode/n2\nnode/n3", "its nodes: {nodes}");
    let again = rig.xtask(&["cluster", "local", "up"]).output()?;
    super::expect_error(&again, 1, &["is up already", "cluster local down"])?;
    kubectl(rig, &["create", "namespace", PREPARED])?.run()?;
    let account = kubectl(rig, &["get", "serviceaccount", "default", "--namespace", PREPARED])?;
    wait_until(ACCOUNT_LIMIT, || Ok(account.output()?.code == Some(0))).context("a new namespace has no account")
}

/// A measurement in the namespace that is there, into a folder of this name.
fn measurement(rig: &Rig, name: &str, more: &[&str]) -> (Cmd, PathBuf) {
    let out = rig.scratch.join(format!("cluster-{name}"));
    let cmd =
        rig.xtask(&["cluster", "run", "--local", "--namespace", PREPARED, "--out", &out.to_string_lossy()]).args(more);
    (cmd, out)
}

fn read(out: &Path) -> anyhow::Result<(Manifest, Vec<Sample>)> {
    let manifest = serde_json::from_slice(&std::fs::read(out.join("manifest.json"))?)?;
    let (samples, lost) = parse_samples(&std::fs::read(out.join("samples.jsonl"))?);
    ensure!(lost.is_empty(), "{lost:?}");
    Ok((manifest, samples))
}

fn lacking(rig: &Rig) -> anyhow::Result<()> {
    let doctor = rig.xtask(&["cluster", "doctor", "--local", "--namespace", PREPARED]);
    let absent = doctor.clone().args(["--probe", "10.200.0.1:9"]);
    let doctor = doctor.args(["--probe", REGISTRY]).output()?;
    expect_code(&doctor, 3)?;
    let said = doctor.text();
    let answers = |of: &str| format!("{of}, and `{REGISTRY}` answers it");
    for words in [&answers("wasmedge on n1"), &answers("runc on n3"), "wasmedge on n3: there is none"] {
        ensure!(said.contains(words), "`doctor` does not say {words:?}:\n{said}");
    }
    let absent = absent.output()?;
    ensure!(absent.text().contains("`10.200.0.1:9` does not answer"), "{}", absent.text());
    let cases = ["--case", "native/job-runc", "--case", "native/job-wasmedge"];
    let rounds = ["--node", LACKING, "--bench", "noop", "--rounds", "1", "--warmup", "0"];
    let (cmd, out) = measurement(rig, "lacking", &[&cases[..], &rounds].concat());
    expect_code(&cmd.output()?, 3)?;
    for sample in read(&out)?.1 {
        let reason = sample.reason.as_deref().unwrap_or_default();
        let is_right = match sample.case.as_str() {
            "native/job-wasmedge" => sample.outcome == Outcome::NotStarted && reason.contains("no runtime for"),
            _ => sample.outcome == Outcome::Ok,
        };
        ensure!(is_right, "{sample:?}");
    }
    Ok(())
}

fn measured(rig: &Rig) -> anyhow::Result<()> {
    let nodes = ["--node", "n1", "--node", "n2", "--burst", BURST];
    let rounds = ["--bench", "array-sum", "--rounds", "1", "--warmup", "0"];
    let (cmd, out) = measurement(rig, "jobs", &[&nodes[..], &rounds].concat());
    let said = cmd.run()?.text();
    for words in ["array-sum@n1", "array-sum@8-at-once", "All nodes of the cluster together", "Node by node"] {
        ensure!(said.contains(words), "the report does not say {words:?}: {said}");
    }
    let (manifest, samples) = read(&out)?;
    ensure!(manifest.not_measured.is_empty(), "{:?}", manifest.not_measured);
    ensure!(samples.len() == 3 * CELLS, "{} samples", samples.len());
    let mut counted = 0;
    for sample in &samples {
        ensure!(sample.outcome == Outcome::Ok, "{sample:?}");
        let value = |metric: &str| sample.value(metric);
        let (created, scheduled, ended) = (value(job::CREATED), value(job::SCHEDULED), sample.wall_ns());
        ensure!(created.is_some() && scheduled.is_some() && created < ended && scheduled < ended, "{sample:?}");
        if let Some(sandbox) = value(job::CALLS[0].1) {
            ensure!(Some(sandbox) < ended && sandbox > 0, "{sample:?}");
            counted += 1;
        }
    }
    // Another pod's call in between is no call of this one's.
    ensure!(counted * 10 >= samples.len() * 9, "only {counted} of {} have the kubelets' counters", samples.len());
    let version = &manifest.host.as_ref().context("it says nothing of its nodes")?.containerd;
    ensure!(version.contains("n2: kubelet v1.20.2, containerd://1.7"), "its nodes: {version}");
    Ok(())
}

/// Also the way of whoever has a cluster elsewhere: by a file that names it, and a registry that its nodes reach.
fn limited(rig: &Rig) -> anyhow::Result<()> {
    kubectl(rig, &["apply", "-f", "-"])?.stdin(rights().to_string()).run()?;
    let local = found(rig)?;
    let mut config: Value = serde_json::from_slice(&std::fs::read(local.kubeconfig())?)?;
    config["users"][0]["user"]["as"] = json!(LIMITED);
    let file = rig.scratch.join("limited.kubeconfig");
    std::fs::write(&file, config.to_string())?;
    let out = rig.scratch.join("cluster-limited");
    let (file, prefix) = (file.to_string_lossy(), local.prefix());
    let cmd = rig.xtask_below(&prefix[0], &prefix[1..]).args(["cluster", "run", "--kubeconfig", &file, "--kubectl"]);
    let (account, _registry) = private_registry(rig, &local, "limited")?;
    let registry = ["--registry", OTHER_REGISTRY, "--plain-http", "--pull-secret", "--pull"];
    let cmd = cmd
        .arg(&local.kubectl)
        .args(registry)
        .args(["--host-network", "--namespace", PREPARED, "--node", "n2"])
        .env("DOCKER_CONFIG", &account);
    let rounds = ["--bench", "noop", "--case", "native/job-runc", "--rounds", "1", "--warmup", "0", "--out"];
    expect_code(&cmd.args(rounds).arg(&out).output()?, 3)?;
    let (manifest, samples) = read(&out)?;
    pulled(rig, &samples)?;
    ensure!(samples.iter().all(|sample| sample.outcome == Outcome::Ok), "{samples:?}");
    ensure!(samples.iter().all(|sample| sample.value(job::CALLS[0].1).is_none()), "{samples:?}");
    let said = manifest.not_measured.iter().any(|row| row.metric.is_some() && row.reason.contains("nodes/proxy"));
    ensure!(said, "{:?}", manifest.not_measured);
    ensure!(manifest.programs.is_empty(), "programs of this machine are recorded as those of the nodes");
    let may = rig.xtask_below(&prefix[0], &prefix[1..]).args(["cluster", "doctor", "--kubeconfig", &file, "--kubectl"]);
    let may = may.arg(&local.kubectl).output()?;
    expect_code(&may, 3)?;
    ensure!(may.text().contains("none to get nodes/proxy"), "{}", may.text());
    Ok(())
}

/// A registry in the cluster's network that wants a login, and the folder of an account for it, by this name.
fn private_registry(rig: &Rig, local: &Local, name: &str) -> anyhow::Result<(PathBuf, EmbeddedRegistry)> {
    let account = Credentials::Password { user: "nodes".to_owned(), password: Secret::random()? };
    let destination = Destination::parse(OTHER_REGISTRY, PlainHttp::Requested)?;
    let folder = rig.scratch.join(format!("cluster-account-{name}"));
    std::fs::create_dir_all(&folder)?;
    let config = account.docker_config(&destination).context("it has no account")?;
    std::fs::write(folder.join("config.json"), config.expose())?;
    let network = std::fs::File::open(format!("/proc/{}/ns/net", local.process))?;
    let start = move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        EmbeddedRegistry::on_network(OTHER_REGISTRY.parse()?, account)
    };
    // A socket stays in the network of the thread that has made it.
    let started = std::thread::spawn(start).join();
    Ok((folder, started.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?))
}

/// That nodes pulled where they were to pull, each time another image, and that nothing is left of what they pulled with.
fn pulled(rig: &Rig, samples: &[Sample]) -> anyhow::Result<()> {
    let (pulls, others): (Vec<_>, Vec<_>) = samples.iter().partition(|sample| sample.bench.ends_with("+pull"));
    ensure!(pulls.len() == 2 && others.len() == 2, "{samples:?}");
    for sample in &pulls {
        let took = sample.value(job::PULLED);
        ensure!(took.is_some_and(|ns| ns > 0) && took < sample.wall_ns(), "{sample:?}");
    }
    ensure!(others.iter().all(|sample| sample.value(job::PULLED).is_none()), "{others:?}");
    let secrets = kubectl(rig, &["get", "secrets", "--all-namespaces", "-l", OURS, "-o", "name"])?.run()?.text();
    ensure!(secrets.is_empty(), "left behind: {secrets}");
    Ok(())
}

fn rights() -> Value {
    let rule =
        |group: &str, resources: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": ["*"] });
    let name = |kind: &str| json!({ "kind": kind, "name": LIMITED, "apiGroup": "rbac.authorization.k8s.io" });
    let version = "rbac.authorization.k8s.io/v1";
    let core = ["namespaces", "nodes", "pods", "pods/log", "events", "secrets"];
    let rules = [rule("", &core), rule("batch", &["jobs"]), rule("node.k8s.io", &["runtimeclasses"])];
    let granted =
        json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": { "name": LIMITED }, "rules": rules });
    let binding = json!({
        "apiVersion": version,
        "kind": "ClusterRoleBinding",
        "metadata": { "name": LIMITED },
        "roleRef": name("ClusterRole"),
        "subjects": [name("User")],
    });
    json!({ "apiVersion": "v1", "kind": "List", "items": [granted, binding] })
}

/// Starts a long run, and returns when each of these benches has a sample.
fn long_run(rig: &Rig, out: &Path, cmd: &Cmd, benches: &[&str]) -> anyhow::Result<Running> {
    let running = cmd.start()?;
    wait_until(BEGIN_LIMIT, || {
        running.ensure_running()?;
        let text = std::fs::read(out.join("samples.jsonl")).unwrap_or_default();
        let samples = parse_samples(&text).0;
        Ok(benches.iter().all(|bench| samples.iter().any(|sample| sample.bench == *bench)))
    })
    .with_context(|| format!("`{}` did not come to its first samples", rig.scratch.display()))?;
    Ok(running)
}

fn cleaned(rig: &Rig) -> anyhow::Result<()> {
    kubectl(rig, &["create", "namespace", "bystander"])?.run()?;
    let out = rig.scratch.join("cluster-killed");
    let cmd = rig
        .xtask(&["cluster", "run", "--local", "--node", "n1", "--bench", "noop", "--rounds", "50", "--out"])
        .arg(&out);
    let running = long_run(rig, &out, &cmd, &["noop@n1"])?;
    running.signal(rustix::process::Signal::KILL)?;
    drop(running);
    let ours = ["get", "namespaces,runtimeclasses,jobs,pods", "--all-namespaces", "-l", OURS, "-o", "name"];
    ensure!(kubectl(rig, &ours)?.run()?.text().contains("job"), "nothing is left behind: this check could not fail");
    let said = rig.xtask(&["cluster", "clean", "--local"]).run()?.text();
    ensure!(said.contains("namespace/deploy-bench") && said.contains("deploy-bench-wasmedge"), "it says: {said}");
    let left = kubectl(rig, &ours)?.run()?.text();
    ensure!(left.is_empty(), "left behind: {left}");
    kubectl(rig, &["get", "namespace", "bystander"])?.run()?;
    let nothing = rig.xtask(&["cluster", "clean", "--local"]).run()?.text();
    ensure!(nothing.contains("nothing of ours was there"), "it says: {nothing}");
    // What is there of the run is a run.
    expect_code(&rig.xtask(&["report", &out.to_string_lossy()]).output()?, 3)
}

fn lost(rig: &Rig) -> anyhow::Result<()> {
    let nodes = ["--node", "n1", "--node", DRAINED, "--node", LACKING];
    let more = ["--bench", "noop", "--case", "native/job-runc", "--rounds", "4", "--warmup", "0"];
    let (cmd, out) = measurement(rig, "lost", &[&nodes[..], &more].concat());
    let running = long_run(rig, &out, &cmd, &["noop@n2", "noop@n3"])?;
    kill_node(&found(rig)?)?;
    // Meanwhile the next Job of the killed node is waited for.
    kubectl(rig, &["drain", DRAINED, "--force", "--ignore-daemonsets"])?.run()?;
    let ended: Output = running.wait(super::rig::COMMAND_LIMIT)?;
    expect_code(&ended, 3)?;
    let (manifest, samples) = read(&out)?;
    let of = |node: &str| samples.iter().filter(|sample| sample.bench == node).collect::<Vec<_>>();
    let here = of("noop@n1");
    ensure!(here.len() == 8 && here.iter().all(|sample| sample.outcome == Outcome::Ok), "{here:?}");
    for (node, why) in [(LACKING, "is lost: it is not ready"), (DRAINED, "is lost: it is cordoned")] {
        let gone = of(&format!("noop@{node}"));
        ensure!(gone.iter().any(|sample| sample.outcome == Outcome::Ok), "{gone:?}");
        let said = format!("the node `{node}` {why}");
        let reason = |row: &results::NotMeasured| row.bench.ends_with(node) && row.reason.contains(&said);
        ensure!(manifest.not_measured.iter().any(reason), "{said}: {:?}", manifest.not_measured);
    }
    Ok(())
}

/// Everything in the node's cgroup: with its first process the kernel ends the others.
fn kill_node(local: &Local) -> anyhow::Result<()> {
    let folder = Path::new("/sys/fs/cgroup/memory").join(local.group()).join(LACKING);
    let list = std::fs::read_to_string(folder.join("cgroup.procs"))?;
    for pid in list.lines().filter_map(|line| rustix::process::Pid::from_raw(line.parse().ok()?)) {
        match rustix::process::kill_process(pid, rustix::process::Signal::KILL) {
            // It has ended with another one.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error).context("the node can not be killed"),
        }
    }
    Ok(())
}

fn ended(rig: &Rig, before: &Machine) -> anyhow::Result<()> {
    if let Some(local) = local::find(&rig.workspace) {
        ensure!(Traces::now(rig)? != before.traces, "a running cluster leaves no trace: this check could not fail");
        let process = i32::try_from(local.process).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(process.context("it has no process")?, rustix::process::Signal::KILL)?;
        let group = format!("/sys/fs/cgroup/*/{}/**/cgroup.procs", local.group());
        wait_until(Duration::from_secs(20), || {
            let lists = glob::glob(&group)?.flatten().map(|list| std::fs::read_to_string(list).unwrap_or_default());
            Ok(lists.into_iter().all(|list| list.is_empty()))
        })
        .context("processes are left of the cluster")?;
    }
    rig.xtask(&["cluster", "local", "down"]).run()?;
    Traces::gone(rig, &before.traces)?;
    let folder = rig.workspace.target().join("cluster");
    let left: Vec<_> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    let now = Machine::now(rig)?;
    ensure!(now.sysctls == before.sysctls, "{:?} instead of {:?}", now.sysctls, before.sysctls);
    Ok(())
}
