//! What is started in a timed region. How it is started and timed is in `measure`.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// A program and what it is given, ready to be started. The environment is not inherited.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Absolute path: no search takes place in the timed region.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its standard input.
    pub stdin: Stdin,
}

/// A standard input.
#[derive(Clone, Debug, Default)]
pub enum Stdin {
    /// Nothing to read.
    #[default]
    Empty,
    /// This file.
    File(PathBuf),
    /// What is written to the other end.
    Pipe(Arc<OwnedFd>),
}
