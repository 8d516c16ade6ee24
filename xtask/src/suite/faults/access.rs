//! Faults of rights and surroundings: root without capabilities, a moved checkout, the caller's environment.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
