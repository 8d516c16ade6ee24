//! What is started in a timed region. How it is started and timed is in `measure`.

use std::path::PathBuf;

/// A program and its arguments, ready to be started. The environment is not inherited.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Absolute path: no search takes place in the timed region.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
}
