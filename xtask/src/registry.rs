//! Registries: the embedded one, and the push of an image set to any of them, which gives [`Pushed`].
//!
//! Everything asynchronous stays behind the blocking surface of this module. The wire protocol is `oci-client`'s
//! and `ferro-oci-server`'s (OCI distribution-spec 1.1). Not here: pulls by containerd, and what is in an image.

pub mod connection;
mod credentials;
mod destination;
pub mod embedded;
pub mod limiter;
mod patience;
mod push;

pub use {
    credentials::Credentials,
    destination::{Destination, PlainHttp},
    embedded::EmbeddedRegistry,
    patience::Patience,
    push::{PushProgress, PushReport, Pushed, RegistryAccess, Traffic, push},
};
