//! The private containerd itself: configuration, start, readiness, log, end.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::request::PodSetup;
use super::scratch;
use crate::clock::Stopwatch;
use crate::cmd;
use crate::containerd::{self, Ctr};
use cri::Cri;

mod cri;

/// How long containerd may take until its API answers.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How much of the end of its log an error quotes.
const LOG_QUOTED_LINES: usize = 15;

/// Where a private containerd keeps what it has.
#[derive(Clone, Debug)]
pub struct DaemonFolder {
    /// A folder of its own, on a disk: `root`, `config.toml` and `containerd.log` are in it.
    pub scratch: PathBuf,
}

impl DaemonFolder {
    /// Where its log is.
    pub fn log(&self) -> PathBuf {
        self.scratch.join(scratch::LOG)
    }

    /// Where the logs of its pods are.
    pub fn pod_logs(&self) -> PathBuf {
        self.root().join("pod-logs")
    }

    /// Where the networks of its pods are described.
    pub fn networks(&self) -> PathBuf {
        cri::networks(&self.root())
    }

    fn root(&self) -> PathBuf {
        self.scratch.join(scratch::ROOT)
    }
}

/// The programs of a private containerd.
#[derive(Clone, Debug)]
pub struct DaemonPrograms {
    /// The daemon.
    pub containerd: PathBuf,
    /// Folders in which it looks for shims and helpers.
    pub search: Vec<PathBuf>,
    /// What its CRI makes pods of; without, that is off.
    pub pods: Option<PodSetup>,
}

/// A running containerd.
#[derive(Debug)]
pub struct Daemon {
    handle: duct::Handle,
    places: DaemonFolder,
}

/// The socket, in the private `/run`: short (a socket's path has at most 107 bytes) and gone with it.
pub const SOCKET: &str = "/run/containerd/containerd.sock";
const NOTIFY: &str = "/run/containerd-ready";

impl Daemon {
    /// Starts it and returns when its API answers: containerd says that it is ready on the socket in
    /// `NOTIFY_SOCKET` (sd_notify(3)), and then answers `ctr`.
    ///
    /// # Errors
    /// When it ends or does not become ready; the end of its log is quoted.
    pub fn start(programs: &DaemonPrograms, places: DaemonFolder, ctr: &Ctr) -> anyhow::Result<Self> {
        std::fs::create_dir_all(places.root())?;
        let config = places.scratch.join(scratch::CONFIG);
        std::fs::write(&config, configuration(&places.root(), (programs.pods.as_ref(), &ctr.snapshotter))?)
            .with_context(|| format!("can not write `{}`", config.display()))?;
        let notify = UnixDatagram::bind(NOTIFY).context("can not make the socket for containerd's readiness")?;
        notify.set_read_timeout(Some(Duration::from_millis(50)))?;
        let handle = spawn(programs, &config, &places)?;
        let daemon = Self { handle, places };
        daemon.wait_ready(&notify)?;
        ctr.version().with_context(|| format!("containerd does not answer{}", daemon.log_end()))?;
        Ok(daemon)
    }

    fn wait_ready(&self, notify: &UnixDatagram) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        let mut message = [0; 256];
        while clock.elapsed() < READY_LIMIT {
            if let Ok(length) = notify.recv(&mut message)
                && message[..length].windows(7).any(|part| part == b"READY=1")
            {
                return Ok(());
            }
            if let Some(output) = self.handle.try_wait()? {
                bail!("containerd ended with {} before it was ready{}", output.status, self.log_end());
            }
        }
        bail!("containerd was not ready after {} s{}", READY_LIMIT.as_secs(), self.log_end())
    }

    /// The end of its log, ready to be appended to an error.
    pub fn log_end(&self) -> String {
        let log = self.places.log();
        let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = &lines[lines.len().saturating_sub(LOG_QUOTED_LINES)..];
        if end.is_empty() { String::new() } else { format!("; the end of its log:\n{}", end.join("\n")) }
    }

    /// Its process.
    pub fn pids(&self) -> anyhow::Result<Vec<rustix::process::Pid>> {
        cmd::pids(&self.handle)
    }

    /// Ends it and starts it anew on the same root; returns when its API answers.
    ///
    /// # Errors
    /// When it can not be ended, or as [`Daemon::start`].
    pub fn restart(&mut self, programs: &DaemonPrograms, ctr: &Ctr) -> anyhow::Result<()> {
        self.end()?;
        std::fs::remove_file(NOTIFY).with_context(|| format!("can not remove `{NOTIFY}`"))?;
        *self = Self::start(programs, self.places.clone(), ctr)?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub fn stop(self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&self) -> anyhow::Result<()> {
        for pid in self.pids()? {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        if self.handle.wait_timeout(STOP_LIMIT)?.is_none() {
            self.handle.kill()?;
        }
        Ok(())
    }
}

/// What containerd and its shims look for beside their own folders: `mount`, decompressors.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

#[expect(clippy::disallowed_methods, reason = "`session` starts containerd")]
fn spawn(programs: &DaemonPrograms, config: &Path, places: &DaemonFolder) -> anyhow::Result<duct::Handle> {
    let system = std::env::split_paths(SYSTEM_PATH);
    let search = std::env::join_paths(programs.search.iter().cloned().chain(system))?;
    let mut environment = containerd::environment();
    environment.extend([("PATH".into(), search), ("NOTIFY_SOCKET".into(), NOTIFY.into())]);
    duct::cmd(&programs.containerd, [std::ffi::OsStr::new("--config"), config.as_os_str()])
        .full_env(environment)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_path(places.log())
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        })
        .start()
        .with_context(|| format!("can not start `{}`", programs.containerd.display()))
}

/// Configuration version 2 (containerd 1.5 and later).
#[derive(Serialize)]
struct Configuration<'a> {
    version: u32,
    root: &'a Path,
    state: &'a str,
    disabled_plugins: &'a [&'a str],
    debug: Debug<'a>,
    grpc: Grpc<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    plugins: BTreeMap<&'static str, Cri<'a>>,
}

#[derive(Serialize)]
struct Debug<'a> {
    level: &'a str,
}

#[derive(Serialize)]
struct Grpc<'a> {
    address: &'a str,
}

/// Plugins that want devices or a cluster.
const DISABLED: [&str; 4] = [
    "io.containerd.internal.v1.opt",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
];

fn configuration(root: &Path, (pods, snapshotter): (Option<&PodSetup>, &str)) -> anyhow::Result<String> {
    let disabled: Vec<&str> = DISABLED.into_iter().chain(pods.is_none().then_some(cri::PLUGIN)).collect();
    let configuration = Configuration {
        version: 2,
        root,
        state: "/run/containerd/state",
        disabled_plugins: &disabled,
        debug: Debug { level: "warn" },
        grpc: Grpc { address: SOCKET },
        plugins: pods.map(|pods| (cri::PLUGIN, cri::configuration(pods, snapshotter, root))).into_iter().collect(),
    };
    toml::to_string(&configuration).with_context(|| format!("`{}` can not be configured as root", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_comes_back_from_the_configuration() {
        for root in ["/a b/root", "/a\"b/root", "/a'b\\c/root", "/a\nb/root", "/a\"\"\"\'\'\'b/root"] {
            let text = configuration(Path::new(root), (None, "overlayfs")).unwrap();
            let read: toml::Value = toml::from_str(&text).unwrap();
            assert_eq!(read["root"].as_str(), Some(root), "{text}");
            assert_eq!((read["version"].as_integer(), read["grpc"]["address"].as_str()), (Some(2), Some(SOCKET)));
        }
    }

    #[test]
    fn pods_have_their_handlers_and_sandbox_in_the_configuration() {
        let reference = "127.0.0.1:5000/x/pause@sha256:0";
        let pause = serde_json::json!({
            "name": "native", "reference": reference, "manifest": format!("sha256:{}", "0".repeat(64)), "blobs": [],
            "transfer_bytes": 1, "platform": "linux/amd64", "entrypoint": ["/pause"],
        });
        let pods = PodSetup {
            handlers: [
                ("runc".to_owned(), containerd::ContainerRuntime::Oci { program: "/t/runc".into() }),
                ("w".to_owned(), containerd::ContainerRuntime::Shim { program: "/t/containerd-shim-w-v1".into() }),
            ]
            .into(),
            pause: serde_json::from_value(pause).unwrap(),
            plain_http: vec!["10.0.0.1:5000".to_owned()],
        };
        let text = configuration(Path::new("/r"), (Some(&pods), "native")).unwrap();
        let read: toml::Value = toml::from_str(&text).unwrap();
        let plugin = &read["plugins"][cri::PLUGIN];
        assert_eq!(plugin["sandbox_image"].as_str(), Some(reference));
        let endpoint = &plugin["registry"]["mirrors"]["10.0.0.1:5000"]["endpoint"][0];
        assert_eq!(endpoint.as_str(), Some("http://10.0.0.1:5000"));
        let runtimes = &plugin["containerd"]["runtimes"];
        assert_eq!(runtimes["runc"]["options"]["BinaryName"].as_str(), Some("/t/runc"));
        assert_eq!(runtimes["w"]["runtime_path"].as_str(), Some("/t/containerd-shim-w-v1"));
        assert!(!read["disabled_plugins"].as_array().unwrap().iter().any(|name| name.as_str() == Some(cri::PLUGIN)));
    }
}
