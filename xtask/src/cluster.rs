//! Kubernetes: a cluster of this machine's own, and any other, as the place where pods run.
//!
//! Not here: pods without Kubernetes, which are rows of the matrix (`measure::calls`).

mod cgroups;
pub mod control;
pub mod jobs;
pub mod kubectl;
pub mod kubernetes;
pub mod local;
pub mod node;
pub mod nodes;
pub mod objects;
mod pki;
pub mod probe;
pub mod processes;
pub mod request;
