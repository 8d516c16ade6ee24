//! Where images are pushed: the registry that was named, or one of our own.

use crate::cli::RegistryArgs;
use crate::registry::{Credentials, Destination, EmbeddedRegistry, Patience, PlainHttp, RegistryAccess};
use crate::secret::Secret;

/// Where images are pushed: the registry that was named, or an embedded one that lives as long as this.
#[derive(Debug)]
pub struct Registry {
    /// Its address and prefix.
    pub destination: Destination,
    /// How it is to know us.
    pub access: RegistryAccess,
    _embedded: Option<EmbeddedRegistry>,
}

impl Registry {
    /// The password of its account, when it wants one.
    pub fn password(&self) -> Option<&Secret> {
        match &self.access.credentials {
            Credentials::Anonymous => None,
            Credentials::Password { password, .. } => Some(password),
        }
    }
}

/// The registry that was named. Asked before anything is built: a typing error should be reported at once.
pub fn destination(args: &RegistryArgs) -> anyhow::Result<Option<Destination>> {
    let plain = if args.plain_http { PlainHttp::Requested } else { PlainHttp::Loopback };
    args.registry.as_deref().map(|text| Destination::parse(text, plain)).transpose()
}

/// Starts the embedded registry, unless another one was named.
pub fn start(args: &RegistryArgs) -> anyhow::Result<Registry> {
    if let Some(destination) = destination(args)? {
        let access =
            RegistryAccess { credentials: Credentials::from_docker(&destination)?, patience: Patience::DEFAULT };
        return Ok(Registry { destination, access, _embedded: None });
    }
    let embedded = EmbeddedRegistry::start()?;
    let access = RegistryAccess { credentials: embedded.credentials().clone(), patience: Patience::DEFAULT };
    Ok(Registry { destination: embedded.destination("bench"), access, _embedded: Some(embedded) })
}
