//! Faults of measured programs and of the streams that a run writes to.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
