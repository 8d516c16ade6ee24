//! What is measured, and with which programs: options that several subcommands share.

use std::path::PathBuf;

use clap::Args;

use crate::matrix::OwnRuntime;
use crate::session::privileges::Namespaces;

/// The heading of [`ProgramArgs`], on each of them: set for the whole, it would go on over what is flattened after it.
const PROGRAMS: &str = "Programs instead of the toolbox's";

/// Programs to use instead of those of the toolbox.
#[derive(Clone, Debug, Default, Args)]
pub struct ProgramArgs {
    /// Use this containerd
    #[arg(long, help_heading = PROGRAMS, value_name = "FILE")]
    pub containerd: Option<PathBuf>,
    /// Use this `ctr`
    #[arg(long, help_heading = PROGRAMS, value_name = "FILE")]
    pub ctr: Option<PathBuf>,
    /// Use this runc
    #[arg(long, help_heading = PROGRAMS, value_name = "FILE")]
    pub runc: Option<PathBuf>,
    /// Use this `wasmedge`
    #[arg(long, help_heading = PROGRAMS, value_name = "FILE")]
    pub wasmedge: Option<PathBuf>,
    /// Use the containerd that listens on this socket, instead of starting one
    #[arg(long, help_heading = PROGRAMS, value_name = "SOCKET")]
    pub containerd_address: Option<PathBuf>,
    /// Take the toolbox's packages from this mirror instead of the host's own
    #[arg(long, help_heading = PROGRAMS, value_name = "URL", env = "XTASK_MIRROR", hide_env_values = true)]
    pub mirror: Option<String>,
}

impl ProgramArgs {
    /// Whether containers need namespaces of their own: not for a containerd that is there already.
    pub fn namespaces(&self) -> Namespaces {
        if self.containerd_address.is_some() { Namespaces::Shared } else { Namespaces::Private }
    }
}

/// Which benches and cases.
#[derive(Clone, Debug, Default, Args)]
pub struct SelectArgs {
    /// Measure the benches that this pattern matches (`*`, `?`, `[…]`); may be repeated
    #[arg(long = "bench", value_name = "PATTERN")]
    pub benches: Vec<String>,
    #[command(flatten)]
    pub rows: CaseArgs,
}

/// Which rows there are.
#[derive(Clone, Debug, Default, Args)]
pub struct MatrixArgs {
    /// Take engines, runtimes and cases from this folder instead of `matrix`
    #[arg(long, value_name = "DIR")]
    pub matrix: Option<PathBuf>,
    /// An OCI runtime, or a containerd shim, of yours: for a name that is known instead of its own program, for a new one
    /// as one more row with the native image, and with `NAME:LIKE` as all the rows that the runtime LIKE has; may be repeated
    #[arg(long = "runtime", value_name = "NAME[:LIKE]=FILE")]
    pub runtimes: Vec<OwnRuntime>,
}

/// Which cases.
#[derive(Clone, Debug, Default, Args)]
pub struct CaseArgs {
    #[command(flatten)]
    pub of: MatrixArgs,
    /// The case of this name, or those that this pattern matches (of the default ones, where it matches any); may be
    /// repeated. `cargo xtask cases` lists them
    #[arg(long = "case", value_name = "PATTERN")]
    pub cases: Vec<String>,
    /// The cases of this set, or `all`; may be repeated. Without it and `--case`: `default`, or all where they are listed
    #[arg(long = "set", value_name = "SET")]
    pub sets: Vec<String>,
}
