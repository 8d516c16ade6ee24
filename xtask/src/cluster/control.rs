//! The first process of a local cluster: it makes its network, starts the control plane, a registry and the nodes, says when
//! all of it is ready, and reaps until it is killed. With it the kernel ends everything that is in there.
//!
//! Not here: what a node is (`node`).

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::processes::Processes;
use super::request::{CONTROL, REGISTRY, Request, address, node};
use super::{cgroups, node as nodes};
use crate::clock::Stopwatch;
use crate::cmd::Cmd;
use crate::measure::runs::NamedImage;
use crate::plan::PAUSE;
use crate::registry::{Credentials, Destination, EmbeddedRegistry, Patience, PlainHttp, RegistryAccess};
use crate::session::namespace;
use crate::session::request::{read, write};
use crate::stop::Stop;
use oci::epoch::Epoch;
use oci::{Bases, Blob, Content};
use results::case::Kind;

/// The hidden subcommand.
pub const CLUSTER: &str = "cluster-inside";
/// What is said on stdout when everything is there.
pub const READY: &str = "ready";

/// How long all of it may take to be ready.
const READY_LIMIT: Duration = Duration::from_mins(3);
/// How often it is asked.
const LOOK: Duration = Duration::from_millis(100);
/// The programs without which there is no cluster. A node may go: that is what several are for.
const NEEDED: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Runs the cluster of a request, whose cgroups are below the one that stdin names.
///
/// # Errors
/// When it does not become ready, or a program of its control plane ends.
pub fn run(path: &Path) -> anyhow::Result<()> {
    let mut group = String::new();
    std::io::stdin().read_line(&mut group).context("nobody says what the cgroup is called")?;
    let group = group.trim();
    let request: Request = read(path)?;
    let hierarchies = cgroups::hierarchies()?;
    cgroups::enter(&hierarchies, &format!("{group}/control"))?;
    namespace::prepare_run()?;
    network()?;
    let _registry = registry(&request)?;
    let mut processes = Processes::new(&request.logs())?;
    processes.start("etcd", &request.programs.etcd, &etcd(&request))?;
    processes.start("kube-apiserver", &request.programs.kubernetes.join("kube-apiserver"), &apiserver(&request))?;
    for number in 1..=request.nodes {
        cgroups::enter(&hierarchies, &format!("{group}/{}", node(number)))?;
        let started = start_node(&mut processes, &request, (path, number));
        cgroups::enter(&hierarchies, &format!("{group}/control"))?;
        started?;
    }
    let kubectl = Kubectl { request: &request, clock: Stopwatch::start() };
    kubectl.until("the API server", &["get", "--raw", "/readyz"])?;
    // Earlier they end by themselves where the machine is slow.
    for (name, args) in [("kube-controller-manager", controllers(&request)), ("kube-scheduler", scheduler(&request))] {
        processes.start(name, &request.programs.kubernetes.join(name), &args)?;
    }
    for number in 1..=request.nodes {
        kubectl.until("a node", &["get", "node", &node(number)])?;
        kubectl
            .until("a node", &["wait", "--for=condition=Ready", "--timeout=60s", &format!("node/{}", node(number))])?;
    }
    // Before it is there pods are refused.
    kubectl.until("the default service account", &["get", "serviceaccount", "default"])?;
    announce()?;
    processes.keep(&NEEDED)
}

/// Whoever waits for it may be gone.
fn announce() -> anyhow::Result<()> {
    crate::console::result(format!("{READY}\n").as_bytes())?;
    std::io::stdout().flush().context("nobody hears that the cluster is ready")
}

struct Kubectl<'a> {
    request: &'a Request,
    clock: Stopwatch,
}

impl Kubectl<'_> {
    /// Asks until the answer is yes.
    fn until(&self, what: &str, args: &[&str]) -> anyhow::Result<()> {
        let cmd = Cmd::new(&self.request.programs.kubectl).args(["--kubeconfig", &self.request.kubeconfig("admin")]);
        let cmd = cmd.args(args).env("HOME", &self.request.folder);
        loop {
            let output = cmd.output()?;
            if output.code == Some(0) {
                return Ok(());
            }
            ensure!(
                self.clock.elapsed() < READY_LIMIT,
                "{what} was not there after {} s{}; the logs are in `{}`",
                READY_LIMIT.as_secs(),
                crate::cmd::stderr_end(&output.stderr),
                self.request.logs().display()
            );
            std::thread::sleep(LOOK);
        }
    }
}

/// A bridge that leads nowhere else.
fn network() -> anyhow::Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    ip(&["link", "add", "kbr0", "type", "bridge"])?;
    ip(&["address", "add", &format!("{CONTROL}/24"), "dev", "kbr0"])?;
    ip(&["link", "set", "kbr0", "up"])
}

fn start_node(processes: &mut Processes, request: &Request, (path, number): (&Path, u8)) -> anyhow::Result<()> {
    let (name, link) = (node(number), format!("v{number}"));
    ip(&["netns", "add", &name])?;
    ip(&["link", "add", &link, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
    ip(&["link", "set", &link, "master", "kbr0", "up"])?;
    for args in [
        &["link", "set", "lo", "up"][..],
        &["address", "add", &format!("{}/24", address(number)), "dev", "eth0"],
        &["link", "set", "eth0", "up"],
        &["route", "add", "default", "via", CONTROL],
        // A kubelet asks there for the account of a cloud, and waits for 6 s.
        &["route", "add", "unreachable", "169.254.169.254"],
    ] {
        ip(&[&["-n", &name], args].concat())?;
    }
    let enter = format!("--net=/run/netns/{name}");
    let mut args = vec![enter, "unshare".to_owned()];
    args.extend(["--mount", "--pid", "--uts", "--cgroup", "--fork", "--kill-child", "--mount-proc"].map(str::to_owned));
    args.extend([request.programs.own.to_string_lossy().into_owned(), nodes::NODE.to_owned()]);
    args.extend([path.to_string_lossy().into_owned(), number.to_string()]);
    processes.start(&name, Path::new("nsenter"), &args)
}

fn ip(args: &[&str]) -> anyhow::Result<()> {
    Cmd::new("ip").args(args).run().map(drop).context("the cluster's network can not be made: is `iproute2` installed?")
}

/// A registry on the bridge, which holds the image of the sandboxes. Nobody else is in this network.
fn registry(request: &Request) -> anyhow::Result<EmbeddedRegistry> {
    let registry = EmbeddedRegistry::on_network(REGISTRY.parse().context("no address")?, Credentials::Anonymous)?;
    let definitions = oci::definition::load(&request.images)?;
    let of_native: Vec<_> =
        definitions.into_iter().filter(|definition| definition.name == Kind::Native.name()).collect();
    let bytes = std::fs::read(&request.pause).with_context(|| format!("can not read `{}`", request.pause.display()))?;
    let content = Content { program: PAUSE.to_owned(), kind: Kind::Native, bytes };
    let images = oci::build(&of_native, &Bases::default(), &[content], Epoch::parse(None)?)?;
    let destination = Destination::parse(REGISTRY, PlainHttp::Requested)?;
    let access = RegistryAccess { credentials: Credentials::Anonymous, patience: Patience::DEFAULT };
    let pushed = crate::registry::push(&images, &destination, (&access, &Stop::never()?), &mut |_| ())?.pushed;
    let (image, pushed) = images.images().iter().zip(&pushed).next().context("there is no image of the sandboxes")?;
    let pause = NamedImage {
        name: image.name().to_owned(),
        reference: pushed.pinned().to_owned(),
        manifest: image.manifest().digest(),
        blobs: image.blobs().map(Blob::digest).collect(),
        transfer_bytes: image.sizes().transfer_bytes,
        platform: image.platform(),
        entrypoint: vec![format!("/{PAUSE}")],
    };
    write(&request.folder.join("pause.json"), &pause)?;
    Ok(registry)
}

fn etcd(request: &Request) -> Vec<String> {
    let client = "http://127.0.0.1:2379";
    vec![
        format!("--data-dir={}", request.folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        "--listen-peer-urls=http://127.0.0.1:2380".to_owned(),
        // What it holds ends with the cluster.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver(request: &Request) -> Vec<String> {
    let mut args = [
        "--etcd-servers=http://127.0.0.1:2379",
        "--secure-port=6443",
        "--insecure-port=0",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--endpoint-reconciler-type=none",
        // Else it looks for the nodes by their names.
        "--kubelet-preferred-address-types=InternalIP",
    ]
    .map(str::to_owned)
    .to_vec();
    args.extend([format!("--bind-address={CONTROL}"), format!("--advertise-address={CONTROL}")]);
    for (option, file) in [
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
        ("client-ca-file", "ca.crt"),
        ("kubelet-client-certificate", "admin.crt"),
        ("kubelet-client-key", "admin.key"),
        ("service-account-key-file", "sa.pub"),
        ("service-account-signing-key-file", "sa.key"),
    ] {
        args.push(format!("--{option}={}", request.pki(file)));
    }
    args
}

fn controllers(request: &Request) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", request.kubeconfig("kube-controller-manager")),
        format!("--service-account-private-key-file={}", request.pki("sa.key")),
        format!("--root-ca-file={}", request.pki("ca.crt")),
        "--leader-elect=false".to_owned(),
        "--port=0".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        // Without it may not make pods, and says so to nobody.
        "--use-service-account-credentials=true".to_owned(),
        // A node that is lost is one after 40 s, else.
        "--node-monitor-grace-period=10s".to_owned(),
    ]
}

fn scheduler(request: &Request) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", request.kubeconfig("kube-scheduler")),
        "--leader-elect=false".to_owned(),
        "--port=0".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
    ]
}
