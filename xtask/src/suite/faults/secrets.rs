//! Faults that could show a secret: a password is in no file, argument vector, error or report.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
