//! Does nothing: what is left is the cost of starting it.

/// Also what `noop-stamped` does between its two stamps.
pub fn main() {}
