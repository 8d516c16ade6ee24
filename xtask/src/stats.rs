//! Numbers in, statistics out.
