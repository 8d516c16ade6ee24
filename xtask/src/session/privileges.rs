//! Whether this user may become root and make namespaces, which containers need.

use crate::cmd::Cmd;

/// Whether the measuring process gets namespaces of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// For a containerd that we start.
    Private,
    /// For a containerd that is there already.
    Shared,
}

/// How this user may become root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privileges {
    /// It is root.
    Root,
    /// `sudo` asks for no password.
    Sudo,
    /// Neither, and why that matters.
    Denied(String),
}

/// Makes namespaces that end with the process that is started in them, and its mounts with them.
pub(super) const UNSHARE: [&str; 7] = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];

impl Privileges {
    /// What this user may do where containers need such namespaces. Namespaces are tried, because being root is not
    /// enough (a container's root has no CAP_SYS_ADMIN), and `sudo` is asked without a prompt.
    pub fn find(namespaces: Namespaces) -> Self {
        let privileges = Self::to_root();
        let Some(mut argv) = privileges.prefix().filter(|_| namespaces == Namespaces::Private) else {
            return privileges;
        };
        argv.extend(UNSHARE.map(str::to_owned));
        match Cmd::new(&argv[0]).args(&argv[1..]).arg("true").output() {
            Ok(output) if output.code == Some(0) => privileges,
            Ok(output) => Self::Denied(format!(
                "containers need namespaces of their own, and `unshare` can not make them here ({}): run outside of a \
                 container, or in one with CAP_SYS_ADMIN (`--privileged`)",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
            Err(error) => Self::Denied(format!(
                "containers need namespaces of their own, and there is no `unshare` ({error:#}): install util-linux"
            )),
        }
    }

    fn to_root() -> Self {
        if rustix::process::geteuid().is_root() {
            return Self::Root;
        }
        match Cmd::new("sudo").args(["-n", "true"]).output() {
            Ok(output) if output.code == Some(0) => Self::Sudo,
            Ok(_) => Self::Denied(
                "containers need root, and `sudo` asks for a password: run `sudo -v` first, or run as root".to_owned(),
            ),
            Err(_) => Self::Denied("containers need root, and there is no `sudo`: run as root".to_owned()),
        }
    }

    /// What comes before a command that is to run as root; `None` when it can not.
    pub(super) fn prefix(&self) -> Option<Vec<String>> {
        match self {
            Self::Root => Some(Vec::new()),
            Self::Sudo => Some(["sudo", "-n", "--"].map(str::to_owned).to_vec()),
            Self::Denied(_) => None,
        }
    }
}
