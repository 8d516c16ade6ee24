//! The stage on isolation: what a container of our shim may do, beside what runc's may, and attacks from inside.

use super::{Check, Rig};

/// The comparison and the attacks.
pub fn isolation(_rig: &Rig) -> Vec<Check> {
    Vec::new()
}
