//! `cluster run`: the set-up of any run, then Jobs instead of processes and containers, then the report of any run.
//!
//! A bench is a program on a node: each node has rows of its own, and pairs within it. The program is this project's, or
//! somebody's own.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};

use super::target;
use crate::bench::{Bench, Reads};
use crate::cli::{ClusterRunArgs, Exit, RegistryArgs, USUAL_HANDLERS};
use crate::clock::now_utc;
use crate::cluster::jobs::{Jobs, JobsEnd};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::objects::{self, Network, Pods};
use crate::cluster::request::REGISTRY;
use crate::cluster::{local, nodes, processes};
use crate::machine::load::Snapshot;
use crate::matrix::handler::PODS;
use crate::matrix::{Annotations, Behaviour, Matrix};
use crate::measure::calibration::Modes;
use crate::measure::runs::{ComparedOutput, Runs, Start};
use crate::plan::{Plan, Rounds, plan};
use crate::prepare::node::NodeDaemon;
use crate::prepare::own;
use crate::prepare::selection::{self, Selected};
use crate::prepare::{self, Prepared, Sources, manifest, prepare, pulled};
use crate::registry::Credentials;
use crate::secret::Secret;
use crate::session::measured::Measured;
use crate::session::privileges::Privileges;
use crate::stop::Stop;
use crate::workspace::Workspace;
use crate::{commands, lock};
use results::case::{Case, Cell, Pod, PodLife};
use results::store::{RunDir, SampleSink, ensure_new};
use results::{HostRecord, Manifest, OnNode, PULLING};

/// What the name of a runtime in pods becomes.
const JOBS: &str = "job-";

/// Measures.
pub fn run(workspace: &Workspace, args: &ClusterRunArgs) -> anyhow::Result<Exit> {
    if args.target.local && std::env::var_os(INSIDE).is_none() {
        return inside(workspace);
    }
    let registry = registry(args)?;
    let account = account(args, &registry)?;
    if let Some(out) = &args.out {
        ensure_new(out)?;
    }
    let kubectl = target::kubectl(workspace, &args.target)?;
    let nodes = nodes::ready(&kubectl, &args.nodes)?;
    let placed = select(workspace, args, &nodes)?;
    let handlers = handlers(&placed.selected.plan);
    // Before minutes of building for rows that would be another handler's.
    handlers.iter().try_for_each(|handler| kubectl.has_class(handler).map(drop))?;
    let _locks = lock::measure(workspace, args.busy.busy())?;
    let stop = Stop::on_signals()?;
    let (started, before) = (now_utc(), Snapshot::take());
    let selected = &placed.selected;
    let own = selected.own.as_ref().map(|own| &own.known);
    let sources = Sources { programs: &args.programs, registry: &registry, own };
    let prepared = prepare(workspace, (&selected.matrix, &selected.plan), sources, &stop)?;
    let mut manifest = manifest::begin(workspace, settings(args), selected, &prepared, started)?;
    if !args.target.local {
        forget_programs(&mut manifest);
    }
    for (bench, on_node) in manifest.benches.iter_mut().zip(placed.on_nodes) {
        bench.on_node = on_node;
    }
    let pulling = |(bench, pods): (usize, &Pods)| matches!(pods, Pods::Pulling { .. }).then_some(bench);
    let pulling: Vec<usize> = placed.pods.iter().enumerate().filter_map(pulling).collect();
    let pulled = pulled::ship(&prepared, &selected.plan, &pulling, (&manifest.run, &stop))?;
    let out = commands::bench::out_dir(workspace, (args.out.as_deref(), &args.origin), &manifest)?;
    let dir = RunDir::create(&out, &manifest)?;
    let runs = runs(&selected.plan, &prepared, args);
    let own_network = !(args.host_network || args.target.local);
    let prefix = format!("run-{}-{}", started.compact().to_lowercase(), std::process::id());
    let jobs = Jobs {
        kubectl: &kubectl,
        runs: &runs,
        annotations: annotations(selected)?,
        pods: placed.pods,
        programs: placed.programs,
        pulled,
        network: if own_network { Network::Pod } else { Network::Node },
        pull_secret: account.is_some().then(|| prefix.clone()),
        prefix,
    };
    let (nodes, count) = (nodes.join(", "), count(&jobs));
    crate::console::note(format_args!("measuring on {nodes} ({count}) into `{}`", dir.path().display()));
    let mut sink = SampleSink::open(&dir.samples_path())?;
    let end = on_cluster(&jobs, (&handlers, account.as_ref()), &mut sink, &stop)?;
    let measured = measured(end, host(&kubectl)?, before);
    commands::bench::conclude(workspace, args.format.format, &dir, manifest, measured)
}

/// What the runtimes of a plan's cells want to be told.
fn annotations(selected: &Selected) -> anyhow::Result<Vec<Annotations>> {
    let of = |cell: &Cell| {
        let annotations = &selected.matrix.runtime(&cell.case)?.annotations;
        Ok(annotations.get(&cell.case.mode).cloned().unwrap_or_default())
    };
    selected.plan.cells.iter().map(of).collect()
}

/// The runtime handlers of what is measured.
fn handlers(plan: &Plan) -> Vec<String> {
    let all: BTreeSet<String> = plan.cells.iter().map(|cell| cell.case.runtime.maker().to_owned()).collect();
    all.into_iter().collect()
}

/// The rounds, with what they need in the cluster before them, and without it after them.
fn on_cluster(
    jobs: &Jobs<'_>,
    (handlers, account): (&[String], Option<&Secret>),
    sink: &mut SampleSink,
    stop: &Stop,
) -> anyhow::Result<JobsEnd> {
    let kubectl = jobs.kubectl;
    let made = kubectl.set_up(handlers)?;
    let secret = jobs.pull_secret.as_deref().zip(account);
    let given = secret.map_or(Ok(()), |(name, account)| {
        let secret = objects::pull_secret(name, account.expose());
        kubectl.create(&secret).context("the Secret with which nodes pull can not be made")
    });
    let end = given.and_then(|()| jobs.run(sink, stop));
    let forgotten = secret.map_or(Ok(()), |(name, _)| kubectl.remove_secret(name));
    // What an administrator has made stays.
    let removed = if made > 0 { kubectl.clean() } else { kubectl.remove_jobs() };
    if let Err(error) = forgotten.and(removed) {
        crate::console::note(format_args!("something is left, which `cargo xtask cluster clean` removes: {error:#}"));
    }
    end
}

/// With what nodes are to pull, where they are to be given something.
fn account(args: &ClusterRunArgs, registry: &RegistryArgs) -> anyhow::Result<Option<Secret>> {
    let destination = prepare::registry::destination(registry)?;
    let Some(destination) = destination.filter(|_| args.pull_secret) else { return Ok(None) };
    let account = Credentials::from_docker(&destination)?.docker_config(&destination);
    let registry = destination.registry();
    let account = account.with_context(|| {
        format!("there is no account for `{registry}` that nodes could pull with: `docker login {registry}` makes one")
    });
    account.map(Some)
}

/// Where images are pushed to, and pulled from by the nodes.
fn registry(args: &ClusterRunArgs) -> anyhow::Result<RegistryArgs> {
    match (&args.registry.registry, args.target.local) {
        (Some(_), _) => Ok(args.registry.clone()),
        (None, true) => Ok(RegistryArgs { registry: Some(REGISTRY.to_owned()), plain_http: true }),
        (None, false) => {
            anyhow::bail!("the nodes need a registry that they reach: name it with `--registry HOST[:PORT]/PREFIX`")
        }
    }
}

fn settings(args: &ClusterRunArgs) -> manifest::Settings {
    manifest::Settings {
        delta: args.delta,
        sequential: None,
        timeout_ms: args.limit.timeout_ms(),
        density: None,
        daemon: NodeDaemon::Existing,
    }
}

/// What this machine has is not what the nodes of a cluster have.
fn forget_programs(manifest: &mut Manifest) {
    manifest.node = None;
    manifest.programs.clear();
    manifest.packages.clear();
    for cell in &mut manifest.cells {
        cell.case.runtime.version = None;
        if let Some(engine) = &mut cell.case.engine {
            engine.version = None;
        }
    }
}

fn count(jobs: &Jobs<'_>) -> String {
    let rounds = jobs.runs.schedule.rounds();
    let cells = jobs.runs.schedule.cells().len();
    let rounds = (rounds.warmup + rounds.counted) as usize;
    let pods: usize = jobs.pods.iter().map(|pods| pods.count() as usize).sum();
    format!("{} Jobs, {} pods", rounds * cells * jobs.pods.len(), rounds * cells * pods)
}

/// Set in the process that is in the cluster's network already.
const INSIDE: &str = "XTASK_IN_CLUSTER";

/// Becomes this command once more, in the network of the local cluster: its registry is in there.
fn inside(workspace: &Workspace) -> anyhow::Result<Exit> {
    let up = local::find(workspace);
    let up = up.context("no cluster of this checkout is up: `cargo xtask cluster local up` starts one")?;
    let mut argv: Vec<std::ffi::OsString> = up.prefix().into_iter().map(Into::into).collect();
    argv.push(std::env::current_exe().context("can not find this program's own file")?.into());
    argv.extend(std::env::args_os().skip(1));
    Err(processes::become_other(&argv, (INSIDE, "1")))
}

/// What is measured, and the pods of each bench.
struct Placed {
    selected: Selected,
    pods: Vec<Pods>,
    programs: usize,
    on_nodes: Vec<Option<OnNode>>,
}

/// The programs on each node, then in bursts over all of them; and the rows of pods as Jobs.
fn select(workspace: &Workspace, args: &ClusterRunArgs, nodes: &[String]) -> anyhow::Result<Placed> {
    let own = own::resolve(workspace, (&args.origin, &args.input))?;
    let programs = selection::benches(workspace, own.as_ref(), args.benches_file.as_deref(), &args.select.benches)?;
    programs.iter().try_for_each(runs_without_files)?;
    let mut pods: Vec<Pods> = nodes.iter().map(|node| Pods::One { node: node.clone() }).collect();
    if args.pull {
        pods.extend(nodes.iter().map(|node| Pods::Pulling { node: node.clone() }));
    }
    pods.extend(args.bursts.iter().map(|count| Pods::Burst { count: *count, nodes: nodes.to_vec() }));
    let placed = pods.iter().flat_map(|pods| programs.iter().map(move |bench| (bench, pods)));
    let on_nodes = placed.clone().map(|(bench, pods)| on_node(bench, pods)).collect();
    let (benches, pods): (Vec<Bench>, Vec<Pods>) = placed.map(|(bench, pods)| (at(bench, pods), pods.clone())).unzip();
    let of = &args.select.rows.of;
    if let Some(own) = of.runtimes.first() {
        bail!(
            "nodes have runtimes of their own: instead of `{own}`, name the handler that they know one by, with `--handler`"
        );
    }
    let mut matrix = selection::matrix(workspace, of)?;
    args.of.own.iter().try_for_each(|own| matrix.add_handler(own))?;
    as_jobs(&mut matrix);
    let cases = matrix.select(&args.select.rows.cases, &args.select.rows.sets)?;
    let seed = args.rounds.seed.seed.unwrap_or_else(|| now_utc().seed());
    let rounds = Rounds { warmup: args.rounds.warmup, counted: args.rounds.counted(), seed };
    let mut plan = plan(benches, (&matrix, &cases), rounds)?;
    if !args.target.local {
        // Nodes have runtimes of their own: what is needed here is what compiles for them.
        let compiler = |cell: &Cell| Some(matrix.compile(cell.case.form)?.1.program.clone());
        plan.programs = plan.cells.iter().filter_map(compiler).collect();
    }
    let selected = Selected { matrix, plan, not_measured: Vec::new(), privileges: Privileges::Root, own };
    Ok(Placed { selected, pods, programs: programs.len(), on_nodes })
}

/// No node has a file of this machine.
fn runs_without_files(bench: &Bench) -> anyhow::Result<()> {
    let input = &bench.input;
    let given = match (&input.stdin, &input.folders[..]) {
        (Reads::File(path), _) => Some(("standard input", path.display())),
        (_, [folder, ..]) => Some(("the folder", folder.host.display())),
        _ => None,
    };
    match given {
        None => Ok(()),
        Some((what, path)) => bail!(
            "`{}` can not be run on a cluster with {what} `{path}`: its nodes have no file of this machine. Put what it needs \
             into its arguments or variables (`--env`), or into the program",
            bench.name
        ),
    }
}

/// A program in these pods is a bench of its own: what nodes differ by is no noise of one row.
fn at(bench: &Bench, pods: &Pods) -> Bench {
    let name = match pods {
        Pods::One { node } => format!("{}@{node}", bench.name),
        // No name of a node holds a `+`.
        Pods::Pulling { node } => format!("{}@{node}{PULLING}", bench.name),
        Pods::Burst { count, .. } => format!("{}@{count}-at-once", bench.name),
    };
    // The line through the points of a sweep would mix nodes.
    Bench { name, sweep: None, ..bench.clone() }
}

/// What is pooled over nodes.
fn on_node(bench: &Bench, pods: &Pods) -> Option<OnNode> {
    match pods {
        Pods::One { node } => Some(OnNode { bench: bench.name.clone(), node: node.clone() }),
        Pods::Pulling { node } => Some(OnNode { bench: format!("{}{PULLING}", bench.name), node: node.clone() }),
        Pods::Burst { .. } => None,
    }
}

/// Of a matrix what is in pods of its own, as what a kubelet makes. Without a word it is what every node of ours has.
fn as_jobs(matrix: &mut Matrix) {
    let renamed = |name: &str| name.replacen(PODS, JOBS, 1);
    let is_own = |pod: &Pod| pod.life == PodLife::Own;
    matrix.runtimes.retain_mut(|runtime| match &mut runtime.behaviour {
        Behaviour::Cri { pod, .. } if is_own(pod) => {
            pod.life = PodLife::Job;
            runtime.name = renamed(&runtime.name);
            true
        }
        _ => false,
    });
    let job = |case: &Case| {
        let mut case = case.clone();
        let pod = case.runtime.pod.as_mut().filter(|pod| is_own(pod))?;
        pod.life = PodLife::Job;
        let is_usual = USUAL_HANDLERS.contains(&pod.handler.as_str());
        case.runtime.name = renamed(&case.runtime.name);
        case.runtime.title = case.runtime.title.replacen("a pod", "a Job", 1);
        case.name = renamed(&case.name);
        case.baseline = case.baseline.as_deref().map(renamed);
        case.control = case.control.as_deref().map(renamed);
        if is_usual {
            case.sets.push(crate::matrix::DEFAULT_SET.to_owned());
        }
        Some(case)
    };
    matrix.cases = matrix.cases.iter().filter_map(job).collect();
}

fn runs(plan: &Plan, prepared: &Prepared, args: &ClusterRunArgs) -> Runs {
    Runs {
        benches: plan.benches.iter().map(|bench| prepared.bench(bench)).collect(),
        schedule: plan.schedule.clone(),
        starts: plan.cells.iter().map(|_| Start::Absent("a cluster starts it".to_owned())).collect(),
        until: None,
        timeout_ms: args.limit.timeout_ms(),
        output: ComparedOutput::Discarded,
    }
}

/// What containers ran on, as its nodes say it.
fn host(kubectl: &Kubectl) -> anyhow::Result<HostRecord> {
    let text = |template: &str, args: &[&str]| kubectl.text(&[args, &["-o", template]].concat());
    let nodes = text(
        "jsonpath={range .items[*]}{.metadata.name}: kubelet {.status.nodeInfo.kubeletVersion}, \
         {.status.nodeInfo.containerRuntimeVersion}; {end}",
        &["get", "nodes"],
    )?;
    let unknown = || "unknown".to_owned();
    Ok(HostRecord {
        containerd: format!("Kubernetes, {}", nodes.trim_end_matches([';', ' '])),
        snapshotter: unknown(),
        cgroup_driver: unknown(),
        filesystem: unknown(),
    })
}

fn measured(end: JobsEnd, host: HostRecord, before: Snapshot) -> Measured {
    let load_before = before.load_average();
    let wall = std::time::Duration::from_nanos(end.wall_ns);
    let mut load = before.until(Snapshot::take(), wall);
    load.load_before = load_before;
    Measured {
        status: end.status,
        reason: None,
        rounds_wall_ns: end.wall_ns,
        timed_ns: end.timed_ns,
        samples: end.samples,
        // Each node pulls by itself, in its first Job of an image.
        pulls: Vec::new(),
        host: Some(host),
        not_measured: end.not_measured,
        modes: Modes::default(),
        learned: end.learned,
        isolation: Vec::new(),
        resources: None,
        until: None,
        load,
    }
}
