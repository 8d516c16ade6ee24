//! A node of a local cluster: the first process of its namespaces (mounts, processes, network, host name, cgroups), which
//! starts a containerd and a kubelet and reaps what they leave.
//!
//! Everything that the two would change of the machine is a file of the node's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use serde_json::json;

use super::cgroups;
use super::processes::Processes;
use super::request::{OTHER_REGISTRY, REGISTRY, Request, address, node};
use crate::containerd::{ContainerRuntime, Ctr, cri};
use crate::measure::runs::NamedImage;
use crate::session::daemon::{Daemon, DaemonFolder, DaemonPrograms, SOCKET};
use crate::session::namespace;
use crate::session::request::{PodSetup, read};

/// The hidden subcommand.
pub const NODE: &str = "cluster-node";
/// What a kubelet does not start without: on a node it is empty.
pub const KERNEL_LOG: &str = "/dev/kmsg";

/// What a kubelet writes for the whole machine, and insists on: for it there are files with these values.
const SYSCTLS: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Runs node `number` of a request until one of its programs ends.
///
/// # Errors
/// Always in the end: with the name of the program that has ended.
pub fn run(request: &Path, number: u8) -> anyhow::Result<()> {
    let request: Request = read(request)?;
    let folder = request.of_node(number);
    let name = node(number);
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    separate(&folder, &request, &name)?;
    let containerd = start_containerd(&request, &folder, &name)?;
    let kubelet = kubelet_configuration(&request, number);
    std::fs::write(folder.join("kubelet.json"), kubelet.to_string())?;
    let mut processes = Processes::new(&folder.join("logs"))?;
    processes.start("kubelet", &request.programs.kubernetes.join("kubelet"), &kubelet_args(&request, number))?;
    let ended = processes.keep(&["kubelet"]);
    drop(containerd);
    ended
}

/// What is this node's alone.
fn separate(folder: &Path, request: &Request, name: &str) -> anyhow::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("can not make the mounts private")?;
    rustix::system::sethostname(name.as_bytes()).context("can not set a host name")?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=0755"))
        .context("can not mount a private `/run`")?;
    cgroups::remount(&cgroups::hierarchies()?)?;
    // Else it reads of other people's processes that the kernel ended for lack of memory.
    bind(Path::new("/dev/null"), KERNEL_LOG)?;
    for (number, (path, value)) in SYSCTLS.iter().enumerate() {
        let file = folder.join(format!("sysctl-{number}"));
        std::fs::write(&file, value)?;
        let path = Path::new("/proc/sys").join(path);
        if path.exists() {
            bind(&file, path)?;
        }
    }
    let log = folder.join("var-log");
    std::fs::create_dir_all(&log)?;
    bind(&log, "/var/log")?;
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for number in 1..=request.nodes {
        writeln!(hosts, "{} {}", address(number), node(number))?;
    }
    std::fs::write(folder.join("hosts"), hosts)?;
    std::fs::write(folder.join("resolv.conf"), "")?;
    bind(&folder.join("hosts"), "/etc/hosts")?;
    // Where it is a link into `/run` it leads nowhere now.
    let resolv = std::fs::symlink_metadata("/etc/resolv.conf").is_ok_and(|file| file.is_file());
    if resolv { bind(&folder.join("resolv.conf"), "/etc/resolv.conf") } else { Ok(()) }
}

fn bind(from: &Path, to: impl AsRef<Path>) -> anyhow::Result<()> {
    let to = to.as_ref();
    mount_bind(from, to).with_context(|| format!("can not put `{}` over `{}`", from.display(), to.display()))
}

/// The same containerd as that of a run, with its CRI on.
fn start_containerd(request: &Request, folder: &Path, name: &str) -> anyhow::Result<Daemon> {
    let scratch = folder.join("containerd");
    let network = DaemonFolder { scratch: scratch.clone() }.networks();
    std::fs::create_dir_all(&network)?;
    // Without any, a node is never ready. No pod uses it: they are on the node's network.
    let networks = json!({ "cniVersion": "0.4.0", "name": "none", "plugins": [{ "type": "loopback" }] });
    std::fs::write(network.join("10-none.conflist"), networks.to_string())?;
    let overlay = namespace::supports_overlay(&scratch)?;
    let ctr = Ctr {
        program: request.programs.ctr.clone(),
        address: SOCKET.into(),
        namespace: cri::NAMESPACE.to_owned(),
        snapshotter: if overlay { "overlayfs" } else { "native" }.to_owned(),
    };
    let pause: NamedImage = read(&request.folder.join("pause.json"))?;
    let mut handlers = BTreeMap::from([
        ("runc".to_owned(), ContainerRuntime::Oci { program: request.programs.runc.clone() }),
        ("crun".to_owned(), ContainerRuntime::Oci { program: request.programs.crun.clone() }),
        ("wasmedge".to_owned(), ContainerRuntime::Shim { program: request.programs.shim.clone() }),
    ]);
    handlers.retain(|handler, _| !request.lacking.iter().any(|(node, lacks)| node == name && lacks == handler));
    let programs = DaemonPrograms {
        containerd: request.programs.containerd.clone(),
        search: request.programs.search.clone(),
        pods: Some(PodSetup { handlers, pause, plain_http: [REGISTRY, OTHER_REGISTRY].map(str::to_owned).to_vec() }),
    };
    Daemon::start(&programs, DaemonFolder { scratch }, &ctr)
}

/// `KubeletConfiguration` (kubelet.config.k8s.io/v1beta1).
fn kubelet_configuration(request: &Request, number: u8) -> serde_json::Value {
    let (name, folder) = (node(number), request.of_node(number));
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address(number),
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": request.pki("ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": request.pki(&format!("{name}.crt")),
        "tlsPrivateKeyFile": request.pki(&format!("{name}.key")),
        "cgroupDriver": "cgroupfs",
        "failSwapOn": false,
        "makeIPTablesUtilChains": false,
        // Less needs CAP_SYS_RESOURCE.
        "oomScoreAdj": 0,
        // A node becomes ready with its second report.
        "nodeStatusUpdateFrequency": "1s",
        "volumePluginDir": folder.join("plugins"),
        "enforceNodeAllocatable": ["pods"],
        "imageGCHighThresholdPercent": 100,
        // Disks of other people may be full.
        "evictionHard": { "memory.available": "50Mi" },
        "maxPods": 110,
        "serializeImagePulls": false,
    })
}

fn kubelet_args(request: &Request, number: u8) -> Vec<String> {
    let (name, folder) = (node(number), request.of_node(number));
    let path = |part: &str| folder.join(part).to_string_lossy().into_owned();
    let socket = format!("unix://{SOCKET}");
    vec![
        format!("--config={}", path("kubelet.json")),
        format!("--kubeconfig={}", request.kubeconfig(&name)),
        format!("--hostname-override={name}"),
        format!("--node-ip={}", address(number)),
        format!("--root-dir={}", path("kubelet")),
        format!("--cert-dir={}", path("kubelet-pki")),
        "--container-runtime=remote".to_owned(),
        format!("--container-runtime-endpoint={socket}"),
        format!("--image-service-endpoint={socket}"),
    ]
}
