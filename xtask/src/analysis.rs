//! Manifest and samples in, summary out. Pure.
