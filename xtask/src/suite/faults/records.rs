//! Faults of stored runs: doubled, halved, damaged, empty, from elsewhere.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
