//! The embedded registry, and the push of an image.
