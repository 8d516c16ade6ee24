//! The picture of the result for the project's README. Placeholder until the charts are there.

/// What the picture shows.
pub const TITLE: &str = "Image size and time per kind, direct and in a container";
