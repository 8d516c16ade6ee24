//! Every argument vector for `ctr`, containerd's own client, and what its answers mean.
//!
//! Answers made for people (tables) are never parsed: only `--quiet` lists and exit statuses.
//! Not here: starting containerd (`session`), timing (`measure`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::bench::Folder;
use crate::cmd::{Cmd, Following};
use crate::invocation::{Invocation, Stdin};
use crate::matrix::Annotations;

pub mod cri;
pub mod dates;
pub mod events;
mod idle;
mod prompt;
mod pull;

pub use pull::{Login, Pulled, Wanted};

/// What containerd and its client get of the caller's environment: the way to a registry. Everything else would
/// change what is measured (`CONTAINERD_…`, `GODEBUG`), or break it (`LD_PRELOAD`).
const KEPT_VARIABLES: [&str; 9] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The variables that are kept, where they are set.
pub fn environment() -> Vec<(OsString, OsString)> {
    KEPT_VARIABLES.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?))).collect()
}

/// How to reach one containerd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ctr {
    /// The client program, an absolute path.
    pub program: PathBuf,
    /// The socket of the containerd that it asks.
    pub address: PathBuf,
    /// The containerd namespace that holds everything of one run.
    pub namespace: String,
    /// The snapshotter for every image and container.
    pub snapshotter: String,
}

/// What makes a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerRuntime {
    /// An OCI runtime below containerd's runc shim.
    Oci {
        /// Its program, an absolute path.
        program: PathBuf,
    },
    /// A containerd shim.
    Shim {
        /// Its program, an absolute path.
        program: PathBuf,
    },
}

/// How containerd reaches a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTPS.
    Https,
}

impl Ctr {
    fn cmd(&self) -> Cmd {
        let cmd = Cmd::new(&self.program).bare().args(self.global());
        environment().into_iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value))
    }

    fn global(&self) -> [String; 4] {
        let address = self.address.to_string_lossy().into_owned();
        ["--address".to_owned(), address, "--namespace".to_owned(), self.namespace.clone()]
    }

    /// Whether containerd answers, and with which version.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn version(&self) -> anyhow::Result<String> {
        Ok(self.cmd().arg("version").limit(Duration::from_secs(10)).run()?.text())
    }

    /// The measured command: create, start, wait, delete.
    pub fn run(&self, container: &Container<'_>) -> Invocation {
        let args = self.global().into_iter().chain(self.run_args(&["--rm"], container)).collect();
        Invocation { program: self.program.clone(), args, env: Vec::new(), stdin: Stdin::Empty }
    }

    /// `ctr run` with these options and those of the container, its name and its command.
    fn run_args(&self, options: &[&str], container: &Container<'_>) -> Vec<String> {
        let mut args = vec!["run".to_owned()];
        args.extend(options.iter().chain(&["--snapshotter", &self.snapshotter]).map(|&word| word.to_owned()));
        args.extend(["--platform", container.platform].map(str::to_owned));
        match container.runtime {
            ContainerRuntime::Shim { program } => {
                args.extend(["--runtime".to_owned(), program.to_string_lossy().into_owned()]);
            }
            ContainerRuntime::Oci { program } => {
                args.extend(["--runtime", "io.containerd.runc.v2", "--runc-binary"].map(str::to_owned));
                args.push(program.to_string_lossy().into_owned());
            }
        }
        if let Some(group) = container.cgroup {
            args.extend(["--cgroup", group].map(str::to_owned));
        }
        for (name, value) in container.annotations {
            args.extend(["--annotation".to_owned(), format!("{name}={value}")]);
        }
        for (name, value) in container.env {
            args.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        for folder in container.folders {
            args.extend(["--mount".to_owned(), mount(folder)]);
        }
        args.push(container.image.to_owned());
        args.push(container.id.to_owned());
        args.extend(container.command.iter().cloned());
        args
    }

    /// Starts a container whose output is read while it goes on.
    ///
    /// # Errors
    /// When its client can not be started.
    pub fn follow(&self, container: &Invocation) -> anyhow::Result<Following> {
        Cmd::new(&container.program).bare().args(&container.args).follow()
    }

    /// Removes whatever a container that failed left: its processes, its task, itself.
    pub fn remove(&self, id: &str) -> anyhow::Result<()> {
        // Each step may find nothing to do and says so with its status; what counts is the last question.
        self.cmd().args(["tasks", "kill", "--all", "--signal", "SIGKILL", id]).output()?;
        self.cmd().args(["tasks", "delete", "--force", id]).output()?;
        self.cmd().args(["containers", "delete", id]).output()?;
        self.cmd().args(["snapshots", "--snapshotter", &self.snapshotter, "delete", id]).output()?;
        let left = self.containers()?;
        anyhow::ensure!(!left.iter().any(|other| other == id), "container `{id}` could not be removed");
        Ok(())
    }

    /// The containers of this namespace.
    pub fn containers(&self) -> anyhow::Result<Vec<String>> {
        self.lines(&["containers", "list", "--quiet"])
    }

    /// Whether a container has a task.
    pub fn is_running(&self, id: &str) -> anyhow::Result<bool> {
        Ok(self.lines(&["tasks", "list", "--quiet"])?.iter().any(|task| task == id))
    }

    /// Kills a container's task.
    pub fn kill(&self, id: &str) -> anyhow::Result<()> {
        self.cmd().args(["tasks", "kill", "--signal", "SIGKILL", id]).run()?;
        Ok(())
    }

    /// Asks anything, whatever comes of it. For tests.
    ///
    /// # Errors
    /// When there is no answer within `limit`.
    pub fn ask(&self, args: &[&str], limit: Duration) -> anyhow::Result<()> {
        self.cmd().args(args).limit(limit).output().map(|_| ())
    }

    /// The images of this namespace.
    pub fn images(&self) -> anyhow::Result<Vec<String>> {
        self.lines(&["images", "list", "--quiet"])
    }

    fn lines(&self, args: &[&str]) -> anyhow::Result<Vec<String>> {
        Ok(self.cmd().args(args).run()?.text().lines().map(str::to_owned).collect())
    }

    /// Imports an image from an OCI archive, whatever its platform. For tests of the shim.
    pub fn import(&self, archive: &Path) -> anyhow::Result<()> {
        let args = ["images", "import", "--all-platforms", "--snapshotter", &self.snapshotter];
        self.cmd().args(args).arg(archive).run().with_context(|| format!("can not import `{}`", archive.display()))?;
        Ok(())
    }

    /// Empties and removes the namespace: containers, images, then the namespace itself.
    pub fn remove_namespace(&self) -> anyhow::Result<()> {
        for id in self.containers()? {
            self.remove(&id)?;
        }
        // A pull that was broken off leaves what it had under a lease.
        for lease in self.lines(&["leases", "list", "--quiet"])? {
            self.cmd().args(["leases", "delete", "--sync", &lease]).run()?;
        }
        for image in self.images()? {
            self.cmd().args(["images", "delete", "--sync", &image]).run()?;
        }
        self.cmd().args(["namespaces", "remove", &self.namespace]).run()?;
        Ok(())
    }
}

/// One container to be run.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    /// The image, as it was pulled.
    pub image: &'a str,
    /// `os/architecture` of the image.
    pub platform: &'a str,
    /// The container's name.
    pub id: &'a str,
    /// What makes it.
    pub runtime: &'a ContainerRuntime,
    /// The whole command, for `ctr` replaces the image's entrypoint and arguments together; empty for the image's own.
    pub command: &'a [String],
    /// What it is annotated with.
    pub annotations: &'a Annotations,
    /// The cgroup that it is put into, where not the one of its name.
    pub cgroup: Option<&'a str>,
    /// Additional environment.
    pub env: &'a [(String, String)],
    /// Folders of the host that it sees.
    pub folders: &'a [Folder],
}

/// A folder as `ctr` reads it: fields of CSV, so that a comma and a quotation mark in a name are nothing special.
fn mount(folder: &Folder) -> String {
    let field = |key: &str, value: &str| {
        let text = format!("{key}={value}");
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let (host, guest) = (field("src", &folder.host.to_string_lossy()), field("dst", &folder.guest));
    format!("type=bind,{host},{guest},options=rbind:rw")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn ctr() -> Ctr {
        Ctr {
            program: "/t/ctr".into(),
            address: "/run/c.sock".into(),
            namespace: "ns".to_owned(),
            snapshotter: "overlayfs".to_owned(),
        }
    }

    #[test]
    fn the_measured_command_names_runtime_image_and_arguments_in_ctrs_order() {
        let runc = ContainerRuntime::Oci { program: "/t/runc".into() };
        let (none, annotations) = (BTreeMap::new(), BTreeMap::from([("a.b/c".to_owned(), "d".to_owned())]));
        let shim = ContainerRuntime::Shim { program: "/t/shim".into() };
        let command = ["/x".to_owned(), "--n".to_owned(), "5".to_owned()];
        let mut container = Container {
            image: "127.0.0.1:5000/x:native",
            platform: "linux/amd64",
            id: "c1",
            runtime: &runc,
            annotations: &none,
            command: &command,
            cgroup: None,
            env: &[],
            folders: &[],
        };
        let line = |container: &Container<'_>| ctr().run(container).args.join(" ");
        assert_eq!(
            line(&container),
            "--address /run/c.sock --namespace ns run --rm --snapshotter overlayfs --platform linux/amd64 \
             --runtime io.containerd.runc.v2 --runc-binary /t/runc 127.0.0.1:5000/x:native c1 /x --n 5"
        );
        container.runtime = &shim;
        container.annotations = &annotations;
        container.cgroup = Some("/ns/r0/c");
        let expected = "--runtime /t/shim --cgroup /ns/r0/c --annotation a.b/c=d 127.0.0.1";
        assert!(line(&container).contains(expected));
    }
}
