//! Faults of registries: replaced images, endless bodies, silence.

use crate::suite::{Check, Rig};

/// Each fault and what must come of it.
pub fn checks(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
