//! Bytes in, bytes out: OCI images assembled without Docker.
