//! Who is who in a local cluster: certificates by `openssl`, and a configuration for each who speaks to the API server.
//!
//! They are made for one cluster and end with its folder.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::json;

use super::request::{API, CONTROL, Request, address, kubeconfig, node};
use crate::cmd::Cmd;

/// Those of the control plane: file, subject.
const CLIENTS: [(&str, &str); 3] = [
    ("admin", "/O=system:masters/CN=admin"),
    ("kube-controller-manager", "/CN=system:kube-controller-manager"),
    ("kube-scheduler", "/CN=system:kube-scheduler"),
];

/// Makes all of them.
///
/// # Errors
/// When there is no `openssl`, or it refuses.
pub fn make(request: &Request) -> anyhow::Result<()> {
    let folder = request.folder.join("pki");
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make `{}`", folder.display()))?;
    let authority = ["-x509", "-subj", "/CN=deploy-bench", "-days", "30"];
    key(request, "ca", &[&authority[..], &["-out", &request.pki("ca.crt")]].concat())?;
    openssl(&["genrsa", "-out", &request.pki("sa.key"), "2048"])?;
    openssl(&["rsa", "-in", &request.pki("sa.key"), "-pubout", "-out", &request.pki("sa.pub")])?;
    let names = format!("DNS:kubernetes.default.svc,IP:{CONTROL},IP:10.96.0.1,IP:127.0.0.1");
    certificate(request, ("apiserver", "/CN=kube-apiserver"), Some(&names))?;
    for (name, subject) in CLIENTS {
        certificate(request, (name, subject), None)?;
        configure(request, name)?;
    }
    for number in 1..=request.nodes {
        let name = node(number);
        let names = format!("DNS:{name},IP:{}", address(number));
        certificate(request, (&name, &format!("/O=system:nodes/CN=system:node:{name}")), Some(&names))?;
        configure(request, &name)?;
    }
    Ok(())
}

/// A key, and a request or certificate for it.
fn key(request: &Request, name: &str, more: &[&str]) -> anyhow::Result<()> {
    let file = request.pki(&format!("{name}.key"));
    let common = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &file];
    openssl(&[&common[..], more].concat())
}

/// Go accepts a server by its alternative names alone.
fn certificate(request: &Request, (name, subject): (&str, &str), names: Option<&str>) -> anyhow::Result<()> {
    let file = |end: &str| request.pki(&format!("{name}.{end}"));
    key(request, name, &["-subj", subject, "-out", &file("csr")])?;
    let mut extensions = "extendedKeyUsage=serverAuth,clientAuth\n".to_owned();
    if let Some(names) = names {
        writeln!(extensions, "subjectAltName={names}")?;
    }
    std::fs::write(file("ext"), extensions)?;
    let (csr, crt, ext) = (file("csr"), file("crt"), file("ext"));
    let (ca, ca_key) = (request.pki("ca.crt"), request.pki("ca.key"));
    let signed = ["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "30"];
    openssl(&[&signed[..], &["-extfile", &ext, "-out", &crt]].concat())
}

/// JSON is YAML.
fn configure(request: &Request, name: &str) -> anyhow::Result<()> {
    let file = |end: &str| request.pki(&format!("{name}.{end}"));
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local",
        "clusters": [{ "name": "local", "cluster": { "server": API, "certificate-authority": request.pki("ca.crt") } }],
        "users": [{ "name": name, "user": { "client-certificate": file("crt"), "client-key": file("key") } }],
        "contexts": [{ "name": "local", "context": { "cluster": "local", "user": name } }],
    });
    let path = kubeconfig(&request.folder, name);
    std::fs::write(&path, document.to_string()).with_context(|| format!("can not write `{}`", path.display()))
}

fn openssl(args: &[&str]) -> anyhow::Result<()> {
    Cmd::new("openssl").args(args).run().map(drop).context("a certificate can not be made: install `openssl`")
}
