//! Small questions to sockets, for the tests that start a registry of their own.

use std::net::{TcpListener, TcpStream};

use anyhow::Context as _;

/// A port of 127.0.0.1 that nobody listened on a moment ago.
#[expect(clippy::disallowed_methods, reason = "a registry of the suite listens there")]
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("there is no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Whether somebody accepts connections at `host:port`.
#[expect(clippy::disallowed_methods, reason = "a registry of the suite listens there")]
pub fn answers(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}
