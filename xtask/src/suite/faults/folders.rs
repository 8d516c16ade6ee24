//! Faults of folders and locks: whatever is in a folder that somebody names, only our own is ever removed.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
