//! What a command came to, and the exit status that says it. The numbers stand in the help, too.

use std::process::ExitCode;

/// What a command came to, as an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// A part was not measured, or failed; a test failed; a check found something.
    Failed,
    /// A name that names nothing, or too much.
    Usage,
    /// A part was not measured here, or some runs failed.
    Partial,
    /// A slow-down or a size beyond the limit, or one that a strict gate could not rule out.
    Slower,
    /// Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Slower => 4,
            Exit::Interrupted => 130,
        })
    }
}
