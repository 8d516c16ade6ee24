//! What people get wrong on a cluster: a RuntimeClass of another handler, an image that nodes may not have, an index where
//! one of its images was meant. And what is right: a program of their own, under a handler that they name.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{PREPARED, found, kubectl, measurement, private_registry, read};
use crate::own_program::trial;
use crate::{Rig, expect_code, expect_error};
use oci::INDEX_TAG;
use results::Outcome;
use xtask::cluster::jobs::job::{Asked, Failure, Observer};
use xtask::cluster::jobs::output::Judge;
use xtask::cluster::kubectl::Kubectl;
use xtask::cluster::objects::{Network, Pods, class};
use xtask::cluster::request::{OTHER_REGISTRY, REGISTRY};
use xtask::matrix::Annotations;
use xtask::measure::expectation::Expectations;
use xtask::measure::runs::NamedImage;

/// The handler of modules.
const WASMEDGE: &str = "wasmedge";
/// What a shell, and a kubelet, would make something else of.
const SPECIAL: &str = "$(HOME) $$x";

/// With arguments and a variable that arrive as they are, and an output that native says.
pub fn own_program(rig: &Rig) -> anyhow::Result<()> {
    let folder = trial::package(rig)?;
    let folder = folder.to_str().context("the folder is not UTF-8")?;
    let variable = format!("ONE={SPECIAL}");
    let rows = [
        "--handler",
        "crun",
        "--case",
        "*/job-crun",
        "--case",
        "wasm-aot/job-wasmedge",
        "--node",
        "n1",
        "--burst",
        "2",
    ];
    let rounds = ["--rounds", "1", "--warmup", "0"];
    let given = ["--program", folder, "--env", &variable, "--", "show", SPECIAL, "a b"];
    let (cmd, out) = measurement(rig, "own", &[&rows[..], &rounds, &given].concat());
    expect_code(&cmd.output()?, 0)?;
    let (manifest, samples) = read(&out)?;
    ensure!(samples.len() == 6 && samples.iter().all(|sample| sample.outcome == Outcome::Ok), "{samples:?}");
    let own = manifest.own_program.context("it is not recorded whose program it is")?;
    ensure!(own.name == "my-trial", "it is recorded as {}", own.name);
    let printed =
        format!("args [{SPECIAL:?}, \"a b\"]\nstdin 0 bytes, \"\"\nvariables Ok({SPECIAL:?}) Err(NotPresent)\n");
    let names: Vec<&str> = manifest.benches.iter().map(|bench| bench.name.as_str()).collect();
    ensure!(names == ["my-trial@n1", "my-trial@2-at-once"], "{names:?}");
    for bench in &manifest.benches {
        ensure!(bench.expected_sha256 == files::sha256_hex(printed.as_bytes()), "{bench:?}");
    }
    // Nodes have no file of this machine.
    let folder = ["--program", folder, "--dir", folder, "--", "show"];
    expect_error(&measurement(rig, "own-folder", &folder).0.output()?, 1, &["no file of this machine", "`--env`"])?;
    let runtime = measurement(rig, "own-runtime", &["--runtime", "mine=/usr/bin/crun"]).0.output()?;
    expect_error(&runtime, 1, &["`--runtime mine=/usr/bin/crun`", "`--handler`"])
}

/// Every row of it would be another's, and looks right.
pub fn other_handler(rig: &Rig) -> anyhow::Result<()> {
    let name = class(WASMEDGE);
    let made = json!({
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": { "name": name },
        "handler": "runc",
    });
    kubectl(rig, &["create", "-f", "-"])?.stdin(made.to_string()).run()?;
    let doctor = rig.xtask(&["cluster", "doctor", "--local", "--namespace", PREPARED]).output()?;
    let (cmd, out) = measurement(rig, "misled", &["--bench", "noop", "--rounds", "1"]);
    let refused = cmd.output()?;
    kubectl(rig, &["delete", "runtimeclass", &name])?.run()?;
    let says = [format!("`{name}` is of the handler `runc`, not `{WASMEDGE}`"), format!("delete runtimeclass {name}")];
    let says = says.each_ref().map(String::as_str);
    expect_code(&doctor, 3)?;
    for words in says {
        ensure!(doctor.text().contains(words), "`doctor` does not say {words:?}:\n{}", doctor.text());
    }
    expect_error(&refused, 1, &says)?;
    ensure!(!out.exists(), "`{}` is a run of nothing", out.display());
    Ok(())
}

/// A registry that wants a login, which nodes were not given.
pub fn refused_image(rig: &Rig) -> anyhow::Result<()> {
    let local = found(rig)?;
    let (account, _registry) = private_registry(rig, &local, "refused")?;
    let out = rig.scratch.join("cluster-refused");
    let prefix = local.prefix();
    let cmd = rig.xtask_below(&prefix[0], &prefix[1..]).args(["cluster", "run", "--kubeconfig"]);
    let cmd = cmd.arg(local.kubeconfig()).arg("--kubectl").arg(&local.kubectl).env("DOCKER_CONFIG", &account);
    let cmd = cmd.args(["--registry", OTHER_REGISTRY, "--plain-http", "--host-network", "--namespace", PREPARED]);
    // The rows of a case and its twin: an image that no node has had.
    let rows = ["--bench", "noop", "--pull", "--case", "native/job-runc", "--node", "n2", "--rounds", "1"];
    expect_code(&cmd.args(rows).args(["--warmup", "0", "--out"]).arg(&out).output()?, 3)?;
    let (_, samples) = read(&out)?;
    let pulls: Vec<_> = samples.iter().filter(|sample| sample.bench.ends_with("+pull")).collect();
    ensure!(pulls.len() == 2, "{samples:?}");
    for sample in pulls {
        let reason = sample.reason.as_deref().unwrap_or_default();
        let is_said = reason.contains("ErrImagePull") || reason.contains("ImagePullBackOff");
        ensure!(sample.outcome == Outcome::NotStarted && is_said && reason.contains(OTHER_REGISTRY), "{sample:?}");
    }
    Ok(())
}

/// Kubernetes takes the native image of it under any RuntimeClass, and calls that a success.
pub fn index(rig: &Rig) -> anyhow::Result<()> {
    // What the check on Jobs has pushed.
    let (manifest, _) = read(&rig.scratch.join("cluster-jobs"))?;
    let meant = manifest.images.iter().find(|image| image.kind == "wasm-aot").context("no image of it")?;
    let image = NamedImage {
        name: meant.kind.clone(),
        reference: format!("{REGISTRY}/{}:{INDEX_TAG}", meant.program),
        manifest: meant.manifest_digest.parse().context("its digest is none")?,
        blobs: Vec::new(),
        transfer_bytes: meant.transfer_bytes,
        platform: meant.platform.clone(),
        // That of whatever image the node takes.
        entrypoint: Vec::new(),
    };
    let local = found(rig)?;
    let mut global = local.prefix();
    let program = global.remove(0).into();
    global.extend([local.kubectl.to_string_lossy().into_owned(), "--kubeconfig".to_owned()]);
    global.push(local.kubeconfig().to_string_lossy().into_owned());
    let cluster = Kubectl { program, global, namespace: PREPARED.to_owned() };
    cluster.set_up(&[WASMEDGE.to_owned()])?;
    let pods = Pods::One { node: "n1".to_owned() };
    let asked = Asked {
        name: "index-by-mistake".to_owned(),
        pods: &pods,
        handler: WASMEDGE,
        annotations: &Annotations::new(),
        image: Some(&image),
        args: &[],
        env: &[],
        network: Network::Node,
        pull_secret: None,
        limit: std::time::Duration::from_mins(1),
    };
    let mut judge = Judge { expectations: &mut Expectations::default(), bench: "index", cell: "index" };
    let (values, end) = Observer::new(&cluster, std::slice::from_ref(&pods))?.run(&asked, &mut judge);
    let ran: Value = cluster.json(&["get", "pods", "-l", &format!("job-name={}", asked.name)])?;
    cluster.clean()?;
    let phase = &ran["items"][0]["status"]["phase"];
    ensure!(phase == "Succeeded", "Kubernetes does not call it a success, and this check shows nothing: {ran}");
    match end {
        Err(Failure::Run(Outcome::WrongOutput, why)) if why.contains("which is not") && values.is_empty() => Ok(()),
        other => anyhow::bail!("it came to {other:?} with {values:?}"),
    }
}
