//! Preflight: each finding with its remedy.
