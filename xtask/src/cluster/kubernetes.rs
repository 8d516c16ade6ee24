//! Kubernetes' own programs, built from Debian's source package on request: fetched, checked by apt against Debian's keys,
//! compiled with Debian's Go, and kept as one file.
//!
//! The version is old (January 2021, out of support) because it is the last that Debian's Go of the same suite compiles
//! without a network. What has to be changed in the tree for that, and why, stands beside each step. Not here: running it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::cmd::Cmd;
use crate::lock;
use crate::progress::{Amount, Progress, Unit};
use crate::toolbox::archive::{self, Wanted};
use crate::toolbox::tree::remove;
use crate::toolbox::{Options, elf};
use crate::workspace::Workspace;
use files::sha256_file;

/// What it is, for whoever reads a report.
pub const TITLE: &str = "Kubernetes 1.20.2 (Debian 12's source, January 2021, out of support)";
/// What programs say.
pub const VERSION: &str = "v1.20.2";
const SUITE: &str = "bookworm";
const SOURCE: [&str; 2] = ["kubernetes", "1.20.5+really1.20.2-1.1+deb12u1"];
const PACKAGES: [&str; 4] =
    ["golang-1.19-go", "golang-1.19-src", "golang-github-modern-go-reflect2-dev", "kubernetes-client"];
/// The programs that the one file is, by its name.
pub const PROGRAMS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];
const MAIN: &str = include_str!("main.go");
/// A cold build took 530 s of processor time; a machine may be busy.
const BUILD_LIMIT: Duration = Duration::from_hours(1);
const STEP_LIMIT: Duration = Duration::from_mins(10);
const STEPS: u64 = 5;
/// How much Go's compiler may grow before it looks for memory that it needs no more: at its own 100 that is a good part of
/// its time.
const GARBAGE_PERCENT: &str = "300";

/// The built programs.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    /// The folder that holds a name for each of [`PROGRAMS`].
    pub programs: PathBuf,
    /// `kubectl` of the same version.
    pub kubectl: PathBuf,
}

/// What a finished build says of itself; a folder with another recipe is built anew.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    recipe: String,
    sha256: [String; 2],
}

const ALL: &str = "kubernetes";
const KUBECTL: &str = "kubectl";

/// The folder of the finished build.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("kubernetes")
}

/// The folder of a build that goes on.
pub fn work(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("work")
}

/// The finished build, if it is there and undamaged.
pub fn find(workspace: &Workspace) -> Option<Kubernetes> {
    let folder = folder(workspace);
    let identity: Identity = serde_json::from_slice(&std::fs::read(folder.join("identity.json")).ok()?).ok()?;
    (identity == self::identity(&folder).ok()?)
        .then(|| Kubernetes { programs: folder.join("bin"), kubectl: folder.join(KUBECTL) })
}

/// The programs, built where they are not there yet.
///
/// # Errors
/// When something can not be fetched, or the compiler refuses it.
pub fn ensure_built(
    workspace: &Workspace,
    options: &Options,
    progress: &mut dyn Progress,
) -> anyhow::Result<Kubernetes> {
    if let Some(found) = find(workspace) {
        return Ok(found);
    }
    let _lock = lock::kubernetes(workspace)?;
    if let Some(found) = find(workspace) {
        return Ok(found);
    }
    progress
        .note("building Kubernetes, once: 4 to 9 minutes of processor time, 111 MB to fetch, 2 GB on disk meanwhile");
    let folder = folder(workspace);
    let work = work(workspace);
    remove(&folder)?;
    let download = work.join("download");
    std::fs::create_dir_all(&download).with_context(|| format!("can not make `{}`", download.display()))?;
    let mut step = 0;
    let mut next = |what: &str, progress: &mut dyn Progress| {
        progress.advance(&format!("Kubernetes: {what}"), Amount { done: step, total: STEPS, unit: Unit::Items });
        step += 1;
    };
    next("downloading source and compiler", progress);
    let wanted = Wanted { suite: SUITE, packages: &PACKAGES, source: SOURCE };
    archive::fetch(&wanted, (&download, &work.join("apt")), options, progress)?;
    next("unpacking", progress);
    let tree = Tree::unpack(&work)?;
    next("making what is not in the tree", progress);
    tree.newer_reflect2()?;
    tree.openapi()?;
    next("compiling", progress);
    let built = tree.compile()?;
    next("putting it in its place", progress);
    keep(&folder, &built, &tree.root.join("usr/bin/kubectl"))?;
    remove(&work)?;
    find(workspace).context("what was built is not what it should be")
}

fn keep(folder: &Path, built: &Path, kubectl: &Path) -> anyhow::Result<()> {
    for (from, name) in [(built, ALL), (kubectl, KUBECTL)] {
        std::fs::rename(from, folder.join(name)).with_context(|| format!("can not move `{}`", from.display()))?;
    }
    std::fs::create_dir(folder.join("bin"))?;
    for program in PROGRAMS {
        std::os::unix::fs::symlink(Path::new("..").join(ALL), folder.join("bin").join(program))?;
    }
    let identity = serde_json::to_vec_pretty(&identity(folder)?)?;
    files::write_whole(&folder.join("identity.json"), &identity)
}

fn identity(folder: &Path) -> anyhow::Result<Identity> {
    let sha256 = [sha256_file(&folder.join(ALL))?, sha256_file(&folder.join(KUBECTL))?];
    let head = std::fs::read(folder.join(ALL))?;
    ensure!(elf::is_elf(&head), "`{ALL}` is no program");
    Ok(Identity { recipe: format!("{} {} {MAIN}", SOURCE.join(" "), PACKAGES.join(" ")), sha256 })
}

/// The unpacked source, and what compiles it.
struct Tree {
    /// The packages.
    root: PathBuf,
    /// GOPATH: the source has to be below it, in its place. In module mode Go would want to change `go.mod`.
    gopath: PathBuf,
    /// The source.
    source: PathBuf,
}

impl Tree {
    fn unpack(work: &Path) -> anyhow::Result<Self> {
        let (root, gopath) = (work.join("root"), work.join("go"));
        let source = gopath.join("src/k8s.io/kubernetes");
        let parent = source.parent().context("the source has no parent")?;
        std::fs::create_dir_all(parent)?;
        for entry in std::fs::read_dir(work.join("download"))? {
            let path = entry?.path();
            let command = match path.extension().and_then(|extension| extension.to_str()) {
                Some("deb") => Cmd::new("dpkg-deb").arg("--extract").arg(&path).arg(&root),
                Some("dsc") => Cmd::new("dpkg-source").args(["--extract"]).arg(&path).arg(&source),
                _ => continue,
            };
            command.limit(STEP_LIMIT).run().context("a package can not be unpacked: is `dpkg-dev` installed?")?;
        }
        for folder in ["cache", "tmp", "home"] {
            std::fs::create_dir_all(gopath.join(folder))?;
        }
        Ok(Self { root, gopath, source })
    }

    /// A command in the tree, with nothing of the caller's settings of Go, and after everybody else.
    fn cmd(&self, program: &Path) -> Cmd {
        let goroot = self.root.join("usr/lib/go-1.19");
        let path = format!("{}:/usr/bin:/bin", goroot.join("bin").display());
        let cmd = Cmd::new("nice").args(["-n", "19"]).arg(program).dir(&self.source).bare().limit(BUILD_LIMIT);
        [("GO111MODULE", "off"), ("GOPROXY", "off"), ("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("LC_ALL", "C")]
            .into_iter()
            .fold(cmd, |cmd, (name, value)| cmd.env(name, value))
            .env("GOROOT", goroot)
            .env("GOPATH", &self.gopath)
            .env("GOCACHE", self.gopath.join("cache"))
            .env("GOTMPDIR", self.gopath.join("tmp"))
            .env("GOGC", GARBAGE_PERCENT)
            .env("HOME", self.gopath.join("home"))
            .env("PATH", path)
    }

    fn go(&self) -> Cmd {
        self.cmd(&self.root.join("usr/lib/go-1.19/bin/go")).args(["build", "-trimpath"])
    }

    /// reflect2 1.0.1 crashes at the first map with Go 1.18 and later. Only the files: the versions in `go.mod` stay.
    fn newer_reflect2(&self) -> anyhow::Result<()> {
        let old = self.source.join("vendor/github.com/modern-go/reflect2");
        let new = self.root.join("usr/share/gocode/src/github.com/modern-go/reflect2");
        let is_code = |path: &Path| path.extension().is_some_and(|extension| extension == "go" || extension == "s");
        for path in entries(&old)?.into_iter().filter(|path| is_code(path)) {
            std::fs::remove_file(path)?;
        }
        for path in entries(&new)?.into_iter().filter(|path| is_code(path)) {
            std::fs::copy(&path, old.join(path.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// The one generated file that is not in the tree. What it was made of is compared with upstream's own list.
    fn openapi(&self) -> anyhow::Result<()> {
        let generator = self.gopath.join("openapi-gen");
        self.go().arg("-o").arg(&generator).arg("./vendor/k8s.io/kube-openapi/cmd/openapi-gen").run()?;
        let report = self.gopath.join("violations");
        let inputs: Vec<String> = self.openapi_inputs()?.into_iter().collect();
        self.cmd(&generator)
            .args(["--logtostderr", "-i", &inputs.join(",")])
            .args(["-p", "k8s.io/kubernetes/pkg/generated/openapi", "-O", "zz_generated.openapi"])
            .args(["-h", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt", "-r"])
            .arg(&report)
            .arg("--output-base")
            .arg(self.gopath.join("src"))
            .run()?;
        let known = std::fs::read(self.source.join("api/api-rules/violation_exceptions.list"))?;
        ensure!(std::fs::read(&report)? == known, "the generated API description is not made of what upstream's is");
        Ok(())
    }

    /// The packages whose files ask for a description.
    fn openapi_inputs(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for (folder, below) in [("cmd", "."), ("pkg", "."), ("plugin", "."), ("k8s.io", "staging/src")] {
            let base = self.source.join(below);
            let prefix = if below == "." { "k8s.io/kubernetes" } else { "k8s.io/kubernetes/vendor" };
            let mut folders = vec![base.join(folder)];
            while let Some(folder) = folders.pop() {
                for path in entries(&folder)? {
                    let name = path.strip_prefix(&base)?.to_string_lossy().into_owned();
                    if is_left_out(&name) {
                        continue;
                    }
                    if path.is_dir() && !path.is_symlink() {
                        folders.push(path);
                    } else if path.extension().is_some_and(|extension| extension == "go") && wants_description(&path)? {
                        let package = Path::new(&name).parent().unwrap_or(Path::new(""));
                        found.insert(format!("{prefix}/{}", package.display()));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Everything in one program, without the libraries of cloud providers and Docker (upstream's own tags).
    fn compile(&self) -> anyhow::Result<PathBuf> {
        let main = self.source.join("cmd/allinone");
        std::fs::create_dir(&main)?;
        std::fs::write(main.join("main.go"), MAIN)?;
        let built = self.gopath.join(ALL);
        let mut flags = "-s -w".to_owned();
        for package in ["component-base/version", "client-go/pkg/version"] {
            for (name, value) in [
                ("gitVersion", VERSION),
                ("gitMajor", "1"),
                ("gitMinor", "20"),
                ("gitTreeState", "archive"),
                ("gitCommit", "faecb196815e248d3ecfb03c680a4507229c2a56"),
                ("buildDate", "2021-01-13T13:20:00Z"),
            ] {
                write!(flags, " -X k8s.io/kubernetes/vendor/k8s.io/{package}.{name}={value}")?;
            }
        }
        let command = self.go().args(["-tags", "providerless,dockerless", "-ldflags", &flags, "-o"]).arg(&built);
        command.arg("./cmd/allinone").run()?;
        Ok(built)
    }
}

/// Generated files, tests' data, and what upstream's make leaves out.
fn is_left_out(path: &str) -> bool {
    path.contains("zz_generated")
        || ["/testdata", "/_examples", "k8s.io/code-generator", "k8s.io/sample-apiserver"]
            .iter()
            .any(|part| path.ends_with(part))
}

fn wants_description(path: &Path) -> anyhow::Result<bool> {
    const TAG: &[u8] = b"+k8s:openapi-gen=";
    let bytes = std::fs::read(path).with_context(|| format!("can not read `{}`", path.display()))?;
    Ok(bytes.windows(TAG.len()).any(|part| part == TAG))
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can not read `{}`", folder.display()))?;
    Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}
